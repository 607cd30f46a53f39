/**
 * The few forms settings take, on top of valibot: a leaf read from one value, a map with known keys,
 * a map with free keys, one of two forms. They report every unknown key where valibot stops at the
 * first, take no list for a map, and follow the form that was written instead of trying both.
 */
import * as v from "valibot";
import { isMap, type Reading, show } from "./reading.ts";
import { didYouMean } from "./suggest.ts";

export type Issue = v.BaseIssue<unknown>;
export type Schema<T = unknown> = v.BaseSchema<unknown, T, Issue>;

/** Marks issues about a key instead of its value: the position is the key's, nothing is hidden. */
export const KEY_ISSUE = "key";

/** What an editor is told of a leaf, in JSON Schema's words. */
export interface LeafShape {
  readonly type?: string | readonly string[];
  readonly pattern?: string;
  readonly enum?: readonly (string | number | boolean)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly examples?: readonly (string | number)[];
}

/** A setting that `reader` makes of the value as written. */
export function leaf<T>(shape: LeafShape, reader: (written: unknown) => Reading<T>): Schema<T> {
  return v.pipe(
    v.unknown(),
    v.metadata({ ...shape }),
    v.rawTransform(({ dataset, addIssue, NEVER }): T => {
      const reading = reader(dataset.value);
      if (reading.kind === "read") return reading.value;
      const received = reading.received ?? show(dataset.value);
      addIssue({ expected: reading.expected, received });
      return NEVER;
    }),
  );
}

/** Says what a setting is for. The generator of the JSON Schema reads it off the outermost schema. */
export function about<const S extends Schema>(description: string, schema: S) {
  return v.pipe(schema, v.description(description));
}

/** A setting that must be there, in a form that `about` can describe. */
export function required<T>(schema: Schema<T>): Schema<T> {
  // The generator reads no description behind a transformation, but one around a wrapper.
  return {
    ...v.undefinedable(schema),
    "~run": (dataset, config) => schema["~run"](dataset, config),
    "~standard": schema["~standard"],
    "~types": undefined,
  };
}

/** A list of one form; `least` entries at least. */
export function list<T>(item: Schema<T>, least = 0): Schema<T[]> {
  return least === 0 ? v.array(item) : v.pipe(v.array(item), v.minLength(least));
}

/** A map with exactly these keys; `later` are those that later versions bring. */
export function keyed<const E extends v.ObjectEntries>(
  entries: E,
  later: readonly string[] = [],
): Schema<v.InferOutput<v.StrictObjectSchema<E, undefined>>> {
  const object = v.strictObject(entries);
  const known = Object.keys(entries);
  return {
    ...object,
    "~run": (dataset, config) => {
      const input = dataset.value;
      if (!isMap(input)) return notAMap(input);

      const strangers = Object.keys(input).filter((key) => !known.includes(key));
      const rest = Object.fromEntries(Object.entries(input).filter(([key]) => known.includes(key)));
      const issues = strangers.map((key) => keyIssue(input, key, strange(key, known, later)));
      return withIssues(issues, object["~run"]({ value: rest }, config));
    },
  };
}

/** A map whose keys the operator chooses, such as header names; `readKey` says which may be. */
export function named<T>(
  readKey: (written: unknown) => Reading<string>,
  value: Schema<T>,
): Schema<Record<string, T>> {
  const record = v.record(v.string(), value);
  return {
    ...record,
    "~run": (dataset, config) => {
      const input = dataset.value;
      if (!isMap(input)) return notAMap(input);

      const issues = Object.keys(input).flatMap((key) => {
        const reading = readKey(key);
        if (reading.kind === "read") return [];
        const received = reading.received ?? show(key);
        return [keyIssue(input, key, `Expected ${reading.expected} but received ${received}`)];
      });
      return withIssues(issues, record["~run"](dataset, config));
    },
  };
}

/** A setting with two forms; `isFirst` tells by the value which one was meant. */
export function either<T, U>(
  isFirst: (written: unknown) => boolean,
  first: Schema<T>,
  second: Schema<U>,
): Schema<T | U> {
  return {
    ...v.union([first, second]),
    "~run": (dataset, config) =>
      isFirst(dataset.value) ? first["~run"](dataset, config) : second["~run"](dataset, config),
  };
}

/** One of a form, or a list of them; a list either way inside. */
export function oneOrMore<T>(item: Schema<T>): Schema<T[]> {
  const isSingle = (written: unknown): boolean => !Array.isArray(written);
  return either(isSingle, v.pipe(item, v.transform((value) => [value])), list(item, 1));
}

/** The way from a map to one of its keys, for issues raised beside the schema's own. */
export function pathTo(input: object, key: string): v.IssuePathItem {
  return { type: "unknown", origin: "value", input, key, value: undefined };
}

/**
 * Tells when a map holds none of some keys, or several where `most` is 1. Only for keys without a
 * default, as those are there in any case.
 */
export function holds<T extends object>(
  keys: readonly string[],
  { most, expected }: { readonly most: 1 | undefined; readonly expected: string },
) {
  return v.rawCheck<T>(({ dataset, addIssue }) => {
    const written: unknown = dataset.value;
    if (!isMap(written)) return;
    const there = keys.filter((key) => Object.hasOwn(written, key));
    const [one, other] = there;
    if (one === undefined && !isMistyped(dataset.issues)) {
      addIssue({ expected, received: "none" });
    }
    if (most === undefined || other === undefined) return;
    const received = `"${other}" beside "${one}"`;
    addIssue({ expected, received, path: [pathTo(written, other)] });
  });
}

/** Whether a key of the map itself was mistyped: then what seems to be missing may just be that one. */
export function isMistyped(issues: readonly Issue[] | undefined): boolean {
  return issues?.some(({ type, path }) => type === KEY_ISSUE && path?.length === 1) ?? false;
}

function strange(key: string, known: readonly string[], later: readonly string[]): string {
  if (later.includes(key)) return `Cannot use "${key}" yet as it comes with a later version`;
  return `Expected a known key but received ${show(key)}${didYouMean(key, known)}`;
}

function keyIssue(input: object, key: string, message: string): Issue {
  return {
    kind: "schema",
    type: KEY_ISSUE,
    input,
    expected: null,
    received: show(key),
    message,
    path: [pathTo(input, key)],
  };
}

function notAMap(input: unknown): v.FailureDataset<Issue> {
  const issue: Issue = {
    kind: "schema",
    type: "map",
    input,
    expected: "a map",
    received: show(input),
    message: "",
  };
  return { typed: false, value: input, issues: [issue] };
}

function withIssues<T>(
  [first, ...others]: readonly Issue[],
  result: v.OutputDataset<T, Issue>,
): v.OutputDataset<T, Issue> {
  if (first === undefined) return result;
  const issues: [Issue, ...Issue[]] = [first, ...others, ...(result.issues ?? [])];
  return { typed: false, value: result.value, issues };
}
