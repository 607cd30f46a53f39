/**
 * A route: the hosts, paths and ports it answers for and the steps of its requests. Gives its pools and
 * their upstreams the ids that key what is kept across reloads.
 */
import * as v from "valibot";
import type { ErrorRule, PoolRules, Step } from "../rules.ts";
import { withPools } from "../steps.ts";
import { DOOR, Limits, toGuard, type WrittenLimits } from "./guard.ts";
import * as leaves from "./leaves.ts";
import { Host, PathPrefix } from "./matcher.ts";
import { toPool } from "./pool.ts";
import { about, holds, keyed, oneOrMore, required, type Schema } from "./shape.ts";
import type { RouteSketch } from "./settle.ts";
import { POOL, Steps } from "./step.ts";
import { RouteTls } from "./tls.ts";

/** Keys that later versions bring; they are named so that nobody takes them for typing errors. */
const LATER = ["wake", "models"];

/** A route before it takes what it does not say from the top level. */
export interface RouteDraft extends Omit<RouteSketch, Limited> {
  readonly limited: (general: WrittenLimits) => Pick<RouteSketch, Limited>;
}

type Limited = "bodyLimitBytes" | "guard";

const ErrorSteps: Schema<ErrorRule> = v.pipe(
  keyed({
    status: about("Status codes it is about; all when not set.", v.optional(leaves.Status)),
    steps: about("What is done instead of answering with the error.", required(Steps)),
  }),
  v.transform(({ status, steps }): ErrorRule => ({ status: status ?? [], steps })),
);

export const OneRoute: Schema<RouteDraft> = v.pipe(
  keyed({
    host: about(
      'Hosts it answers for; "*.example.com" is exactly one label, "*" any.',
      v.optional(oneOrMore(Host), "*"),
    ),
    path: about(
      "Path prefixes on segment borders; the longest match wins.",
      v.optional(oneOrMore(PathPrefix), "/"),
    ),
    port: about(
      "Ports of ours it answers on; all when not set.",
      v.optional(oneOrMore(leaves.count(1, 65_535))),
    ),
    steps: about(
      "What is done with a request, in order, until something answers it; upstreams come last.",
      v.optional(Steps),
    ),
    errors: about(
      "What is done where an answer of our own would be an error; the first that matches holds.",
      v.optional(oneOrMore(ErrorSteps)),
    ),
    limits: about("Limits of this route, before those of the top level.", v.optional(Limits, {})),
    ...DOOR,
    expose: about(
      "Tells clients in fields of the response which upstream answered.",
      v.optional(leaves.Switch, false),
    ),
    tls: about(
      "Where the certificate of its hosts comes from: an issuer, a map with more, or off to answer in the clear alone.",
      v.optional(RouteTls),
    ),
    ...POOL,
  }, LATER),
  holds(["upstreams", "dynamic", "steps"], {
    most: undefined,
    expected: '"upstreams", "dynamic" or "steps"',
  }),
  v.transform((route): RouteDraft => {
    const { host, path, port, steps, errors, limits, expose, tls, ...rest } = route;
    const { auth, allow, deny, cors, ...written } = rest;
    const hosts = [...new Set(host)];
    const paths = [...new Set(path)];
    const ports = [...new Set(port)];
    const id = routeId(hosts, paths, ports);
    const hasPool = written.upstreams !== undefined || written.dynamic !== undefined;
    const last: Step[] = hasPool
      ? [{ match: undefined, action: { kind: "proxy", pool: toPool(written) } }]
      : [];
    const name = naming(id);
    return {
      id,
      hosts,
      paths,
      ports,
      steps: withPools([...(steps ?? []), ...last], name),
      errors: (errors ?? []).map((rule) => ({ ...rule, steps: withPools(rule.steps, name) })),
      expose,
      tls,
      limited: (general) => ({
        bodyLimitBytes: limits.request_body ?? general.request_body ?? Number.POSITIVE_INFINITY,
        guard: toGuard({ auth, allow, deny, cors }, limits, general),
      }),
    };
  }),
);

/** Gives pools their ids in turn: the first has that of its route. */
function naming(routeId: string): (pool: PoolRules) => PoolRules {
  let count = 0;
  return (pool) => {
    count += 1;
    const id = count === 1 ? routeId : `${routeId}#${count}`;
    const upstreams = pool.upstreams.map((one) => ({ ...one, id: `${id} ${one.name}` }));
    return { ...pool, id, upstreams };
  };
}

/** Spells hosts, paths and ports; no host holds a slash and every path begins with one. */
function routeId(
  hosts: readonly string[],
  paths: readonly string[],
  ports: readonly number[],
): string {
  const where = `${hosts.toSorted().join(",")}${paths.toSorted().join(",")}`;
  const sorted = ports.toSorted((one, other) => one - other);
  return sorted.length === 0 ? where : `${where}:${sorted.join(",")}`;
}
