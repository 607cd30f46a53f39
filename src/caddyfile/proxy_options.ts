/**
 * Reads a block of options by a table: refuses what is unknown, refused by the table of support, written
 * twice or given too much, and leaves the rest to the option's own reader. Nothing is passed over.
 */
import { type Context, type Directive, hasArgs, placeOf, shown, type Token } from "./directive.ts";
import { didYouMean } from "./suggest.ts";
import { supportOf } from "./support_table.ts";
import type { Comments, Place, Plain, WrittenMap } from "./written.ts";

/** What readers of options work on. */
export interface Draft {
  readonly context: Context;
  /** Comments of lines that became no setting of their own. */
  readonly homeless: Comments[];
}

/** One line of a block, under its full name. */
export interface Line extends Directive {
  /** `reverse_proxy.health_uri`. */
  readonly where: string;
  readonly at: Place;
}

export interface Option<D extends Draft> {
  /** Arguments at least and at most. */
  readonly args: readonly [number, number];
  /** May be written more than once. */
  readonly repeats?: boolean;
  /** May have a block. */
  readonly block?: boolean;
  read(line: Line, draft: D): void;
}

export type Options<D extends Draft> = Readonly<Record<string, Option<D>>>;

export const ANY_NUMBER = Number.MAX_SAFE_INTEGER;

export interface Reading<D extends Draft> {
  readonly options: Options<D>;
  /** What leads the full names: `reverse_proxy`. */
  readonly prefix: string;
  /** Names written before, to tell of a second time. */
  readonly seen?: Set<string>;
}

/** Reads every line of a block. */
export function readBlock<D extends Draft>(
  lines: readonly Directive[],
  draft: D,
  { options, prefix, seen = new Set() }: Reading<D>,
): void {
  for (const line of lines) {
    const { name } = line;
    const where = `${prefix}.${name.text}`;
    if (supportOf(where)?.verdict === "refused") {
      draft.context.refuse(name, where);
      continue;
    }
    const option = Object.hasOwn(options, name.text) ? options[name.text] : undefined;
    if (option === undefined) {
      tellUnknown(name, { prefix, context: draft.context, known: Object.keys(options) });
      continue;
    }
    if (seen.has(name.text) && option.repeats !== true) {
      draft.context.problem(name, where, `Expected ${name.text} once but received it again`);
      continue;
    }
    seen.add(name.text);
    readOne({ ...line, where, at: placeOf(name, where) }, option, draft);
  }
}

function readOne<D extends Draft>(line: Line, option: Option<D>, draft: D): void {
  const { context } = draft;
  if (!hasArgs(line, option.args, { context, where: line.where })) return;
  const stray = line.block?.[0];
  if (option.block !== true && stray !== undefined) {
    const received = `"${shown(stray.name.text)}"`;
    context.problem(stray.name, line.where, `Expected no block but received ${received}`);
    return;
  }
  option.read(line, draft);
}

function tellUnknown(
  name: Token,
  { prefix, context, known }: {
    readonly prefix: string;
    readonly context: Context;
    readonly known: readonly string[];
  },
): void {
  const hint = didYouMean(name.text, known);
  const message = `Expected an option of ${prefix} but received "${shown(name.text)}"${hint}`;
  context.problem(name, prefix, message);
}

/** Sets a key to what a line says, its comments with it. */
export function put(map: WrittenMap, key: string, value: Plain, { at, comments }: Line): void {
  map.set(key, value, at).comment(key, comments);
}

/** Notes that a line is accepted though it needs no setting; its comments go with the whole. */
export function accept({ name, where, comments }: Line, { context, homeless }: Draft): void {
  context.took(name, where);
  homeless.push(comments);
}

/** The first argument; lines come here only with as many as their option wants. */
export function first({ args, name }: Directive): Token {
  return args[0] ?? name;
}

/** Tells of an argument that is not what it should be. */
export function expected(
  token: Token,
  what: string,
  { context, where }: { readonly context: Context; readonly where: string },
): undefined {
  context.problem(token, where, `Expected ${what} but received "${shown(token.text)}"`);
}

/** A whole number of at least `least`; undefined when told of as wrong. */
export function countOf(
  token: Token,
  least: number,
  scope: { readonly context: Context; readonly where: string },
): number | undefined {
  const number = scope.context.integer(token, scope.where);
  if (number === undefined || number >= least) return number;
  return expected(token, `a whole number of at least ${least}`, scope);
}

/** A status code or class as YAML spells it: `200`, `"5xx"`; undefined when told of as wrong. */
export function statusOf(
  token: Token,
  scope: { readonly context: Context; readonly where: string },
): number | string | undefined {
  // Caddy writes a class as "5xx" or as its first digit.
  const family = /^([1-5])(?:xx)?$/i.exec(token.text)?.[1];
  if (family !== undefined) return `${family}xx`;
  if (/^[1-9]\d\d$/.test(token.text)) return Number(token.text);
  return expected(token, 'a status such as 200 or "2xx"', scope);
}
