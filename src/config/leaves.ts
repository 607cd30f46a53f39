/**
 * The leaves of the schema: durations, counts, codes, names and texts, each with the message that
 * teaches its form. Numbers and switches are also taken as text, so that `${NAME}` can fill them.
 */
import type { StatusRange } from "../rules.ts";
import { read, type Reading, refuse, show } from "./reading.ts";
import { either, leaf, oneOrMore, type Schema } from "./shape.ts";
import { didYouMean } from "./suggest.ts";
import {
  readFieldValue,
  readStatusTemplate,
  readTemplate,
  readTextTemplate,
  readToken,
  readUriTemplate,
  TOKEN,
} from "./template.ts";
import { readDuration, readSize } from "./units.ts";

// Spelled with an escape: a raw template with the sign itself reads differently on Bun and Deno.
const DURATION_PATTERN = "^(?:0|(?:(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:ns|us|\\u00b5s|ms|s|m|h|d))+)$";
const SIZE_PATTERN = String.raw`^\d+(?:\.\d+)?\s*(?:[kKmMgGtT][iI]?)?[bB]$`;

/** A form, or a reference to the environment that an editor cannot look into. */
function orEnvironment(pattern: string): string {
  return String.raw`${pattern}|\$\{`;
}

export function duration(leastMs = 0): Schema<number> {
  const shape = {
    type: ["string", "integer"],
    pattern: orEnvironment(DURATION_PATTERN),
    // The one number that needs no unit.
    minimum: 0,
    maximum: 0,
    examples: ["5s"],
  };
  return leaf(shape, (written) => readDuration(written, leastMs));
}

/** How long something is good, which no timer counts: up to ten years. */
export function lifetime(leastMs: number): Schema<number> {
  const pattern = orEnvironment(DURATION_PATTERN);
  const shape = { type: "string", pattern, examples: ["90d"] };
  return leaf(shape, (written) => readDuration(written, leastMs, 3650));
}

/** A duration, or `none` for no limit. */
export function timeLimit(leastMs = 1): Schema<number | undefined> {
  const shape = {
    type: "string",
    pattern: orEnvironment(`${DURATION_PATTERN}|^none$`),
    examples: ["30s", "none"],
  };
  return leaf(shape, (written): Reading<number | undefined> => {
    if (written === "none") return read(undefined);
    const reading = readDuration(written, leastMs);
    if (reading.kind === "read") return reading;
    return refuse(`${reading.expected} or "none"`, reading.received);
  });
}

export const SizeBytes = leaf(
  { type: "string", pattern: orEnvironment(SIZE_PATTERN), examples: ["1MiB"] },
  (written) => readSize(written, false),
);

/** A size between two others, both included. */
export function sizeBetween(least: string, most: string): Schema<number> {
  const [from, to] = [least, most].map((text) => readSize(text, false));
  const shape = { type: "string", pattern: orEnvironment(SIZE_PATTERN), examples: [most] };
  return leaf(shape, (written): Reading<number> => {
    const reading = readSize(written, false);
    if (reading.kind === "refused" || from?.kind !== "read" || to?.kind !== "read") return reading;
    const fits = reading.value >= from.value && reading.value <= to.value;
    return fits ? reading : refuse(`a size from ${least} to ${most}`);
  });
}

export const SizeLimitBytes = leaf(
  { type: "string", pattern: orEnvironment(`${SIZE_PATTERN}|^unlimited$`), examples: ["10MB"] },
  (written) => readSize(written, true),
);

/** A whole number between two bounds, both included. */
export function count(least: number, most: number): Schema<number> {
  const shape = {
    type: ["integer", "string"],
    pattern: String.raw`^\d+$|\$\{`,
    minimum: least,
    maximum: most,
  };
  return leaf(shape, (written) => readCount(written, least, most));
}

/** A whole number from 1, or `unlimited` for Infinity. */
export const CountLimit = leaf(
  { type: ["integer", "string"], minimum: 1, pattern: String.raw`^unlimited$|^\d+$|\$\{` },
  (written): Reading<number> =>
    written === "unlimited"
      ? read(Number.POSITIVE_INFINITY)
      : readCount(written, 1, 1_000_000, ' or "unlimited"'),
);

