/**
 * The schema of a whole configuration: every setting's shape, default, bound and meaning, and the way
 * from the snake_case a person writes to the nouns of the model. Sections of a route have their own files.
 */
import * as v from "valibot";
import type { Config, LogRules, PoolRules, Route } from "../rules.ts";
import { readListen } from "./address.ts";
import { Health, Passive } from "./health.ts";
import * as leaves from "./leaves.ts";
import { readHost, readPath, readTrusted } from "./match.ts";
import { FailbackRule, Retry, Transport } from "./retry.ts";
import { HeaderEdits } from "./rewrite.ts";
import { read, type Reading, refuse } from "./reading.ts";
import { about, keyed, leaf, list, oneOrMore, required, type Schema } from "./shape.ts";
import { didYouMean } from "./suggest.ts";
import { Upstreams } from "./upstreams.ts";

/** Keys that later versions bring; they are named so that nobody takes them for typing errors. */
const LATER = ["tls", "admin", "notify", "acme", "import"];
const LATER_IN_ROUTE = [
  "tls",
  "auth",
  "allow",
  "deny",
  "cors",
  "wake",
  "models",
  "expose",
  "encode",
  "handle_response",
];

const LATER_POLICIES = [
  "random",
  "random_choose",
  "round_robin",
  "weighted_round_robin",
  "least_conn",
  "ip_hash",
  "client_ip_hash",
  "uri_hash",
  "query",
  "header",
  "cookie",
];

const Policy = leaf({ enum: ["first"] }, (written): Reading<"first"> => {
  if (written === "first") return read("first");
  if (typeof written !== "string") return refuse('"first"');
  const later = LATER_POLICIES.includes(written);
  const hint = later
    ? ", which comes with a later version"
    : didYouMean(written, ["first", ...LATER_POLICIES]);
  return refuse('"first"', `${JSON.stringify(written.slice(0, 40))}${hint}`);
});

const Limits = keyed({
  request_body: about(
    "Request body at most; a larger one is answered with 413.",
    v.optional(leaves.SizeLimitBytes),
  ),
});

const Host = leaf({ type: "string", examples: ["ollama.example.com"] }, readHost);
const Path = leaf({ type: "string", pattern: "^/|\\$\\{", examples: ["/"] }, readPath);

/** A route before it takes what it does not say from the top level. */
interface Draft extends Omit<Route, "bodyLimitBytes"> {
  readonly ownBodyLimitBytes: number | undefined;
}

const RouteDraft: Schema<Draft> = v.pipe(
  keyed({
    host: about(
      'Hosts it answers for; "*.example.com" is exactly one label, "*" any.',
      v.optional(oneOrMore(Host), "*"),
    ),
    path: about(
      "Path prefixes on segment borders; the longest match wins.",
      v.optional(oneOrMore(Path), "/"),
    ),
    upstreams: about("Upstreams in order of preference.", required(Upstreams)),
    policy: about("How an upstream is chosen: the first fit one.", v.optional(Policy, "first")),
    health: about("Probes, on when uri or port is set.", v.optional(Health)),
    passive: about("What live traffic tells of upstreams.", v.optional(Passive, {})),
    retry: about("When a request moves on to the next upstream.", v.optional(Retry, {})),
    failback: about(
      "When new requests return to a preferred upstream that has recovered.",
      v.optional(FailbackRule, "immediate"),
    ),
    transport: about("Connections to upstreams.", v.optional(Transport, {})),
    headers: about("Edits of request and response heads.", v.optional(HeaderEdits, {})),
    limits: about("Limits of this route, before those of the top level.", v.optional(Limits, {})),
    stream_close_delay: about(
      "How long WebSockets and other upgraded connections outlive a reload.",
      v.optional(leaves.duration(), "0s"),
    ),
  }, LATER_IN_ROUTE),
  v.transform((written): Draft => {
    const hosts = [...new Set(written.host)];
    const paths = [...new Set(written.path)];
    const id = routeId(hosts, paths);
    const pool: PoolRules = {
      id,
      upstreams: written.upstreams.map((upstream) => ({
        id: `${id} ${upstream.name}`,
        ...upstream,
      })),
      health: written.health,
      passive: written.passive,
      retry: written.retry,
      failback: written.failback,
      transport: written.transport,
      headers: written.headers,
      dynamic: [],
      policy: { kind: "first" },
      rewrite: undefined,
      responses: [],
      trustedProxies: [],
      streamCloseDelayMs: written.stream_close_delay,
      streamTimeoutMs: undefined,
    };
    return {
      id,
      hosts,
      paths,
      ports: [],
      steps: [{ match: undefined, action: { kind: "proxy", pool } }],
      errors: [],
      ownBodyLimitBytes: written.limits.request_body,
    };
  }),
);

const Log: Schema<LogRules> = keyed({
  format: about("Form of log lines.", v.optional(leaves.word("json", "text", "off"), "json")),
  level: about(
    "Least important lines to write.",
    v.optional(leaves.word("debug", "info", "warn", "error"), "info"),
  ),
});

const Trusted = leaf(
  { type: "string", examples: ["private_ranges", "192.168.0.0/16"] },
  readTrusted,
);

export const ConfigSchema: Schema<Config> = v.pipe(
  keyed({
    listen: about(
      'Where to listen: ":8080" on all interfaces, "127.0.0.1:8080", "[::1]:8080".',
      v.optional(
        oneOrMore(leaf({ type: "string", pattern: ":|\\$\\{", examples: [":8080"] }, readListen)),
        ":8080",
      ),
    ),
    trusted_proxies: about(
      "Peers whose X-Forwarded fields are believed: blocks of addresses, or private_ranges.",
      v.optional(oneOrMore(Trusted)),
    ),
    grace_period: about(
      "How long running exchanges may take to end after SIGTERM.",
      v.optional(leaves.duration(), "10m"),
    ),
    log: about("Log on standard output.", v.optional(Log, {})),
    limits: about("Limits of all routes.", v.optional(Limits, {})),
    routes: about("Routes, by host and path.", required(list(RouteDraft, 1))),
  }, LATER),
  v.transform((written): Config => ({
    listen: written.listen,
    trustedProxies: (written.trusted_proxies ?? []).flat(),
    graceMs: written.grace_period,
    log: written.log,
    routes: written.routes.map(({ ownBodyLimitBytes, ...route }): Route => ({
      ...route,
      bodyLimitBytes: ownBodyLimitBytes ?? written.limits.request_body ?? Number.POSITIVE_INFINITY,
    })),
  })),
);

/** Spells hosts and paths; no host holds a slash and every path begins with one, so it is unambiguous. */
function routeId(hosts: readonly string[], paths: readonly string[]): string {
  return `${hosts.toSorted().join(",")}${paths.toSorted().join(",")}`;
}
