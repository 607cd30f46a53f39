/**
 * Walks the steps of a configuration as written: finds every pool wherever it stands, and steps that can
 * never do what they say. Works on values that may still be wrong, so it trusts none of them.
 */
import type { Path } from "./places.ts";
import { isMap } from "./reading.ts";

export interface Clash {
  readonly path: Path;
  readonly expected: string;
  readonly received: string;
  /** The key is what is wrong, more than its value; `received` then holds nothing secret. */
  readonly isOfKey?: boolean;
}

export interface Entry<T = unknown> {
  readonly path: Path;
  readonly value: T;
}

export type WrittenMap = Record<string, unknown>;

/** Steps that follow one another. */
interface Course {
  readonly path: Path;
  readonly steps: readonly unknown[];
  /** An upstream's response is at hand. */
  readonly isOfResponse: boolean;
}

export interface Parts {
  readonly pools: readonly Entry<WrittenMap>[];
  readonly clashes: readonly Clash[];
}

/** Actions after which no step follows. */
const ANSWERING = ["proxy", "respond", "redirect", "error", "copy_response"];

/** All pools of a route and all that is wrong with the order of its steps. */
export function partsOfRoute(route: WrittenMap, path: Path): Parts {
  const errors = entriesOf(route["errors"], [...path, "errors"]);
  const all = [
    ...partsOfCourse(courseAt(route, path, false)),
    ...partsOfPool({ path, value: route }),
    ...errors.flatMap((rule) => isMap(rule.value) ? partsOfRule(rule.value, rule.path, false) : []),
  ];
  const last = ["upstreams", "dynamic"].find((key) => key in route);
  const answering = listAt(route, "steps").findIndex(answers);
  const late: Clash[] = last === undefined || answering < 0 ? [] : [{
    path: [...path, last],
    expected: "something that is reached",
    received: `"${last}" behind steps[${answering}], which answers everything`,
    isOfKey: true,
  }];
  return {
    pools: all.flatMap(({ pools }) => pools),
    clashes: [...all.flatMap(({ clashes }) => clashes), ...late],
  };
}

/** The entries of a list, or the one value that stands for a list of one. */
export function entriesOf(value: unknown, path: Path): Entry[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return [{ path, value }];
  return value.map((item: unknown, at) => ({ path: [...path, at], value: item }));
}

function courseAt(map: WrittenMap, path: Path, isOfResponse: boolean): Course {
  return { path: [...path, "steps"], steps: listAt(map, "steps"), isOfResponse };
}

function listAt(map: WrittenMap, key: string): readonly unknown[] {
  const list: unknown = map[key];
  return Array.isArray(list) ? list : [];
}

function partsOfRule(rule: WrittenMap, path: Path, isOfResponse: boolean): Parts[] {
  return partsOfCourse(courseAt(rule, path, isOfResponse));
}

function partsOfPool({ path, value: pool }: Entry<WrittenMap>): Parts[] {
  const rules = entriesOf(pool["responses"], [...path, "responses"]);
  const isPool = "upstreams" in pool || "dynamic" in pool;
  return [
    { pools: isPool ? [{ path, value: pool }] : [], clashes: [] },
    ...rules.flatMap((rule) => isMap(rule.value) ? partsOfRule(rule.value, rule.path, true) : []),
  ];
}

function partsOfCourse({ path, steps, isOfResponse }: Course): Parts[] {
  const end = steps.findIndex(answers);
  const late: Clash[] = end < 0 || end === steps.length - 1 ? [] : [{
    path: [...path, end + 1],
    expected: "a step that is reached",
    received: `one behind steps[${end}], which answers everything`,
  }];
  return [
    { pools: [], clashes: late },
    ...steps.flatMap((step, at) =>
      isMap(step) ? partsOfStep(step, [...path, at], isOfResponse) : []
    ),
  ];
}

function partsOfStep(step: WrittenMap, path: Path, isOfResponse: boolean): Parts[] {
  const pools = ["proxy", "forward_auth"].flatMap((key): Parts[] => {
    const value: unknown = step[key];
    return isMap(value) ? partsOfPool({ path: [...path, key], value }) : [];
  });
  const branches = listAt(step, "first_of");
  const inner = branches.flatMap((branch, at) =>
    isMap(branch) ? partsOfRule(branch, [...path, "first_of", at], isOfResponse) : []
  );
  const clashes = [
    ...lateBranches(branches, [...path, "first_of"]),
    ...(isOfResponse ? [] : strayCopies(step, path)),
  ];
  return [
    ...pools,
    ...partsOfCourse(courseAt(step, path, isOfResponse)),
    ...inner,
    { pools: [], clashes },
  ];
}

function strayCopies(step: WrittenMap, path: Path): Clash[] {
  return ["copy_response", "copy_response_headers"].filter((key) => key in step).map((key) => ({
    path: [...path, key],
    expected: `steps of "responses" around "${key}"`,
    received: "none",
    isOfKey: true,
  }));
}

function lateBranches(branches: readonly unknown[], path: Path): Clash[] {
  const end = branches.findIndex(takesAll);
  if (end < 0 || end === branches.length - 1) return [];
  return [{
    path: [...path, end + 1],
    expected: "a branch that is reached",
    received: `one behind first_of[${end}], which takes everything`,
  }];
}

function takesAll(step: unknown): boolean {
  return isMap(step) && !("match" in step);
}

/** Whether no request gets past this step. */
function answers(step: unknown): boolean {
  if (!isMap(step) || !takesAll(step)) return false;
  if (ANSWERING.some((key) => key in step)) return true;
  if (listAt(step, "steps").some(answers)) return true;

  const branches = listAt(step, "first_of");
  const end = branches.findIndex(takesAll);
  return end >= 0 &&
    branches.slice(0, end + 1).every((branch) =>
      isMap(branch) && listAt(branch, "steps").some(answers)
    );
}
