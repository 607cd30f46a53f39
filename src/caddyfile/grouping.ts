/** Puts matchers on steps, and makes exclusive what excludes each other. Pure. */
import { type Directive, placeOf } from "./directive.ts";
import { kindOf, type Ordered } from "./order.ts";
import { WrittenMap } from "./written.ts";

/** A directive that was translated. */
export interface Item extends Ordered {
  readonly directive: Directive;
  readonly steps: readonly WrittenMap[];
}

/** Kinds of which only the first that matches is run, when several stand side by side. */
const EXCLUSIVE = ["handle", "rewrite"];

/** Steps of sorted directives, in which directives of one kind stand together. */
export function grouped(items: readonly Item[]): readonly WrittenMap[] {
  return items.flatMap((item, at): readonly WrittenMap[] => {
    const kind = kindOf(item.name);
    const group = items.filter(({ name }) => kindOf(name) === kind);
    if (!EXCLUSIVE.includes(kind) || group.length < 2) return item.steps;
    if (items.findIndex(({ name }) => kindOf(name) === kind) !== at) return [];
    const branches = group.flatMap(({ steps }) => steps.map(asBranch));
    const place = placeOf(item.directive.name, kind);
    return [new WrittenMap(place).set("first_of", branches, place)];
  });
}

/** Puts a matcher on steps. */
export function matched(
  steps: readonly WrittenMap[],
  match: WrittenMap | undefined,
): readonly WrittenMap[] {
  const [first, ...others] = steps;
  if (match === undefined || first === undefined) return steps;
  const step = new WrittenMap(first.at).set("match", match, match.at);
  if (others.length > 0) return [step.set("steps", [...steps], first.at)];
  for (const [key, { node, at }] of first.entries) {
    step.set(key, node, at).comment(key, first.commentsOf(key));
  }
  return [step];
}

/** A step as a branch of `first_of`, whose keys are `match` and `steps`. */
function asBranch(step: WrittenMap): WrittenMap {
  if (step.has("steps")) return step;
  const branch = new WrittenMap(step.at);
  const rest = new WrittenMap(step.at);
  for (const [key, { node, at }] of step.entries) {
    const target = key === "match" ? branch : rest;
    target.set(key, node, at).comment(key, step.commentsOf(key));
  }
  return branch.set("steps", [rest], step.at);
}
