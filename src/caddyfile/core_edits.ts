/** Directives that change a request on its way: rewrite, uri, method, vars, request_body, and what goes unlogged. */
import {
  type Context,
  type Directive,
  type DirectiveRule,
  type Directives,
  hasArgs,
  placeOf,
  shown,
} from "./directive.ts";
import { type Draft, first, type Options, put, readBlock } from "./proxy_options.ts";
import { type Place, WrittenMap } from "./written.ts";

const rewrite: DirectiveRule = {
  takesMatcher: true,
  translate(directive, context) {
    const { name, args: [to] } = directive;
    const where = "rewrite";
    if (!hasArgs(directive, [1, 1], { context, where }) || to === undefined) return [];
    context.took(name, where);
    return [
      edit(placeOf(name, where), (map, at) => map.set("uri", context.template(to, where), at)),
    ];
  },
};

const method: DirectiveRule = {
  takesMatcher: true,
  translate(directive, context) {
    const { name, args: [to] } = directive;
    const where = "method";
    if (!hasArgs(directive, [1, 1], { context, where }) || to === undefined) return [];
    context.took(name, where);
    return [
      edit(placeOf(name, where), (map, at) => map.set("method", context.template(to, where), at)),
    ];
  },
};

function edit(at: Place, fill: (map: WrittenMap, at: Place) => void): WrittenMap {
  const step = new WrittenMap(at);
  fill(step.map("rewrite", at), at);
  return step;
}

type Edit = (directive: Directive, context: Context, where: string) => WrittenMap | undefined;

const EDITS: Readonly<Record<string, Edit>> = {
  strip_prefix: strip("strip_prefix"),
  strip_suffix: strip("strip_suffix"),
  replace(directive, context, where) {
    const [, search, replacement, limit] = directive.args;
    if (!hasArgs(directive, [3, 4], { context, where })) return undefined;
    if (search === undefined || replacement === undefined) return undefined;
    const at = placeOf(directive.name, where);
    const one = new WrittenMap(at)
      .set("search", context.plain(search, where), placeOf(search, where))
      .set("with", context.template(replacement, where), placeOf(replacement, where));
    const most = limit === undefined ? undefined : context.integer(limit, where);
    if (limit !== undefined && most !== undefined) one.set("max", most, placeOf(limit, where));
    return edit(at, (map) => map.list("replace", at).add(one, at));
  },
  path_regexp(directive, context, where) {
    const [, search, replacement] = directive.args;
    if (!hasArgs(directive, [3, 3], { context, where })) return undefined;
    if (search === undefined || replacement === undefined) return undefined;
    const at = placeOf(directive.name, where);
    const pattern = context.pattern(search, where);
    if (pattern === undefined) return undefined;
    const one = new WrittenMap(at)
      .set("search_regexp", pattern, placeOf(search, where))
      .set("with", context.template(replacement, where), placeOf(replacement, where));
    return edit(at, (map) => map.list("replace", at).add(one, at));
  },
};

function strip(key: string): Edit {
  return (directive, context, where) => {
    const [, text] = directive.args;
    if (!hasArgs(directive, [2, 2], { context, where }) || text === undefined) return undefined;
    const at = placeOf(directive.name, where);
    return edit(at, (map) => map.set(key, context.template(text, where), placeOf(text, where)));
  };
}

const uri: DirectiveRule = {
  takesMatcher: true,
  translate(directive, context) {
    const [operation] = directive.args;
    if (operation === undefined) {
      context.problem(directive.name, "uri", "Expected what to do, such as strip_prefix");
      return [];
    }
    const where = `uri.${operation.text}`;
    const known = Object.hasOwn(EDITS, operation.text) ? EDITS[operation.text] : undefined;
    if (known === undefined) {
      if (operation.text === "query") context.refuse(operation, where);
      else {
        const message =
          `Expected strip_prefix, strip_suffix, replace or path_regexp but received ` +
          `"${shown(operation.text)}"`;
        context.problem(operation, "uri", message);
      }
      return [];
    }
    const step = known(directive, context, where);
    if (step === undefined) return [];
    context.took(directive.name, where);
    return [step];
  },
};

const vars: DirectiveRule = {
  takesMatcher: true,
  translate(directive, context) {
    const { name, args, block, comments } = directive;
    const where = "vars";
    const at = placeOf(name, where);
    const [first, ...rest] = args;
    const lines = first === undefined
      ? block ?? []
      : [{ name: first, args: rest, block: undefined, comments }];
    if (lines.length === 0) {
      context.problem(name, where, "Expected a name and a value but received none");
      return [];
    }
    const step = new WrittenMap(at);
    for (const line of lines) {
      const [value] = line.args;
      if (!hasArgs(line, [1, 1], { context, where }) || value === undefined) continue;
      const place = placeOf(line.name, where);
      step.map("vars", at).set(line.name.text, context.template(value, where), place);
    }
    context.took(name, where);
    return [step];
  },
};

interface Body extends Draft {
  readonly limits: WrittenMap;
}

const IN_REQUEST_BODY: Options<Body> = {
  max_size: {
    args: [1, 1],
    read: (line, { limits, context }) => {
      const size = context.size(first(line), line.where);
      if (size !== undefined) put(limits, "request_body", size, line);
    },
  },
};

const request_body: DirectiveRule = {
  takesMatcher: true,
  translate(directive, context) {
    const { name, block } = directive;
    const where = "request_body";
    if (!hasArgs(directive, [0, 0], { context, where })) return [];
    const at = placeOf(name, where);
    const limits = new WrittenMap(at);
    readBlock(block ?? [], { context, homeless: [], limits }, {
      options: IN_REQUEST_BODY,
      prefix: where,
    });
    if (limits.entries.size === 0) return [];
    context.took(name, where);
    return [new WrittenMap(at).set("limits", limits, at)];
  },
};

const log_skip: DirectiveRule = {
  takesMatcher: true,
  translate(directive, context) {
    const where = "log_skip";
    if (!hasArgs(directive, [0, 0], { context, where })) return [];
    context.took(directive.name, where);
    const at = placeOf(directive.name, where);
    return [new WrittenMap(at).set("access_log", "off", at)];
  },
};

export const EDIT_DIRECTIVES: Directives = {
  rewrite,
  method,
  uri,
  vars,
  request_body,
  log_skip,
  skip_log: log_skip,
};
