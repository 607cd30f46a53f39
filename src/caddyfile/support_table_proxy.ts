/**
 * What is known of `reverse_proxy` and its options, `transport` aside: what each becomes, what differs,
 * what is refused and why. The importer refuses by it, and docs/from-caddy.md is written from it.
 * Longer than 250 lines because it is a table, to be read and searched in one place.
 */
import type { Support } from "./directive.ts";
import { better, different, refused, same } from "./support_rows.ts";

const UPSTREAMS: readonly Support[] = [
  better(
    "reverse_proxy",
    "proxy",
    "an upstream that cannot be reached costs no 502: the request moves on to the next one without `lb_retries`",
  ),
  same("reverse_proxy.to", "upstreams", "as many lines as one likes; their order is preference"),
  same(
    "reverse_proxy.to.host",
    "upstreams",
    "`host`, `host:port`, `1.2.3.4:80`, `[::1]:80`, `http://…`; the port is 80 when not written",
  ),
  same(
    "reverse_proxy.to.:port",
    "upstreams",
    "`:8080` is `127.0.0.1:8080`, where Caddy dials to as well",
  ),
  same(
    "reverse_proxy.to.https",
    "upstreams",
    "port 443 when not written; `Host` is the upstream's own, as in Caddy 2.11",
  ),
  same("reverse_proxy.to.h2c", "upstreams", "HTTP/2 in the clear"),
  same("reverse_proxy.to.unix", "upstreams", "`unix//path`, `unix+h2c//path`"),
  same(
    "reverse_proxy.to.range",
    "upstreams",
    "`host:8001-8006` is six upstreams; 256 ports at most",
  ),
  different(
    "reverse_proxy.to.{env.X}",
    "upstreams",
    "read when the configuration is loaded, not at each request",
  ),
  better(
    "reverse_proxy.to.mixed",
    "upstreams",
    "each upstream may have a scheme of its own; Caddy refuses to mix them",
  ),
  refused(
    "reverse_proxy.to.placeholder",
    "upstreams are watched by name, so they are known before the first request",
    "a matcher and a `reverse_proxy` for each upstream, or `dynamic a`",
  ),
  refused(
    "reverse_proxy.to.network",
    "upstreams are reached by TCP or by a socket file",
    "`host:port` or `unix//path`",
  ),
  refused(
    "reverse_proxy.to.zone",
    "link-local addresses with a zone cannot be dialled on every system",
    "a name or an address without a zone",
  ),
  refused("reverse_proxy.to.srv", "Caddy itself replaced it", "`dynamic srv`"),
  refused(
    "reverse_proxy.to.beside dynamic",
    "Caddy keeps these for when the name service fails, and here they would take part in the choice",
    "`grace_period` of `dynamic`, which keeps the last answer",
  ),
  same("reverse_proxy.dynamic.a", "dynamic.a"),
  same("reverse_proxy.dynamic.a.name", "dynamic.a.name"),
  same("reverse_proxy.dynamic.a.port", "dynamic.a.port"),
  same("reverse_proxy.dynamic.a.refresh", "dynamic.a.refresh"),
  same("reverse_proxy.dynamic.a.versions", "dynamic.a.versions"),
  same("reverse_proxy.dynamic.a.resolvers", "dynamic.a.resolvers"),
  different(
    "reverse_proxy.dynamic.a.dial_timeout",
    "",
    "accepted; name servers are waited for as long as the resolver sees fit",
  ),
  different(
    "reverse_proxy.dynamic.a.dial_fallback_delay",
    "",
    "accepted; name servers are asked by their address",
  ),
  same("reverse_proxy.dynamic.srv", "dynamic.srv"),
  same("reverse_proxy.dynamic.srv.name", "dynamic.srv.name"),
  same(
    "reverse_proxy.dynamic.srv.service",
    "dynamic.srv.name",
    "with `proto` and `name`: `_service._proto.name`",
  ),
  same("reverse_proxy.dynamic.srv.proto", "dynamic.srv.name"),
  same("reverse_proxy.dynamic.srv.refresh", "dynamic.srv.refresh"),
  same("reverse_proxy.dynamic.srv.grace_period", "dynamic.srv.grace_period"),
  same("reverse_proxy.dynamic.srv.resolvers", "dynamic.srv.resolvers"),
  different(
    "reverse_proxy.dynamic.srv.dial_timeout",
    "",
    "accepted; name servers are waited for as long as the resolver sees fit",
  ),
  different(
    "reverse_proxy.dynamic.srv.dial_fallback_delay",
    "",
    "accepted; name servers are asked by their address",
  ),
  same("reverse_proxy.dynamic.multi", "dynamic", "a list of sources"),
  refused(
    "reverse_proxy.dynamic.module",
    "only `a`, `srv` and `multi` come with Caddy itself",
    "`dynamic a` or `dynamic srv`",
  ),
];

