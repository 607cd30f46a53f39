/**
 * Reads request matchers: the lines of `@name { … }`, of `not { … }` and of `lb_retry_match { … }`. All of
 * them must hold; lines of one kind that may be put together give one list, as in Caddy.
 */
import { type Context, type Directive, hasArgs, placeOf, shown, type Token } from "./directive.ts";
import { allOf } from "./expression_match.ts";
import { readExpressionOf } from "./matcher_expression.ts";
import { didYouMean } from "./suggest.ts";
import { type Leaf, type Place, WrittenMap } from "./written.ts";

/** What reading matchers needs beside the texts. */
export interface MatcherScope {
  readonly context: Context;
  /** `{re.name.1}` may go by the name of a matcher whose expression has none. */
  readonly groupName: string | undefined;
}

interface Line extends Directive {
  readonly where: string;
  readonly at: Place;
}

type Read = (line: Line, into: WrittenMap, scope: MatcherScope) => WrittenMap | undefined | void;

/** The matcher of these lines; undefined when one was refused. */
export function readMatcher(
  lines: readonly Directive[],
  at: Place,
  scope: MatcherScope,
): WrittenMap | undefined {
  const own = new WrittenMap(at);
  const further: WrittenMap[] = [];
  const before = scope.context.problems();
  const seen = new Set<string>();
  for (const line of lines) {
    const { text } = line.name;
    if (SINGLE.includes(text) && seen.has(text)) {
      // Caddy forgets the one before it.
      const message = `Expected ${text} once in a matcher but received it again`;
      scope.context.problem(line.name, `matcher.${text}`, message);
      continue;
    }
    seen.add(text);
    const made = readLine(line, own, scope);
    if (made !== undefined) further.push(made);
  }
  if (scope.context.problems() > before) return undefined;
  const parts = own.entries.size === 0 ? further : [own, ...further];
  return allOf(parts, at);
}

function readLine(line: Directive, own: WrittenMap, scope: MatcherScope): WrittenMap | undefined {
  const { name } = line;
  const where = `matcher.${name.text}`;
  const { context } = scope;
  if (REFUSED.includes(name.text)) {
    context.refuse(name, where);
    return undefined;
  }
  const read = Object.hasOwn(KINDS, name.text) ? KINDS[name.text] : undefined;
  if (read === undefined) {
    const hint = didYouMean(name.text, Object.keys(KINDS));
    const message = `Expected a matcher such as "path" but received "${shown(name.text)}"${hint}`;
    context.problem(name, "matcher", message);
    return undefined;
  }
  context.took(name, where);
  return read({ ...line, where, at: placeOf(name, where) }, own, scope) ?? undefined;
}

/** Whether a line defines a named matcher. */
export function isMatcher({ name }: Directive): boolean {
  return name.quoted === undefined && name.text.startsWith("@");
}

/** `@name path /a`, or the short form of an expression: @name `path("/a")`. */
export function expressionOr(
  kind: Token,
  args: readonly Token[],
  { block, comments }: Pick<Directive, "block" | "comments">,
): Directive {
  return kind.quoted === undefined
    ? { name: kind, args, block, comments }
    : { name: { ...kind, text: "expression" }, args: [kind, ...args], block, comments };
}

/** Matchers that cannot be put together with another one of their kind. */
const SINGLE = ["path_regexp", "protocol", "expression"];

const REFUSED = ["file", "vars_regexp", "tls"];

const KINDS: Readonly<Record<string, Read>> = {
  host: texts("host"),
  path: texts("path"),
  method: texts("method"),
  remote_ip: addresses("remote_ip"),
  client_ip: addresses("client_ip"),
  path_regexp,
  header,
  header_regexp,
  query,
  protocol,
  vars,
  not,
  expression: (line, _into, { context }) => readExpressionOf(line, context),
};

/** A kind whose arguments are a list of texts. */
function texts(key: string): Read {
  return (line, into, { context }) => {
    if (!hasArgs(line, [1, Number.MAX_SAFE_INTEGER], { context, where: line.where })) return;
    for (const arg of line.args) {
      into.list(key, line.at).add(context.plain(arg, line.where), placeOf(arg, line.where));
    }
  };
}

function addresses(key: string): Read {
  const read = texts(key);
  return (line, into, scope) => {
    const [first] = line.args;
    if (first?.text === "forwarded") return scope.context.refuse(first, `${line.where}.forwarded`);
    return read(line, into, scope);
  };
}

