/**
 * The nouns of understudy at work: what a pool, an attempt and an outcome are, and the two
 * ports (exchange, transport) behind which an engine carries the bytes. No behaviour lives here.
 * Longer than usual, as nouns that refer to one another are read best on one page.
 */
import type { EndSignal } from "./end.ts";
import type { Fields } from "./fields.ts";
import type { ConnectionTls, NamedIdentity, TlsDoor } from "./platform/tls.ts";
import type { Address, PoolRules, Upstream } from "./rules.ts";

// —— the state of an upstream ————————————————————————————————————————————————————————————

export type Phase = "unknown" | "up" | "down";

/** What one probe found. */
export interface Verdict {
  readonly passed: boolean;
  /** No answer came, as from the dead; false for one that came and was not good enough. */
  readonly silent: boolean;
  /** In words, for logs and people. */
  readonly reason: string;
  /** Wall clock when the probe began, in milliseconds. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** Code of the last answer; undefined when none came. */
  readonly status: number | undefined;
}

/** What live traffic found. */
export type Sighting =
  | { readonly kind: "answered"; readonly status: number; readonly latencyMs: number }
  | { readonly kind: "failed"; readonly reason: FailureReason }
  | { readonly kind: "truncated" };

/** What the request path may know of one upstream and tell of it. The board keeps it, by id, across reloads. */
export interface Standing {
  readonly phase: Phase;
  readonly drained: boolean;
  /** Requests running there now. */
  readonly inFlight: number;
  /** `elapsed` time since which it has been fit without a failure; Infinity while it is not. */
  fitSince(now: number): number;
  /** Failures remembered now; no more than can matter. */
  readonly fails: number;
  /** `elapsed` time at which enough penalties lapse; undefined when none bar it. */
  penalisedUntil(now: number): number | undefined;
  /** Settles with the first verdict; undefined once there is nothing to wait for. */
  readonly firstVerdict: Promise<void> | undefined;
  /** A request begins there. */
  enter(): void;
  leave(): void;
  /** A request would rather have gone there: keeps `idle_interval` from slowing its probes. */
  wanted(): void;
  /** Counts what a request saw; a counted failure asks for a probe at once. */
  saw(sighting: Sighting): void;
  /** Asks for a probe at once without counting anything. */
  suspect(): void;
  /** Tells the hearer of every probe after which the phase is down, until `unhear`. */
  hear(hearer: DownHearer): void;
  unhear(hearer: DownHearer): void;
}

/** Who waits for an upstream that may turn down meanwhile. */
export interface DownHearer {
  /** `silent`: the probe got no answer at all. */
  wentDown(silent: boolean): void;
}

export interface Member {
  readonly upstream: Upstream;
  readonly standing: Standing;
}

export interface Held {
  /** Which member `failback` holds on to. */
  upstreamId: string | undefined;
  /** Where in the list the next turn of `round_robin` begins. */
  turn: number;
  /** What `weighted_round_robin` owes each upstream, by id. */
  readonly credit: Map<string, number>;
}

/** Upstreams with their state, and the rules of getting to one: what one attempt after the other works with. */
export interface Pool {
  readonly rules: PoolRules;
  /** Order is preference. */
  readonly members: readonly Member[];
  /** What choosing remembers; kept by pool id across reloads. */
  readonly held: Held;
}

// —— one attempt and what became of it ———————————————————————————————————————————————————

export type FailureReason =
  | "refused"
  | "unreachable"
  | "unknown_host"
  | "dial_timeout"
  | "tls"
  | "closed"
  | "protocol"
  | "headers_timeout"
  | "went_down";

/** Bytes pulled from a peer. One reader at a time. */
export interface ByteSource {
  /** Length its sender declared; undefined when it declared none. */
  readonly lengthBytes: number | undefined;
  /**
   * Next bytes, never empty; undefined at the clean end. Rejects when the sender died before it:
   * then what came so far is a fragment and must not be passed off as whole. Bytes that are there
   * already come without a promise, so that a small answer leaves in one piece.
   */
  read(): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Fields that came after the bytes; known once `read` has told the end. */
  readonly trailers?: Fields | undefined;
  /** Says that nothing more is wanted, which frees or closes the connection below. Idempotent. */
  cancel(): void;
}

/** An upgraded connection to an upstream. Its own engine looks inside; others only end it. */
export interface Tunnel {
  /** Ends both sides as "going away" (1001 where it is a WebSocket). Idempotent. */
  goAway(): void;
}

export interface UpstreamResponse {
  readonly status: number;
  /** Reason phrase as received; empty where the engine does not see it. */
  readonly reason: string;
  readonly fields: Fields;
  readonly body: ByteSource | undefined;
  /** Present with status 101. */
  readonly tunnel: Tunnel | undefined;
}

