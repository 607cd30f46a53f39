/** The shapes of `status.ts` in JSON Schema, for the description of the API. */

type Schema = Readonly<Record<string, unknown>>;

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const count = { type: "integer", minimum: 0 } as const;
const ms = { type: "number", minimum: 0 } as const;
const moment = { type: "number", description: "Milliseconds since 1970." } as const;
const phase = { enum: ["unknown", "up", "down"] } as const;
/** Null failed. */
const latency = { type: ["number", "null"] } as const;

function list(items: Schema) {
  return { type: "array", items } as const;
}

function ref(name: string) {
  return { $ref: `#/components/schemas/${name}` };
}

/** An object with exactly these; `optional` ones may be absent. */
function object(required: Readonly<Record<string, Schema>>, optional: Schema = {}) {
  return {
    type: "object",
    additionalProperties: false,
    required: Object.keys(required),
    properties: { ...required, ...optional },
  } as const;
}

export const SCHEMAS = {
  Status: object({
    version: text,
    runtime: text,
    startedAt: moment,
    now: moment,
    config: ref("ConfigStatus"),
    listen: list(text),
    draining: flag,
    inFlight: count,
    routes: list(ref("RouteStatus")),
    certificates: list(ref("CertificateStatus")),
    root: flag,
    transitions: list(ref("Transition")),
    notable: list(ref("Notable")),
  }, { stage: list(text) }),
  ConfigStatus: object({ loadedAt: moment, problems: list(text) }, { path: text }),
  RouteStatus: object({
    id: text,
    hosts: list(text),
    paths: list(text),
    ports: list(count),
    pools: list(ref("PoolStatus")),
  }),
  PoolStatus: object(
    { id: text, policy: text, failback: text, upstreams: list(ref("UpstreamStatus")) },
    { chosen: text, held: text },
  ),
  UpstreamStatus: object({
    id: text,
    name: text,
    address: text,
    phase,
    reason: text,
    since: moment,
    streak: count,
    probed: flag,
    drained: flag,
    available: flag,
    inFlight: count,
    requests: count,
    failures: count,
    penalties: list(object({ until: moment })),
    latencyMs: list(latency),
    probeMs: list(latency),
  }, { lastProbe: ref("ProbeStatus") }),
  CertificateStatus: object({
    names: list(text),
    source: { enum: ["files", "acme", "internal"] },
    issuer: text,
    state: { enum: ["good", "expiring", "expired", "missing"] },
  }, {
    validFrom: moment,
    validTo: moment,
    nextAt: moment,
    problem: text,
    serial: text,
    fingerprint: text,
  }),
  ProbeStatus: object({ at: moment, ms, passed: flag, reason: text }, { status: count }),
  Transition: object({
    at: moment,
    poolId: text,
    upstream: text,
    kind: { enum: ["phase", "penalised", "drained", "undrained", "chosen"] },
    reason: text,
  }, { from: text, to: text, until: moment }),
  Notable: object({
    at: moment,
    requestId: text,
    method: text,
    host: text,
    uri: text,
    status: count,
    outcome: {
      enum: [
        "answered",
        "truncated",
        "abandoned",
        "failed",
        "unavailable",
        "unrouted",
        "refused",
        "error",
      ],
    },
    attempts: count,
    durationMs: ms,
    failures: list(text),
    kind: { enum: ["failed_over", "cut", "failed", "slow"] },
  }, { routeId: text, upstream: text, firstByteMs: ms }),
  Summary: object({
    now: moment,
    draining: flag,
    inFlight: count,
    chosen: { type: "object", additionalProperties: text },
    upstreams: list(ref("UpstreamSummary")),
  }),
  UpstreamSummary: object({
    id: text,
    phase,
    drained: flag,
    available: flag,
    inFlight: count,
    requests: count,
    failures: count,
  }, { latencyMs: latency, probeMs: latency }),
  Dropped: object({ count }),
  ActionResult: object({ upstream: ref("UpstreamStatus") }, { probe: ref("ProbeStatus") }),
  CertificateResult: object({ certificate: ref("CertificateStatus") }),
  ReloadResult: object({ config: ref("ConfigStatus") }),
  CaddyUpstream: object({
    address: text,
    num_requests: count,
    fails: count,
    healthy: flag,
    drained: flag,
    pools: list(object({ pool: text, name: text, phase })),
  }),
  Error: object({ error: text }, { problems: list(text), candidates: list(text) }),
};
