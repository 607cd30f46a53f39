/**
 * Turns the text of a configuration file into a frozen `Config`, or into all that is wrong with it:
 * each problem once, in the order of the file, with its line and column. Never throws.
 */
import * as v from "valibot";
import { type Document, LineCounter, parseDocument, type YAMLError } from "yaml";
import type { Config } from "../rules.ts";
import { type Clash, clashes } from "./clash.ts";
import { ConfigSchema } from "./schema.ts";
import { type Issue, KEY_ISSUE } from "./shape.ts";
import { show } from "./reading.ts";
import type { Fault, Place } from "./places.ts";
import { readTree, type Sources, type Tree } from "./tree.ts";

export interface LoadSources extends Sources {
  /** What problems call the file. */
  readonly path: string;
}

export interface Problem {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  /** The setting: `routes[0].health.timeout`; empty for the file as a whole. */
  readonly where: string;
  readonly message: string;
}

export type Loaded =
  | { readonly kind: "loaded"; readonly config: Config }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };

const TEXT_LIMIT_CHARS = 4_000_000;

/** `config.yaml:12:5 routes[0].health.timeout: Expected … but received …` */
export function formatProblem({ path, line, column, where, message }: Problem): string {
  return `${path}:${line}:${column}${where === "" ? "" : ` ${where}`}: ${message}`;
}

export async function load(text: string, sources: LoadSources): Promise<Loaded> {
  const lines = new LineCounter();
  const refused = (faults: readonly Fault[]): Loaded => ({
    kind: "refused",
    problems: toProblems(faults, lines, sources.path),
  });
  if (text.length > TEXT_LIMIT_CHARS) {
    return refused([{ offset: 0, where: "", message: "Expected a file of at most 4 MB" }]);
  }

  const document = parse(text, lines);
  if (document === undefined) {
    return refused([{
      offset: 0,
      where: "",
      message: "Cannot read this YAML as it nests too deep",
    }]);
  }

  const syntax = [...document.errors, ...document.warnings].filter(isOurs);
  const tree = await readTree(document.contents, sources);
  const result = v.safeParse(ConfigSchema, tree.value);
  const found = [
    ...(result.issues ?? []).map((issue) => issueFault(issue, tree)),
    ...clashes(tree.value).map((clash) => clashFault(clash, tree)),
  ].filter((fault) => fault !== undefined);
  const meant = withoutEchoes(found, syntax, lines);
  const faults = [
    ...syntax.map((error) => syntaxFault(error, text)),
    ...tree.places.faults,
    ...meant,
  ];

  if (faults.length > 0 || !result.success) return refused(faults);
  return { kind: "loaded", config: freeze(result.output) };
}

function parse(text: string, lineCounter: LineCounter): Document.Parsed | undefined {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, logLevel: "silent" });
  } catch {
    // The parser calls itself for each level, and the runtime's stack ends somewhere.
    return undefined;
  }
}

/** Aliases are resolved, and reported, by our own reading of the tree. */
function isOurs(error: YAMLError): boolean {
  return !/^(?:Unresolved alias|Excessive alias)/.test(error.message);
}

function syntaxFault(error: YAMLError, text: string): Fault {
  const [offset, end] = error.pos;
  if (error.code === "DUPLICATE_KEY") {
    const key = /^[^\s:]*/.exec(text.slice(offset, Math.max(end, offset + 80)))?.[0] ?? "";
    return { offset, where: "", message: `Expected each key once but received ${show(key)} again` };
  }
  const words = error.message.split("\n", 1)[0]?.slice(0, 160) ?? "";
  return { offset, where: "", message: `Cannot read this as YAML: ${words}` };
}

interface Found extends Fault {
  readonly isMissing: boolean;
}

function issueFault(issue: Issue, tree: Tree): Found | undefined {
  const path = (issue.path ?? []).map(({ key }) => typeof key === "number" ? key : String(key));
  const isMissing = issue.kind === "schema" && issue.path?.at(-1)?.origin === "key";
  const place = tree.places.nearest(path);
  if (place.isBroken) return undefined;

  // What a person wrote over many lines is best shown by its key.
  const isWide = isMissing || issue.type === KEY_ISSUE || typeof issue.input === "object";
  const offset = isWide && issue.input !== null ? place.keyOffset : place.offset;
  return { offset, where: place.where, message: inWords(issue, place, isMissing), isMissing };
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

function clashFault(clash: Clash, tree: Tree): Found | undefined {
  const place = tree.places.nearest(clash.path);
  if (place.isBroken) return undefined;
  const message = `Expected ${clash.expected} but received ${place.mask ?? clash.received}`;
  return { offset: place.offset, where: place.where, message, isMissing: false };
}

/**
 * Where the syntax is broken, the parser guesses: what seems to be missing may be in the part it lost,
 * and a setting on the broken line is most likely the same mistake.
 */
function withoutEchoes(
  found: readonly Found[],
  syntax: readonly YAMLError[],
  lines: LineCounter,
): readonly Found[] {
  const hard = syntax.filter(({ code }) =>
    code !== "DUPLICATE_KEY" && code !== "TAG_RESOLVE_FAILED"
  );
  if (hard.length === 0) return found;
  const broken = new Set(hard.map(({ pos }) => lines.linePos(pos[0]).line));
  return found.filter(({ isMissing, offset }) =>
    !isMissing && !broken.has(lines.linePos(offset).line)
  );
}

function toProblems(faults: readonly Fault[], lines: LineCounter, path: string): Problem[] {
  const seen = new Set<string>();
  const inOrder = faults.toSorted((one, other) => one.offset - other.offset);
  return inOrder.flatMap(({ offset, where, message }): Problem[] => {
    const { line, col } = lines.linePos(offset);
    const problem: Problem = {
      path,
      line: Math.max(1, line),
      column: Math.max(1, col),
      where,
      message,
    };
    // One anchored value is read once for each of its aliases.
    const key = `${line}:${col}:${message}`;
    if (seen.has(key)) return [];
    seen.add(key);
    return [problem];
  });
}

function freeze<T>(value: T): T {
  // A frozen expression cannot move its lastIndex and throws when it is used.
  if (typeof value !== "object" || value === null || value instanceof RegExp) return value;
  for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}
