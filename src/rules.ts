/**
 * What the operator wrote, parsed once: routes, the steps a request takes on them, pools of upstreams
 * and the rules of each. Frozen data without optional settings; no behaviour lives here.
 * Longer than usual, as nouns that refer to one another are read best on one page.
 */
import type { RouteTls, TlsRules } from "./tls_rules.ts";

/** Where a connection goes to, or is accepted. */
export type Address =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** Which value of `Host` an upstream is sent. */
export type HostHeader =
  | { readonly kind: "client" }
  | { readonly kind: "upstream" }
  | { readonly kind: "literal"; readonly value: string };

/** How the certificate of an upstream is checked, and what it is shown of us. Texts are PEM. */
export interface UpstreamTls {
  /** Name asked for (SNI) and proven by the certificate; undefined takes the upstream's host. */
  readonly name: string | undefined;
  /** Authorities trusted instead of the system's; empty trusts the system's. */
  readonly authorities: readonly string[];
  readonly certificate: { readonly chain: string; readonly key: string } | undefined;
  /** Takes any certificate, which anyone on the way can make. */
  readonly insecure: boolean;
}

/** One machine that can answer a route's requests. */
export interface Upstream {
  /** Pool id and name; keys the state that survives reloads. */
  readonly id: string;
  /** Unique in its pool; what logs and people call it. */
  readonly name: string;
  /** `h2c` speaks HTTP/2 in the clear. */
  readonly scheme: "http" | "https" | "h2c";
  readonly address: Address;
  /** Host and port as `Host` and URLs spell them, the scheme's default port left out. */
  readonly authority: string;
  readonly hostHeader: HostHeader;
  /** Fields set on every request to this upstream, after those of its route. */
  readonly headers: readonly FieldTemplate[];
  /** How TLS is spoken where `scheme` is https. */
  readonly tls: UpstreamTls;
  /** In-flight requests there at most, before the pool's own cap; Infinity when unlimited. */
  readonly requestsMax: number;
  /** How its connections are made and kept. */
  readonly connections: ConnectionRules;
}

/** How connections to an upstream are made, kept and ended. */
export interface ConnectionRules {
  /** Idle connections are kept for this long, in milliseconds; 0 keeps none. */
  readonly idleMs: number;
  /** Idle connections kept at most. */
  readonly idleMax: number;
  /** Connections at once at most; Infinity when unlimited. */
  readonly connectionsMax: number;
  /** Address of ours that connections leave from; undefined lets the system choose. */
  readonly localAddress: string | undefined;
  /** Header of the PROXY protocol that leads every connection; its connections are never shared. */
  readonly proxyProtocol: "v1" | "v2" | undefined;
  /** Longest silence while a response is read, in milliseconds; undefined waits for ever. */
  readonly readTimeoutMs: number | undefined;
  /** Longest time an upstream may take no bytes of a request, in milliseconds; undefined waits for ever. */
  readonly writeTimeoutMs: number | undefined;
  /** Response head at most, in bytes. */
  readonly headLimitBytes: number;
}

// —— texts with placeholders ————————————————————————————————————————————————————————————

/** A text with placeholders, split at load time: literals and placeholders in turn. */
export type Template = readonly (string | Placeholder)[];

export interface Placeholder {
  readonly name: PlaceholderName;
  /** Which header, parameter, cookie, variable or group: the `X` of `{header.X}`. */
  readonly of?: string;
}

/** Known without an argument. Unknown at the moment they are asked for, they are empty. */
export const PLAIN_PLACEHOLDERS = [
  "client_ip",
  "remote_ip",
  "remote_port",
  "host",
  "hostname",
  "port",
  "scheme",
  "proto",
  "method",
  "uri",
  "path",
  "decoded_path",
  "query",
  "original_method",
  "original_uri",
  "original_path",
  "original_decoded_path",
  "request_id",
  "upstream",
  "upstream_host",
  "upstream_hostname",
  "upstream_port",
  "upstream_requests",
  "upstream_max_requests",
  "upstream_fails",
  "upstream_latency",
  "upstream_latency_ms",
  "upstream_duration",
  "upstream_duration_ms",
  "retries",
  "status",
  "status_text",
  "error_status",
  "error_status_text",
  "error_text",
  "user",
  "tls_version",
  "tls_cipher",
  "tls_name",
  "tls_protocol",
  "tls_client_subject",
  "tls_client_issuer",
  "tls_client_serial",
  "tls_client_fingerprint",
] as const;

