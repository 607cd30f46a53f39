/**
 * Turns the text of a configuration file into a frozen `Config`, or into all that is wrong with it:
 * each problem once, in the order of the file, with its line and column. Never throws.
 */
import * as v from "valibot";
import type { Node } from "yaml";
import type { Config } from "../rules.ts";
import { clashes } from "./clash.ts";
import { clashFault, type Found, issueFault } from "./faults.ts";
import type { Fault } from "./places.ts";
import { ConfigSchema } from "./schema.ts";
import { settle } from "./settle.ts";
import { parseYaml, positionOf } from "./syntax.ts";
import { readTree, type Sources } from "./tree.ts";
import { type PlaceOf, writtenTree } from "./written.ts";

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

/** `config.yaml:12:5 routes[0].health.timeout: Expected … but received …` */
export function formatProblem({ path, line, column, where, message }: Problem): string {
  return `${path}:${line}:${column}${where === "" ? "" : ` ${where}`}: ${message}`;
}

export async function load(text: string, sources: LoadSources): Promise<Loaded> {
  const { document, lines, faults: syntax, broken } = parseYaml(text);
  const refused = (faults: readonly Fault[]): Loaded => ({
    kind: "refused",
    problems: toProblems(
      faults.toSorted((one, other) => one.offset - other.offset),
      (offset) => ({ path: sources.path, ...positionOf(lines, offset) }),
    ),
  });
  if (document === undefined) return refused(syntax);

  const { config, unreadable, found } = await check(document.contents, sources);
  const lineOf = (offset: number) => positionOf(lines, offset).line;
  const faults = [...syntax, ...unreadable, ...withoutEchoes(found, broken, lineOf)];
  if (faults.length > 0 || config === undefined) return refused(faults);
  return { kind: "loaded", config };
}

/**
 * Loads a configuration that another language than YAML was turned into: maps, lists and scalars with
 * YAML's keys, references to the environment included. Problems are told at the places it came from.
 */
export async function loadWritten(
  value: unknown,
  placeOf: PlaceOf,
  sources: LoadSources,
): Promise<Loaded> {
  const tree = writtenTree(value, placeOf, sources.path);
  const { config, unreadable, found } = await check(tree.root, sources);
  const faults = [...unreadable, ...found].toSorted((one, other) =>
    tree.compare(one.offset, other.offset)
  );
  if (faults.length === 0 && config !== undefined) return { kind: "loaded", config };
  return {
    kind: "refused",
    problems: toProblems(faults, (offset) => {
      const { file: path, ...place } = tree.place(offset);
      return { path, ...place };
    }),
  };
}

interface Checked {
  /** Undefined when there are faults. */
  readonly config: Config | undefined;
  readonly unreadable: readonly Fault[];
  readonly found: readonly Found[];
}

async function check(root: Node | null, sources: LoadSources): Promise<Checked> {
  const { value, places } = await readTree(root, sources);
  const result = v.safeParse(ConfigSchema, value);
  const settled = result.success
    ? settle(result.output, (chain, key) => sources.certificateNames(chain, key))
    : undefined;
  const found = [
    ...(result.issues ?? []).map((issue) => issueFault(issue, places)),
    ...[...clashes(value), ...(settled?.clashes ?? [])].map((clash) => clashFault(clash, places)),
  ].filter((fault) => fault !== undefined);
  return {
    config: settled && freeze(settled.config),
    unreadable: places.faults,
    found,
  };
}

/**
 * Where the syntax is broken, the parser guesses: what seems to be missing may be in the part it lost,
 * and a setting on the broken line is most likely the same mistake.
 */
function withoutEchoes(
  found: readonly Found[],
  broken: readonly number[],
  lineOf: (offset: number) => number,
): readonly Found[] {
  if (broken.length === 0) return found;
  const brokenLines = new Set(broken.map(lineOf));
  return found.filter(({ isMissing, offset }) => !isMissing && !brokenLines.has(lineOf(offset)));
}

function toProblems(
  faults: readonly Fault[],
  locate: (offset: number) => Pick<Problem, "path" | "line" | "column"> & Partial<Problem>,
): Problem[] {
  const seen = new Set<string>();
  return faults.flatMap(({ offset, where, message }): Problem[] => {
    const problem: Problem = { where, message, ...locate(offset) };
    // One anchored value is read once for each of its aliases.
    const key = `${problem.path}:${problem.line}:${problem.column}:${message}`;
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
