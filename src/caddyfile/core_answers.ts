/** Directives that answer a request themselves: respond, redir, error. */
import { type DirectiveRule, type Directives, hasArgs, placeOf, type Token } from "./directive.ts";
import { accept, type Draft, first, type Options, put, readBlock } from "./proxy_options.ts";
import { type Leaf, WrittenMap } from "./written.ts";

interface Answer extends Draft {
  readonly map: WrittenMap;
}

const IN_RESPOND: Options<Answer> = {
  body: {
    args: [1, 1],
    read: (line, { map, context }) =>
      put(map, "body", context.template(first(line), line.where), line),
  },
  close: { args: [0, 0], read: (line, { map }) => put(map, "close", true, line) },
};

const respond: DirectiveRule = {
  takesMatcher: true,
  translate(directive, context) {
    const { name, args, block } = directive;
    const where = "respond";
    if (!hasArgs(directive, [block === undefined ? 1 : 0, 2], { context, where })) return [];
    const at = placeOf(name, where);
    const map = new WrittenMap(at);
    const draft: Answer = { context, homeless: [], map };
    const [body, status] = bodyAndStatus(args);
    if (status !== undefined) {
      map.set(
        "status",
        statusText(status, context.template(status, where)),
        placeOf(status, where),
      );
    }
    if (body !== undefined) map.set("body", context.template(body, where), placeOf(body, where));
    readBlock(block ?? [], draft, { options: IN_RESPOND, prefix: where });
    context.took(name, where);
    const step = new WrittenMap(at).set("respond", shortest(map, "body"), at);
    for (const comments of draft.homeless) step.comment("respond", comments);
    return [step];
  },
};

/** `respond 204`, `respond "text"`, `respond "text" 201`. */
function bodyAndStatus(
  [one, other]: readonly Token[],
): readonly [Token | undefined, Token | undefined] {
  if (other !== undefined) return [one, other];
  return one !== undefined && /^[1-9]\d\d$/.test(one.text) ? [undefined, one] : [one, undefined];
}

function statusText({ text }: Token, template: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : template;
}

/** The value alone where a map says nothing but a number or, with `key`, a text. */
function shortest(map: WrittenMap, key?: string): WrittenMap | Leaf {
  const [name = "", ...others] = [...map.entries.keys()];
  const node = map.get(name);
  if (others.length > 0 || node?.kind !== "leaf") return map;
  return typeof node.value === "number" || name === key ? node : map;
}

const CODES: Readonly<Record<string, number>> = { permanent: 301, temporary: 302 };

const redir: DirectiveRule = {
  takesMatcher: true,
  translate(directive, context) {
    const { name, args: [to, code] } = directive;
    const where = "redir";
    if (!hasArgs(directive, [1, 2], { context, where }) || to === undefined) return [];
    const at = placeOf(name, where);
    const step = new WrittenMap(at);
    const target = context.template(to, where);
    if (code === undefined) {
      context.took(name, where);
      return [step.set("redirect", target, at)];
    }
    if (code.text === "html") {
      context.refuse(code, "redir.html");
      return [];
    }
    const status = CODES[code.text] ?? (/^3\d\d$/.test(code.text) ? Number(code.text) : undefined);
    if (status === undefined) {
      context.refuse(code, "redir.status");
      return [];
    }
    context.took(name, where);
    step.map("redirect", at)
      .set("to", target, placeOf(to, where))
      .set("status", status, placeOf(code, where));
    return [step];
  },
};

const IN_ERROR: Options<Answer> = {
  message: {
    args: [1, 1],
    read: (line, { map, context }) =>
      put(map, "message", context.template(first(line), line.where), line),
  },
};

const error: DirectiveRule = {
  takesMatcher: true,
  translate(directive, context) {
    const { name, args, block } = directive;
    const where = "error";
    if (!hasArgs(directive, [1, 2], { context, where })) return [];
    const at = placeOf(name, where);
    const map = new WrittenMap(at);
    const draft: Answer = { context, homeless: [], map };
    const [message, status] = bodyAndStatus(args);
    if (status === undefined) map.set("status", 500, at);
    else {map.set(
        "status",
        statusText(status, context.template(status, where)),
        placeOf(status, where),
      );}
    if (message !== undefined) {
      map.set("message", context.template(message, where), placeOf(message, where));
    }
    readBlock(block ?? [], draft, { options: IN_ERROR, prefix: where });
    context.took(name, where);
    return [new WrittenMap(at).set("error", shortest(map), at)];
  },
};

interface Coding extends Draft {
  readonly step: WrittenMap;
  readonly formats: string[];
  readonly map: WrittenMap;
}

const IN_ENCODE: Options<Coding> = {
  gzip: {
    args: [0, 1],
    read: (line, draft) => {
      draft.formats.push("gzip");
      accept(line, draft);
    },
  },
  zstd: {
    args: [0, 1],
    read: (line, draft) => {
      draft.formats.push("zstd");
      accept(line, draft);
    },
  },
  minimum_length: {
    args: [1, 1],
    read: (line, { map, context }) => {
      const size = context.size(first(line), line.where);
      if (size !== undefined) put(map, "minimum_length", size, line);
    },
  },
};

const encode: DirectiveRule = {
  takesMatcher: true,
  translate({ name, args, block }, context) {
    const where = "encode";
    const at = placeOf(name, where);
    const map = new WrittenMap(at);
    const draft: Coding = { context, homeless: [], map, formats: [], step: new WrittenMap(at) };
    for (const arg of args) {
      if (arg.text === "gzip" || arg.text === "zstd") draft.formats.push(arg.text);
      else context.refuse(arg, "encode.format");
    }
    readBlock(block ?? [], draft, { options: IN_ENCODE, prefix: where });
    context.took(name, where);
    // Without formats Caddy takes both.
    const formats = draft.formats.length === 0 ? ["zstd", "gzip"] : draft.formats;
    const value = map.entries.size === 0 ? formats : map.set("formats", formats, at);
    const { step } = draft;
    for (const comments of draft.homeless) step.comment("encode", comments);
    return [step.set("encode", value, at)];
  },
};

export const ANSWER_DIRECTIVES: Directives = { respond, redir, error, encode };