export const Switch = leaf(
  { type: ["boolean", "string"], pattern: String.raw`^(?:true|false)$|\$\{` },
  (written): Reading<boolean> => {
    if (typeof written === "boolean") return read(written);
    const isWord = written === "true" || written === "false";
    return isWord ? read(written === "true") : refuse("true or false");
  },
);

/** One of a few words. */
export function word<const W extends string>(...words: readonly W[]): Schema<W> {
  return leaf({ enum: words }, (written) => readWord(written, words));
}

export function readWord<const W extends string>(
  written: unknown,
  words: readonly W[],
): Reading<W> {
  const known = words.find((candidate) => candidate === written);
  if (known !== undefined) return read(known);
  const quoted = words.map((candidate) => `"${candidate}"`);
  const expected = quoted.length === 1
    ? quoted.join("")
    : `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
  const hint = typeof written === "string" ? didYouMean(written, words) : "";
  return refuse(expected, `${show(written)}${hint}`);
}

/** Any text. */
export const Text = leaf(
  { type: "string" },
  (written): Reading<string> =>
    typeof written === "string" ? read(written) : refuse("a text, in quotes,"),
);

export const Method = leaf(
  { type: "string", examples: ["GET", "HEAD", "POST"] },
  (written): Reading<string> =>
    typeof written === "string" && TOKEN.test(written)
      ? read(written.toUpperCase())
      : refuse('a method such as "GET"'),
);

const StatusEntry = leaf(
  {
    type: ["integer", "string"],
    minimum: 100,
    maximum: 999,
    pattern: String.raw`^[1-5]xx$|^[1-9]\d\d$|\$\{`,
    examples: [200, "2xx"],
  },
  (written): Reading<StatusRange> => {
    const text = typeof written === "number" ? String(written) : written;
    const expected = 'a status such as 200 or "2xx"';
    if (typeof text !== "string") return refuse(expected);
    const family = /^([1-5])xx$/i.exec(text)?.[1];
    if (family !== undefined) {
      return read({ from: Number(family) * 100, to: Number(family) * 100 + 99 });
    }
    return /^[1-9]\d\d$/.test(text)
      ? read({ from: Number(text), to: Number(text) })
      : refuse(expected);
  },
);

/** One status code, a class, or a list of these. */
export const Status: Schema<StatusRange[]> = oneOrMore(StatusEntry);

/** A header name to look for. */
export const FieldName = leaf({ type: "string", examples: ["X-Origin"] }, readToken);
export const FieldValue = leaf({ type: "string" }, readFieldValue);
/** A header value with placeholders. */
export const TemplateValue = leaf({ type: "string" }, readTemplate);
/** Any text with placeholders. */
export const TextTemplate = leaf({ type: "string" }, readTextTemplate);
export const UriTemplate = leaf(
  { type: "string", pattern: String.raw`^[/?{]|\$\{`, examples: ["/new{uri}"] },
  readUriTemplate,
);
export const StatusTemplate = leaf(
  {
    type: ["integer", "string"],
    minimum: 200,
    maximum: 599,
    pattern: String.raw`^[2-5]\d\d$|\{`,
    examples: [404],
  },
  readStatusTemplate,
);

/** What a field must be: a value with `*` at either end for any rest, a list of these, nothing for none. */
export const FieldValues: Schema<string[]> = either(
  (written) => written === null,
  leaf({ type: "null" }, () => read([])),
  oneOrMore(FieldValue),
);

/** Name of a variable. */
export function readVarName(written: unknown): Reading<string> {
  const fits = typeof written === "string" && /^[\w.-]{1,64}$/.test(written);
  return fits ? read(written) : refuse("a name of letters, digits, _, . and -");
}

function readCount(written: unknown, least: number, most: number, or = ""): Reading<number> {
  const isDigits = typeof written === "string" && /^\d{1,9}$/.test(written);
  const number = isDigits ? Number(written) : written;
  const fits = typeof number === "number" && Number.isInteger(number) && number >= least &&
    number <= most;
  return fits ? read(number) : refuse(`a whole number from ${least} to ${most}${or}`);
}
