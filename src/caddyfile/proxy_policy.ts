/** Reads `lb_policy` with its parameters and fallbacks. */
import { type Context, type Directive, hasArgs, placeOf, type Token } from "./directive.ts";
import { countOf, expected } from "./proxy_options.ts";
import { type Plain, WrittenMap } from "./written.ts";

const WHERE = "reverse_proxy.lb_policy";

const PLAIN = new Set([
  "first",
  "random",
  "round_robin",
  "least_conn",
  "ip_hash",
  "client_ip_hash",
  "uri_hash",
]);

/** Bounds the fallbacks of fallbacks. */
const DEPTH_MAX = 8;

/** Reads the policy of a line `lb_policy NAME …` or `fallback NAME …`; undefined when told of as wrong. */
export function readPolicy(line: Directive, context: Context, depth = 0): Plain | undefined {
  const [name = line.name, ...args] = line.args;
  const where = `${WHERE}.${name.text}`;
  const policy: Directive = { ...line, name, args };
  if (depth > DEPTH_MAX) return expected(name, "fewer fallbacks", { context, where: WHERE });

  switch (name.text) {
    case "random_choose":
      return choose(policy, where, context);
    case "weighted_round_robin":
      return weights(policy, where, context);
    case "query":
    case "header":
      return keyed(policy, context, depth);
    case "cookie":
      return cookie(policy, context, depth);
    default:
      if (!PLAIN.has(name.text)) {
        context.refuse(name, `${WHERE}.module`);
        return undefined;
      }
  }
  if (!hasArgs(policy, [0, 0], { context, where }) || !withoutBlock(policy, where, context)) {
    return undefined;
  }
  context.took(name, where);
  return name.text;
}

function choose(policy: Directive, where: string, context: Context): Plain | undefined {
  const scope = { context, where };
  if (!hasArgs(policy, [1, 1], scope) || !withoutBlock(policy, where, context)) return undefined;
  const [token = policy.name] = policy.args;
  const choices = countOf(token, 2, scope);
  if (choices === undefined) return undefined;
  context.took(policy.name, where);
  return mapOf(policy.name, "random_choose", choices, token);
}

function weights(policy: Directive, where: string, context: Context): Plain | undefined {
  const scope = { context, where };
  const some = hasArgs(policy, [1, Number.MAX_SAFE_INTEGER], scope);
  if (!some || !withoutBlock(policy, where, context)) return undefined;
  const all = policy.args.map((token) => countOf(token, 0, scope));
  const known = all.filter((weight) => weight !== undefined);
  if (known.length < all.length) return undefined;
  context.took(policy.name, where);
  return mapOf(policy.name, "weighted_round_robin", known, policy.args[0] ?? policy.name);
}

function keyed(policy: Directive, context: Context, depth: number): Plain | undefined {
  const { name } = policy;
  const where = `${WHERE}.${name.text}`;
  if (!hasArgs(policy, [1, 1], { context, where })) return undefined;
  const [token = name] = policy.args;
  const at = placeOf(token, where);
  const inner = new WrittenMap(placeOf(name, where));
  inner.set(name.text === "query" ? "key" : "field", context.plain(token, where), at);
  if (!options(policy, inner, { context, depth, known: ["fallback"] })) return undefined;
  context.took(name, where);
  return mapOf(name, name.text, inner, name);
}

function cookie(policy: Directive, context: Context, depth: number): Plain | undefined {
  const { name, args } = policy;
  const where = `${WHERE}.cookie`;
  if (!hasArgs(policy, [0, 2], { context, where })) return undefined;
  const inner = new WrittenMap(placeOf(name, where));
  const [cookieName, secret] = args;
  if (cookieName !== undefined) {
    inner.set("name", context.plain(cookieName, where), placeOf(cookieName, where));
  }
  if (secret !== undefined) {
    inner.set("secret", context.plain(secret, where), placeOf(secret, where));
  }
  if (!options(policy, inner, { context, depth, known: ["fallback", "max_age"] })) return undefined;
  context.took(name, where);
  return inner.entries.size === 0 ? "cookie" : mapOf(name, "cookie", inner, name);
}

interface Inside {
  readonly context: Context;
  readonly depth: number;
  readonly known: readonly string[];
}

/** Reads the block of a policy; false when something in it was told of. */
function options(
  policy: Directive,
  into: WrittenMap,
  { context, depth, known }: Inside,
): boolean {
  let fits = true;
  for (const line of policy.block ?? []) {
    const { name } = line;
    const where = `${WHERE}.${name.text}`;
    if (!known.includes(name.text)) {
      const what = known.join(" or ");
      expected(name, `${what} in ${policy.name.text}`, { context, where: WHERE });
      fits = false;
      continue;
    }
    if (into.has(name.text)) {
      context.problem(name, where, `Expected ${name.text} once but received it again`);
      fits = false;
      continue;
    }
    const value = name.text === "fallback"
      ? fallback(line, context, depth)
      : maxAge(line, where, context);
    if (value === undefined) {
      fits = false;
      continue;
    }
    into.set(name.text, value, placeOf(name, where)).comment(name.text, line.comments);
    context.took(name, where);
  }
  return fits;
}

function fallback(line: Directive, context: Context, depth: number): Plain | undefined {
  const scope = { context, where: `${WHERE}.fallback` };
  return hasArgs(line, [1, Number.MAX_SAFE_INTEGER], scope)
    ? readPolicy(line, context, depth + 1)
    : undefined;
}

function maxAge(line: Directive, where: string, context: Context): Plain | undefined {
  if (!hasArgs(line, [1, 1], { context, where })) return undefined;
  return context.duration(line.args[0] ?? line.name, where);
}

function withoutBlock({ name, block }: Directive, where: string, context: Context): boolean {
  const stray = block?.[0];
  if (stray === undefined) return true;
  expected(stray.name, `no block for ${name.text}`, { context, where });
  return false;
}

function mapOf(at: Token, key: string, value: Plain, keyAt: Token): WrittenMap {
  return new WrittenMap(placeOf(at, WHERE)).set(key, value, placeOf(keyAt, WHERE));
}
