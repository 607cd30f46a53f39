/** Edits of heads, of the request's method and target, and whom to trust. */
import { type Case, proxy, refusal } from "./cases.ts";

export const HEADER_CASES: readonly Case[] = [
  {
    title: "header_up in all forms",
    text: proxy(
      "header_up X-A a",
      "header_up +X-B b",
      "header_up +X-B c",
      "header_up -X-C",
      "header_up -X-D-*",
      "header_up X-E ^a(.)$ b$1",
      "header_up X-F",
    ),
    route: {
      upstreams: ["http://a:8080"],
      headers: {
        request: {
          set: { "X-A": "a", "X-F": "" },
          add: { "X-B": ["b", "c"] },
          remove: ["X-C", "X-D-*"],
          replace: { "X-E": [{ search: "^a(.)$", with: "b$1" }] },
        },
      },
    },
  },
  {
    title: "header_down in all forms",
    text: proxy(
      "header_down X-A a",
      "header_down +X-B b",
      "header_down -Server",
      "header_down Location ^http:// https://",
      "header_down >X-C c",
    ),
    route: {
      upstreams: ["http://a:8080"],
      headers: {
        response: {
          set: { "X-A": "a", "X-C": "c" },
          add: { "X-B": "b" },
          remove: ["Server"],
          replace: { Location: [{ search: "^http://", with: "https://" }] },
        },
      },
    },
  },
  {
    title: "placeholders",
    text: proxy(
      "header_up X-Real-IP {remote_host}",
      "header_up X-Up {upstream_hostport}",
      'header_up X-All "{method} {uri} {http.request.header.X-Q} {env.KEY}"',
      "header_down X-Took {rp.upstream.latency_ms}",
    ),
    route: {
      upstreams: ["http://a:8080"],
      headers: {
        request: {
          set: {
            "X-Real-IP": "{remote_ip}",
            "X-Up": "{upstream_host}",
            "X-All": "{method} {uri} {header.X-Q} ${KEY:-}",
          },
        },
        response: { set: { "X-Took": "{upstream_latency_ms}" } },
      },
    },
  },
  {
    title: "of two lines that set, the last one",
    text: proxy("header_up X-A a", "header_up x-a b"),
    route: { upstreams: ["http://a:8080"], headers: { request: { set: { "x-a": "b" } } } },
  },
  {
    title: "what is set and removed is gone, as in Caddy",
    text: proxy("header_up X-A a", "header_up +X-B b", "header_up -X-*"),
    route: { upstreams: ["http://a:8080"], headers: { request: { remove: ["X-*"] } } },
  },
  {
    title: "what is set takes the place of what is added, as in Caddy",
    text: proxy("header_up +X-A a", "header_up X-A b"),
    route: { upstreams: ["http://a:8080"], headers: { request: { set: { "X-A": "b" } } } },
  },
  {
    title: "replacements of one field",
    text: proxy("header_up X-A a b", "header_up X-A (c) ${1}d"),
    route: {
      upstreams: ["http://a:8080"],
      headers: {
        request: {
          replace: { "X-A": [{ search: "a", with: "b" }, { search: "(c)", with: "$1d" }] },
        },
      },
    },
  },
  {
    title: "a colon by habit",
    text: proxy("header_up X-A: a"),
    route: { upstreams: ["http://a:8080"], headers: { request: { set: { "X-A": "a" } } } },
  },
  {
    title: "Host as a literal",
    text: proxy("header_up Host a.com"),
    route: { upstreams: [{ url: "http://a:8080", host_header: "a.com" }] },
  },
  {
    title: "Host of the upstream",
    text: proxy("header_up Host {upstream_hostport}"),
    route: { upstreams: [{ url: "http://a:8080", host_header: "{upstream}" }] },
  },
  {
    title: "Host of each upstream without its port",
    text: [
      "reverse_proxy a:8080 https://b {",
      "  header_up Host {http.reverse_proxy.upstream.host}",
      "}",
    ],
    route: {
      upstreams: [{ url: "http://a:8080", host_header: "a" }, {
        url: "https://b",
        host_header: "b",
      }],
      policy: "random",
    },
  },
  {
    title: "Host of the client",
    text: proxy("header_up Host {host}"),
    route: { upstreams: [{ url: "http://a:8080", host_header: "{client}" }] },
  },
  {
    title: "the habit of WebSockets",
    text: proxy(
      "header_up Connection {http.request.header.Connection}",
      "header_up Upgrade {>Upgrade}",
    ),
    route: { upstreams: ["http://a:8080"] },
  },
  {
    title: "method and rewrite",
    text: proxy("method GET", "rewrite /new{uri}"),
    route: { upstreams: ["http://a:8080"], rewrite: { method: "GET", uri: "/new{uri}" } },
  },
  {
    title: "trusted proxies",
    text: proxy("trusted_proxies private_ranges 1.2.3.4", "trusted_proxies 2001:db8::/32"),
    route: {
      upstreams: ["http://a:8080"],
      trusted_proxies: ["private_ranges", "1.2.3.4", "2001:db8::/32"],
    },
  },
  {
    title: "header_up without a field",
    text: proxy("header_up"),
    problems: ["2:3 reverse_proxy.header_up: Expected at least one argument but received none"],
  },
  {
    title: "header_up with too much",
    text: proxy("header_up a b c d"),
    problems: ['2:19 reverse_proxy.header_up: Expected at most 3 arguments but received "d"'],
  },
  {
    title: "a default on requests",
    text: proxy("header_up ?X-A a"),
    problems: [refusal("2:13", "reverse_proxy.header_up.?")],
  },
  {
    title: "a default on responses",
    text: proxy("header_down ?X-A a"),
    problems: [refusal("2:15", "reverse_proxy.header_down.?")],
  },
  {
    title: "removing with a value",
    text: proxy("header_up -X-A a"),
    problems: ['2:18 reverse_proxy.header_up: Expected no value but received "a"'],
  },
  {
    title: "a replacement of what is set",
    text: proxy("header_up X-A a", "header_up X-A b c"),
    problems: [refusal("3:13", "reverse_proxy.header_up.replace and set")],
  },
  {
    title: "a replacement of what is added to the response",
    text: proxy("header_down +X-A a", "header_down X-A b c"),
    problems: [refusal("3:15", "reverse_proxy.header_down.replace and set")],
  },
  {
    title: "fields of the framing",
    text: proxy("header_up Connection close", "header_up Transfer-Encoding chunked"),
    problems: [
      refusal("2:13", "reverse_proxy.header_up.framing"),
      refusal("3:13", "reverse_proxy.header_up.framing"),
    ],
  },
  {
    title: "fields of the framing of responses",
    text: proxy("header_down Content-Length 0"),
    problems: [refusal("2:15", "reverse_proxy.header_down.framing")],
  },
  {
    title: "removing Host",
    text: proxy("header_up -Host"),
    problems: [refusal("2:13", "reverse_proxy.header_up.other Host")],
  },
  {
    title: "Host of a field",
    text: proxy("header_up Host {header.X-Host}"),
    problems: [refusal("2:18", "reverse_proxy.header_up.other Host")],
  },
  {
    title: "Host by a replacement",
    text: proxy("header_up Host a b"),
    problems: [refusal("2:13", "reverse_proxy.header_up.other Host")],
  },
  {
    title: "Host of a socket",
    text: ["reverse_proxy unix//run/a.sock {", "  header_up Host {upstream_host}", "}"],
    problems: [
      '2:18 reverse_proxy.header_up: Expected upstreams with a host for {upstream_host} but received "unix//run/a.sock"',
    ],
  },
  {
    title: "a bad regular expression",
    text: proxy("header_up X-A ( b"),
    problems: [
      '2:17 reverse_proxy.header_up: Expected a regular expression that JavaScript knows as well (it is no regular expression) but received "("',
    ],
  },
  {
    title: "an unknown placeholder",
    text: proxy("header_up X-A {http.nope}"),
    problems: [
      '2:17 reverse_proxy.header_up: Cannot take the placeholder "{http.nope}" over here as it has no counterpart',
    ],
  },
  {
    title: "method without one",
    text: proxy("method"),
    problems: ["2:3 reverse_proxy.method: Expected one argument but received none"],
  },
  {
    title: "rewrite with too much",
    text: proxy("rewrite /a /b"),
    problems: ['2:14 reverse_proxy.rewrite: Expected at most one argument but received "/b"'],
  },
  {
    title: "trusted_proxies without a block of addresses",
    text: proxy("trusted_proxies"),
    problems: [
      "2:3 reverse_proxy.trusted_proxies: Expected at least one argument but received none",
    ],
  },
];
