/**
 * What is known of `reverse_proxy` and its options, `transport` aside: what each becomes, what differs,
 * what is refused and why. The importer refuses by it, and docs/from-caddy.md is written from it.
 * Longer than 250 lines because it is a table, to be read and searched in one place.
 */
import type { Support } from "./directive.ts";

const UPSTREAMS: readonly Support[] = [
  {
    name: "reverse_proxy",
    verdict: "better",
    setting: "proxy",
    note:
      "an upstream that cannot be reached costs no 502: the request moves on to the next one without `lb_retries`",
  },
  {
    name: "reverse_proxy.to",
    verdict: "same",
    setting: "upstreams",
    note: "as many lines as one likes; their order is preference",
  },
  {
    name: "reverse_proxy.to.host",
    verdict: "same",
    setting: "upstreams",
    note:
      "`host`, `host:port`, `1.2.3.4:80`, `[::1]:80`, `http://…`; the port is 80 when not written",
  },
  {
    name: "reverse_proxy.to.:port",
    verdict: "same",
    setting: "upstreams",
    note: "`:8080` is `127.0.0.1:8080`, where Caddy dials to as well",
  },
  {
    name: "reverse_proxy.to.https",
    verdict: "same",
    setting: "upstreams",
    note: "port 443 when not written; `Host` is the upstream's own, as in Caddy 2.11",
  },
  {
    name: "reverse_proxy.to.h2c",
    verdict: "same",
    setting: "upstreams",
    note: "HTTP/2 in the clear",
  },
  {
    name: "reverse_proxy.to.unix",
    verdict: "same",
    setting: "upstreams",
    note: "`unix//path`, `unix+h2c//path`",
  },
  {
    name: "reverse_proxy.to.range",
    verdict: "same",
    setting: "upstreams",
    note: "`host:8001-8006` is six upstreams; 256 ports at most",
  },
  {
    name: "reverse_proxy.to.{env.X}",
    verdict: "different",
    setting: "upstreams",
    note: "read when the configuration is loaded, not at each request",
  },
  {
    name: "reverse_proxy.to.mixed",
    verdict: "better",
    setting: "upstreams",
    note: "each upstream may have a scheme of its own; Caddy refuses to mix them",
  },
  {
    name: "reverse_proxy.to.placeholder",
    verdict: "refused",
    setting: "",
    note: "upstreams are watched by name, so they are known before the first request",
    nearest: "a matcher and a `reverse_proxy` for each upstream, or `dynamic a`",
  },
  {
    name: "reverse_proxy.to.network",
    verdict: "refused",
    setting: "",
    note: "upstreams are reached by TCP or by a socket file",
    nearest: "`host:port` or `unix//path`",
  },
  {
    name: "reverse_proxy.to.zone",
    verdict: "refused",
    setting: "",
    note: "link-local addresses with a zone cannot be dialled on every system",
    nearest: "a name or an address without a zone",
  },
  {
    name: "reverse_proxy.to.srv",
    verdict: "refused",
    setting: "",
    note: "Caddy itself replaced it",
    nearest: "`dynamic srv`",
  },
  {
    name: "reverse_proxy.to.beside dynamic",
    verdict: "refused",
    setting: "",
    note:
      "Caddy keeps these for when the name service fails, and here they would take part in the choice",
    nearest: "`grace_period` of `dynamic`, which keeps the last answer",
  },
  {
    name: "reverse_proxy.dynamic.a",
    verdict: "same",
    setting: "dynamic.a",
    note: "",
  },
  { name: "reverse_proxy.dynamic.a.name", verdict: "same", setting: "dynamic.a.name", note: "" },
  { name: "reverse_proxy.dynamic.a.port", verdict: "same", setting: "dynamic.a.port", note: "" },
  {
    name: "reverse_proxy.dynamic.a.refresh",
    verdict: "same",
    setting: "dynamic.a.refresh",
    note: "",
  },
  {
    name: "reverse_proxy.dynamic.a.versions",
    verdict: "same",
    setting: "dynamic.a.versions",
    note: "",
  },
  {
    name: "reverse_proxy.dynamic.a.resolvers",
    verdict: "same",
    setting: "dynamic.a.resolvers",
    note: "",
  },
  {
    name: "reverse_proxy.dynamic.a.dial_timeout",
    verdict: "different",
    setting: "",
    note: "accepted; name servers are waited for as long as the resolver sees fit",
  },
  {
    name: "reverse_proxy.dynamic.a.dial_fallback_delay",
    verdict: "different",
    setting: "",
    note: "accepted; name servers are asked by their address",
  },
  {
    name: "reverse_proxy.dynamic.srv",
    verdict: "same",
    setting: "dynamic.srv",
    note: "",
  },
  {
    name: "reverse_proxy.dynamic.srv.name",
    verdict: "same",
    setting: "dynamic.srv.name",
    note: "",
  },
  {
    name: "reverse_proxy.dynamic.srv.service",
    verdict: "same",
    setting: "dynamic.srv.name",
    note: "with `proto` and `name`: `_service._proto.name`",
  },
  {
    name: "reverse_proxy.dynamic.srv.proto",
    verdict: "same",
    setting: "dynamic.srv.name",
    note: "",
  },
  {
    name: "reverse_proxy.dynamic.srv.refresh",
    verdict: "same",
    setting: "dynamic.srv.refresh",
    note: "",
  },
  {
    name: "reverse_proxy.dynamic.srv.grace_period",
    verdict: "same",
    setting: "dynamic.srv.grace_period",
    note: "",
  },
  {
    name: "reverse_proxy.dynamic.srv.resolvers",
    verdict: "same",
    setting: "dynamic.srv.resolvers",
    note: "",
  },
  {
    name: "reverse_proxy.dynamic.srv.dial_timeout",
    verdict: "different",
    setting: "",
    note: "accepted; name servers are waited for as long as the resolver sees fit",
  },
  {
    name: "reverse_proxy.dynamic.srv.dial_fallback_delay",
    verdict: "different",
    setting: "",
    note: "accepted; name servers are asked by their address",
  },
  {
    name: "reverse_proxy.dynamic.multi",
    verdict: "same",
    setting: "dynamic",
    note: "a list of sources",
  },
  {
    name: "reverse_proxy.dynamic.module",
    verdict: "refused",
    setting: "",
    note: "only `a`, `srv` and `multi` come with Caddy itself",
    nearest: "`dynamic a` or `dynamic srv`",
  },
];

