/** What the operator sees of a proxy that nothing happened to yet, for tests to change. */
import type { CertificateStatus } from "../../src/model.ts";
import type {
  PoolStatus,
  RouteStatus,
  Status,
  Transition,
  UpstreamStatus,
} from "../../src/ops/status.ts";

const DAY_MS = 86_400_000;

export function upstreamStatus(
  name: string,
  changes: Partial<UpstreamStatus> = {},
): UpstreamStatus {
  return {
    id: `r/${name}`,
    name,
    address: `http://${name}`,
    phase: "up",
    reason: "answered 200",
    since: 0,
    streak: 0,
    probed: true,
    drained: false,
    available: true,
    inFlight: 0,
    requests: 0,
    failures: 0,
    penalties: [],
    lastProbe: undefined,
    latencyMs: [],
    probeMs: [],
    ...changes,
  };
}

export function poolStatus(changes: Partial<PoolStatus> = {}): PoolStatus {
  return {
    id: "r",
    policy: "first",
    failback: "immediate",
    chosen: "a",
    held: undefined,
    upstreams: [upstreamStatus("a"), upstreamStatus("b")],
    ...changes,
  };
}

export function routeStatus(changes: Partial<RouteStatus> = {}): RouteStatus {
  return { id: "r", hosts: ["*"], paths: ["/"], ports: [], pools: [poolStatus()], ...changes };
}

/** Good for 60 days more, unless told otherwise; it was for 30. */
export function certificateStatus(
  now: number,
  changes: Partial<CertificateStatus> = {},
): CertificateStatus {
  return {
    names: ["a.example"],
    source: "acme",
    issuer: "ca.example",
    state: "good",
    validFrom: now - 30 * DAY_MS,
    validTo: now + 60 * DAY_MS,
    nextAt: now + 30 * DAY_MS,
    problem: undefined,
    serial: "0a",
    fingerprint: "f00d",
    ...changes,
  };
}

/** Of route "r" to upstreams "a" and "b", unless told otherwise. */
export function status(changes: Partial<Status> = {}): Status {
  return {
    version: "1.2.3",
    runtime: "Bun 1.4.5",
    startedAt: 1_000_000,
    now: 1_060_000,
    config: { path: "/etc/understudy/config.yaml", loadedAt: 1_030_500, problems: [] },
    listen: ["http://127.0.0.1:8080"],
    draining: false,
    inFlight: 0,
    routes: [routeStatus()],
    certificates: [],
    root: false,
    transitions: [],
    notable: [],
    ...changes,
  };
}

export function chosen(from: string, to: string, changes: Partial<Transition> = {}): Transition {
  return {
    at: 0,
    poolId: "r",
    upstream: to,
    kind: "chosen",
    from,
    to,
    reason: "",
    ...changes,
  };
}