/** Known by an argument: `{header.User-Agent}`, `{re.version.1}`. `segment` is one of the path, from 0. */
export const KEYED_PLACEHOLDERS = [
  "header",
  "query",
  "cookie",
  "segment",
  "label",
  "re",
  "var",
  "response",
] as const;

export type PlaceholderName =
  | typeof PLAIN_PLACEHOLDERS[number]
  | typeof KEYED_PLACEHOLDERS[number];

export interface FieldTemplate {
  readonly name: string;
  readonly value: Template;
}

/** Edits of a head, in this order: remove, replace, set, add, default. */
export interface HeaderRules {
  /** Names to remove; a leading or trailing `*` matches any rest. */
  readonly remove: readonly string[];
  readonly replace: readonly {
    readonly name: string;
    readonly search: RegExp;
    readonly with: Template;
  }[];
  readonly set: readonly FieldTemplate[];
  readonly add: readonly FieldTemplate[];
  /** Set where the field is absent. */
  readonly fallback: readonly FieldTemplate[];
}

/** Status codes from `from` to `to`, both included. */
export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

// —— which requests, which responses ————————————————————————————————————————————————————

/** A block of addresses; `bits` of `bytes` are compared. */
export interface Cidr {
  readonly bytes: readonly number[];
  readonly bits: number;
}

/** A question about a request. */
export type Matcher =
  | { readonly kind: "all"; readonly of: readonly Matcher[] }
  | { readonly kind: "any"; readonly of: readonly Matcher[] }
  | { readonly kind: "not"; readonly of: Matcher }
  /** As in routes: exact, `*.` for one label, `*` for any. */
  | { readonly kind: "host"; readonly hosts: readonly string[] }
  /** Case-insensitive, exact but for a `*` that stands for any rest, at either end or within (Caddy's `path`). */
  | { readonly kind: "path"; readonly patterns: readonly string[] }
  /** A path itself or one below it. */
  | { readonly kind: "prefix"; readonly paths: readonly string[] }
  | { readonly kind: "path_regexp"; readonly name: string; readonly pattern: RegExp }
  | { readonly kind: "method"; readonly methods: readonly string[] }
  /** Any of the values, `*` at either end matches any rest; no values: the field is absent. */
  | { readonly kind: "header"; readonly name: string; readonly values: readonly string[] }
  | {
    readonly kind: "header_regexp";
    readonly field: string;
    readonly name: string;
    readonly pattern: RegExp;
  }
  /** Any of the values, `*` any; no values: no query at all where `key` is empty, else the key is absent. */
  | { readonly kind: "query"; readonly key: string; readonly values: readonly string[] }
  /** The peer itself, or the client it speaks for. */
  | { readonly kind: "remote_ip" | "client_ip"; readonly blocks: readonly Cidr[] }
  | { readonly kind: "protocol"; readonly protocol: "http" | "https" | "grpc" }
  | { readonly kind: "var"; readonly name: string; readonly values: readonly string[] };

/** A question about an upstream's response. Empty lists ask nothing. */
export interface ResponseMatcher {
  readonly status: readonly StatusRange[];
  /** Each must hold: any of its values, `*` at either end matches any rest; none: absent. */
  readonly headers: readonly { readonly name: string; readonly values: readonly string[] }[];
}

// —— pools —————————————————————————————————————————————————————————————————————————————

/** How upstreams of a pool are probed (SEMANTICS section 3). */
export interface HealthRules {
  readonly uri: string;
  /** Asks another port of the same host. */
  readonly port: number | undefined;
  /** Asks another address instead. */
  readonly address: Address | undefined;
  readonly method: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly body: string | undefined;
  /** Start to start, in milliseconds. */
  readonly intervalMs: number;
  /** The whole exchange, in milliseconds. */
  readonly timeoutMs: number;
  readonly status: readonly StatusRange[];
  readonly expectBody: RegExp | undefined;
  readonly followRedirects: boolean;
  readonly rise: number;
  readonly fall: number;
  readonly fastIntervalMs: number;
  /** Interval while no request comes; undefined probes at `intervalMs` always. */
  readonly idleIntervalMs: number | undefined;
  readonly initState: "probe" | "up" | "down";
}

