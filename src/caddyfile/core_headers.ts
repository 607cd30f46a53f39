/** The directives header and request_header: edits of heads, a line or a block of lines. */
import {
  type Context,
  type Directive,
  type DirectiveRule,
  type Directives,
  hasArgs,
  placeOf,
} from "./directive.ts";
import { type Place, WrittenMap } from "./written.ts";

type Kind = "add" | "set" | "remove" | "replace" | "default";

interface Edit {
  readonly kind: Kind;
  readonly field: string;
  readonly write: (edits: WrittenMap) => void;
}

/** Caddy's order within one directive, which tells where two edits are about the same field. */
const ORDER: readonly Kind[] = ["add", "set", "remove", "replace", "default"];

const header: DirectiveRule = {
  takesMatcher: true,
  translate: (directive, context) =>
    headers(directive, { context, where: "header", side: "response" }),
};

const request_header: DirectiveRule = {
  takesMatcher: true,
  translate: (directive, context) =>
    headers(directive, { context, where: "request_header", side: "request" }),
};

interface Scope {
  readonly context: Context;
  readonly where: string;
  readonly side: "request" | "response";
}

function headers(directive: Directive, scope: Scope): readonly WrittenMap[] {
  const { context, where, side } = scope;
  const { name, args: [field, ...rest], block, comments } = directive;
  const inline = field === undefined
    ? []
    : [{ name: field, args: rest, block: undefined, comments }];
  const lines = [...inline, ...block ?? []];
  if (lines.length === 0) {
    context.problem(name, where, "Expected a header field but received none");
    return [];
  }
  const edits = lines.flatMap((line) => readEdit(line, scope));
  if (edits.length === 0) return [];
  context.took(name, where);
  const at = placeOf(name, where);
  const groups = haveConflict(edits)
    ? ORDER.map((kind) => edits.filter((edit) => edit.kind === kind))
    : [edits];
  return groups.filter((group) => group.length > 0).map((group) => {
    const step = new WrittenMap(at);
    const written = step.map("headers", at).map(side, at);
    for (const { write } of group) write(written);
    return step;
  });
}

function readEdit(line: Directive, { context, where, side }: Scope): Edit[] {
  const { name } = line;
  if (side === "response" && name.text === "match") {
    context.refuse(name, "header.match");
    return [];
  }
  if (side === "response" && name.text === "defer" && line.args.length === 0) {
    context.took(name, "header.defer");
    return [];
  }
  const [, sign = "", field = ""] = /^([-+?>]?)(.*)$/s.exec(name.text.replace(/:$/, "")) ?? [];
  const at = placeOf(name, where);
  if (side === "request" && (sign === "?" || sign === ">")) {
    context.problem(name, where, `Expected "+", "-" or a field alone but received "${sign}"`);
    return [];
  }
  if (sign === "-") {
    if (!hasArgs(line, [0, 0], { context, where })) return [];
    const write = (edits: WrittenMap) => void edits.list("remove", at).add(field, at);
    return [{ kind: "remove", field, write }];
  }
  if (!hasArgs(line, [0, sign === "" || sign === ">" ? 2 : 1], { context, where })) return [];
  const [value, replacement] = line.args;
  if (value !== undefined && replacement !== undefined) {
    const search = context.pattern(value, where);
    if (search === undefined) return [];
    const one = new WrittenMap(at).set("search", search, placeOf(value, where))
      .set(
        "with",
        replacementOf(context.template(replacement, where)),
        placeOf(replacement, where),
      );
    return [{
      kind: "replace",
      field,
      write: (edits) => void edits.map("replace", at).list(field, at).add(one, at),
    }];
  }
  const text = value === undefined ? "" : context.template(value, where);
  return [valued(sign, field, text, value === undefined ? at : placeOf(value, where))];
}

/** Go writes groups as `$1` and `${1}`; the second form would be the environment in YAML. */
function replacementOf(text: string): string {
  return text.replace(/\$\$\{\{(\w+)\}/g, "$$$1");
}

function valued(sign: string, field: string, text: string, at: Place): Edit {
  switch (sign) {
    case "+":
      return {
        kind: "add",
        field,
        write: (edits) => void edits.map("add", at).list(field, at).add(text, at),
      };
    case "?":
      return {
        kind: "default",
        field,
        write: (edits) => void edits.map("default", at).set(field, text, at),
      };
    default:
      return {
        kind: "set",
        field,
        write: (edits) => void edits.map("set", at).set(field, text, at),
      };
  }
}

/** Whether edits of different kinds may be about the same field. */
function haveConflict(edits: readonly Edit[]): boolean {
  const kinds = new Map<string, Kind>();
  const wide = edits.some(({ kind, field }) => kind === "remove" && field.includes("*"));
  if (wide && edits.some(({ kind }) => kind !== "remove")) return true;
  return edits.some(({ field, kind }) => {
    const known = kinds.get(field.toLowerCase());
    kinds.set(field.toLowerCase(), kind);
    return known !== undefined && known !== kind;
  });
}

export const HEADER_DIRECTIVES: Directives = { header, request_header };