/** How one attempt ended, up to the response head. */
export type Outcome =
  | { readonly kind: "answered"; readonly response: UpstreamResponse }
  | {
    readonly kind: "failed";
    readonly reason: FailureReason;
    /** False only when the upstream certainly saw nothing of the request. */
    readonly sent: boolean;
    /** The runtime's own words, for the log only. */
    readonly detail: string;
  }
  | { readonly kind: "abandoned" };

/** A request on its way to one upstream. */
export interface Attempt {
  readonly upstream: Upstream;
  readonly method: string;
  /** Origin form: path and query. */
  readonly target: string;
  /** Complete but for `Transfer-Encoding`, `Connection` and `Upgrade`, which are the engine's. */
  readonly fields: Fields;
  readonly body: ByteSource | undefined;
  /** Protocol asked for by `Upgrade`, lower case; undefined for plain requests. */
  readonly upgrade: string | undefined;
  /** Set by the engine just before the first byte may reach the upstream; false means it saw nothing. */
  readonly progress: { sent: boolean };
  /** Forbids a reused connection: a stale one would force a choice between losing and repeating the request. */
  readonly fresh: boolean;
  readonly dialTimeoutMs: number;
  /** From the request's first byte to the end of the response head; undefined waits for ever. */
  readonly headersTimeoutMs: number | undefined;
  /** Ends the attempt: the client left, or its caller gave up on it. */
  readonly signal: EndSignal;
  /** Whom it is made for, told to upstreams by the PROXY protocol; undefined for our own, such as probes. */
  readonly client?: { readonly ip: string; readonly port: number } | undefined;
  /** Takes interim answers such as 103, where the client's side can pass them on. */
  readonly interim?: ((status: number, fields: Fields) => void) | undefined;
}

export interface ReachLimits {
  readonly timeoutMs: number;
  readonly signal: EndSignal;
}

/** The port through which requests and probes leave. Never rejects: failing is an outcome. */
export interface Transport {
  send(attempt: Attempt): Promise<Outcome>;
  /** The upstream was found down: connections kept for later may be dead without a sign, and go. */
  distrust(upstream: Upstream): void;
  /** Whether a connection to it can be made now. Settles at once when the signal aborts. */
  reachable(upstream: Upstream, limits: ReachLimits): Promise<boolean>;
}

// —— one request as it came in ———————————————————————————————————————————————————————————

/** What the client is sent. */
export interface Reply {
  readonly status: number;
  readonly reason: string;
  readonly fields: Fields;
  readonly body: ByteSource | undefined;
  readonly tunnel: Tunnel | undefined;
}

/** How the reply fared. `cut`: its source died, and the client was shown so; `left`: the client went. */
export interface Delivery {
  readonly end: "whole" | "cut" | "left";
  readonly bodyBytes: number;
}

/** The port through which a request comes in and its answer goes out. */
export interface Exchange {
  readonly method: string;
  /** Origin form as sent, as far as the engine can see it. */
  readonly target: string;
  /** "HTTP/1.1", say. */
  readonly proto: string;
  readonly scheme: "http" | "https";
  /** What was agreed on with TLS; undefined in the clear, and where the engine does not tell. */
  readonly tls?: ConnectionTls | undefined;
  /** It came in the clear where it is not answered so. */
  readonly misplaced?: boolean;
  readonly fields: Fields;
  /** Undefined when the request has no body. */
  readonly body: ByteSource | undefined;
  readonly upgrade: string | undefined;
  readonly peer: { readonly ip: string; readonly port: number };
  /** Port of ours that it came in on, where the engine tells. */
  readonly localPort?: number | undefined;
  /** Aborts when the client leaves before its answer is whole. */
  readonly signal: EndSignal;
  /** Sends an interim answer such as 103 before the one answer, where the engine can. */
  readonly interim?: (status: number, fields: Fields) => void;
  /** Sends the one answer. Settles when its last byte is handed over or lost; never rejects. */
  answer(reply: Reply): Promise<Delivery>;
}

/** An open listening socket. */
export interface Listener {
  readonly address: Address;
  /** Stops accepting; settles once its connections have ended. Running exchanges go on. */
  close(): Promise<void>;
  /** Cuts whatever still runs. */
  abort(): void;
}

/** A request that no exchange could be made of. */
export interface Refusal {
  readonly peer: Exchange["peer"];
  /** What it was answered with. */
  readonly status: number;
  /** Which rule it broke, in words. */
  readonly reason: string;
}

/** What is spoken on a listener. */
export interface Terms {
  /** Undefined speaks in the clear. */
  readonly door: TlsDoor | undefined;
  /** What comes in the clear is out of place, and only sent on. */
  readonly securedOnly: boolean;
  /** HTTP/2 by prior knowledge, in the clear. */
  readonly h2c: boolean;
}

