/**
 * A status as it looks after a day with some trouble: two upstreams that stood in for each other,
 * and a route whose upstreams share. For tests of the page, and for its pictures.
 */
import type { CertificateStatus } from "../../src/model.ts";
import type { Notable, Status, Transition, UpstreamStatus } from "../../src/ops/status.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export interface StageChoice {
  /** The preferred upstream is down. */
  readonly down?: boolean;
  readonly problems?: readonly string[];
}

export function stagedStatus(
  now: number,
  { down = true, problems = [] }: StageChoice = {},
): Status {
  const ago = (ms: number) => now - ms;
  return {
    version: "0.5.0",
    runtime: "Bun 1.4.5",
    startedAt: ago(6 * 24 * HOUR + 3 * HOUR),
    now,
    config: { path: "/etc/understudy/config.yaml", loadedAt: ago(5 * HOUR), problems },
    listen: ["http://0.0.0.0:8080"],
    draining: false,
    inFlight: down ? 3 : 2,
    routes: [
      {
        id: "ollama.example.com/",
        hosts: ["ollama.example.com"],
        paths: ["/"],
        ports: [],
        pools: [{
          id: "ollama.example.com/",
          policy: "first",
          failback: "immediate",
          chosen: down ? "always-on" : "gpu",
          held: undefined,
          upstreams: [gpu(now, down), spare(now, down)],
        }],
      },
      {
        id: "app.example.com/api",
        hosts: ["app.example.com"],
        paths: ["/api"],
        ports: [],
        pools: [{
          id: "app.example.com/api",
          policy: "least_conn",
          failback: "immediate",
          chosen: undefined,
          held: undefined,
          upstreams: ["app-1", "app-2", "app-3"].map((name, at) => sharing(now, name, at)),
        }],
      },
    ],
    certificates: certificates(now),
    root: true,
    transitions: transitions(now, down),
    notable: notable(now),
  };
}

function certificates(now: number): CertificateStatus[] {
  const days = (count: number) => now + count * 24 * HOUR;
  const base = {
    source: "acme",
    issuer: "acme-v02.api.letsencrypt.org",
    problem: undefined,
    serial: "04a1b2",
    fingerprint: "9f".repeat(32),
  } as const;
  return [
    {
      ...base,
      names: ["ollama.example.com"],
      state: "good",
      validFrom: days(-31.5),
      validTo: days(58.5),
      nextAt: days(28.2),
    },
    {
      ...base,
      names: ["app.example.com", "api.example.com", "www.example.com", "old.example.com"],
      state: "good",
      validFrom: days(-68),
      validTo: days(22),
      nextAt: now + 20.5 * MINUTE,
      problem: "old.example.com: no such name (NXDOMAIN)",
    },
    {
      ...base,
      source: "internal",
      issuer: "internal",
      names: ["gpu.lan"],
      state: "good",
      validFrom: now - 3 * HOUR,
      validTo: now + 21 * HOUR,
      nextAt: now + 13 * HOUR,
    },
    {
      ...base,
      source: "files",
      issuer: "CN=R3,O=Example CA,C=DE",
      names: ["legacy.example.com"],
      state: "expiring",
      validFrom: days(-360),
      validTo: days(5.2),
      nextAt: undefined,
    },
  ];
}

function gpu(now: number, down: boolean): UpstreamStatus {
  return {
    id: "ollama.example.com/ gpu",
    name: "gpu",
    address: "http://192.168.1.5:11434",
    phase: down ? "down" : "up",
    reason: down ? "refused the connection" : "answered 200",
    since: now - (down ? 4 : 96) * MINUTE,
    streak: 0,
    probed: true,
    drained: false,
    available: !down,
    inFlight: down ? 0 : 2,
    requests: 1284,
    failures: 7,
    penalties: [],
    lastProbe: {
      at: now - 3000,
      ms: down ? 0.6 : 1.9,
      passed: !down,
      status: down ? undefined : 200,
      reason: down ? "refused the connection" : "answered 200",
    },
    latencyMs: [...wave(down ? 52 : 60, 31, 9), ...(down ? [null, null] : [])],
    probeMs: wave(60, 2, 1),
  };
}

function spare(now: number, down: boolean): UpstreamStatus {
  return {
    id: "ollama.example.com/ always-on",
    name: "always-on",
    address: "http://192.168.1.6:11434",
    phase: "up",
    reason: "answered 200",
    since: now - 147 * HOUR,
    streak: 0,
    probed: true,
    drained: false,
    available: true,
    inFlight: down ? 2 : 0,
    requests: 236,
    failures: 0,
    penalties: [],
    lastProbe: { at: now - 5000, ms: 2.4, passed: true, status: 200, reason: "answered 200" },
    latencyMs: wave(44, 118, 46),
    probeMs: wave(60, 3, 1),
  };
}

