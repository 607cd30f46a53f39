/** Policies, and when a request moves on. */
import { type Case, proxy, refusal } from "./cases.ts";

export const CHOOSING_CASES: readonly Case[] = [
  {
    title: "random is written where Caddy takes it for granted",
    text: ["reverse_proxy a b"],
    route: { upstreams: ["http://a", "http://b"], policy: "random" },
  },
  {
    title: "lb_policy first",
    text: ["reverse_proxy a b {", "  lb_policy first", "}"],
    route: { upstreams: ["http://a", "http://b"], policy: "first" },
  },
  {
    title: "lb_policy random",
    text: ["reverse_proxy a b {", "  lb_policy random", "}"],
    route: { upstreams: ["http://a", "http://b"], policy: "random" },
  },
  {
    title: "lb_policy round_robin",
    text: ["reverse_proxy a b {", "  lb_policy round_robin", "}"],
    route: { upstreams: ["http://a", "http://b"], policy: "round_robin" },
  },
  {
    title: "lb_policy least_conn",
    text: ["reverse_proxy a b {", "  lb_policy least_conn", "}"],
    route: { upstreams: ["http://a", "http://b"], policy: "least_conn" },
  },
  {
    title: "lb_policy ip_hash",
    text: ["reverse_proxy a b {", "  lb_policy ip_hash", "}"],
    route: { upstreams: ["http://a", "http://b"], policy: "ip_hash" },
  },
  {
    title: "lb_policy client_ip_hash",
    text: ["reverse_proxy a b {", "  lb_policy client_ip_hash", "}"],
    route: { upstreams: ["http://a", "http://b"], policy: "client_ip_hash" },
  },
  {
    title: "lb_policy uri_hash",
    text: ["reverse_proxy a b {", "  lb_policy uri_hash", "}"],
    route: { upstreams: ["http://a", "http://b"], policy: "uri_hash" },
  },
  {
    title: "lb_policy random_choose",
    text: proxy("lb_policy random_choose 3"),
    route: { upstreams: ["http://a:8080"], policy: { random_choose: 3 } },
  },
  {
    title: "lb_policy weighted_round_robin",
    text: ["reverse_proxy a b {", "  lb_policy weighted_round_robin 3 1", "}"],
    route: { upstreams: ["http://a", "http://b"], policy: { weighted_round_robin: [3, 1] } },
  },
  {
    title: "lb_policy query",
    text: proxy("lb_policy query id"),
    route: { upstreams: ["http://a:8080"], policy: { query: { key: "id" } } },
  },
  {
    title: "lb_policy header with a fallback",
    text: proxy("lb_policy header X-User {", "  fallback round_robin", "}"),
    route: {
      upstreams: ["http://a:8080"],
      policy: { header: { field: "X-User", fallback: "round_robin" } },
    },
  },
  {
    title: "lb_policy query with a fallback that has parameters",
    text: proxy(
      "lb_policy query id {",
      "  fallback header X-User {",
      "    fallback cookie",
      "  }",
      "}",
    ),
    route: {
      upstreams: ["http://a:8080"],
      policy: {
        query: { key: "id", fallback: { header: { field: "X-User", fallback: "cookie" } } },
      },
    },
  },
  {
    title: "lb_policy cookie",
    text: proxy("lb_policy cookie"),
    route: { upstreams: ["http://a:8080"], policy: "cookie" },
  },
  {
    title: "lb_policy cookie with a name",
    text: proxy("lb_policy cookie lb2"),
    route: { upstreams: ["http://a:8080"], policy: { cookie: { name: "lb2" } } },
  },
  {
    title: "lb_policy cookie with everything",
    text: proxy(
      "lb_policy cookie lb2 {env.SECRET} {",
      "  fallback random_choose 2",
      "  max_age 1h",
      "}",
    ),
    route: {
      upstreams: ["http://a:8080"],
      policy: {
        cookie: {
          name: "lb2",
          secret: "${SECRET:-}",
          fallback: { random_choose: 2 },
          max_age: "1h",
        },
      },
    },
  },
  {
    title: "lb_policy without a name",
    text: proxy("lb_policy"),
    problems: ["2:3 reverse_proxy.lb_policy: Expected at least one argument but received none"],
  },
  {
    title: "lb_policy of another module",
    text: proxy("lb_policy fastest"),
    problems: [refusal("2:13", "reverse_proxy.lb_policy.module")],
  },
  {
    title: "lb_policy first with an argument",
    text: proxy("lb_policy first 2"),
    problems: ['2:19 reverse_proxy.lb_policy.first: Expected no argument but received "2"'],
  },
  {
    title: "lb_policy random_choose without a number",
    text: proxy("lb_policy random_choose"),
    problems: [
      "2:13 reverse_proxy.lb_policy.random_choose: Expected one argument but received none",
    ],
  },
  {
    title: "lb_policy random_choose of one",
    text: proxy("lb_policy random_choose 1"),
    problems: [
      '2:27 reverse_proxy.lb_policy.random_choose: Expected a whole number of at least 2 but received "1"',
    ],
  },
  {
    title: "lb_policy weighted_round_robin with a word",
    text: proxy("lb_policy weighted_round_robin 3 x"),
    problems: [
      '2:36 reverse_proxy.lb_policy.weighted_round_robin: Expected a whole number but received "x"',
    ],
  },
  {
    title: "lb_policy weighted_round_robin with a negative weight",
    text: proxy("lb_policy weighted_round_robin 3 -1"),
    problems: [
      '2:36 reverse_proxy.lb_policy.weighted_round_robin: Expected a whole number of at least 0 but received "-1"',
    ],
  },
  {
    title: "lb_policy header without a field",
    text: proxy("lb_policy header"),
    problems: ["2:13 reverse_proxy.lb_policy.header: Expected one argument but received none"],
  },
  {
    title: "lb_policy cookie with too much",
    text: proxy("lb_policy cookie a b c"),
    problems: [
      '2:24 reverse_proxy.lb_policy.cookie: Expected at most 2 arguments but received "c"',
    ],
  },
  {
    title: "lb_policy twice",
    text: proxy("lb_policy first", "lb_policy random"),
    problems: ["3:3 reverse_proxy.lb_policy: Expected lb_policy once but received it again"],
  },
  {
    title: "a fallback where there is none",
    text: proxy("lb_policy first {", "  fallback random", "}"),
    problems: [
      '3:5 reverse_proxy.lb_policy.first: Expected no block for first but received "fallback"',
    ],
  },
  {
    title: "max_age of a header",
    text: proxy("lb_policy header X {", "  max_age 1h", "}"),
    problems: ['3:5 reverse_proxy.lb_policy: Expected fallback in header but received "max_age"'],
  },
  {
    title: "a bad max_age",
    text: proxy("lb_policy cookie {", "  max_age soon", "}"),
    problems: [
      '3:13 reverse_proxy.lb_policy.max_age: Expected a duration such as "10s" but received "soon"',
    ],
  },
  {
    title: "a fallback twice",
    text: proxy("lb_policy header X {", "  fallback first", "  fallback random", "}"),
    problems: [
      "4:5 reverse_proxy.lb_policy.fallback: Expected fallback once but received it again",
    ],
  },
  {
    title: "an unknown fallback",
    text: proxy("lb_policy header X {", "  fallback fastest", "}"),
    problems: [refusal("3:14", "reverse_proxy.lb_policy.module")],
  },
  {
    title: "lb_retries counts attempts after the first",
    text: proxy("lb_retries 2"),
    route: { upstreams: ["http://a:8080"], retry: { attempts: 3 } },
  },
  {
    title: "lb_try_duration with an interval",
    text: proxy("lb_try_duration 30s", "lb_try_interval 1s"),
    route: { upstreams: ["http://a:8080"], retry: { for: "30s", interval: "1s" } },
  },
  {
    title: "lb_retries with an interval waits for as long as they can take",
    text: proxy("lb_retries 5", "lb_try_interval 1s"),
    route: { upstreams: ["http://a:8080"], retry: { attempts: 6, interval: "1s", for: "20s" } },
  },
  {
    title: "an interval of none",
    text: proxy("lb_try_duration 5s", "lb_try_interval 0"),
    route: { upstreams: ["http://a:8080"], retry: { for: "5s", interval: "1ms" } },
  },
  {
    title: "lb_retries with a word",
    text: proxy("lb_retries many"),
    problems: ['2:14 reverse_proxy.lb_retries: Expected a whole number but received "many"'],
  },
  {
    title: "lb_retries below none",
    text: proxy("lb_retries -1"),
    problems: [
      '2:14 reverse_proxy.lb_retries: Expected a whole number of at least 0 but received "-1"',
    ],
  },
  {
    title: "lb_try_duration without a unit",
    text: proxy("lb_try_duration 5"),
    problems: [
      '2:19 reverse_proxy.lb_try_duration: Expected a duration such as "10s" but received "5"',
    ],
  },
  {
    title: "lb_try_duration twice",
    text: proxy("lb_try_duration 5s", "lb_try_duration 6s"),
    problems: [
      "3:3 reverse_proxy.lb_try_duration: Expected lb_try_duration once but received it again",
    ],
  },
  {
    title: "lb_try_interval without a value",
    text: proxy("lb_try_interval"),
    problems: ["2:3 reverse_proxy.lb_try_interval: Expected one argument but received none"],
  },
];
