/** Translates `copy_response` and `copy_response_headers`, which stand in `handle_response`. */
import { type Context, type Directive, type DirectiveRule, hasArgs, placeOf } from "./directive.ts";
import { ANY_NUMBER, type Draft, first, type Option, put, readBlock } from "./proxy_options.ts";
import { WrittenMap } from "./written.ts";

interface CopyDraft extends Draft {
  readonly map: WrittenMap;
}

const STATUS: Option<CopyDraft> = {
  args: [1, 1],
  read(line, { map, context }) {
    const token = first(line);
    const isCode = /^[1-9]\d\d$/.test(token.text);
    put(map, "status", isCode ? Number(token.text) : context.template(token, line.where), line);
    context.took(line.name, line.where);
  },
};

export const COPY_RESPONSE: DirectiveRule = {
  takesMatcher: true,
  translate(directive, context) {
    const { name, args, block } = directive;
    const draft = draftOf(directive, context);
    if (!hasArgs(directive, [0, 1], { context, where: name.text })) return [];
    const [status] = args;
    const seen = new Set<string>();
    if (status !== undefined) {
      seen.add("status");
      const where = `${name.text}.status`;
      STATUS.read({ ...directive, where, at: placeOf(status, where) }, draft);
    }
    readBlock(block ?? [], draft, { options: { status: STATUS }, prefix: name.text, seen });
    context.took(name, name.text);
    return [new WrittenMap(draft.map.at).set("copy_response", draft.map, draft.map.at)];
  },
};

export const COPY_RESPONSE_HEADERS: DirectiveRule = {
  takesMatcher: true,
  translate(directive, context) {
    const { name, block } = directive;
    const draft = draftOf(directive, context);
    if (!hasArgs(directive, [0, 0], { context, where: name.text })) return [];
    const options = { include: names("include"), exclude: names("exclude") };
    readBlock(block ?? [], draft, { options, prefix: name.text });
    if (draft.map.has("include") && draft.map.has("exclude")) {
      const message = "Expected either include or exclude but received both";
      context.problem(name, name.text, message);
      return [];
    }
    context.took(name, name.text);
    return [new WrittenMap(draft.map.at).set("copy_response_headers", draft.map, draft.map.at)];
  },
};

function names(key: "include" | "exclude"): Option<CopyDraft> {
  return {
    args: [1, ANY_NUMBER],
    repeats: true,
    read(line, { map, context }) {
      const list = map.list(key, line.at);
      for (const token of line.args) {
        list.add(context.plain(token, line.where), placeOf(token, line.where));
      }
      map.comment(key, line.comments);
      context.took(line.name, line.where);
    },
  };
}

function draftOf({ name }: Directive, context: Context): CopyDraft {
  return { context, homeless: [], map: new WrittenMap(placeOf(name, name.text)) };
}
