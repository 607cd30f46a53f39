/**
 * What the operator sees: the shapes that the admin API, the page, the commands and whoever is told
 * share. Plain data that survives JSON, where what is undefined is simply absent. Moments are wall
 * clock, in milliseconds since 1970.
 */
import type { CertificateStatus, ExchangeOutcome, Phase } from "../model.ts";

export interface Status {
  readonly version: string;
  /** "Bun 1.4.5", say. */
  readonly runtime: string;
  readonly startedAt: number;
  readonly now: number;
  readonly config: ConfigStatus;
  /** URLs that requests come in by. */
  readonly listen: readonly string[];
  /** It ends: nothing is accepted any more. */
  readonly draining: boolean;
  /** Exchanges that run now, all routes together. */
  readonly inFlight: number;
  readonly routes: readonly RouteStatus[];
  /** In the order of the file; those that are made on demand are not among them. */
  readonly certificates: readonly CertificateStatus[];
  /** Certificates are signed by the authority of our own: its root is at `/api/root.pem`. */
  readonly root: boolean;
  /** What can be done to the machines themselves; present in the demo alone. */
  readonly stage?: readonly string[];
  /** Newest first, of the last 24 h, at most 1,000. */
  readonly transitions: readonly Transition[];
  /** Newest first, at most 50. */
  readonly notable: readonly Notable[];
}

/** What came of a certificate that was asked for anew. */
export interface CertificateResult {
  readonly certificate: CertificateStatus;
}

export interface ConfigStatus {
  /** Undefined where it came from the command line. */
  readonly path: string | undefined;
  readonly loadedAt: number;
  /** Of the last reload that was refused; empty when the file in force is the newest. */
  readonly problems: readonly string[];
}

export interface RouteStatus {
  readonly id: string;
  readonly hosts: readonly string[];
  readonly paths: readonly string[];
  /** Ports of ours it answers on; empty for all. */
  readonly ports: readonly number[];
  /** In the order of the file; empty for a route that asks no upstream. */
  readonly pools: readonly PoolStatus[];
}

export interface PoolStatus {
  /** The first pool of a route has the route's id. */
  readonly id: string;
  /** As in the configuration: "first", "round_robin"… */
  readonly policy: string;
  /** "immediate", "after 60s", "sticky" or "manual". */
  readonly failback: string;
  /** Name of whom the next request would get; undefined where the policy goes by more than preference, or nobody can be asked. */
  readonly chosen: string | undefined;
  /** Name of whom `failback` holds on to although another is preferred. */
  readonly held: string | undefined;
  /** In order of preference. */
  readonly upstreams: readonly UpstreamStatus[];
}

export interface UpstreamStatus {
  /** Unique everywhere: pool id and name, `poolId name`. */
  readonly id: string;
  /** Unique in its pool. */
  readonly name: string;
  /** "http://192.168.1.5:11434", "unix//run/ollama.sock". */
  readonly address: string;
  readonly phase: Phase;
  /** Why the phase is what it is, in words that go on from "the upstream …". */
  readonly reason: string;
  /** When the phase began. */
  readonly since: number;
  /** Probes in a row that contradict the phase. */
  readonly streak: number;
  /** It is asked at intervals; else its phase stays unknown. */
  readonly probed: boolean;
  /** An operator keeps new requests from it. */
  readonly drained: boolean;
  /** It would be given a request now. */
  readonly available: boolean;
  /** Requests that run there now, streams included. */
  readonly inFlight: number;
  /** Attempts that it was given, and those of them that failed or were cut, since it is configured. */
  readonly requests: number;
  readonly failures: number;
  /** One entry a remembered failure, the first to lapse first. */
  readonly penalties: readonly { readonly until: number }[];
  readonly lastProbe: ProbeStatus | undefined;
  /** Time to the response head of the last 60 requests, oldest first, in milliseconds; null failed. */
  readonly latencyMs: readonly (number | null)[];
  /** The same of the last 60 probes, as a whole each. */
  readonly probeMs: readonly (number | null)[];
}

export interface ProbeStatus {
  readonly at: number;
  readonly ms: number;
  readonly passed: boolean;
  /** Undefined when no answer came. */
  readonly status: number | undefined;
  readonly reason: string;
}

/** Something about an upstream became otherwise. */
export interface Transition {
  readonly at: number;
  readonly poolId: string;
  /** Its name; for "chosen" the one chosen now, empty when there is none. */
  readonly upstream: string;
  /**
   * phase: from and to are phases · penalised: failures bar it, until then · drained, undrained: by an operator ·
   * chosen: new requests go elsewhere now, from and to are names, empty for nobody
   */
  readonly kind: "phase" | "penalised" | "drained" | "undrained" | "chosen";
  readonly from?: string;
  readonly to?: string;
  /** When penalties that bar it lapse. */
  readonly until?: number;
  /** In words. */
  readonly reason: string;
}

/** A request that someone may ask about. */
export interface Notable {
  readonly at: number;
  readonly requestId: string;
  readonly routeId: string | undefined;
  readonly method: string;
  readonly host: string;
  /** Path and query, credentials taken out. */
  readonly uri: string;
  readonly status: number;
  readonly outcome: ExchangeOutcome;
  /** Who answered, else who was tried last. */
  readonly upstream: string | undefined;
  readonly attempts: number;
  readonly durationMs: number;
  /** Until its head went out; undefined when none did. */
  readonly firstByteMs: number | undefined;
  /** Why attempts failed, in order. */
  readonly failures: readonly string[];
  /** failed_over: another upstream answered · cut: it died mid-response · failed: nobody answered · slow: its head took long */
  readonly kind: NotableKind;
}

export type NotableKind = "failed_over" | "cut" | "failed" | "slow";

/** What moves from second to second; the rest of the status is told by the other events. */
export interface Summary {
  readonly now: number;
  readonly draining: boolean;
  readonly inFlight: number;
  /** Who is chosen, by pool id; a pool without anyone is left out. */
  readonly chosen: Readonly<Record<string, string>>;
  readonly upstreams: readonly UpstreamSummary[];
}

/** As in `UpstreamStatus`; the last of its latencies each, undefined where there is none. */
export interface UpstreamSummary {
  readonly id: string;
  readonly phase: Phase;
  readonly drained: boolean;
  readonly available: boolean;
  readonly inFlight: number;
  readonly requests: number;
  readonly failures: number;
  readonly latencyMs: number | null | undefined;
  readonly probeMs: number | null | undefined;
}

/**
 * What `GET /api/events` sends, by the name of the event. `dropped`: the reader was too slow and
 * missed that many, and had better read the status anew.
 */
export interface Events {
  readonly transition: Transition;
  readonly summary: Summary;
  readonly notable: Notable;
  readonly certificates: readonly CertificateStatus[];
  readonly config: ConfigStatus;
  readonly dropped: { readonly count: number };
}

/** What `POST /api/reload` answers. */
export interface ReloadResult {
  readonly config: ConfigStatus;
}

/** What every answer of the API that is no success has; `problems` of a reload, `candidates` of an ambiguous name. */
export interface ApiError {
  readonly error: string;
  readonly problems?: readonly string[];
  /** Ids that were meant perhaps. */
  readonly candidates?: readonly string[];
}

/** What actions on an upstream answer: how it stands now, and the verdict of a probe. */
export interface ActionResult {
  readonly upstream: UpstreamStatus;
  readonly probe?: ProbeStatus;
}