/** How live traffic is judged (SEMANTICS section 4). */
export interface PassiveRules {
  /** How long each failure is remembered, in milliseconds; 0 counts none. */
  readonly failDurationMs: number;
  readonly failsMax: number;
  readonly unhealthyStatus: readonly StatusRange[];
  /** Time to response headers that counts as a failure, in milliseconds. */
  readonly unhealthyLatencyMs: number | undefined;
  /** In-flight requests at most; Infinity when unlimited. */
  readonly requestsMax: number;
  readonly clearOnPass: boolean;
}

/** When a request moves on to the next upstream (SEMANTICS section 5). */
export interface RetryRules {
  /** Attempts in all; undefined tries each upstream once per pass. */
  readonly attemptsMax: number | undefined;
  /** How long new passes go on, also while no upstream is available, in milliseconds. */
  readonly forMs: number;
  readonly intervalMs: number;
  /** Request bytes kept for a replay. */
  readonly replayLimitBytes: number;
  readonly status: readonly StatusRange[];
  /** Whether idempotent methods may be replayed without a match; Caddy's `lb_retry_match` turns it off. */
  readonly idempotent: boolean;
  /** Requests that may be replayed although they were sent. Any of them suffices. */
  readonly match: readonly Matcher[];
  /** Responses that fail over too, each for the requests it is matched with. */
  readonly responses: readonly {
    readonly request: Matcher | undefined;
    readonly response: ResponseMatcher;
  }[];
  readonly sideProbeMs: number;
  readonly rescue: boolean;
}

export type Failback =
  | { readonly kind: "immediate" }
  | { readonly kind: "after"; readonly afterMs: number }
  | { readonly kind: "sticky" }
  | { readonly kind: "manual" };

export interface TransportRules {
  /** To connect, TLS included; the time to answer is apart, in milliseconds. */
  readonly dialTimeoutMs: number;
  /** To the end of the response head; undefined waits for ever. */
  readonly headersTimeoutMs: number | undefined;
}

/** How an upstream is chosen (SEMANTICS section 2, CADDY 2.2). A hash is the same while the list is. */
export type Policy =
  | {
    readonly kind:
      | "first"
      | "random"
      | "round_robin"
      | "least_conn"
      | "ip_hash"
      | "client_ip_hash"
      | "uri_hash";
  }
  /** The least busy of that many taken by chance; at least 2. */
  | { readonly kind: "random_choose"; readonly choices: number }
  /** One weight an upstream; 0 takes it out of the game. */
  | { readonly kind: "weighted_round_robin"; readonly weights: readonly number[] }
  | { readonly kind: "query"; readonly key: string; readonly fallback: Policy }
  | { readonly kind: "header"; readonly name: string; readonly fallback: Policy }
  | {
    readonly kind: "cookie";
    readonly name: string;
    readonly secret: string;
    /** Undefined makes a session cookie, in milliseconds. */
    readonly maxAgeMs: number | undefined;
    readonly fallback: Policy;
  };

/** Upstreams that a name service knows. Found ones follow those listed. */
export type Dynamic =
  & {
    /** How often it is asked, in milliseconds. */
    readonly refreshMs: number;
    /** How long an old answer serves while none can be had, in milliseconds. */
    readonly graceMs: number;
    /** Name servers asked instead of the system's; `host:port`. */
    readonly resolvers: readonly string[];
    /** All but what the name service tells. */
    readonly template: Omit<Upstream, "id" | "name" | "address" | "authority">;
  }
  & (
    | {
      readonly kind: "a";
      readonly name: string;
      readonly port: number;
      readonly families: readonly (4 | 6)[];
    }
    | { readonly kind: "srv"; readonly name: string }
  );

/** What becomes of some responses instead of passing them on. The first that matches holds. */
export interface ResponseRule {
  readonly match: ResponseMatcher;
  readonly action:
    | { readonly kind: "status"; readonly status: Template }
    /** May end in `copy_response`; where they end in nothing, the answer is an empty one. */
    | { readonly kind: "steps"; readonly steps: readonly Step[] };
}

