/** Calls of matchers within a CEL expression: `path("/a", "/b")`, `header({"X": "a"})` and their like. */
import type { Expression } from "./expression.ts";
import { type Compiled, matcher, refused, single, textsOf } from "./expression_parts.ts";
import { toJavaScript } from "./regexp.ts";
import { type Place, type Plain, WrittenMap } from "./written.ts";

const LISTED = new Set(["path", "host", "method", "remote_ip", "client_ip"]);

/** `path("/a", "/b")`, `header({"X": "a"})` and their like. */
export function call({ name, args }: Extract<Expression, { kind: "call" }>, at: Place): Compiled {
  const texts = textsOf({ kind: "list", items: args });
  if (LISTED.has(name) && texts !== undefined && texts.length > 0) {
    return matcher(name, texts, at);
  }
  const [first, second, third, ...surplus] = texts ?? [];
  if (first !== undefined && surplus.length === 0) {
    if (name === "protocol" && second === undefined) return matcher(name, texts ?? [], at);
    if (name === "path_regexp" && third === undefined) {
      return regexpCall(
        second === undefined ? undefined : first,
        second ?? first,
        (value) => matcher("path_regexp", value, at),
        at,
      );
    }
    if (name === "header_regexp" && second !== undefined) {
      const [label, field, pattern] = third === undefined
        ? [undefined, first, second]
        : [first, second, third];
      return regexpCall(
        label,
        pattern,
        (value) => matcher("header_regexp", new WrittenMap(at).set(field, value, at), at),
        at,
      );
    }
  }
  const [only, ...more] = args;
  const yaml = name === "vars" ? "var" : name;
  if (["header", "query", "var"].includes(yaml) && only?.kind === "map" && more.length === 0) {
    return mapped(yaml, only, at);
  }
  return refused(`"${name}(…)" has no counterpart in this form`);
}

function regexpCall(
  name: string | undefined,
  written: string,
  wrap: (value: Plain) => Compiled,
  at: Place,
): Compiled {
  const regexp = toJavaScript(written);
  if (regexp.kind === "refused") return refused(regexp.reason);
  if (name === undefined) return wrap(regexp.source);
  return wrap(new WrittenMap(at).set("name", name, at).set("pattern", regexp.source, at));
}

function mapped(
  key: string,
  { entries }: Extract<Expression, { kind: "map" }>,
  at: Place,
): Compiled {
  const map = new WrittenMap(at);
  for (const [name, value] of entries) {
    const values = textsOf(value.kind === "list" ? value : { kind: "list", items: [value] });
    if (name.kind !== "text" || values === undefined) return refused("its map is one of texts");
    map.set(name.value, single(values), at);
  }
  return matcher(key, map, at);
}
