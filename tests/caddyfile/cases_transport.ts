/** Connections to upstreams. */
import { type Case, proxy, refusal } from "./cases.ts";

export const TRANSPORT_CASES: readonly Case[] = [
  {
    title: "transport http alone",
    text: proxy("transport http"),
    route: { upstreams: ["http://a:8080"] },
  },
  {
    title: "limits",
    text: proxy(
      "transport http {",
      "  dial_timeout 1s",
      "  response_header_timeout 5m",
      "  read_timeout 1m",
      "  write_timeout 2m",
      "  max_response_header 64KiB",
      "}",
    ),
    route: {
      upstreams: ["http://a:8080"],
      transport: {
        dial_timeout: "1s",
        response_header_timeout: "5m",
        read_timeout: "1m",
        write_timeout: "2m",
        max_response_header: "64KiB",
      },
    },
  },
  {
    title: "read_timeout holds for the head too",
    text: proxy("transport http {", "  read_timeout 1m", "}"),
    route: {
      upstreams: ["http://a:8080"],
      transport: { read_timeout: "1m", response_header_timeout: "1m" },
    },
  },
  {
    title: "limits of none",
    text: proxy(
      "transport http {",
      "  response_header_timeout 0",
      "  read_timeout 0s",
      "  write_timeout 0",
      "}",
    ),
    route: { upstreams: ["http://a:8080"] },
  },
  {
    title: "what is accepted",
    text: proxy(
      "transport http {",
      "  dial_fallback_delay -1s",
      "  expect_continue_timeout 1s",
      "  read_buffer 8KiB",
      "  write_buffer 8KiB",
      "  keepalive_interval 15s",
      "  compression off",
      "  network_proxy none",
      "  versions 1.1 2",
      "}",
    ),
    route: { upstreams: ["http://a:8080"] },
  },
  {
    title: "kept connections",
    text: proxy(
      "transport http {",
      "  keepalive 30s",
      "  keepalive_idle_conns 100",
      "  keepalive_idle_conns_per_host 8",
      "  max_conns_per_host 20",
      "}",
    ),
    route: {
      upstreams: ["http://a:8080"],
      transport: { keepalive: "30s", keepalive_idle_conns: 8, max_conns: 20 },
    },
  },
  {
    title: "fewer kept connections in all than for one",
    text: proxy("transport http {", "  keepalive_idle_conns 8", "}"),
    route: { upstreams: ["http://a:8080"], transport: { keepalive_idle_conns: 8 } },
  },
  {
    title: "no kept connections",
    text: proxy("transport http {", "  keepalive off", "}"),
    route: { upstreams: ["http://a:8080"], transport: { keepalive: "off" } },
  },
  {
    title: "kept for ever",
    text: proxy(
      "transport http {",
      "  keepalive 0",
      "  max_conns_per_host 0",
      "  keepalive_idle_conns_per_host 0",
      "}",
    ),
    route: {
      upstreams: ["http://a:8080"],
      transport: { keepalive: "24d", max_conns: "unlimited" },
    },
  },
  {
    title: "proxy_protocol and local_address",
    text: proxy("transport http {", "  proxy_protocol v2", "  local_address 10.0.0.2", "}"),
    route: {
      upstreams: ["http://a:8080"],
      transport: { proxy_protocol: "v2", local_address: "10.0.0.2" },
    },
  },
  {
    title: "tls makes upstreams https",
    text: proxy("transport http {", "  tls", "}"),
    route: { upstreams: ["https://a:8080"] },
  },
  {
    title: "tls with its options",
    text: [
      "reverse_proxy gpu.lan:8443 {",
      "  transport http {",
      "    tls_server_name gpu.lan",
      "    tls_trust_pool file /etc/ca.pem {",
      "      pem_file /etc/more.pem",
      "    }",
      "    tls_client_auth /etc/me.pem /etc/me.key",
      "    tls_insecure_skip_verify",
      "    tls_renegotiation never",
      "    tls_timeout 5s",
      "  }",
      "}",
    ],
    route: {
      upstreams: ["https://gpu.lan:8443"],
      transport: {
        tls: {
          name: "gpu.lan",
          ca: ["/etc/ca.pem", "/etc/more.pem"],
          cert: "/etc/me.pem",
          key: "/etc/me.key",
          insecure: true,
        },
        dial_timeout: "8s",
      },
    },
  },
  {
    title: "authorities as older versions have them",
    text: [
      "reverse_proxy https://gpu.lan {",
      "  transport http {",
      "    tls_trusted_ca_certs /etc/a.pem /etc/b.pem",
      "  }",
      "}",
    ],
    route: {
      upstreams: ["https://gpu.lan"],
      transport: { tls: { ca: ["/etc/a.pem", "/etc/b.pem"] } },
    },
  },
  {
    title: "tls but on some ports",
    text: [
      "reverse_proxy a:8080 a:8443 {",
      "  transport http {",
      "    tls_except_ports 8080",
      "  }",
      "}",
    ],
    route: { upstreams: ["http://a:8080", "https://a:8443"], policy: "random" },
  },
  {
    title: "tls_timeout adds to dial_timeout",
    text: [
      "reverse_proxy https://a {",
      "  transport http {",
      "    dial_timeout 1500ms",
      "    tls_timeout 2s",
      "  }",
      "}",
    ],
    route: { upstreams: ["https://a"], transport: { dial_timeout: "3500ms" } },
  },
  {
    title: "h2c from versions",
    text: [
      "reverse_proxy a:50051 unix//run/a.sock {",
      "  transport http {",
      "    versions h2c 2",
      "  }",
      "}",
    ],
    route: { upstreams: ["h2c://a:50051", "unix+h2c//run/a.sock"], policy: "random" },
  },
  {
    title: "tls and an address of the environment",
    text: ["reverse_proxy {env.UP} {", "  transport http {", "    tls", "  }", "}"],
    route: { upstreams: ["https://${UP:-}"] },
  },
  {
    title: "transport without a name",
    text: proxy("transport"),
    problems: ["2:3 reverse_proxy.transport: Expected one argument but received none"],
  },
  {
    title: "fastcgi",
    text: proxy("transport fastcgi {", "  root /srv", "}"),
    problems: [refusal("2:13", "reverse_proxy.transport.fastcgi")],
  },
  {
    title: "another transport",
    text: proxy("transport ntlm"),
    problems: [refusal("2:13", "reverse_proxy.transport.module")],
  },
  {
    title: "transport twice",
    text: proxy("transport http", "transport http"),
    problems: ["3:3 reverse_proxy.transport: Expected transport once but received it again"],
  },
  {
    title: "an unknown option",
    text: proxy("transport http {", "  dial_timout 1s", "}"),
    problems: [
      '3:5 reverse_proxy.transport.http: Expected an option of reverse_proxy.transport.http but received "dial_timout" (did you mean "dial_timeout"?)',
    ],
  },
  {
    title: "an option twice",
    text: proxy("transport http {", "  dial_timeout 1s", "  dial_timeout 2s", "}"),
    problems: [
      "4:5 reverse_proxy.transport.http.dial_timeout: Expected dial_timeout once but received it again",
    ],
  },
  {
    title: "a duration without a unit",
    text: proxy("transport http {", "  dial_timeout 1", "}"),
    problems: [
      '3:18 reverse_proxy.transport.http.dial_timeout: Expected a duration such as "10s" but received "1"',
    ],
  },
  {
    title: "a bad size",
    text: proxy("transport http {", "  max_response_header big", "}"),
    problems: [
      '3:25 reverse_proxy.transport.http.max_response_header: Expected a size such as "10MB" but received "big"',
    ],
  },
  {
    title: "a bad count",
    text: proxy("transport http {", "  max_conns_per_host some", "}"),
    problems: [
      '3:24 reverse_proxy.transport.http.max_conns_per_host: Expected a whole number but received "some"',
    ],
  },
  {
    title: "another PROXY protocol",
    text: proxy("transport http {", "  proxy_protocol v3", "}"),
    problems: [
      '3:20 reverse_proxy.transport.http.proxy_protocol: Expected "v1" or "v2" but received "v3"',
    ],
  },
  {
    title: "HTTP/3",
    text: proxy("transport http {", "  versions 3", "}"),
    problems: [refusal("3:14", "reverse_proxy.transport.http.versions.3")],
  },
  {
    title: "HTTP/2 over TLS alone",
    text: proxy("transport http {", "  versions 2", "}"),
    problems: [refusal("3:14", "reverse_proxy.transport.http.versions.only 2")],
  },
  {
    title: "another version",
    text: proxy("transport http {", "  versions 1.0", "}"),
    problems: [
      '3:14 reverse_proxy.transport.http.versions: Expected "1.1", "2" or "h2c" but received "1.0"',
    ],
  },
  {
    title: "a proxy on the way",
    text: proxy("transport http {", "  network_proxy url http://proxy:3128", "}"),
    problems: [refusal("3:19", "reverse_proxy.transport.http.network_proxy.url")],
  },
  {
    title: "a proxy on the way, the old option",
    text: proxy("transport http {", "  forward_proxy_url http://proxy:3128", "}"),
    problems: [refusal("3:5", "reverse_proxy.transport.http.forward_proxy_url")],
  },
  {
    title: "resolvers",
    text: proxy("transport http {", "  resolvers 10.0.0.1", "}"),
    problems: [refusal("3:5", "reverse_proxy.transport.http.resolvers")],
  },
  {
    title: "curves",
    text: proxy("transport http {", "  tls_curves x25519", "}"),
    problems: [refusal("3:5", "reverse_proxy.transport.http.tls_curves")],
  },
  {
    title: "renegotiation",
    text: proxy("transport http {", "  tls_renegotiation once", "}"),
    problems: [refusal("3:23", "reverse_proxy.transport.http.tls_renegotiation.on")],
  },
  {
    title: "renegotiation of another kind",
    text: proxy("transport http {", "  tls_renegotiation maybe", "}"),
    problems: [
      '3:23 reverse_proxy.transport.http.tls_renegotiation: Expected "never", "once" or "freely" but received "maybe"',
    ],
  },
  {
    title: "authorities from elsewhere",
    text: proxy("transport http {", "  tls_trust_pool inline {", "    trust_der abc", "  }", "}"),
    problems: [refusal("3:20", "reverse_proxy.transport.http.tls_trust_pool.module")],
  },
  {
    title: "a certificate that is made",
    text: proxy("transport http {", "  tls_client_auth gpu.lan", "}"),
    problems: [refusal("3:21", "reverse_proxy.transport.http.tls_client_auth.automated")],
  },
  {
    title: "authorities without a file",
    text: proxy("transport http {", "  tls_trust_pool file", "}"),
    problems: [
      "3:20 reverse_proxy.transport.http.tls_trust_pool: Expected a path of a PEM file but received none",
    ],
  },
  {
    title: "compression of another kind",
    text: proxy("transport http {", "  compression gzip", "}"),
    problems: [
      '3:17 reverse_proxy.transport.http.compression: Expected "off" or "on" but received "gzip"',
    ],
  },
  {
    title: "TLS over a socket",
    text: ["reverse_proxy unix//run/a.sock {", "  transport http {", "    tls", "  }", "}"],
    problems: [refusal("1:15", "reverse_proxy.transport.http.tls.unix")],
  },
  {
    title: "http:// beside tls, as in Caddy",
    text: ["reverse_proxy http://a:8080 {", "  transport http {", "    tls", "  }", "}"],
    problems: [
      '1:15 reverse_proxy.to: Expected https:// or no scheme beside tls of transport http but received "http://a:8080"',
    ],
  },
];
