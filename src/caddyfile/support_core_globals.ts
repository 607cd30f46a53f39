/** What is known of Caddy's global options. */
import type { Support } from "./directive.ts";
import { different, refused, same } from "./support_rows.ts";
import { TLS_GLOBAL_SUPPORT } from "./support_tls_globals.ts";

const REQUEST_ID = "`{http.request.uuid}` in a header";
const METRICS = "always at `/metrics` of the admin listener";

const SERVERS: readonly Support[] = [
  same("global.servers", ""),
  refused(
    "global.servers.address",
    "all listeners follow the same rules",
    "servers without an address",
  ),
  same("global.servers.trusted_proxies", "trusted_proxies"),
  refused("global.servers.trusted_proxies.source", "only a list is known", "`static` and blocks"),
  refused(
    "global.servers.trusted_proxies_strict",
    "the client is always the rightmost address that is not trusted",
    "nothing, as it does that anyway",
  ),
  same("global.servers.client_ip_headers", "", "X-Forwarded-For"),
  refused(
    "global.servers.client_ip_headers.other",
    "only X-Forwarded-For is believed",
    "`X-Forwarded-For`",
  ),
  different(
    "global.servers.protocols",
    "listen[].protocols",
    "h1 and h2 where it is not set, with TLS; Caddy speaks h3, too",
  ),
  refused(
    "global.servers.protocols.other",
    "h2, h2c and h3 are spoken beside h1",
    "`protocols h1 …`",
  ),
  same("global.servers.enable_full_duplex", "", "both ways always stream at once"),
  same("global.servers.name", "", "metrics name routes"),
  refused(
    "global.servers.timeouts",
    "the time limits of client connections are fixed",
    "`transport http` of reverse_proxy for those of upstreams",
  ),
  refused(
    "global.servers.max_header_size",
    "heads are bounded already",
    "max_response_header of `transport http` for those of upstreams",
  ),
  ...["keepalive_interval", "keepalive_idle", "keepalive_count"].map((name) =>
    refused(`global.servers.${name}`, "the system keeps connections alive", "its sysctl settings")
  ),
  refused(
    "global.servers.listener_wrappers",
    "connections are taken as they come",
    "trusted_proxies and X-Forwarded-For to learn of clients",
  ),
  refused(
    "global.servers.log_credentials",
    "credentials are not logged",
    "basic_auth, whose user is in the line",
  ),
  same("global.servers.metrics", "", METRICS),
  refused("global.servers.trace", "it does not trace yet", REQUEST_ID),
];

const LOG: readonly Support[] = [
  same("global.log", "log"),
  refused("global.log.name", "there is one log", "`log` without a name"),
  same("global.log.output", "", "stdout; `discard` is `log.format: off`"),
  refused("global.log.output.file", "logs go to standard output", "`output stdout`"),
  refused("global.log.output.stderr", "logs go to standard output", "`output stdout`"),
  refused("global.log.output.net", "logs go to standard output", "`output stdout`"),
  same("global.log.format", "log.format", "json, or console, which is `text`"),
  refused(
    "global.log.format.other",
    "json and console are the formats there are",
    "json or console",
  ),
  same("global.log.level", "log.level"),
  refused("global.log.level.other", "levels are DEBUG, INFO, WARN and ERROR", "ERROR"),
  refused("global.log.include", "there is one log", "`level` to leave lines out"),
  refused("global.log.exclude", "there is one log", "`level` to leave lines out"),
  refused("global.log.sampling", "nothing is left out", "`level` to leave lines out"),
  refused("global.log.core", "there is one way to log", "`output stdout`"),
];

export const GLOBAL_SUPPORT: readonly Support[] = [
  same("global.http_port", "listen"),
  same("global.https_port", "listen"),
  different(
    "global.admin",
    "admin",
    "127.0.0.1:2020 where it is not set; the API is our own, but for `/reverse_proxy/upstreams` " +
      "and `/metrics`; where others can ask, it wants a token, which only YAML can give",
  ),
  refused("global.admin.network", "it listens on TCP alone", "a host and a port"),
  same("global.admin.origins", "admin.origins"),
  same("global.admin.enforce_origin", "", "an origin is always checked"),
  refused("global.admin.identity", "the admin listener has no TLS", "an address of loopback"),
  refused("global.admin.remote", "the admin listener has no TLS", "an address of loopback"),
  same("global.persist_config", "", "off; nothing is written to disk"),
  refused("global.persist_config.other", "nothing is written to disk", "`persist_config off`"),
  different("global.grace_period", "grace_period", "10m where it is not set, eternal in Caddy"),
  refused("global.shutdown_delay", "listening stops at once", "`grace_period`"),
  same("global.debug", "log.level"),
  same("global.default_bind", "listen"),
  same("global.order", "", "steps are written in that order"),
  same("global.metrics", "", METRICS),
  refused("global.metrics.other", "labels are what they are", "`metrics` without a block"),
  refused(
    "global.events",
    "nothing listens to events",
    "the log, which has every change of health",
  ),
  refused("global.filesystem", "it serves no files", "reverse_proxy to a server of files"),
  refused("global.tracing", "it does not trace yet", REQUEST_ID),
  refused("global.http", "only the options of the Caddyfile are known", "`servers`"),
  ...TLS_GLOBAL_SUPPORT,
  ...SERVERS,
  ...LOG,
];
