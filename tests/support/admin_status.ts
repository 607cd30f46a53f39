/** What an admin API tells, for tests of those who show it. */
import type { PoolStatus, RouteStatus, Status, UpstreamStatus } from "../../src/ops/status.ts";

/** When it is told. */
export const NOW = Date.parse("2026-11-22T12:00:00Z");

export function upstreamStatus(
  name: string,
  changes: Partial<UpstreamStatus> = {},
): UpstreamStatus {
  return {
    id: `*/ ${name}`,
    name,
    address: `http://${name}.test:11434`,
    phase: "up",
    reason: "answered 200",
    since: NOW - 3_725_000,
    streak: 0,
    probed: true,
    drained: false,
    available: true,
    inFlight: 0,
    requests: 12,
    failures: 0,
    penalties: [],
    lastProbe: { at: NOW - 4_000, ms: 2.4, passed: true, status: 200, reason: "answered 200" },
    latencyMs: [10, 20, null, 40],
    probeMs: [2, 3],
    ...changes,
  };
}

export function poolStatus(
  upstreams: readonly UpstreamStatus[],
  changes: Partial<PoolStatus> = {},
): PoolStatus {
  return {
    id: "*/",
    policy: "first",
    failback: "immediate",
    chosen: upstreams.find(({ available }) => available)?.name,
    held: undefined,
    upstreams,
    ...changes,
  };
}

export function routeStatus(
  pools: readonly PoolStatus[],
  changes: Partial<RouteStatus> = {},
): RouteStatus {
  return { id: "*/", hosts: ["*"], paths: ["/"], ports: [], pools, ...changes };
}

export function statusOf(
  routes: readonly RouteStatus[],
  changes: Partial<Status> = {},
): Status {
  return {
    version: "0.1.0",
    runtime: "Bun 1.4.5",
    startedAt: NOW - 7_200_000,
    now: NOW,
    config: { path: "config.yaml", loadedAt: NOW - 7_200_000, problems: [] },
    listen: ["http://0.0.0.0:8080"],
    draining: false,
    inFlight: 0,
    routes,
    certificates: [],
    root: false,
    transitions: [],
    notable: [],
    ...changes,
  };
}

/** Preferred "gpu" and "slow", one of which answers. */
export function pairStatus(
  gpu: Partial<UpstreamStatus> = {},
  slow: Partial<UpstreamStatus> = {},
  changes: Partial<PoolStatus> = {},
): Status {
  const upstreams = [upstreamStatus("gpu", gpu), upstreamStatus("slow", slow)];
  return statusOf([routeStatus([poolStatus(upstreams, changes)])]);
}
