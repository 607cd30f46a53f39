/**
 * Turns a CEL expression into matchers where they say the same. Comparisons of a path are case-sensitive
 * in CEL and become regular expressions, as the matcher `path` is not.
 */
import type { Expression } from "./expression.ts";
import { fullName } from "./placeholder.ts";
import { call } from "./expression_call.ts";
import { type Compiled, matcher, refused, single, textsOf } from "./expression_parts.ts";
import { literalPattern, toJavaScript } from "./regexp.ts";
import { type Place, WrittenMap } from "./written.ts";

export function compile(expression: Expression, at: Place): Compiled {
  switch (expression.kind) {
    case "and":
      return joined(expression.of.map((one) => compile(one, at)), (all) => allOf(all, at));
    case "or":
      return joined(expression.of.map((one) => compile(one, at)), (all) => anyOf(all, at));
    case "not":
      return joined([compile(expression.of, at)], (all) => noneOf(all, at));
    case "compare":
      return comparison(expression, at);
    case "call":
      return expression.on === undefined ? call(expression, at) : method(expression, at);
    case "placeholder":
    case "text":
    case "number":
    case "truth":
    case "list":
    case "map":
      return refused("only comparisons, calls of matchers and methods of texts can decide");
  }
}

/** All of these. Their keys are put together where no key is there twice, as that reads best. */
export function allOf(matchers: readonly WrittenMap[], at: Place): WrittenMap {
  const keys = matchers.flatMap(({ entries }) => [...entries.keys()]);
  if (new Set(keys).size < keys.length) {
    return noneOf(matchers.map((matcher) => noneOf([matcher], at)), at);
  }
  const all = new WrittenMap(at);
  for (const { entries } of matchers) {
    for (const [key, { node, at: place }] of entries) all.set(key, node, place);
  }
  return all;
}

function anyOf(matchers: readonly WrittenMap[], at: Place): WrittenMap {
  return new WrittenMap(at).set("any", matchers, at);
}

function noneOf(matchers: readonly WrittenMap[], at: Place): WrittenMap {
  const [first, ...others] = matchers;
  const only = first !== undefined && others.length === 0;
  return new WrittenMap(at).set("not", only ? first : matchers, at);
}

function joined(
  parts: readonly Compiled[],
  join: (matchers: readonly WrittenMap[]) => WrittenMap,
): Compiled {
  const matchers: WrittenMap[] = [];
  for (const part of parts) {
    if (part.kind === "refused") return part;
    matchers.push(part.matcher);
  }
  return { kind: "matcher", matcher: join(matchers) };
}

function comparison(
  { operator, left, right }: Extract<Expression, { kind: "compare" }>,
  at: Place,
): Compiled {
  const [subject, value] = left.kind === "placeholder" || operator === "in"
    ? [left, right]
    : [right, left];
  if (subject.kind !== "placeholder") return refused("one side of a comparison is a placeholder");
  const values = operator === "in" ? textsOf(value) : textsOf({ kind: "list", items: [value] });
  if (values === undefined) {
    return refused("placeholders are compared with texts in quotes");
  }
  if (operator !== "==" && operator !== "!=" && operator !== "in") {
    return refused(`"${operator}" has no counterpart`);
  }
  const equal = equality(subject.name, values, at);
  return operator === "!=" ? joined([equal], (all) => noneOf(all, at)) : equal;
}

/** One of several values. */
function equality(name: string, values: readonly string[], at: Place): Compiled {
  const full = fullName(name);
  switch (full) {
    case "http.request.method":
      return matcher("method", values, at);
    case "http.request.host":
      return matcher("host", values, at);
    case "http.request.remote.host":
      return matcher("remote_ip", values, at);
    case "http.vars.client_ip":
      return matcher("client_ip", values, at);
    case "http.request.scheme":
      return values.length === 1
        ? matcher("protocol", values, at)
        : refused("the scheme is compared with one text");
  }
  const [, query] = /^http\.request\.uri\.query\.(.+)$/.exec(full) ?? [];
  if (query !== undefined && !values.some((value) => /^$|\*/.test(value))) {
    return matcher("query", new WrittenMap(at).set(query, single(values), at), at);
  }
  const [, variable] = /^http\.vars\.(.+)$/.exec(full) ?? [];
  if (variable !== undefined) {
    return matcher("var", new WrittenMap(at).set(variable, single(values), at), at);
  }
  const [, field] = /^http\.request\.header\.(.+)$/.exec(full) ?? [];
  if (field !== undefined && values.length === 1 && values[0] === "") {
    return matcher("header", new WrittenMap(at).set(field, null, at), at);
  }
  return textual(full, `^(?:${values.map(literalPattern).join("|")})$`, at);
}

/** A pattern on a text of the request: the path, a header, the host. */
function textual(full: string, pattern: string, at: Place): Compiled {
  if (full === "http.request.uri.path") return matcher("path_regexp", pattern, at);
  const [, header] = /^http\.request\.header\.(.+)$/.exec(full) ?? [];
  const [, cookie] = /^http\.request\.cookie\.(.+)$/.exec(full) ?? [];
  const inCookie = /^\^(.*)\$$/.exec(pattern)?.[1];
  if (header !== undefined) {
    return matcher("header_regexp", new WrittenMap(at).set(header, pattern, at), at);
  }
  if (cookie !== undefined && inCookie !== undefined) {
    const value = `(?:^|; *)${literalPattern(cookie)}=${inCookie}(?:;|$)`;
    return matcher("header_regexp", new WrittenMap(at).set("Cookie", value, at), at);
  }
  return refused(`{${full}} cannot be compared like this`);
}

function method(
  { name, on, args }: Extract<Expression, { kind: "call" }>,
  at: Place,
): Compiled {
  const [text, ...surplus] = textsOf({ kind: "list", items: args }) ?? [];
  if (on?.kind !== "placeholder" || text === undefined || surplus.length > 0) {
    return refused(`".${name}()" is for placeholders, with one text in quotes`);
  }
  const full = fullName(on.name);
  const literal = literalPattern(text);
  switch (name) {
    case "startsWith":
      return textual(full, `^${literal}`, at);
    case "endsWith":
      return full === "http.request.host"
        ? matcher("header_regexp", new WrittenMap(at).set("Host", `${literal}(?::\\d+)?$`, at), at)
        : textual(full, `${literal}$`, at);
    case "contains":
      return textual(full, literal, at);
    case "matches": {
      const regexp = toJavaScript(text);
      return regexp.kind === "pattern" ? textual(full, regexp.source, at) : refused(regexp.reason);
    }
    default:
      return refused(`the method ".${name}()" has no counterpart`);
  }
}
