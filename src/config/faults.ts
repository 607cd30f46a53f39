/** Puts what the schema and the rules across settings found into words and at its place. Pure. */
import type { Clash } from "./course.ts";
import type { Fault, Place, Places } from "./places.ts";
import { show } from "./reading.ts";
import { type Issue, KEY_ISSUE } from "./shape.ts";

export interface Found extends Fault {
  readonly isMissing: boolean;
}

/** Undefined where the value could not even be read, which has been told already. */
export function issueFault(issue: Issue, places: Places): Found | undefined {
  const path = (issue.path ?? []).map(({ key }) => typeof key === "number" ? key : String(key));
  const isMissing = issue.kind === "schema" && issue.path?.at(-1)?.origin === "key";
  const place = places.nearest(path);
  if (place.isBroken) return undefined;

  // What a person wrote over many lines is best shown by its key.
  const isWide = isMissing || issue.type === KEY_ISSUE || typeof issue.input === "object";
  const offset = isWide && issue.input !== null ? place.keyOffset : place.offset;
  return { offset, where: place.where, message: inWords(issue, place, isMissing), isMissing };
}

export function clashFault(clash: Clash, places: Places): Found | undefined {
  const place = places.nearest(clash.path);
  if (place.isBroken) return undefined;
  const { isOfKey = false, expected } = clash;
  const received = isOfKey ? clash.received : place.mask ?? clash.received;
  return {
    offset: isOfKey ? place.keyOffset : place.offset,
    where: place.where,
    message: `Expected ${expected} but received ${received}`,
    isMissing: false,
  };
}

function inWords(issue: Issue, place: Place, isMissing: boolean): string {
  if (issue.type === KEY_ISSUE) return issue.message;
  if (isMissing) return `Expected a key ${issue.expected} but received none`;
  const received = place.mask ?? receivedBy(issue);
  return `Expected ${expectedBy(issue)} but received ${received}`;
}

/** Puts what valibot itself expects into our words. */
function expectedBy(issue: Issue): string {
  if (issue.type === "array") return "a list";
  if (issue.type === "min_length") return "at least one entry";
  return issue.expected ?? "something else";
}

function receivedBy(issue: Issue): string {
  return issue.type === "array" || issue.type === "min_length" ? show(issue.input) : issue.received;
}