export interface ListenOptions {
  /** Asked anew for every connection, as a reload may change them; in the clear when not given. */
  readonly terms?: () => Terms;
  /** Hears of requests that broke the rules of HTTP and became no exchange, where the engine sees them. */
  readonly refused?: (refusal: Refusal) => void;
  /** Hears of bugs of ours that have ended one connection; thrown again when not given. */
  readonly bug?: (error: unknown) => void;
}

/** A way to carry bytes: accepts exchanges on one side, sends attempts on the other. */
export interface Engine {
  listen(
    address: Address,
    serve: (exchange: Exchange) => Promise<void>,
    options?: ListenOptions,
  ): Promise<Listener>;
  readonly transport: Transport;
  /** HTTP/3, where the runtime serves it. Its certificates stay what they are until it closes. */
  readonly quic?:
    | ((
      address: Address,
      identities: readonly NamedIdentity[],
      serve: (exchange: Exchange) => Promise<void>,
    ) => Promise<Listener>)
    | undefined;
}

// —— certificates ————————————————————————————————————————————————————————————————————————

/** How things stand with a certificate. */
export interface CertificateStatus {
  readonly names: readonly string[];
  readonly source: "files" | "acme" | "internal";
  /** Who signed it, or is to sign it. */
  readonly issuer: string;
  /**
   * good: shown and to be renewed in time · expiring: little of its life is left · expired · missing: nothing
   * can be shown yet
   */
  readonly state: "good" | "expiring" | "expired" | "missing";
  /** Wall clock, in milliseconds; undefined while there is none. */
  readonly validFrom: number | undefined;
  readonly validTo: number | undefined;
  /** Wall clock at which the next one is asked for, where we ask. */
  readonly nextAt: number | undefined;
  /** Why there is no new one. */
  readonly problem: string | undefined;
  readonly serial: string | undefined;
  /** SHA-256, hexadecimal. */
  readonly fingerprint: string | undefined;
}

/** Something became of a certificate. */
export interface CertificateTurn {
  readonly at: number;
  /**
   * loaded: found where it is kept · issued: the first one · renewed · reloaded: its files are others now · unsaved: shown,
   * and lost when the process ends · failed: no new one came · refused: its files are of no use · expiring: it ends
   * soon, or has ended
   */
  readonly kind:
    | "loaded"
    | "issued"
    | "renewed"
    | "reloaded"
    | "unsaved"
    | "failed"
    | "refused"
    | "expiring";
  /** As it stands since. */
  readonly certificate: CertificateStatus;
}

/** Reasons for which a holder may call a certificate back (RFC 5280 section 5.3.1). */
export const REVOCATIONS = ["unspecified", "key_compromise", "superseded", "cessation"] as const;
export type Revocation = typeof REVOCATIONS[number];

/** What came of the wish for another certificate. */
export type Renewal =
  | { readonly kind: "renewed"; readonly certificate: CertificateStatus }
  /** None is for that name. */
  | { readonly kind: "unknown" }
  /** Somebody else has to renew it. */
  | { readonly kind: "from_files" }
  | { readonly kind: "failed"; readonly reason: string };

// —— what is told of it afterwards ———————————————————————————————————————————————————————

/** The whole story of one exchange, for the access log and for counters. */
export interface Account {
  readonly requestId: string;
  readonly startedAt: number;
  readonly durationMs: number;
  /** From its beginning until its answer's head went out; undefined when none did. */
  readonly firstByteMs: number | undefined;
  readonly exchange: Exchange;
  readonly clientIp: string;
  /** Name of who proved to be who: a user or a key. */
  readonly user: string | undefined;
  readonly routeId: string | undefined;
  /** Name of the upstream that answered, else of the last one tried. */
  readonly upstream: string | undefined;
  readonly attempts: number;
  /** 499 when the client left before a head was sent. */
  readonly status: number;
  /** Bytes of the request's body that were read. */
  readonly readBytes: number;
  readonly bodyBytes: number;
  /** Undefined when nothing was sent. */
  readonly replyFields: Fields | undefined;
  readonly outcome: ExchangeOutcome;
  /** Why attempts failed, in order; empty when the first one answered. */
  readonly failures: readonly string[];
  /** The same attempts as data, for counters. */
  readonly lost: readonly LostAttempt[];
  /** False where a step keeps the exchange out of the access log. */
  readonly logged: boolean;
}

/** An attempt that brought no answer, or one that failed over. */
export interface LostAttempt {
  readonly upstream: string;
  readonly reason: FailureReason | "status";
  /** Whether another attempt came after it. */
  followed: boolean;
}

/**
 * answered: whole, by an upstream or by a step · truncated: the upstream died mid-response · abandoned: the client left ·
 * failed: no upstream gave an answer · unavailable: none could be asked · unrouted · refused: the request was at fault
 */
export type ExchangeOutcome =
  | "answered"
  | "truncated"
  | "abandoned"
  | "failed"
  | "unavailable"
  | "unrouted"
  | "refused"
  | "error";