const CHOOSING: readonly Support[] = [
  better(
    "reverse_proxy.lb_policy",
    "policy",
    "`random` when not written, as in Caddy; an upstream that failed a request is not tried again for it until all were",
  ),
  same("reverse_proxy.lb_policy.random", "policy"),
  same("reverse_proxy.lb_policy.round_robin", "policy"),
  same("reverse_proxy.lb_policy.least_conn", "policy"),
  same(
    "reverse_proxy.lb_policy.ip_hash",
    "policy",
    "by rendezvous too; which upstream a value leads to may be another than Caddy's",
  ),
  same(
    "reverse_proxy.lb_policy.client_ip_hash",
    "policy",
    "by rendezvous too; which upstream a value leads to may be another than Caddy's",
  ),
  same(
    "reverse_proxy.lb_policy.uri_hash",
    "policy",
    "by rendezvous too; which upstream a value leads to may be another than Caddy's",
  ),
  better(
    "reverse_proxy.lb_policy.first",
    "policy",
    "never picks the upstream again that just failed this request",
  ),
  same("reverse_proxy.lb_policy.random_choose", "policy.random_choose"),
  same(
    "reverse_proxy.lb_policy.weighted_round_robin",
    "policy.weighted_round_robin",
    "one weight an upstream",
  ),
  same("reverse_proxy.lb_policy.query", "policy.query"),
  same("reverse_proxy.lb_policy.header", "policy.header"),
  same("reverse_proxy.lb_policy.cookie", "policy.cookie", "the same attributes and the same HMAC"),
  same(
    "reverse_proxy.lb_policy.fallback",
    "fallback",
    "of `query`, `header` and `cookie`; any policy",
  ),
  same("reverse_proxy.lb_policy.max_age", "policy.cookie.max_age"),
  refused(
    "reverse_proxy.lb_policy.module",
    "it is no policy that comes with Caddy itself",
    "one of `first`, `random`, `least_conn`, `round_robin`",
  ),
  better(
    "reverse_proxy.lb_retries",
    "retry.attempts",
    "one more than the retries; each upstream is tried once before any is tried again, and only then there is a pause",
  ),
  better(
    "reverse_proxy.lb_try_duration",
    "retry.for",
    "a waiting request ends when its client leaves, and survives a reload",
  ),
  better(
    "reverse_proxy.lb_try_interval",
    "retry.interval",
    "a pause between passes, not between upstreams that were not tried yet; 1ms at least",
  ),
  same(
    "reverse_proxy.lb_retry_match",
    "retry.match",
    "with `idempotent: false`, as it takes the place of the rule that GET may be repeated",
  ),
  same(
    "reverse_proxy.lb_retry_match.expression",
    "retry.responses",
    "`{rp.status_code}`, `{rp.header.X}`, `{rp.is_transport_error}` with `==`, `!=`, `<`, `in`, `startsWith`, `&&`, `||`",
  ),
  refused(
    "reverse_proxy.lb_retry_match.other expression",
    "expressions are read as far as they compare status, fields, method and path of a request",
    "`{rp.status_code} in [502, 503]`, with matchers such as `method` beside it",
  ),
];

