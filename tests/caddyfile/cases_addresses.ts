/** Upstream addresses in every form that Caddy takes or refuses. */
import { type Case, refusal } from "./cases.ts";

export const ADDRESS_CASES: readonly Case[] = [
  {
    title: "a host gets port 80 from the scheme",
    text: ["reverse_proxy a"],
    route: { upstreams: ["http://a"] },
  },
  {
    title: "a host with a port",
    text: ["reverse_proxy gpu.lan:11434"],
    route: { upstreams: ["http://gpu.lan:11434"] },
  },
  {
    title: "an IPv4 address",
    text: ["reverse_proxy 192.168.1.5:11434"],
    route: { upstreams: ["http://192.168.1.5:11434"] },
  },
  {
    title: "an IPv6 address in brackets",
    text: ["reverse_proxy [::1]:8080"],
    route: { upstreams: ["http://[::1]:8080"] },
  },
  {
    title: "a bare IPv6 address is a host without port",
    text: ["reverse_proxy ::1"],
    route: { upstreams: ["http://[::1]"] },
  },
  {
    title: "a port alone is one of this machine",
    text: ["reverse_proxy :8080"],
    route: { upstreams: ["http://127.0.0.1:8080"] },
  },
  {
    title: "a port alone under a scheme",
    text: ["reverse_proxy http://:8080"],
    route: { upstreams: ["http://127.0.0.1:8080"] },
  },
  {
    title: "http:// in any case",
    text: ["reverse_proxy HTTP://a:8080"],
    route: { upstreams: ["http://a:8080"] },
  },
  {
    title: "https:// without a port",
    text: ["reverse_proxy https://a.example.com"],
    route: { upstreams: ["https://a.example.com"] },
  },
  {
    title: "h2c://",
    text: ["reverse_proxy h2c://a:50051"],
    route: { upstreams: ["h2c://a:50051"] },
  },
  {
    title: "a unix socket",
    text: ["reverse_proxy unix//run/app.sock"],
    route: { upstreams: ["unix//run/app.sock"] },
  },
  {
    title: "a unix socket that speaks HTTP/2",
    text: ["reverse_proxy unix+h2c//run/app.sock"],
    route: { upstreams: ["unix+h2c//run/app.sock"] },
  },
  {
    title: "the network tcp is what there is anyway",
    text: ["reverse_proxy tcp/a:80"],
    route: { upstreams: ["http://a:80"] },
  },
  {
    title: "a range of ports counts as many upstreams",
    text: ["reverse_proxy 127.0.0.1:8001-8006"],
    route: { upstreams: ["http://127.0.0.1:8001-8006"], policy: "random" },
  },
  {
    title: "a range within a URL",
    text: ["reverse_proxy http://127.0.0.1:8001-8002"],
    route: { upstreams: ["http://127.0.0.1:8001-8002"], policy: "random" },
  },
  {
    title: "a range of one port",
    text: ["reverse_proxy a:8001-8001"],
    route: { upstreams: ["http://a:8001-8001"] },
  },
  {
    title: "mixed schemes are each their own",
    text: ["reverse_proxy https://a b:80 h2c://c:81"],
    route: { upstreams: ["https://a", "http://b:80", "h2c://c:81"], policy: "random" },
  },
  {
    title: "arguments and lines of to in their order",
    text: ["reverse_proxy a b {", "  to c d", "  to e", "}"],
    route: {
      upstreams: ["http://a", "http://b", "http://c", "http://d", "http://e"],
      policy: "random",
    },
  },
  {
    title: "the environment of a placeholder",
    text: ["reverse_proxy {env.UP}"],
    route: { upstreams: ["${UP:-}"] },
  },
  {
    title: "the environment as a part",
    text: ["reverse_proxy {env.HOST}:8080"],
    route: { upstreams: ["${HOST:-}:8080"] },
  },
  {
    title: "a path matcher before the addresses",
    text: ["reverse_proxy /api/* a"],
    route: { steps: [{ match: { path: "/api/*" }, proxy: { upstreams: ["http://a"] } }] },
  },
  {
    title: "a star matches everything",
    text: ["reverse_proxy * a"],
    route: { upstreams: ["http://a"] },
  },
  {
    title: "no upstream at all",
    text: ["reverse_proxy"],
    problems: ["1:1 reverse_proxy: Expected at least one upstream but received none"],
  },
  {
    title: "an empty block",
    text: ["reverse_proxy {", "}"],
    problems: ["1:1 reverse_proxy: Expected at least one upstream but received none"],
  },
  {
    title: "to without addresses",
    text: ["reverse_proxy {", "  to", "}"],
    problems: ["2:3 reverse_proxy.to: Expected at least one argument but received none"],
  },
  {
    title: "placeholders of requests",
    text: ["reverse_proxy {http.request.host}:80"],
    problems: [refusal("1:15", "reverse_proxy.to.placeholder")],
  },
  {
    title: "a placeholder under a scheme, as in Caddy",
    text: ["reverse_proxy http://{env.HOST}:80"],
    problems: [refusal("1:15", "reverse_proxy.to.placeholder")],
  },
  {
    title: "ws://",
    text: ["reverse_proxy ws://a"],
    problems: [
      '1:15 reverse_proxy.to: Expected http://, which carries WebSockets too, but received "ws://a"',
    ],
  },
  {
    title: "wss://",
    text: ["reverse_proxy wss://a"],
    problems: [
      '1:15 reverse_proxy.to: Expected https://, which carries WebSockets too, but received "wss://a"',
    ],
  },
  {
    title: "another scheme",
    text: ["reverse_proxy ftp://a"],
    problems: [
      '1:15 reverse_proxy.to: Expected http://, https:// or h2c:// but received "ftp://a"',
    ],
  },
  {
    title: "srv+ of older versions",
    text: ["reverse_proxy srv+http://_http._tcp.gpu.lan"],
    problems: [refusal("1:15", "reverse_proxy.to.srv")],
  },
  {
    title: "networks that are no TCP",
    text: ["reverse_proxy udp/a:80", "reverse_proxy fd/3", "reverse_proxy tcp4/a:80"],
    problems: [
      refusal("1:15", "reverse_proxy.to.network"),
      refusal("2:15", "reverse_proxy.to.network"),
      refusal("3:15", "reverse_proxy.to.network"),
    ],
  },
  {
    title: "an IPv6 address with a zone",
    text: ["reverse_proxy [fe80::1%eth0]:80"],
    problems: [refusal("1:15", "reverse_proxy.to.zone")],
  },
  {
    title: "a path",
    text: ["reverse_proxy http://a/x"],
    problems: [
      '1:15 reverse_proxy.to: Expected an upstream without a path but received "http://a/x"',
    ],
  },
  {
    title: "a path that is but a slash",
    text: ["reverse_proxy http://a:80/"],
    problems: [
      '1:15 reverse_proxy.to: Expected an upstream without a path but received "http://a:80/"',
    ],
  },
  {
    title: "a query",
    text: ["reverse_proxy http://a?x=1"],
    problems: [
      '1:15 reverse_proxy.to: Expected an upstream without a query but received "http://a?x=1"',
    ],
  },
  {
    title: "a fragment",
    text: ["reverse_proxy http://a#x"],
    problems: [
      '1:15 reverse_proxy.to: Expected an upstream without a fragment but received "http://a#x"',
    ],
  },
  {
    title: "http:// with the port of https",
    text: ["reverse_proxy http://a:443"],
    problems: [
      '1:15 reverse_proxy.to: Expected "https://" with port 443 but received "http://a:443"',
    ],
  },
  {
    title: "https:// with the port of http",
    text: ["reverse_proxy https://a:80"],
    problems: [
      '1:15 reverse_proxy.to: Expected "http://" with port 80 but received "https://a:80"',
    ],
  },
  {
    title: "h2c:// with the port of https",
    text: ["reverse_proxy h2c://a:443"],
    problems: [
      '1:15 reverse_proxy.to: Expected "https://" with port 443 but received "h2c://a:443"',
    ],
  },
  {
    title: "a port that is none",
    text: ["reverse_proxy a:99999"],
    problems: [
      '1:15 reverse_proxy.to: Expected a port from 1 to 65535 but received "http://a:99999"',
    ],
  },
  {
    title: "a range that ends before it begins",
    text: ["reverse_proxy a:8003-8001"],
    problems: [
      '1:15 reverse_proxy.to: Expected a port range that ends after it begins but received "http://a:8003-8001"',
    ],
  },
  {
    title: "a range of too many ports",
    text: ["reverse_proxy a:1000-9999"],
    problems: [
      '1:15 reverse_proxy.to: Expected a range of at most 256 ports but received "http://a:1000-9999"',
    ],
  },
  {
    title: "a relative socket",
    text: ["reverse_proxy unix/app.sock"],
    problems: [
      '1:15 reverse_proxy.to: Expected an upstream without a path but received "unix/app.sock"',
    ],
  },
];