const CHOOSING: readonly Support[] = [
  {
    name: "reverse_proxy.lb_policy",
    verdict: "better",
    setting: "policy",
    note:
      "`random` when not written, as in Caddy; an upstream that failed a request is not tried again for it until all were",
  },
  ...["random", "round_robin", "least_conn", "ip_hash", "client_ip_hash", "uri_hash"].map(
    (name): Support => ({
      name: `reverse_proxy.lb_policy.${name}`,
      verdict: "same",
      setting: "policy",
      note: name.endsWith("hash")
        ? "by rendezvous too; which upstream a value leads to may be another than Caddy's"
        : "",
    }),
  ),
  {
    name: "reverse_proxy.lb_policy.first",
    verdict: "better",
    setting: "policy",
    note: "never picks the upstream again that just failed this request",
  },
  {
    name: "reverse_proxy.lb_policy.random_choose",
    verdict: "same",
    setting: "policy.random_choose",
    note: "",
  },
  {
    name: "reverse_proxy.lb_policy.weighted_round_robin",
    verdict: "same",
    setting: "policy.weighted_round_robin",
    note: "one weight an upstream",
  },
  { name: "reverse_proxy.lb_policy.query", verdict: "same", setting: "policy.query", note: "" },
  { name: "reverse_proxy.lb_policy.header", verdict: "same", setting: "policy.header", note: "" },
  {
    name: "reverse_proxy.lb_policy.cookie",
    verdict: "same",
    setting: "policy.cookie",
    note: "the same attributes and the same HMAC",
  },
  {
    name: "reverse_proxy.lb_policy.fallback",
    verdict: "same",
    setting: "fallback",
    note: "of `query`, `header` and `cookie`; any policy",
  },
  {
    name: "reverse_proxy.lb_policy.max_age",
    verdict: "same",
    setting: "policy.cookie.max_age",
    note: "",
  },
  {
    name: "reverse_proxy.lb_policy.module",
    verdict: "refused",
    setting: "",
    note: "it is no policy that comes with Caddy itself",
    nearest: "one of `first`, `random`, `least_conn`, `round_robin`",
  },
  {
    name: "reverse_proxy.lb_retries",
    verdict: "better",
    setting: "retry.attempts",
    note:
      "one more than the retries; each upstream is tried once before any is tried again, and only then there is a pause",
  },
  {
    name: "reverse_proxy.lb_try_duration",
    verdict: "better",
    setting: "retry.for",
    note: "a waiting request ends when its client leaves, and survives a reload",
  },
  {
    name: "reverse_proxy.lb_try_interval",
    verdict: "better",
    setting: "retry.interval",
    note: "a pause between passes, not between upstreams that were not tried yet; 1ms at least",
  },
  {
    name: "reverse_proxy.lb_retry_match",
    verdict: "same",
    setting: "retry.match",
    note: "with `idempotent: false`, as it takes the place of the rule that GET may be repeated",
  },
  {
    name: "reverse_proxy.lb_retry_match.expression",
    verdict: "same",
    setting: "retry.responses",
    note:
      "`{rp.status_code}`, `{rp.header.X}`, `{rp.is_transport_error}` with `==`, `!=`, `<`, `in`, `startsWith`, `&&`, `||`",
  },
  {
    name: "reverse_proxy.lb_retry_match.other expression",
    verdict: "refused",
    setting: "",
    note:
      "expressions are read as far as they compare status, fields, method and path of a request",
    nearest: "`{rp.status_code} in [502, 503]`, with matchers such as `method` beside it",
  },
];

