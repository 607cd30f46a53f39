/** Steps for tests: what an empty setting means, with what a test is about put in by hand. */
import type {
  Action,
  ErrorRule,
  HeaderRules,
  Matcher,
  PoolRules,
  Rewrite,
  Route,
  Step,
  Template,
} from "../../src/rules.ts";
import { NO_RULES, poolRules, route, upstream } from "./fake_route.ts";

/** Its actions in order, for every request, or those that are steps already. */
export function steps(...all: readonly (Action | Step)[]): Step[] {
  return all.map((one) => "action" in one ? one : { match: undefined, action: one });
}

export function when(match: Matcher, action: Action): Step {
  return { match, action };
}

/** A route of these steps. */
export function stepsRoute(
  all: readonly (Action | Step)[],
  { errors = [], ...changes }: Partial<Pick<Route, "id" | "hosts" | "paths" | "ports">> & {
    readonly errors?: readonly ErrorRule[];
    readonly bodyLimitBytes?: number;
  } = {},
): Route {
  return { ...route(changes), steps: steps(...all), errors };
}

export function onError(status: number | undefined, ...all: (Action | Step)[]): ErrorRule {
  return {
    status: status === undefined ? [] : [{ from: status, to: status }],
    steps: steps(...all),
  };
}

/** A pool of upstreams by these names, under the first name's id. */
export function poolOf(names: readonly string[], changes: Partial<PoolRules> = {}): PoolRules {
  const id = changes.id ?? `pool-${names[0] ?? ""}`;
  const upstreams = names.map((name) => upstream(name, { id: `${id}/${name}` }));
  return poolRules({ id, upstreams, ...changes });
}

export function proxyTo(...names: string[]): Action {
  return { kind: "proxy", pool: poolOf(names) };
}

export function respond(
  body: string | Template,
  changes: Partial<Extract<Action, { kind: "respond" }>> = {},
): Action {
  const template = typeof body === "string" ? [body] : body;
  return { kind: "respond", status: [], body: template, fields: [], close: false, ...changes };
}

export function fail(status: number, text = ""): Action {
  return { kind: "error", status: [String(status)], text: [text] };
}

export function headers(
  request: Partial<HeaderRules>,
  response: Partial<HeaderRules> = {},
): Action {
  return {
    kind: "headers",
    request: { ...NO_RULES, ...request },
    response: { ...NO_RULES, ...response },
  };
}

export function rewriteRules(changes: Partial<Rewrite> = {}): Rewrite {
  return {
    method: undefined,
    uri: undefined,
    stripPrefix: undefined,
    stripSuffix: undefined,
    replace: [],
    ...changes,
  };
}

export function rewrite(changes: Partial<Rewrite>): Action {
  return { kind: "rewrite", rewrite: rewriteRules(changes) };
}

export function set(name: string, ...value: Template): Partial<HeaderRules> {
  return { set: [{ name, value }] };
}

export const under = (...paths: string[]): Matcher => ({ kind: "prefix", paths });
export const byMethod = (...methods: string[]): Matcher => ({ kind: "method", methods });
