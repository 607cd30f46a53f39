/**
 * What would become of a request: its route, the steps it takes, the upstream it would get and what
 * comes after that one. Asks the same router, matchers and `pick` as requests do, and sends nothing.
 * Proofs of who one is are taken for given, and so is the leave of whoever is asked for leave. Pure.
 */
import { End } from "../end.ts";
import { Fields } from "../fields.ts";
import type { Exchange, Pool } from "../model.ts";
import { isWithin } from "../reasons.ts";
import type { Action, Config, Matcher, PoolRules, Route, Step } from "../rules.ts";
import { poolsOf } from "../steps.ts";
import { note } from "./chain.ts";
import { believing, identify } from "./client.ts";
import type { Snapshot } from "./deps.ts";
import { isLetIn } from "./door.ts";
import { explainOrder, type Knowledge, type OrderTold, poolAsKnown } from "./explain_pool.ts";
import { actionInWords, guardInWords, matcherInWords } from "./explain_words.ts";
import { admit } from "./admit.ts";
import { matches } from "./match.ts";
import type { Passage } from "./passage.ts";
import { placeholders, render } from "./placeholders.ts";
import type { World } from "./policy_asker.ts";
import { rewrittenFor } from "./proxy.ts";
import { statusFrom } from "./replies.ts";
import { buildRouter, isUnder } from "./route.ts";
import { Story } from "./story.ts";
import type { Visit } from "./visit.ts";

export type { BarredTold, Knowledge, Known, OrderTold, UpstreamTold } from "./explain_pool.ts";
export { policyInWords, statusInWords, upstreamUrl } from "./explain_words.ts";

/** The request that is asked about. */
export interface Question {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Name, value; `Host` included. */
  readonly fields: readonly (readonly [string, string])[];
  readonly scheme: "http" | "https";
  /** Who asks. */
  readonly ip: string;
  /** Port of ours it comes in on; undefined goes by `Host`. */
  readonly localPort: number | undefined;
}

export interface RouteTold {
  readonly route: Route;
  /** The host and the path, of those that the route lists, by which it was found. */
  readonly host: string;
  readonly path: string;
  /** What its door asks of those who come; empty where it lets everyone in. */
  readonly door: readonly string[];
}

export interface StepTold {
  /** Steps within steps stand deeper. */
  readonly depth: number;
  /** Undefined for every request. */
  readonly match: string | undefined;
  readonly taken: boolean;
  readonly does: string;
  /** What came of it. */
  readonly effect: string | undefined;
}

export type EndTold =
  | { readonly kind: "forwarded"; readonly rules: PoolRules; readonly order: OrderTold }
  /** An answer of the operator's own. */
  | { readonly kind: "answered"; readonly status: number; readonly fields: readonly string[] }
  /** An error of our own. */
  | { readonly kind: "error"; readonly status: number }
  /** No step answered: 200, empty. */
  | { readonly kind: "unanswered" };

export interface Explanation {
  /** Undefined where the request finds no route, or is none. */
  readonly found: RouteTold | undefined;
  readonly steps: readonly StepTold[];
  readonly end: EndTold;
  /** Errors of our own that the route's error steps would answer in a way of theirs. */
  readonly amended: readonly number[];
}

export interface ExplainDeps {
  readonly config: Pick<Config, "routes" | "trustedProxies">;
  readonly knowledge: Knowledge;
  readonly world: World;
}

export function explain(question: Question, deps: ExplainDeps): Explanation {
  const { routes, trustedProxies } = deps.config;
  const pools = new Map<string, Pool>(
    poolsOf(routes).map((rules) => [rules.id, poolAsKnown(rules, deps.knowledge)]),
  );
  const snapshot: Snapshot = {
    // Where it would be sent on to TLS, it is explained as it is answered there.
    edge: undefined,
    router: buildRouter(routes),
    trustedProxies,
    pool: (id) => pools.get(id),
  };
  const exchange = exchangeOf(question);
  const story = new Story("request-id", identify(exchange, trustedProxies));
  const admitted = admit(exchange, snapshot, story);
  if (!("visit" in admitted)) {
    const status = admitted.kind === "left" ? 499 : admitted.reply.status;
    return { found: undefined, steps: [], end: { kind: "error", status }, amended: [] };
  }

  const { visit, found: { route } } = admitted;
  const { guard } = route;
  const door = guard === undefined ? [] : guardInWords(guard);
  const found = { route, ...foundBy(route, visit), door };
  if (guard !== undefined && !isLetIn(guard, visit.clientIp)) {
    return { found, steps: [], end: { kind: "error", status: 403 }, amended: [] };
  }
  visit.user = guard?.auth?.keys[0]?.name ?? guard?.auth?.basic?.users[0]?.name;
  const walk: Walk = { visit, deps, steps: [] };
  const end = through(route.steps, walk, 0) ?? { kind: "unanswered" };
  const amended = errorsOf(end).filter((status) =>
    route.errors.some((rule) => rule.status.length === 0 || isWithin(status, rule.status))
  );
  return { found, steps: walk.steps, end, amended };
}