const HEALTH: readonly Support[] = [
  { name: "reverse_proxy.health_uri", verdict: "same", setting: "health.uri", note: "" },
  {
    name: "reverse_proxy.health_path",
    verdict: "same",
    setting: "health.uri",
    note: "the old name of `health_uri`",
  },
  { name: "reverse_proxy.health_port", verdict: "same", setting: "health.port", note: "" },
  {
    name: "reverse_proxy.health_upstream",
    verdict: "same",
    setting: "health.upstream",
    note: "not beside `health_port`",
  },
  {
    name: "reverse_proxy.health_interval",
    verdict: "better",
    setting: "health.interval",
    note:
      "probes never overlap, an upstream counts for nothing until its first probe (`init_state`), and one is probed at once when a request fails there",
  },
  {
    name: "reverse_proxy.health_timeout",
    verdict: "same",
    setting: "health.timeout",
    note: "",
  },
  { name: "reverse_proxy.health_method", verdict: "same", setting: "health.method", note: "" },
  {
    name: "reverse_proxy.health_request_body",
    verdict: "same",
    setting: "health.body",
    note: "without placeholders other than `{env.X}`",
  },
  {
    name: "reverse_proxy.health_headers",
    verdict: "same",
    setting: "health.headers",
    note: "without placeholders other than `{env.X}`; several values are joined by a comma",
  },
  {
    name: "reverse_proxy.health_status",
    verdict: "same",
    setting: "health.status",
    note: "",
  },
  {
    name: "reverse_proxy.health_body",
    verdict: "same",
    setting: "health.expect_body",
    note: "within the first 64 KiB",
  },
  {
    name: "reverse_proxy.health_follow_redirects",
    verdict: "same",
    setting: "health.follow_redirects",
    note: "",
  },
  {
    name: "reverse_proxy.health_passes",
    verdict: "better",
    setting: "health.passes",
    note: "in a row; Caddy counts on over failures in between",
  },
  {
    name: "reverse_proxy.health_fails",
    verdict: "better",
    setting: "health.fails",
    note: "in a row; Caddy counts on over passes in between",
  },
  {
    name: "reverse_proxy.fail_duration",
    verdict: "better",
    setting: "passive.fail_duration",
    note:
      "an upstream that dies amid a response counts too, and a passed probe ends the penalty early",
  },
  { name: "reverse_proxy.max_fails", verdict: "same", setting: "passive.max_fails", note: "" },
  {
    name: "reverse_proxy.unhealthy_status",
    verdict: "same",
    setting: "passive.unhealthy_status",
    note: "",
  },
  {
    name: "reverse_proxy.unhealthy_latency",
    verdict: "same",
    setting: "passive.unhealthy_latency",
    note: "",
  },
  {
    name: "reverse_proxy.unhealthy_request_count",
    verdict: "same",
    setting: "passive.max_requests",
    note: "",
  },
];