const HEALTH: readonly Support[] = [
  same("reverse_proxy.health_uri", "health.uri"),
  same("reverse_proxy.health_path", "health.uri", "the old name of `health_uri`"),
  same("reverse_proxy.health_port", "health.port"),
  same("reverse_proxy.health_upstream", "health.upstream", "not beside `health_port`"),
  better(
    "reverse_proxy.health_interval",
    "health.interval",
    "probes never overlap, an upstream counts for nothing until its first probe (`init_state`), and one is probed at once when a request fails there",
  ),
  same("reverse_proxy.health_timeout", "health.timeout"),
  same("reverse_proxy.health_method", "health.method"),
  same(
    "reverse_proxy.health_request_body",
    "health.body",
    "without placeholders other than `{env.X}`",
  ),
  same(
    "reverse_proxy.health_headers",
    "health.headers",
    "without placeholders other than `{env.X}`; several values are joined by a comma",
  ),
  same("reverse_proxy.health_status", "health.status"),
  same("reverse_proxy.health_body", "health.expect_body", "within the first 64 KiB"),
  same("reverse_proxy.health_follow_redirects", "health.follow_redirects"),
  better(
    "reverse_proxy.health_passes",
    "health.passes",
    "in a row; Caddy counts on over failures in between",
  ),
  better(
    "reverse_proxy.health_fails",
    "health.fails",
    "in a row; Caddy counts on over passes in between",
  ),
  better(
    "reverse_proxy.fail_duration",
    "passive.fail_duration",
    "an upstream that dies amid a response counts too, and a passed probe ends the penalty early",
  ),
  same("reverse_proxy.max_fails", "passive.max_fails"),
  same("reverse_proxy.unhealthy_status", "passive.unhealthy_status"),
  same("reverse_proxy.unhealthy_latency", "passive.unhealthy_latency"),
  same("reverse_proxy.unhealthy_request_count", "passive.max_requests"),
];

const STREAMING: readonly Support[] = [
  better("reverse_proxy.flush_interval", "", "accepted; every chunk is passed on at once, always"),
  different(
    "reverse_proxy.request_buffers",
    "retry.replay_body",
    "a request is sent on while it comes in; so much of it is kept to be sent again, 1GiB for `unlimited`",
  ),
  different("reverse_proxy.response_buffers", "", "accepted; responses are passed on as they come"),
  different(
    "reverse_proxy.buffer_requests",
    "retry.replay_body",
    "the old form of `request_buffers`, with `max_buffer_size` as its size",
  ),
  different("reverse_proxy.buffer_responses", "", "accepted; responses are passed on as they come"),
  different("reverse_proxy.max_buffer_size", "retry.replay_body", "the size for `buffer_requests`"),
  same("reverse_proxy.stream_timeout", "stream_timeout"),
  same("reverse_proxy.stream_close_delay", "stream_close_delay"),
  different(
    "reverse_proxy.stream_buffer_size",
    "",
    "accepted; upgraded connections are passed on in pieces as they come",
  ),
  different(
    "reverse_proxy.verbose_logs",
    "",
    "accepted; every failed attempt is in the access log anyway",
  ),
];