function exchangeOf({ method, target, fields, scheme, ip, localPort }: Question): Exchange {
  return {
    ...{ method, target, scheme },
    proto: "HTTP/1.1",
    fields: Fields.from(fields),
    body: undefined,
    upgrade: undefined,
    peer: { ip, port: 0 },
    ...(localPort !== undefined && { localPort }),
    signal: new End(),
    answer: () => Promise.reject(new Error("Cannot answer what is only asked about")),
  };
}

function foundBy(
  { hosts, paths }: Route,
  { hostname, path }: Visit,
): Pick<RouteTold, "host" | "path"> {
  const wildcard = `*${hostname.slice(hostname.indexOf("."))}`;
  const host = [hostname, wildcard].find((one) => hosts.includes(one)) ?? "*";
  const fitting = paths.filter((prefix) => isUnder(path, prefix));
  return { host, path: fitting.sort((one, other) => other.length - one.length)[0] ?? "/" };
}

interface Walk {
  readonly visit: Visit;
  readonly deps: ExplainDeps;
  readonly steps: StepTold[];
}

function through(steps: readonly Step[], walk: Walk, depth: number): EndTold | undefined {
  for (const { match, action } of steps) {
    if (!take(match, actionInWords(action), walk, depth)) continue;
    const end = perform(action, walk, depth);
    if (end !== undefined) return end;
  }
  return undefined;
}

/** Tells a step, and whether the request takes it. */
function take(match: Matcher | undefined, does: string, walk: Walk, depth: number): boolean {
  const taken = match === undefined || matches(match, walk.visit);
  const words = match && matcherInWords(match);
  walk.steps.push({ depth, match: words, taken, does, effect: undefined });
  return taken;
}

/** Notes what came of the step told last. */
function came(effect: string, { steps }: Walk): void {
  const last = steps.pop();
  if (last !== undefined) steps.push({ ...last, effect });
}

function perform(action: Action, walk: Walk, depth: number): EndTold | undefined {
  const { visit } = walk;
  switch (action.kind) {
    case "proxy":
      return forwarded(action.pool, walk);
    case "forward_auth":
      return came("taken for granted", walk), undefined;
    case "basic_auth":
      visit.user = action.users[0]?.name;
      return came("taken for proven", walk), undefined;
    case "limit":
      return undefined;
    case "respond":
      return { kind: "answered", status: statusFrom(action.status, visit, 200), fields: [] };
    case "redirect": {
      const location = render(action.to, placeholders(visit));
      return { kind: "answered", status: action.status, fields: [`Location: ${location}`] };
    }
    case "error":
      return { kind: "error", status: statusFrom(action.status, visit, 500) };
    case "copy_response":
      return undefined;
    case "steps":
      return through(action.steps, walk, depth + 1);
    case "first_of":
      return firstOf(action, walk, depth + 1);
    case "rewrite":
      note(action, visit);
      return came(`now ${visit.method} ${visit.exchange.target}`, walk), undefined;
    case "var":
      note(action, visit);
      return came(`now "${visit.variable(action.name) ?? ""}"`, walk), undefined;
    case "headers":
    case "encode":
    case "unlogged":
    case "copy_response_headers":
      note(action, visit);
      return undefined;
  }
}

function firstOf(
  { branches }: Extract<Action, { kind: "first_of" }>,
  walk: Walk,
  depth: number,
): EndTold | undefined {
  for (const { match, steps } of branches) {
    if (take(match, "does these steps", walk, depth)) return through(steps, walk, depth + 1);
  }
  return undefined;
}

function forwarded(rules: PoolRules, { visit, deps }: Walk): EndTold {
  const exchange = rewrittenFor(rules, visit);
  const client = believing(visit.client, rules.trustedProxies, exchange);
  const passage: Passage = {
    forwarding: { visit, exchange, client },
    replay: undefined,
    world: deps.world,
    ledger: visit.story,
  };
  const order = explainOrder(visit.poolOf(rules), passage, deps.knowledge);
  return { kind: "forwarded", rules, order };
}

/** Errors of our own that such an end may turn into. */
function errorsOf(end: EndTold): readonly number[] {
  if (end.kind === "forwarded") return [502, 503, 504];
  return end.kind === "error" ? [end.status] : [];
}
