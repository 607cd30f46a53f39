/** Reads what becomes of responses: `@name` matchers, `replace_status` and `handle_response`. */
import { type Context, type Directive, hasArgs, placeOf, shown, type Token } from "./directive.ts";
import type { PoolDraft } from "./proxy_draft.ts";
import { ANY_NUMBER, first, type Line, type Option, statusOf } from "./proxy_options.ts";
import { WrittenList, WrittenMap } from "./written.ts";

const WHERE = "reverse_proxy";
const MATCHER = `${WHERE}.@`;

export const REPLACE_STATUS: Option<PoolDraft> = {
  args: [1, 2],
  repeats: true,
  read(line, { replacements }) {
    replacements.push(line);
  },
};

export const HANDLE_RESPONSE: Option<PoolDraft> = {
  args: [0, 2],
  repeats: true,
  block: true,
  read(line, { context, handlers }) {
    const [matcher, status] = line.args;
    if (status !== undefined) return context.refuse(status, `${line.where}.status`);
    if (matcher !== undefined && !matcher.text.startsWith("@")) {
      return tellName(matcher, line, context);
    }
    handlers.push(line);
  },
};

/** Reads a response matcher: `@name status 5xx`, `@name header X v`, or a block of these. */
export function readResponseMatcher(line: Directive, { context, matchers }: PoolDraft): void {
  const { name, args, block } = line;
  if (matchers.has(name.text)) {
    return context.problem(name, MATCHER, `Expected ${name.text} once but received it again`);
  }
  const [kind, ...rest] = args;
  const lines = kind === undefined ? block ?? [] : [{ ...line, name: kind, args: rest }];
  const map = new WrittenMap(placeOf(name, MATCHER));
  matchers.set(name.text, map);
  for (const one of lines) readQuestion(one, map, context);
  if (lines.length === 0) {
    context.problem(name, MATCHER, "Expected status or header but received nothing");
  }
  context.took(name, MATCHER);
}

function readQuestion(line: Directive, map: WrittenMap, context: Context): void {
  const { name, args } = line;
  const where = `${MATCHER}.${name.text}`;
  const at = placeOf(name, where);
  if (name.text === "status") {
    if (!hasArgs(line, [1, ANY_NUMBER], { context, where })) return;
    for (const token of args) {
      const code = statusOf(token, { context, where });
      if (code !== undefined) map.list("status", at).add(code, placeOf(token, where));
    }
    map.comment("status", line.comments);
    return context.took(name, where);
  }
  if (name.text !== "header") return context.refuse(name, `${MATCHER}.module`);

  const [field, value] = args;
  const isAbsent = field?.text.startsWith("!") === true;
  if (!hasArgs(line, isAbsent ? [1, 1] : [2, 2], { context, where }) || field === undefined) return;
  const headers = map.map("headers", at);
  const place = placeOf(field, where);
  if (isAbsent) headers.set(field.text.slice(1), null, place);
  else if (value !== undefined) addValue(headers, field, context.plain(value, where));
  map.comment("headers", line.comments);
  context.took(name, where);
}

/** Values of one field are alternatives, as in Caddy. */
function addValue(headers: WrittenMap, { text, ...token }: Token, value: string): void {
  const place = placeOf({ text, ...token }, `${MATCHER}.header`);
  const known = headers.get(text);
  if (known === undefined) headers.set(text, value, place);
  else if (known.kind === "list") known.add(value, place);
  else {headers.set(
      text,
      new WrittenList(known.at).add(known, known.at).add(value, place),
      known.at,
    );}
}

/** Writes `responses`, replaced statuses first, as Caddy has them. */
export function settleResponses(draft: PoolDraft): void {
  const { context, pool, replacements, handlers } = draft;
  for (const line of replacements) {
    const [matcher, status] = line.args.length === 1 ? [undefined, first(line)] : line.args;
    const rule = ruleOf(matcher, line, draft);
    if (status === undefined || rule === undefined) continue;
    rule.set("status", statusText(status, line, context), placeOf(status, line.where));
    add(rule, line, pool);
    context.took(line.name, line.where);
  }
  for (const line of handlers) {
    const rule = ruleOf(line.args[0], line, draft);
    if (rule === undefined) continue;
    rule.set("steps", context.steps(line.block ?? [], line.where), line.at);
    add(rule, line, pool);
    context.took(line.name, line.where);
  }
}

function add(rule: WrittenMap, line: Line, pool: WrittenMap): void {
  pool.comment("responses", line.comments).list("responses", line.at).add(rule, line.at);
}

/** A code as a number; what has placeholders as a text. */
function statusText(token: Token, { where }: Line, context: Context): number | string {
  if (/^[1-9]\d\d$/.test(token.text)) return Number(token.text);
  if (!token.text.includes("{")) {
    context.problem(
      token,
      where,
      `Expected a status such as 503 but received "${shown(token.text)}"`,
    );
  }
  return context.template(token, where);
}

/** A rule with its matcher; undefined when there is none of that name. */
function ruleOf(
  matcher: Token | undefined,
  line: Line,
  { matchers, context }: PoolDraft,
): WrittenMap | undefined {
  const rule = new WrittenMap(line.at);
  if (matcher === undefined) return rule;
  if (!matcher.text.startsWith("@")) {
    tellName(matcher, line, context);
    return undefined;
  }
  const known = matchers.get(matcher.text);
  if (known !== undefined) return rule.set("match", known, placeOf(matcher, line.where));
  const message = `Expected a response matcher of this block but received "${shown(matcher.text)}"`;
  context.problem(matcher, line.where, message);
  return undefined;
}

function tellName(matcher: Token, { where }: Line, context: Context): void {
  const message = `Expected a response matcher such as @error but received "${
    shown(matcher.text)
  }"`;
  context.problem(matcher, where, message);
}
