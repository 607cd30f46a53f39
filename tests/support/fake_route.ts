/**
 * Routes and upstreams for tests: what an empty section of the configuration means, with the
 * settings that a test is about put in by hand.
 */
import type { Member, Pool, Standing } from "../../src/model.ts";
import type {
  Config,
  ConnectionRules,
  HeaderRules,
  HealthRules,
  ListenRules,
  PassiveRules,
  PoolRules,
  RetryRules,
  Route,
  Template,
  Upstream,
} from "../../src/rules.ts";

export const PASSIVE_OFF: PassiveRules = {
  failDurationMs: 0,
  failsMax: 1,
  unhealthyStatus: [],
  unhealthyLatencyMs: undefined,
  requestsMax: Infinity,
  clearOnPass: true,
};

export const RETRY: RetryRules = {
  attemptsMax: undefined,
  forMs: 0,
  intervalMs: 250,
  replayLimitBytes: 1024 * 1024,
  status: [],
  match: [],
  idempotent: true,
  responses: [],
  sideProbeMs: 10_000,
  rescue: false,
};

export const HEALTH: HealthRules = {
  uri: "/",
  port: undefined,
  address: undefined,
  method: "GET",
  headers: [],
  body: undefined,
  intervalMs: 10_000,
  timeoutMs: 2_000,
  status: [{ from: 200, to: 299 }],
  expectBody: undefined,
  followRedirects: false,
  rise: 1,
  fall: 1,
  fastIntervalMs: 1_000,
  idleIntervalMs: undefined,
  initState: "probe",
};

export const NO_RULES: HeaderRules = { remove: [], replace: [], set: [], add: [], fallback: [] };

const CONNECTIONS: ConnectionRules = {
  idleMs: 55_000,
  idleMax: 1024,
  connectionsMax: Infinity,
  localAddress: undefined,
  proxyProtocol: undefined,
  readTimeoutMs: undefined,
  writeTimeoutMs: undefined,
  headLimitBytes: 64 * 1024,
};

export function health(changes: Partial<HealthRules> = {}): HealthRules {
  return { ...HEALTH, ...changes };
}

export function passive(changes: Partial<PassiveRules> = {}): PassiveRules {
  return { ...PASSIVE_OFF, failDurationMs: 30_000, ...changes };
}

export function retry(changes: Partial<RetryRules> = {}): RetryRules {
  return { ...RETRY, ...changes };
}

export function text(...parts: Template): Template {
  return parts;
}

export function upstream(name: string, changes: Partial<Upstream> = {}): Upstream {
  const address = changes.address ?? { kind: "tcp", host: name, port: 80 };
  const authority = address.kind === "unix" ? "localhost" : `${address.host}:${address.port}`;
  return {
    id: `r/${name}`,
    name,
    scheme: "http",
    address,
    authority,
    hostHeader: { kind: "client" },
    headers: [],
    tls: { name: undefined, authorities: [], certificate: undefined, insecure: false },
    requestsMax: Infinity,
    connections: CONNECTIONS,
    ...changes,
  };
}

/** What a test may want of a route and of its pool, in one. */
export type RouteChanges = Partial<Omit<Route, "steps"> & PoolRules>;

/** A route to upstreams "a" and "b", unless told otherwise. */
export function route(changes: RouteChanges = {}): Route {
  const { id = "r", hosts, paths, ports, errors, ...rest } = changes;
  const { bodyLimitBytes, guard, expose, tls, ...pool } = rest;
  return {
    id,
    hosts: hosts ?? ["*"],
    paths: paths ?? ["/"],
    ports: ports ?? [],
    steps: [{ match: undefined, action: { kind: "proxy", pool: poolRules({ id, ...pool }) } }],
    errors: errors ?? [],
    bodyLimitBytes: bodyLimitBytes ?? Infinity,
    guard,
    expose: expose ?? false,
    tls: tls ?? { inTheClear: "answer", hsts: undefined, clientAuth: undefined },
  };
}

/** A listener in the clear on this machine alone. */
export function loopback(port: number, host = "127.0.0.1"): ListenRules {
  const address = { kind: "tcp", host, port } as const;
  return { address, tls: false, h2: false, h3: false, written: true };
}

/** A pool of upstreams "a" and "b", unless told otherwise. */
export function poolRules(changes: Partial<PoolRules> = {}): PoolRules {
  return {
    id: "r",
    upstreams: [upstream("a"), upstream("b")],
    dynamic: [],
    policy: { kind: "first" },
    health: undefined,
    passive: PASSIVE_OFF,
    retry: RETRY,
    failback: { kind: "immediate" },
    transport: { dialTimeoutMs: 3_000, headersTimeoutMs: undefined },
    headers: { request: NO_RULES, response: NO_RULES },
    rewrite: undefined,
    responses: [],
    trustedProxies: [],
    streamCloseDelayMs: 0,
    streamTimeoutMs: undefined,
    ...changes,
  };
}

export function config(changes: Partial<Config> = {}): Config {
  return {
    listen: [loopback(0)],
    tls: undefined,
    trustedProxies: [],
    graceMs: 10_000,
    log: { format: "json", level: "info" },
    admin: undefined,
    notify: [],
    routes: [route()],
    ...changes,
  };
}

/** An upstream's state as a test wants it to be. */
export class FakeStanding implements Standing {
  phase: Standing["phase"] = "up";
  drained = false;
  inFlight = 0;
  fails = 0;
  /** What `fitSince` says while the upstream is fit. */
  since = 0;
  penalty: number | undefined;
  firstVerdict: Promise<void> | undefined;

  constructor(changes: Partial<FakeStanding> = {}) {
    Object.assign(this, changes);
  }

  fitSince(now: number): number {
    const fit = this.phase !== "down" && !this.drained && this.penalisedUntil(now) === undefined;
    return fit ? this.since : Infinity;
  }

  penalisedUntil(now: number): number | undefined {
    return this.penalty !== undefined && this.penalty > now ? this.penalty : undefined;
  }

  enter(): void {
    this.inFlight++;
  }

  leave(): void {
    this.inFlight--;
  }

  wanted(): void {}
  saw(): void {}
  suspect(): void {}

  hear(): void {}
  unhear(): void {}
}

export interface FakeMember extends Member {
  readonly standing: FakeStanding;
}

export interface FakePool extends Pool {
  readonly members: readonly FakeMember[];
}

/** A pool whose upstreams "a", "b", "c"… stand as told, in that order. */
export function pool(
  standings: readonly Partial<FakeStanding>[],
  changes: Partial<PoolRules> = {},
): FakePool {
  const members = standings.map((changed, at) => ({
    upstream: upstream("abcdefgh".charAt(at)),
    standing: new FakeStanding(changed),
  }));
  return {
    rules: poolRules({ upstreams: members.map((member) => member.upstream), ...changes }),
    members,
    held: { upstreamId: undefined, turn: 0, credit: new Map() },
  };
}