/** Upstreams and how requests get to one of them. */
export interface PoolRules {
  /** Stable while its place in the configuration stays the same; keys state across reloads. */
  readonly id: string;
  /** Order is preference. */
  readonly upstreams: readonly Upstream[];
  readonly dynamic: readonly Dynamic[];
  readonly policy: Policy;
  /** Undefined probes nothing. */
  readonly health: HealthRules | undefined;
  readonly passive: PassiveRules;
  readonly retry: RetryRules;
  readonly failback: Failback;
  readonly transport: TransportRules;
  readonly headers: { readonly request: HeaderRules; readonly response: HeaderRules };
  /** Edits of method and target of what upstreams are asked. */
  readonly rewrite: Rewrite | undefined;
  readonly responses: readonly ResponseRule[];
  /** Peers whose forwarding fields are believed here, besides those believed everywhere. */
  readonly trustedProxies: readonly Cidr[];
  /** How long an upgraded connection outlives a reload or drain that ends it, in milliseconds. */
  readonly streamCloseDelayMs: number;
  /** An upgraded connection is ended after this long, in milliseconds; undefined never. */
  readonly streamTimeoutMs: number | undefined;
}

// —— steps —————————————————————————————————————————————————————————————————————————————

/** Edits of a request's method and target, in this order: uri, strip, replace. */
export interface Rewrite {
  readonly method: Template | undefined;
  /** Path and query; a part that is not spelled stays. */
  readonly uri: Template | undefined;
  readonly stripPrefix: Template | undefined;
  readonly stripSuffix: Template | undefined;
  readonly replace: readonly {
    readonly search: string | RegExp;
    readonly with: Template;
    /** Replacements at most; Infinity replaces all. */
    readonly max: number;
  }[];
}

/** What is done with a request, one after the other, until something answers it. */
export interface Step {
  /** Undefined takes every request. */
  readonly match: Matcher | undefined;
  readonly action: Action;
}

export type Action =
  | { readonly kind: "proxy"; readonly pool: PoolRules }
  | {
    readonly kind: "respond";
    readonly status: Template;
    readonly body: Template;
    readonly fields: readonly FieldTemplate[];
    /** Ends the connection after it. */
    readonly close: boolean;
  }
  | { readonly kind: "redirect"; readonly to: Template; readonly status: number }
  /** Ends with the route's error steps. */
  | { readonly kind: "error"; readonly status: Template; readonly text: Template }
  | { readonly kind: "rewrite"; readonly rewrite: Rewrite }
  /** Of the response: whoever answers, applied as it leaves. */
  | { readonly kind: "headers"; readonly request: HeaderRules; readonly response: HeaderRules }
  | { readonly kind: "var"; readonly name: string; readonly value: Template }
  | {
    readonly kind: "encode";
    /** In order of preference. */
    readonly formats: readonly ("gzip" | "zstd")[];
    /** Responses known to be smaller pass as they are, in bytes. */
    readonly leastBytes: number;
    readonly match: ResponseMatcher;
  }
  | {
    readonly kind: "basic_auth";
    readonly realm: string;
    /** bcrypt hashes. */
    readonly users: readonly { readonly name: string; readonly hash: string }[];
  }
  /** Asks the pool about the request first; an answer of 2xx lets it go on, any other is the client's. */
  | {
    readonly kind: "forward_auth";
    readonly pool: PoolRules;
    readonly copy: readonly { readonly from: string; readonly to: string }[];
  }
  | { readonly kind: "limit"; readonly bodyBytes: number }
  /** Leaves the exchange out of the access log. */
  | { readonly kind: "unlogged" }
  /** The upstream's response, in the steps of a `ResponseRule`; its status unless one is given. */
  | { readonly kind: "copy_response"; readonly status: Template | undefined }
  /** Fields of the upstream's response onto our own; `include` empty takes all but `exclude`. */
  | {
    readonly kind: "copy_response_headers";
    readonly include: readonly string[];
    readonly exclude: readonly string[];
  }
  | { readonly kind: "steps"; readonly steps: readonly Step[] }
  /** Only the first branch that matches; a branch that answers nothing ends there. */
  | {
    readonly kind: "first_of";
    readonly branches: readonly {
      readonly match: Matcher | undefined;
      readonly steps: readonly Step[];
    }[];
  };

/** What is done where an answer of our own would be an error. The first that matches holds. */
export interface ErrorRule {
  /** Empty takes every status. */
  readonly status: readonly StatusRange[];
  readonly steps: readonly Step[];
}

// —— the door ——————————————————————————————————————————————————————————————————————————

/** Whom a route lets in, and how much of each it bears. */
export interface GuardRules {
  /** Clients let in; empty lets in all that `deny` does not name. */
  readonly allow: readonly Cidr[];
  readonly deny: readonly Cidr[];
  readonly cors: CorsRules | undefined;
  readonly rate: RateRules | undefined;
  readonly auth: AuthRules | undefined;
  /** Requests of one client at once; Infinity when unlimited. */
  readonly concurrentMax: number;
}