function sharing(now: number, name: string, at: number): UpstreamStatus {
  const drained = at === 2;
  return {
    ...spare(now, true),
    id: `app.example.com/api ${name}`,
    name,
    address: `http://10.0.0.${at + 11}:3000`,
    drained,
    available: !drained,
    inFlight: drained ? 0 : at === 0 ? 1 : 0,
    requests: 20_311 - at * 377,
    latencyMs: wave(60, 8 + at * 3, 4),
  };
}

function transitions(now: number, down: boolean): Transition[] {
  const poolId = "ollama.example.com/";
  const fell = (at: number, reason: string): Transition[] => [
    {
      at: at + 40,
      poolId,
      upstream: "always-on",
      kind: "chosen",
      from: "gpu",
      to: "always-on",
      reason,
    },
    { at, poolId, upstream: "gpu", kind: "phase", from: "up", to: "down", reason },
  ];
  const rose = (at: number): Transition[] => [
    {
      at: at + 40,
      poolId,
      upstream: "gpu",
      kind: "chosen",
      from: "always-on",
      to: "gpu",
      reason: "gpu is fit again",
    },
    { at, poolId, upstream: "gpu", kind: "phase", from: "down", to: "up", reason: "answered 200" },
  ];
  const ago = (hours: number) => now - hours * HOUR;
  const refused = "refused the connection";
  return [
    ...(down ? fell(now - 4 * MINUTE, refused) : []),
    ...rose(ago(1.6)),
    ...fell(ago(2.1), "did not accept a connection in time"),
    {
      at: ago(3),
      poolId: "app.example.com/api",
      upstream: "app-3",
      kind: "drained",
      reason: "by an operator",
    },
    {
      at: ago(5.2),
      poolId,
      upstream: "gpu",
      kind: "penalised",
      until: ago(5.0),
      reason: "closed the connection before answering",
    },
    ...rose(ago(8.4)),
    ...fell(ago(16.5), "cannot be reached"),
    ...rose(ago(17.1)),
    ...fell(ago(17.3), refused),
  ];
}

function notable(now: number): Notable[] {
  const base = {
    routeId: "ollama.example.com/",
    host: "ollama.example.com",
    outcome: "answered",
    firstByteMs: 96,
  } as const;
  return [
    {
      ...base,
      at: now - 4 * MINUTE + 700,
      requestId: "5f2c91d07be4",
      method: "POST",
      uri: "/api/chat",
      status: 200,
      upstream: "always-on",
      attempts: 2,
      durationMs: 8120,
      failures: ["gpu: refused (not sent)"],
      kind: "failed_over",
    },
    {
      ...base,
      at: now - 4 * MINUTE,
      requestId: "5f2c91d07be3",
      method: "POST",
      uri: "/api/generate",
      status: 200,
      outcome: "truncated",
      upstream: "gpu",
      attempts: 1,
      durationMs: 14_310,
      failures: [],
      kind: "cut",
    },
    {
      ...base,
      at: now - 52 * MINUTE,
      requestId: "5f2c91d07b10",
      method: "POST",
      uri: "/v1/chat/completions",
      status: 200,
      firstByteMs: 41_900,
      upstream: "gpu",
      attempts: 1,
      durationMs: 63_400,
      failures: [],
      kind: "slow",
    },
    {
      ...base,
      at: now - 126 * MINUTE,
      requestId: "5f2c91d07a02",
      method: "GET",
      uri: "/api/tags",
      status: 200,
      upstream: "always-on",
      attempts: 2,
      durationMs: 3044,
      failures: ["gpu: dial_timeout (not sent)"],
      kind: "failed_over",
    },
    {
      ...base,
      at: now - 5.2 * HOUR,
      requestId: "5f2c91d07901",
      host: "app.example.com",
      method: "POST",
      uri: "/api/orders?token=REDACTED",
      status: 502,
      outcome: "failed",
      upstream: "app-2",
      attempts: 3,
      durationMs: 240,
      failures: [
        "app-1: closed (sent)",
        "app-2: closed (sent)",
      ],
      kind: "failed",
    },
  ];
}

/** The same wave each time, so that pictures change only when the page does. */
function wave(length: number, middle: number, swing: number): number[] {
  return Array.from(
    { length },
    (_, at) =>
      Math.max(
        0.3,
        middle + swing * (Math.sin(at / 3.1) + Math.sin(at * 1.7) * 0.8 + Math.sin(at * 5.3) * 0.5),
      ),
  );
}
