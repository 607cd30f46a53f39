/**
 * What all translators of Caddyfile directives share: tokens, the parsed directive, the rule that turns
 * one into steps of the written tree, and what they may ask for while they do. Only types and two
 * small helpers; the grammar is in lexer.ts and parser.ts. The registry in directives.ts gathers
 * `CORE_DIRECTIVES` and, from proxy_directives.ts, `PROXY_DIRECTIVES` (reverse_proxy, forward_auth,
 * intercept, copy_response, copy_response_headers), each a `Directives`. support_table.ts gathers
 * `CORE_SUPPORT` of support_core.ts and its own list into `SUPPORT`, a list of `Support`.
 */
import type { Comments, Place, WrittenList, WrittenMap } from "./written.ts";

/** One word of a Caddyfile. */
export interface Token {
  /** Without quotes, escapes resolved. Placeholders stand as they were written. */
  readonly text: string;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** How it was quoted: `"` or a backquote or `<` for a heredoc; undefined when it was not. */
  readonly quoted: '"' | "`" | "<" | undefined;
}

/** Where a word stands. */
export type Spot = Pick<Token, "file" | "line" | "column">;

/** A line and its block: a directive, or a subdirective within one. Imports and snippets are resolved. */
export interface Directive {
  readonly name: Token;
  readonly args: readonly Token[];
  /** Undefined without braces. */
  readonly block: readonly Directive[] | undefined;
  readonly comments: Comments;
}

/** How good the import of something is; docs/from-caddy.md and `validate` say it in these words. */
export type Verdict = "same" | "better" | "different" | "refused";

/** One line of what is known of Caddy's directives and options. The importer itself reads it. */
export interface Support {
  /** `reverse_proxy.health_uri`; a global option is `global.grace_period`, a matcher `matcher.path`. */
  readonly name: string;
  readonly verdict: Verdict;
  /** What it becomes in YAML: `health.uri`; empty for what is refused or needs no setting. */
  readonly setting: string;
  /** What differs; for what is refused the reason, which reads well after "as". */
  readonly note: string;
  /** For what is refused: the nearest thing on offer, which reads well after "use". */
  readonly nearest?: string;
}

/** Turns a directive into steps. */
export interface DirectiveRule {
  /**
   * Whether its first argument may be a matcher (`*`, `/path`, `@name`). The caller takes it away before
   * and puts `match` on the steps that come back.
   */
  readonly takesMatcher: boolean;
  /** Steps in order, each a map with one action key: `{ proxy: … }`. Empty when it was refused. */
  translate(directive: Directive, context: Context): readonly WrittenMap[];
}

/** Rules by the name of their directive. */
export type Directives = Readonly<Record<string, DirectiveRule>>;

/** Where a text goes decides what may stand in it. */
export interface Context {
  /** Tells of a problem: `Caddyfile:12:5 reverse_proxy.health_uri: …`. Reading goes on behind it. */
  problem(at: Spot, where: string, message: string): void;
  /** How many problems were told of so far; more of them mean that something was wrong in between. */
  problems(): number;
  /** Refuses something that `Support` has as refused, with its reason and the nearest thing. */
  refuse(at: Spot, where: string): void;
  /**
   * Notes that something was taken over, for the table that `validate` prints. The verdict comes from
   * `Support` of that name; `setting` replaces the one from there where it depends on the arguments.
   */
  took(at: Token, where: string, setting?: string): void;

  /** A text with placeholders, for settings that are templates. Unknown placeholders are told of. */
  template(token: Token, where: string): string;
  /** A text for settings that are not templates: only `{env.X}` may stand in it. */
  plain(token: Token, where: string): string;
  /** `1h30m`, `250ms`, `2d` in our spelling; undefined when told of as wrong. */
  duration(token: Token, where: string): string | undefined;
  /** `10MB`, `4KiB`, `512` in our spelling; undefined when told of as wrong. */
  size(token: Token, where: string): string | undefined;
  integer(token: Token, where: string): number | undefined;
  /** A regular expression of Go's as one of JavaScript's; undefined when told of as wrong. */
  pattern(token: Token, where: string): string | undefined;

  /** Directives in a block of their own (`handle_response { … }`) as steps, sorted as Caddy sorts them. */
  steps(block: readonly Directive[], where: string): WrittenList;
  /** The same in the order of the file, as `route` has it. */
  sequence(block: readonly Directive[], where: string): WrittenList;
  /** Steps of the named route `&(name)`; undefined when told of as unknown. */
  invoked(token: Token, where: string): WrittenList | undefined;
  /**
   * A set of request matchers: one directive each, as in a block of `@name { … }`. They all must hold.
   * Undefined when it was refused.
   */
  matcher(block: readonly Directive[], where: string): WrittenMap | undefined;
  /** The named matcher `@name` of the site; undefined when told of as unknown. */
  namedMatcher(token: Token, where: string): WrittenMap | undefined;
}

/** The place of a token under a name. */
export function placeOf({ file, line, column }: Token, where: string): Place {
  return { file, line, column, where };
}

/** Checks the number of arguments; tells of too few or too many and gives false. */
export function hasArgs(
  { name, args }: Directive,
  [least, most]: readonly [number, number],
  { context, where }: { readonly context: Context; readonly where: string },
): boolean {
  const surplus = args[most];
  if (surplus !== undefined) {
    const expected = most === 0 ? "no argument" : `at most ${counted(most)}`;
    context.problem(surplus, where, `Expected ${expected} but received "${shown(surplus.text)}"`);
    return false;
  }
  if (args.length >= least) return true;
  const exactly = least === most ? "" : "at least ";
  const received = args.length === 0 ? "none" : String(args.length);
  context.problem(name, where, `Expected ${exactly}${counted(least)} but received ${received}`);
  return false;
}

/** A word of the file as messages show it. */
export function shown(text: string): string {
  const line = text.replace(/\p{C}+/gu, " ");
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}

function counted(count: number): string {
  return count === 1 ? "one argument" : `${count} arguments`;
}