/** A bucket of tokens for each client: it holds `burst`, and `requests` more come in `perMs`. */
export interface RateRules {
  readonly requests: number;
  readonly perMs: number;
  readonly burst: number;
}

/** Ways to prove who one is; any of them suffices. */
export interface AuthRules {
  readonly basic: {
    readonly realm: string;
    /** bcrypt hashes. */
    readonly users: readonly { readonly name: string; readonly hash: string }[];
  } | undefined;
  readonly keys: readonly { readonly name: string; readonly secret: string }[];
  /** Upstreams see the proof as well. */
  readonly pass: boolean;
}

/** What pages of other origins may do (the CORS protocol of the Fetch standard). */
export interface CorsRules {
  /** Undefined takes any. */
  readonly origins: readonly RegExp[] | undefined;
  readonly methods: readonly string[];
  /** Undefined takes whatever is asked for. */
  readonly headers: readonly string[] | undefined;
  readonly credentials: boolean;
  /** How long a browser need not ask again, in milliseconds. */
  readonly maxAgeMs: number;
}

// —— the whole ——————————————————————————————————————————————————————————————————————————

/** Host and path that lead to steps, most often the one of a pool. */
export interface Route {
  /** Stable while hosts, paths and ports stay the same. */
  readonly id: string;
  /** Lower case, punycode; `*.` leads a wildcard, `*` alone is any. */
  readonly hosts: readonly string[];
  readonly paths: readonly string[];
  /** Ports of ours it answers on; empty for all. */
  readonly ports: readonly number[];
  readonly steps: readonly Step[];
  readonly errors: readonly ErrorRule[];
  /** Request body at most; Infinity when unlimited. */
  readonly bodyLimitBytes: number;
  /** Undefined lets everyone in. */
  readonly guard: GuardRules | undefined;
  /** Tells clients in fields of the response which upstream answered, and what failed before. */
  readonly expose: boolean;
  readonly tls: RouteTls;
}

/** What people can be told of. */
export const NEWS = [
  "down",
  "up",
  "penalised",
  "drained",
  "undrained",
  "failover",
  "failback",
  "unavailable",
] as const;

export type News = typeof NEWS[number];

/** Where news is sent, and which. */
export interface NotifyRules {
  /** Whoever knows the address of a webhook or a topic can use it. */
  readonly secretUrl: string;
  readonly format: "webhook" | "ntfy" | "gotify";
  readonly on: readonly News[];
  /** Body of a webhook; undefined sends JSON. Its placeholders are those of news, not of requests. */
  readonly template: string | undefined;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly token: string | undefined;
  /** News of an upstream is held back this long after the last, and summed up, in milliseconds. */
  readonly debounceMs: number;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface LogRules {
  readonly format: "json" | "text" | "off";
  readonly level: LogLevel;
}

/** Where the operator looks in: page, API, metrics. */
export interface AdminRules {
  readonly address: Address;
  /** False where it is the default, which may be taken without harm. */
  readonly written: boolean;
  /** What everyone who asks must know; undefined asks for nothing. */
  readonly token: string | undefined;
  /** Origins besides its own address under which browsers reach it. */
  readonly origins: readonly string[];
  /** A response head that takes longer makes a request worth remembering, in milliseconds. */
  readonly slowMs: number;
}

/** Where connections are accepted, and what is spoken there. */
export interface ListenRules {
  readonly address: Address;
  /** Speaks TLS; in the clear, requests are sent on to where it is spoken. */
  readonly tls: boolean;
  /** HTTP/2: by agreement with TLS, by prior knowledge in the clear. */
  readonly h2: boolean;
  /** HTTP/3, where the runtime serves it; with TLS alone. */
  readonly h3: boolean;
  /** False where it was opened for redirects and proofs alone, and may be missing without harm. */
  readonly written: boolean;
}

/** A whole configuration file, checked. Frozen; replaced, never changed. */
export interface Config {
  readonly listen: readonly ListenRules[];
  /** Undefined where no listener speaks TLS. */
  readonly tls: TlsRules | undefined;
  readonly trustedProxies: readonly Cidr[];
  /** How long running exchanges may take to end after SIGTERM, in milliseconds. */
  readonly graceMs: number;
  readonly log: LogRules;
  /** Undefined listens nowhere. */
  readonly admin: AdminRules | undefined;
  readonly notify: readonly NotifyRules[];
  readonly routes: readonly Route[];
}