const STREAMING: readonly Support[] = [
  {
    name: "reverse_proxy.flush_interval",
    verdict: "better",
    setting: "",
    note: "accepted; every chunk is passed on at once, always",
  },
  {
    name: "reverse_proxy.request_buffers",
    verdict: "different",
    setting: "retry.replay_body",
    note:
      "a request is sent on while it comes in; so much of it is kept to be sent again, 1GiB for `unlimited`",
  },
  {
    name: "reverse_proxy.response_buffers",
    verdict: "different",
    setting: "",
    note: "accepted; responses are passed on as they come",
  },
  {
    name: "reverse_proxy.buffer_requests",
    verdict: "different",
    setting: "retry.replay_body",
    note: "the old form of `request_buffers`, with `max_buffer_size` as its size",
  },
  {
    name: "reverse_proxy.buffer_responses",
    verdict: "different",
    setting: "",
    note: "accepted; responses are passed on as they come",
  },
  {
    name: "reverse_proxy.max_buffer_size",
    verdict: "different",
    setting: "retry.replay_body",
    note: "the size for `buffer_requests`",
  },
  {
    name: "reverse_proxy.stream_timeout",
    verdict: "same",
    setting: "stream_timeout",
    note: "",
  },
  {
    name: "reverse_proxy.stream_close_delay",
    verdict: "same",
    setting: "stream_close_delay",
    note: "",
  },
  {
    name: "reverse_proxy.stream_buffer_size",
    verdict: "different",
    setting: "",
    note: "accepted; upgraded connections are passed on in pieces as they come",
  },
  {
    name: "reverse_proxy.verbose_logs",
    verdict: "different",
    setting: "",
    note: "accepted; every failed attempt is in the access log anyway",
  },
];

const HEADERS: readonly Support[] = [
  {
    name: "reverse_proxy.trusted_proxies",
    verdict: "same",
    setting: "trusted_proxies",
    note: "",
  },
  {
    name: "reverse_proxy.header_up",
    verdict: "same",
    setting: "headers.request",
    note: "`X v` sets, `+X v` adds, `-X` and `-X-*` remove, `X search with` replaces",
  },
  {
    name: "reverse_proxy.header_up.Host",
    verdict: "same",
    setting: "upstreams[].host_header",
    note:
      "`{upstream_hostport}` (without the default port), `{upstream_host}`, a literal, or `{host}`, which keeps the client's port",
  },
  {
    name: "reverse_proxy.header_up.Upgrade",
    verdict: "better",
    setting: "",
    note: "`Connection` and `Upgrade` as the client sent them: upgrades pass without these lines",
  },
  {
    name: "reverse_proxy.header_up.Host of dynamic",
    verdict: "refused",
    setting: "",
    note: "what a name service tells is asked under the client's `Host`, or under its own by TLS",
    nearest: "`to` with addresses",
  },
  {
    name: "reverse_proxy.header_up.other Host",
    verdict: "refused",
    setting: "",
    note: "`Host` is the client's, the upstream's or a literal, and there is always one",
    nearest: "`header_up Host {upstream_hostport}`",
  },
  {
    name: "reverse_proxy.header_up.framing",
    verdict: "refused",
    setting: "",
    note: "such fields belong to one connection; upgrades and bodies pass without them",
    nearest: "no line at all",
  },
  {
    name: "reverse_proxy.header_up.?",
    verdict: "refused",
    setting: "",
    note: "Caddy knows `?` for responses of the `header` directive alone",
    nearest: "`header_up X v` with a matcher on the `reverse_proxy`",
  },
  {
    name: "reverse_proxy.header_up.replace and set",
    verdict: "refused",
    setting: "",
    note: "replacements are made before fields are set, and Caddy makes them after",
    nearest: "the value as it is to be in the end",
  },
  {
    name: "reverse_proxy.header_down",
    verdict: "same",
    setting: "headers.response",
    note: "as `header_up`",
  },
  {
    name: "reverse_proxy.header_down.framing",
    verdict: "refused",
    setting: "",
    note: "such fields belong to one connection; upgrades and bodies pass without them",
    nearest: "no line at all",
  },
  {
    name: "reverse_proxy.header_down.?",
    verdict: "refused",
    setting: "",
    note: "Caddy knows `?` for the `header` directive alone",
    nearest: "`header ?X v` beside the `reverse_proxy`",
  },
  {
    name: "reverse_proxy.header_down.replace and set",
    verdict: "refused",
    setting: "",
    note: "replacements are made before fields are set, and Caddy makes them after",
    nearest: "the value as it is to be in the end",
  },
  {
    name: "reverse_proxy.method",
    verdict: "same",
    setting: "rewrite.method",
    note: "of what upstreams are asked",
  },
  {
    name: "reverse_proxy.rewrite",
    verdict: "same",
    setting: "rewrite.uri",
    note: "of what upstreams are asked",
  },
];

