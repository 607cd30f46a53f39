/** Directives that hold others: handle, handle_path, route, invoke. */
import { type DirectiveRule, type Directives, hasArgs, placeOf, shown } from "./directive.ts";
import { WrittenMap } from "./written.ts";

const handle: DirectiveRule = {
  takesMatcher: true,
  translate(directive, context) {
    const { name, block } = directive;
    const where = "handle";
    if (!hasArgs(directive, [0, 0], { context, where })) return [];
    context.took(name, where);
    const at = placeOf(name, where);
    return [new WrittenMap(at).set("steps", context.steps(block ?? [], where), at)];
  },
};

/** The path is its matcher and what it takes off the path, so it is an argument here. */
const handle_path: DirectiveRule = {
  takesMatcher: false,
  translate(directive, context) {
    const { name, args: [path], block } = directive;
    const where = "handle_path";
    if (!hasArgs(directive, [1, 1], { context, where }) || path === undefined) return [];
    const at = placeOf(name, where);
    if (!path.text.startsWith("/")) {
      const message = `Expected a path such as "/api/*" but received "${shown(path.text)}"`;
      context.problem(path, where, message);
      return [];
    }
    context.took(name, where);
    const text = context.plain(path, where);
    const place = placeOf(path, where);
    const inner = context.steps(block ?? [], where);
    const prefix = text.replace(/\/?\*$/, "");
    if (prefix !== "") {
      const strip = new WrittenMap(at);
      strip.map("rewrite", at).set(
        "strip_prefix",
        context.template({ ...path, text: path.text.replace(/\/?\*$/, "") }, where),
        place,
      );
      inner.items.unshift(strip);
    }
    const step = new WrittenMap(at);
    step.map("match", place).set("path", text, place);
    return [step.set("steps", inner, at)];
  },
};

const route: DirectiveRule = {
  takesMatcher: true,
  translate(directive, context) {
    const { name, block } = directive;
    const where = "route";
    if (!hasArgs(directive, [0, 0], { context, where })) return [];
    context.took(name, where);
    const at = placeOf(name, where);
    return [new WrittenMap(at).set("steps", context.sequence(block ?? [], where), at)];
  },
};

const invoke: DirectiveRule = {
  takesMatcher: true,
  translate(directive, context) {
    const { name, args: [called] } = directive;
    const where = "invoke";
    if (!hasArgs(directive, [1, 1], { context, where }) || called === undefined) return [];
    const at = placeOf(name, where);
    const steps = context.invoked(called, where);
    if (steps === undefined) return [];
    context.took(name, where);
    return [new WrittenMap(at).set("steps", steps, at)];
  },
};

export const BLOCK_DIRECTIVES: Directives = { handle, handle_path, route, invoke };
