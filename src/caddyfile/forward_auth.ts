/**
 * Translates `forward_auth`: a pool that is asked about each request first. Caddy makes it of a
 * reverse_proxy with GET, a rewritten target and a handled response; here it is a step of its own.
 */
import { type DirectiveRule, placeOf, shown, type Token } from "./directive.ts";
import type { PoolDraft } from "./proxy_draft.ts";
import { ANY_NUMBER, first, type Line, type Option, put } from "./proxy_options.ts";
import { POOL_OPTIONS, readPool } from "./reverse_proxy.ts";
import { type Place, WrittenList, WrittenMap } from "./written.ts";

const WHERE = "forward_auth";

export const FORWARD_AUTH: DirectiveRule = {
  takesMatcher: true,
  translate(directive, context) {
    const at = placeOf(directive.name, WHERE);
    const asked: { uri?: { readonly text: string; readonly line: Line } } = {};
    const copied = new WrittenList(at);
    const pool = readPool(directive, context, {
      ...POOL_OPTIONS,
      ...REFUSED,
      uri: {
        args: [1, 1],
        read(line) {
          asked.uri = { text: context.template(first(line), `${WHERE}.uri`), line };
          context.took(line.name, `${WHERE}.uri`);
        },
      },
      copy_headers: copying(copied),
    });
    const { uri } = asked;
    if (uri !== undefined) put(pool, "uri", uri.text, uri.line);
    else context.problem(directive.name, WHERE, "Expected uri to ask for but received none");
    if (copied.items.length > 0) pool.set("copy_headers", copied, copied.at);
    context.took(directive.name, WHERE);
    return [new WrittenMap(at).set(WHERE, pool, at)];
  },
};

function refused(what: "responses" | "request"): Option<PoolDraft> {
  return {
    args: [0, ANY_NUMBER],
    repeats: true,
    block: true,
    read: ({ name }, { context }) => context.refuse(name, `${WHERE}.${what}`),
  };
}

const REFUSED: Readonly<Record<string, Option<PoolDraft>>> = {
  handle_response: refused("responses"),
  replace_status: refused("responses"),
  method: refused("request"),
  rewrite: refused("request"),
};

/** Names as arguments, and one a line in the block; `A>B` copies under another name. */
function copying(list: WrittenList): Option<PoolDraft> {
  return {
    args: [0, ANY_NUMBER],
    repeats: true,
    block: true,
    read(line, { context, homeless }) {
      const where = `${WHERE}.copy_headers`;
      const names = [...line.args];
      for (const inner of line.block ?? []) {
        const [surplus] = inner.args;
        if (surplus !== undefined) {
          const message = `Expected one field a line but received "${shown(surplus.text)}" too`;
          context.problem(surplus, where, message);
        }
        names.push(inner.name);
        homeless.push(inner.comments);
      }
      if (names.length === 0) {
        context.problem(line.name, where, "Expected a field but received none");
      }
      for (const token of names) {
        list.add(copyOf(token, placeOf(token, where)), placeOf(token, where));
      }
      homeless.push(line.comments);
      context.took(line.name, where);
    },
  };
}

function copyOf({ text }: Token, at: Place): string | WrittenMap {
  const [from = "", to] = text.split(">", 2);
  return to === undefined ? text : new WrittenMap(at).set("from", from, at).set("to", to, at);
}