const RESPONSES: readonly Support[] = [
  {
    name: "reverse_proxy.@",
    verdict: "same",
    setting: "responses[].match",
    note: "a response matcher: `status` and `header`",
  },
  {
    name: "reverse_proxy.@.status",
    verdict: "same",
    setting: "responses[].match.status",
    note: "",
  },
  {
    name: "reverse_proxy.@.header",
    verdict: "same",
    setting: "responses[].match.headers",
    note: "`X v*`; `!X` for an absent one",
  },
  {
    name: "reverse_proxy.@.module",
    verdict: "refused",
    setting: "",
    note: "responses are matched by `status` and `header`",
    nearest: "one of these",
  },
  {
    name: "reverse_proxy.handle_response",
    verdict: "same",
    setting: "responses[].steps",
    note: "the first that matches holds, after all `replace_status`",
  },
  {
    name: "reverse_proxy.handle_response.status",
    verdict: "refused",
    setting: "",
    note: "Caddy no longer replaces a status so",
    nearest: "`replace_status`",
  },
  {
    name: "reverse_proxy.replace_status",
    verdict: "same",
    setting: "responses[].status",
    note: "",
  },
  {
    name: "copy_response",
    verdict: "same",
    setting: "copy_response",
    note: "in `handle_response`",
  },
  { name: "copy_response.status", verdict: "same", setting: "copy_response.status", note: "" },
  {
    name: "copy_response_headers",
    verdict: "same",
    setting: "copy_response_headers",
    note: "in `handle_response`",
  },
  {
    name: "copy_response_headers.include",
    verdict: "same",
    setting: "copy_response_headers.include",
    note: "",
  },
  {
    name: "copy_response_headers.exclude",
    verdict: "same",
    setting: "copy_response_headers.exclude",
    note: "",
  },
  {
    name: "intercept",
    verdict: "refused",
    setting: "",
    note: "responses are handled where they come from",
    nearest: "`handle_response` within `reverse_proxy`, or `handle_errors`",
  },
  {
    name: "forward_auth",
    verdict: "same",
    setting: "forward_auth",
    note: "with the options of `reverse_proxy`, those of responses aside",
  },
  { name: "forward_auth.uri", verdict: "same", setting: "forward_auth.uri", note: "" },
  {
    name: "forward_auth.copy_headers",
    verdict: "same",
    setting: "forward_auth.copy_headers",
    note: "`A>B` copies under another name",
  },
  {
    name: "forward_auth.responses",
    verdict: "refused",
    setting: "",
    note: "an answer of 2xx lets the request go on, and any other is the client's",
    nearest: "`handle_errors` of the site, or `reverse_proxy` with `handle_response`",
  },
  {
    name: "forward_auth.request",
    verdict: "refused",
    setting: "",
    note: "it always asks by GET for its `uri`",
    nearest: "`uri` of `forward_auth`",
  },
];

export const REVERSE_PROXY_SUPPORT: readonly Support[] = [
  ...UPSTREAMS,
  ...CHOOSING,
  ...HEALTH,
  ...STREAMING,
  ...HEADERS,
  ...RESPONSES,
];