const HEADERS: readonly Support[] = [
  same("reverse_proxy.trusted_proxies", "trusted_proxies"),
  same(
    "reverse_proxy.header_up",
    "headers.request",
    "`X v` sets, `+X v` adds, `-X` and `-X-*` remove, `X search with` replaces",
  ),
  same(
    "reverse_proxy.header_up.Host",
    "upstreams[].host_header",
    "`{upstream_hostport}` (without the default port), `{upstream_host}`, a literal, or `{host}`, which keeps the client's port",
  ),
  better(
    "reverse_proxy.header_up.Upgrade",
    "",
    "`Connection` and `Upgrade` as the client sent them: upgrades pass without these lines",
  ),
  refused(
    "reverse_proxy.header_up.Host of dynamic",
    "what a name service tells is asked under the client's `Host`, or under its own by TLS",
    "`to` with addresses",
  ),
  refused(
    "reverse_proxy.header_up.other Host",
    "`Host` is the client's, the upstream's or a literal, and there is always one",
    "`header_up Host {upstream_hostport}`",
  ),
  refused(
    "reverse_proxy.header_up.framing",
    "such fields belong to one connection; upgrades and bodies pass without them",
    "no line at all",
  ),
  refused(
    "reverse_proxy.header_up.?",
    "Caddy knows `?` for responses of the `header` directive alone",
    "`header_up X v` with a matcher on the `reverse_proxy`",
  ),
  refused(
    "reverse_proxy.header_up.replace and set",
    "replacements are made before fields are set, and Caddy makes them after",
    "the value as it is to be in the end",
  ),
  same("reverse_proxy.header_down", "headers.response", "as `header_up`"),
  refused(
    "reverse_proxy.header_down.framing",
    "such fields belong to one connection; upgrades and bodies pass without them",
    "no line at all",
  ),
  refused(
    "reverse_proxy.header_down.?",
    "Caddy knows `?` for the `header` directive alone",
    "`header ?X v` beside the `reverse_proxy`",
  ),
  refused(
    "reverse_proxy.header_down.replace and set",
    "replacements are made before fields are set, and Caddy makes them after",
    "the value as it is to be in the end",
  ),
  same("reverse_proxy.method", "rewrite.method", "of what upstreams are asked"),
  same("reverse_proxy.rewrite", "rewrite.uri", "of what upstreams are asked"),
];

const RESPONSES: readonly Support[] = [
  same("reverse_proxy.@", "responses[].match", "a response matcher: `status` and `header`"),
  same("reverse_proxy.@.status", "responses[].match.status"),
  same("reverse_proxy.@.header", "responses[].match.headers", "`X v*`; `!X` for an absent one"),
  refused(
    "reverse_proxy.@.module",
    "responses are matched by `status` and `header`",
    "one of these",
  ),
  same(
    "reverse_proxy.handle_response",
    "responses[].steps",
    "the first that matches holds, after all `replace_status`",
  ),
  refused(
    "reverse_proxy.handle_response.status",
    "Caddy no longer replaces a status so",
    "`replace_status`",
  ),
  same("reverse_proxy.replace_status", "responses[].status"),
  same("copy_response", "copy_response", "in `handle_response`"),
  same("copy_response.status", "copy_response.status"),
  same("copy_response_headers", "copy_response_headers", "in `handle_response`"),
  same("copy_response_headers.include", "copy_response_headers.include"),
  same("copy_response_headers.exclude", "copy_response_headers.exclude"),
  refused(
    "intercept",
    "responses are handled where they come from",
    "`handle_response` within `reverse_proxy`, or `handle_errors`",
  ),
  same(
    "forward_auth",
    "forward_auth",
    "with the options of `reverse_proxy`, those of responses aside",
  ),
  same("forward_auth.uri", "forward_auth.uri"),
  same("forward_auth.copy_headers", "forward_auth.copy_headers", "`A>B` copies under another name"),
  refused(
    "forward_auth.responses",
    "an answer of 2xx lets the request go on, and any other is the client's",
    "`handle_errors` of the site, or `reverse_proxy` with `handle_response`",
  ),
  refused("forward_auth.request", "it always asks by GET for its `uri`", "`uri` of `forward_auth`"),
];

export const REVERSE_PROXY_SUPPORT: readonly Support[] = [
  ...UPSTREAMS,
  ...CHOOSING,
  ...HEALTH,
  ...STREAMING,
  ...HEADERS,
  ...RESPONSES,
];
