/** Puts upstreams, pools and routes as they stand into what the operator sees. Pure. */
import { spellAddress } from "../address.ts";
import type { Member, Phase, Pool, Verdict } from "../model.ts";
import type { Failback, Route, Upstream } from "../rules.ts";
import { poolsOf } from "../steps.ts";
import type {
  PoolStatus,
  ProbeStatus,
  RouteStatus,
  Summary,
  UpstreamStatus,
  UpstreamSummary,
} from "./status.ts";

/** Latencies in a row. */
interface Row {
  list(): readonly (number | null)[];
  readonly last: number | null | undefined;
}

/** What is kept of an upstream beside what the request path sees. */
export interface Kept {
  readonly phase: Phase;
  readonly reason: string;
  readonly since: number;
  readonly streak: number;
  readonly drained: boolean;
  readonly inFlight: number;
  readonly requests: number;
  readonly failures: number;
  readonly lastVerdict: Verdict | undefined;
  readonly latencies: Row;
  readonly probeLatencies: Row;
  /** `elapsed` times at which remembered failures lapse. */
  penalties(now: number): readonly number[];
}

/** Who can be asked how things stand, and the two times of now. */
export interface Sight {
  readonly pools: readonly Pool[];
  readonly kept: (upstreamId: string) => Kept | undefined;
  /** Whom the next request would get. */
  readonly expected: (pool: Pool) => Member | undefined;
  readonly available: (member: Member, pool: Pool) => boolean;
  readonly now: number;
  readonly elapsed: number;
}

export function routeStatus(route: Route, sight: Sight): RouteStatus {
  const { id, hosts, paths, ports } = route;
  const ids = new Set(poolsOf([route]).map((rules) => rules.id));
  const pools = sight.pools.filter(({ rules }) => ids.has(rules.id));
  return { id, hosts, paths, ports, pools: pools.map((pool) => poolStatus(pool, sight)) };
}

function poolStatus(pool: Pool, sight: Sight): PoolStatus {
  const { rules, members } = pool;
  return {
    id: rules.id,
    policy: rules.policy.kind,
    failback: failbackInWords(rules.failback),
    chosen: sight.expected(pool)?.upstream.name,
    held: heldBack(pool, sight)?.upstream.name,
    upstreams: members.flatMap((member) => upstreamStatus(member, pool, sight) ?? []),
  };
}

function failbackInWords(failback: Failback): string {
  return failback.kind === "after" ? `after ${failback.afterMs / 1000}s` : failback.kind;
}

/** Whom requests stay with although one that is preferred to it could be asked. */
function heldBack(pool: Pool, sight: Sight): Member | undefined {
  if (pool.rules.failback.kind === "immediate") return undefined;
  const chosen = sight.expected(pool);
  const at = chosen === undefined ? 0 : pool.members.indexOf(chosen);
  const isPassedOver = pool.members.slice(0, at).some((one) => sight.available(one, pool));
  return isPassedOver && chosen?.upstream.id === pool.held.upstreamId ? chosen : undefined;
}

export function upstreamStatus(
  member: Member,
  pool: Pool,
  sight: Sight,
): UpstreamStatus | undefined {
  const { upstream } = member;
  const kept = sight.kept(upstream.id);
  if (kept === undefined) return undefined;
  return {
    id: upstream.id,
    name: upstream.name,
    address: addressOf(upstream),
    phase: kept.phase,
    reason: kept.reason,
    since: kept.since,
    streak: kept.streak,
    probed: pool.rules.health !== undefined,
    drained: kept.drained,
    available: sight.available(member, pool),
    inFlight: kept.inFlight,
    requests: kept.requests,
    failures: kept.failures,
    penalties: kept.penalties(sight.elapsed).map((lapsesAt) => ({
      until: Math.round(sight.now + lapsesAt - sight.elapsed),
    })),
    lastProbe: kept.lastVerdict && probeStatus(kept.lastVerdict),
    latencyMs: kept.latencies.list(),
    probeMs: kept.probeLatencies.list(),
  };
}

export function probeStatus({ startedAt, durationMs, ...verdict }: Verdict): ProbeStatus {
  const { passed, status, reason } = verdict;
  return { at: startedAt, ms: durationMs, passed, status, reason };
}

function addressOf({ scheme, address, authority }: Upstream): string {
  if (address.kind === "tcp") return `${scheme}://${authority}`;
  return scheme === "h2c" ? `unix+h2c/${address.path}` : spellAddress(address);
}

export function summary(
  sight: Sight,
  { inFlight, draining }: Pick<Summary, "inFlight" | "draining">,
): Summary {
  const chosen = sight.pools.flatMap((pool): [string, string][] => {
    const one = sight.expected(pool);
    return one === undefined ? [] : [[pool.rules.id, one.upstream.name]];
  });
  return {
    now: sight.now,
    draining,
    inFlight,
    chosen: Object.fromEntries(chosen),
    upstreams: sight.pools.flatMap((pool) =>
      pool.members.flatMap((member) => upstreamSummary(member, pool, sight) ?? [])
    ),
  };
}

function upstreamSummary(member: Member, pool: Pool, sight: Sight): UpstreamSummary | undefined {
  const { id } = member.upstream;
  const kept = sight.kept(id);
  if (kept === undefined) return undefined;
  return {
    id,
    phase: kept.phase,
    drained: kept.drained,
    available: sight.available(member, pool),
    inFlight: kept.inFlight,
    requests: kept.requests,
    failures: kept.failures,
    latencyMs: kept.latencies.last,
    probeMs: kept.probeLatencies.last,
  };
}
