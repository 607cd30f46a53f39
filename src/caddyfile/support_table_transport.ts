/**
 * What is known of `transport` within `reverse_proxy`: what each option becomes, what differs, what is
 * refused and why. The importer refuses by it, and docs/from-caddy.md is written from it.
 */
import type { Support } from "./directive.ts";
import { refused, same } from "./support_rows.ts";

const PREFIX = "reverse_proxy.transport.http";

type Row = readonly [
  option: string,
  verdict: Exclude<Support["verdict"], "refused">,
  setting: string,
  note?: string,
];

const ACCEPTED: readonly Row[] = [
  ["dial_timeout", "same", "transport.dial_timeout", "TLS included"],
  [
    "dial_fallback_delay",
    "different",
    "",
    "accepted; the system decides when to try a host's other addresses",
  ],
  ["response_header_timeout", "same", "transport.response_header_timeout"],
  [
    "expect_continue_timeout",
    "different",
    "",
    "accepted; `Expect: 100-continue` is between client and upstream, and the client's patience decides",
  ],
  [
    "read_timeout",
    "same",
    "transport.read_timeout",
    "also the limit to wait for a response, unless `response_header_timeout` says another",
  ],
  ["write_timeout", "same", "transport.write_timeout"],
  ["read_buffer", "different", "", "accepted; buffers are sized by what comes"],
  ["write_buffer", "different", "", "accepted; buffers are sized by what comes"],
  [
    "max_response_header",
    "same",
    "transport.max_response_header",
    "10MiB when not written, as in Caddy; 16MiB at most",
  ],
  ["proxy_protocol", "same", "transport.proxy_protocol"],
  ["local_address", "same", "transport.local_address"],
  ["keepalive", "same", "transport.keepalive", "2m when not written, as in Caddy"],
  [
    "keepalive_interval",
    "different",
    "",
    "accepted; the system's own interval of TCP probes holds",
  ],
  [
    "keepalive_idle_conns",
    "different",
    "transport.keepalive_idle_conns",
    "counted for each upstream; at most 32 unless `keepalive_idle_conns_per_host` says another",
  ],
  [
    "keepalive_idle_conns_per_host",
    "same",
    "transport.keepalive_idle_conns",
    "32 when not written, as in Caddy",
  ],
  ["max_conns_per_host", "same", "transport.max_conns"],
  [
    "versions",
    "different",
    "upstreams",
    "`h2c` makes upstreams `h2c://…`; an `https://` upstream is asked by HTTP/1.1, also where 2 is among them",
  ],
  [
    "compression",
    "different",
    "",
    "accepted; upstreams compress for clients that ask for it, and nothing is asked in their name",
  ],
  ["network_proxy", "same", "", "`none`, which always holds"],
  ["tls", "same", "upstreams", "upstreams become `https://…`"],
  ["tls_insecure_skip_verify", "same", "transport.tls.insecure"],
  ["tls_server_name", "same", "transport.tls.name", "without placeholders other than `{env.X}`"],
  ["tls_trust_pool", "same", "transport.tls.ca", "`file` with paths of PEM files"],
  ["tls_trusted_ca_certs", "same", "transport.tls.ca", "the old form of `tls_trust_pool file`"],
  ["tls_client_auth", "same", "transport.tls.cert", "with files of certificate and key"],
  [
    "tls_timeout",
    "different",
    "transport.dial_timeout",
    "one limit for connection and TLS: the sum of both",
  ],
  ["tls_renegotiation", "same", "", "`never`, which always holds"],
  ["tls_except_ports", "same", "upstreams", "upstreams on these ports stay `http://…`"],
];

const REFUSED: readonly (readonly [option: string, note: string, nearest: string])[] = [
  [
    "versions.only 2",
    "HTTP/2 over TLS is not spoken to upstreams",
    "`versions 1.1 2`, or `h2c://` where the upstream takes it",
  ],
  ["versions.3", "HTTP/3 is not spoken to upstreams", "`versions 1.1 2`"],
  [
    "network_proxy.url",
    "upstreams are always reached directly",
    "an address that can be reached, or a tunnel of the system's",
  ],
  [
    "forward_proxy_url",
    "upstreams are always reached directly",
    "an address that can be reached, or a tunnel of the system's",
  ],
  [
    "resolvers",
    "names of fixed upstreams are the system's to resolve",
    "`dynamic a` with `resolvers`",
  ],
  [
    "tls.unix",
    "TLS is spoken over TCP only",
    "`unix//path` without `tls`",
  ],
  [
    "tls_trust_pool.module",
    "authorities are read from files",
    "`tls_trust_pool file` with their paths",
  ],
  [
    "tls_client_auth.automated",
    "a certificate to show to upstreams is read from files",
    "`tls_client_auth` with certificate and key",
  ],
  [
    "tls_renegotiation.on",
    "renegotiation is gone since TLS 1.3 and never done",
    "`tls_renegotiation never`",
  ],
  ["tls_curves", "the runtime chooses the curves", "no line at all"],
];

export const TRANSPORT_SUPPORT: readonly Support[] = [
  same(PREFIX, "transport"),
  ...ACCEPTED.map(([option, verdict, setting, note = ""]): Support => ({
    name: `${PREFIX}.${option}`,
    verdict,
    setting,
    note,
  })),
  ...REFUSED.map(([option, note, nearest]) => refused(`${PREFIX}.${option}`, note, nearest)),
  refused(
    "reverse_proxy.transport.fastcgi",
    "only HTTP is spoken to upstreams",
    "a web server before the FastCGI application, such as Caddy or nginx",
  ),
  refused(
    "reverse_proxy.transport.module",
    "it is no transport that comes with Caddy itself",
    "`transport http`",
  ),
];
