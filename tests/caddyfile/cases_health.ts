/** Probes, and what live traffic tells. */
import { type Case, proxy } from "./cases.ts";

export const HEALTH_CASES: readonly Case[] = [
  {
    title: "the seed",
    text: [
      "@ollama host ollama.example.com",
      "handle @ollama {",
      "  reverse_proxy {",
      "    to http://192.168.1.5:11434 http://192.168.1.6:11434",
      "    health_uri /",
      "    health_interval 10s",
      "    health_timeout 2s",
      "    health_status 200",
      "    fail_duration 30s",
      "    lb_policy first",
      "  }",
      "}",
    ],
    route: {
      host: "ollama.example.com",
      upstreams: ["http://192.168.1.5:11434", "http://192.168.1.6:11434"],
      policy: "first",
      health: { uri: "/", interval: "10s", timeout: "2s", status: 200 },
      passive: { fail_duration: "30s" },
    },
  },
  {
    title: "every option of probes",
    text: proxy(
      "health_uri /ping?x=1",
      "health_port 9000",
      "health_interval 10s",
      "health_timeout 2s",
      "health_method POST",
      'health_request_body "are you there"',
      "health_headers {",
      "  Host a.com",
      "  X-Key {env.KEY}",
      "  Accept text/html text/plain",
      "}",
      "health_status 2xx",
      "health_body ^ok",
      "health_follow_redirects",
      "health_passes 2",
      "health_fails 3",
    ),
    route: {
      upstreams: ["http://a:8080"],
      health: {
        uri: "/ping?x=1",
        port: 9000,
        interval: "10s",
        timeout: "2s",
        method: "POST",
        body: "are you there",
        headers: { Host: "a.com", "X-Key": "${KEY:-}", Accept: "text/html, text/plain" },
        status: "2xx",
        expect_body: "^ok",
        follow_redirects: true,
        passes: 2,
        fails: 3,
      },
    },
  },
  {
    title: "health_upstream",
    text: proxy("health_uri /", "health_upstream 192.168.1.7:9000"),
    route: { upstreams: ["http://a:8080"], health: { uri: "/", upstream: "192.168.1.7:9000" } },
  },
  {
    title: "health_path is the old health_uri",
    text: proxy("health_path /ping"),
    route: { upstreams: ["http://a:8080"], health: { uri: "/ping" } },
  },
  {
    title: "health_port alone turns probes on",
    text: proxy("health_port 9000"),
    route: { upstreams: ["http://a:8080"], health: { port: 9000 } },
  },
  {
    title: "a class of status by its digit",
    text: proxy("health_uri /", "health_status 5"),
    route: { upstreams: ["http://a:8080"], health: { uri: "/", status: "5xx" } },
  },
  {
    title: "every option of live traffic",
    text: proxy(
      "fail_duration 30s",
      "max_fails 3",
      "unhealthy_status 5xx 404",
      "unhealthy_status 429",
      "unhealthy_latency 5s",
      "unhealthy_request_count 4",
    ),
    route: {
      upstreams: ["http://a:8080"],
      passive: {
        fail_duration: "30s",
        max_fails: 3,
        unhealthy_status: ["5xx", 404, 429],
        unhealthy_latency: "5s",
        max_requests: 4,
      },
    },
  },
  {
    title: "none are Caddy's defaults",
    text: proxy("fail_duration 30s", "max_fails 0", "unhealthy_request_count 0"),
    route: {
      upstreams: ["http://a:8080"],
      passive: { fail_duration: "30s", max_fails: 1, max_requests: "unlimited" },
    },
  },
  {
    title: "health_uri without a value",
    text: proxy("health_uri"),
    problems: ["2:3 reverse_proxy.health_uri: Expected one argument but received none"],
  },
  {
    title: "health_uri twice",
    text: proxy("health_uri /a", "health_uri /b"),
    problems: ["3:3 reverse_proxy.health_uri: Expected health_uri once but received it again"],
  },
  {
    title: "health_uri under both names",
    text: proxy("health_uri /a", "health_path /b"),
    problems: [
      '3:3 reverse_proxy.health_path: Expected either health_uri or health_path but received "health_path"',
    ],
  },
  {
    title: "health_port with a word",
    text: proxy("health_port http"),
    problems: ['2:15 reverse_proxy.health_port: Expected a whole number but received "http"'],
  },
  {
    title: "an interval without probes",
    text: proxy("health_interval 5s"),
    problems: [
      "2:3 reverse_proxy.health_interval: Expected health_uri or health_port beside it, which turn probes on, but received neither",
    ],
  },
  {
    title: "an interval without a unit",
    text: proxy("health_uri /", "health_interval 5"),
    problems: [
      '3:19 reverse_proxy.health_interval: Expected a duration such as "10s" but received "5"',
    ],
  },
  {
    title: "a status that is none",
    text: proxy("health_uri /", "health_status ok"),
    problems: [
      '3:17 reverse_proxy.health_status: Expected a status such as 200 or "2xx" but received "ok"',
    ],
  },
  {
    title: "two statuses",
    text: proxy("health_uri /", "health_status 200 204"),
    problems: [
      '3:21 reverse_proxy.health_status: Expected at most one argument but received "204"',
    ],
  },
  {
    title: "a regular expression that is none",
    text: proxy("health_uri /", "health_body ("),
    problems: [
      '3:15 reverse_proxy.health_body: Expected a regular expression that JavaScript knows as well (it is no regular expression) but received "("',
    ],
  },
  {
    title: "follow_redirects with a value",
    text: proxy("health_uri /", "health_follow_redirects yes"),
    problems: [
      '3:27 reverse_proxy.health_follow_redirects: Expected no argument but received "yes"',
    ],
  },
  {
    title: "no passes",
    text: proxy("health_uri /", "health_passes 0"),
    problems: [
      '3:17 reverse_proxy.health_passes: Expected a whole number of at least 1 but received "0"',
    ],
  },
  {
    title: "headers with a value on the line",
    text: proxy("health_uri /", "health_headers Host a.com"),
    problems: ['3:18 reverse_proxy.health_headers: Expected no argument but received "Host"'],
  },
  {
    title: "a header without a value",
    text: proxy("health_uri /", "health_headers {", "  X-Key", "}"),
    problems: ["4:5 reverse_proxy.health_headers: Expected a value for X-Key but received none"],
  },
  {
    title: "a header twice",
    text: proxy("health_uri /", "health_headers {", "  X-Key a", "  X-Key b", "}"),
    problems: ["5:5 reverse_proxy.health_headers: Expected X-Key once but received it again"],
  },
  {
    title: "a header with a placeholder of requests",
    text: proxy("health_uri /", "health_headers {", "  X-Key {http.request.host}", "}"),
    problems: [
      '4:11 reverse_proxy.health_headers: Cannot take the placeholder "{http.request.host}" over here as it has no counterpart',
    ],
  },
  {
    title: "fail_duration with a word",
    text: proxy("fail_duration long"),
    problems: [
      '2:17 reverse_proxy.fail_duration: Expected a duration such as "10s" but received "long"',
    ],
  },
  {
    title: "max_fails below none",
    text: proxy("max_fails -1"),
    problems: [
      '2:13 reverse_proxy.max_fails: Expected a whole number of at least 0 but received "-1"',
    ],
  },
  {
    title: "an unhealthy status that is none",
    text: proxy("unhealthy_status 5xx bad"),
    problems: [
      '2:24 reverse_proxy.unhealthy_status: Expected a status such as 200 or "2xx" but received "bad"',
    ],
  },
  {
    title: "unhealthy_latency without a unit",
    text: proxy("unhealthy_latency 5"),
    problems: [
      '2:21 reverse_proxy.unhealthy_latency: Expected a duration such as "10s" but received "5"',
    ],
  },
  {
    title: "a mistyped option",
    text: proxy("healthuri /"),
    problems: [
      '2:3 reverse_proxy: Expected an option of reverse_proxy but received "healthuri" (did you mean "health_uri"?)',
    ],
  },
  {
    title: "a block where there is none",
    text: proxy("health_uri / {", "  x", "}"),
    problems: ['3:5 reverse_proxy.health_uri: Expected no block but received "x"'],
  },
];