function path_regexp(line: Line, into: WrittenMap, scope: MatcherScope): void {
  const { context } = scope;
  const { where, at, args: [first, second] } = line;
  if (!hasArgs(line, [1, 2], { context, where })) return;
  const name = second === undefined ? undefined : first;
  const value = expressionOf(name, second ?? first ?? line.name, line, scope);
  if (value !== undefined) into.set("path_regexp", value, at);
}

function header_regexp(line: Line, into: WrittenMap, scope: MatcherScope): void {
  const { context } = scope;
  const { where, at, args } = line;
  if (!hasArgs(line, [2, 3], { context, where })) return;
  const [name, field, pattern] = args.length === 3 ? args : [undefined, ...args];
  if (field === undefined || pattern === undefined) return;
  const value = expressionOf(name, pattern, line, scope);
  const fields = into.map("header_regexp", at);
  if (fields.has(field.text)) {
    context.problem(field, where, `Expected each field once but received "${field.text}" again`);
  } else if (value !== undefined) fields.set(field.text, value, at);
}

function expressionOf(
  name: Token | undefined,
  pattern: Token,
  { where, at }: Line,
  { context, groupName }: MatcherScope,
): WrittenMap | Leaf | undefined {
  const source = context.pattern(pattern, where);
  if (source === undefined) return undefined;
  const group = name?.text ?? groupName;
  if (group === undefined) return { kind: "leaf", value: source, at: placeOf(pattern, where) };
  return new WrittenMap(at).set("name", group, at).set("pattern", source, placeOf(pattern, where));
}

function header(line: Line, into: WrittenMap, { context }: MatcherScope): void {
  const { where, at, args: [field, ...values] } = line;
  const isAbsent = field?.text.startsWith("!") ?? false;
  const bounds = isAbsent ? [1, 1] as const : [2, Number.MAX_SAFE_INTEGER] as const;
  if (!hasArgs(line, bounds, { context, where }) || field === undefined) return;
  const fields = into.map("header", at);
  if (isAbsent) {
    fields.set(field.text.slice(1), null, at);
    return;
  }
  const known = fields.list(field.text, at);
  for (const value of values) known.add(context.plain(value, where), placeOf(value, where));
}

function query(line: Line, into: WrittenMap, { context }: MatcherScope): void {
  const { where, at, args } = line;
  if (!hasArgs(line, [1, Number.MAX_SAFE_INTEGER], { context, where })) return;
  for (const arg of args) {
    if (arg.text === "") {
      into.set("query", "", placeOf(arg, where));
      continue;
    }
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(arg.text) ?? [];
    if (key === undefined || value === undefined) {
      const message = `Expected a query such as "key=value" but received "${shown(arg.text)}"`;
      context.problem(arg, where, message);
      continue;
    }
    const text = context.plain({ ...arg, text: value }, where);
    into.map("query", at).list(key, at).add(text, placeOf(arg, where));
  }
}

function protocol(line: Line, into: WrittenMap, { context }: MatcherScope): void {
  if (!hasArgs(line, [1, 1], { context, where: line.where })) return;
  const [arg] = line.args;
  if (arg === undefined) return;
  if (/^(?:http\/|tls)/.test(arg.text)) return context.refuse(arg, `${line.where}.version`);
  into.set("protocol", arg.text, placeOf(arg, line.where));
}

function vars(line: Line, into: WrittenMap, { context }: MatcherScope): void {
  const { where, at, args: [name, ...values] } = line;
  if (!hasArgs(line, [2, Number.MAX_SAFE_INTEGER], { context, where }) || name === undefined) {
    return;
  }
  const inBraces = /^\{(?:http\.)?vars\.([\w.-]+)\}$/.exec(name.text)?.[1];
  if (inBraces === undefined && name.text.startsWith("{")) {
    return context.refuse(name, "matcher.vars.placeholder");
  }
  const known = into.map("var", at).list(inBraces ?? name.text, at);
  for (const value of values) known.add(context.plain(value, where), placeOf(value, where));
}

/** `not path /a` or a block; several are none of them. */
function not(line: Line, into: WrittenMap, scope: MatcherScope): void {
  const { where, at, args: [first, ...rest], block, comments } = line;
  const lines = first === undefined
    ? block ?? []
    : [{ name: first, args: rest, block: undefined, comments }];
  if (lines.length === 0) {
    scope.context.problem(line.name, where, "Expected a matcher to negate but received none");
    return;
  }
  const matcher = readMatcher(lines, at, { ...scope, groupName: undefined });
  if (matcher !== undefined) into.list("not", at).add(matcher, at);
}
