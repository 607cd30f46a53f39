/** What `lb_retry_match` asks of requests, responses and failures. */
import { type Case, proxy, refusal } from "./cases.ts";

export const RETRY_MATCH_CASES: readonly Case[] = [
  {
    title: "a matcher on the line",
    text: proxy("lb_retry_match method POST PUT"),
    route: {
      upstreams: ["http://a:8080"],
      retry: { idempotent: false, match: [{ method: ["POST", "PUT"] }] },
    },
  },
  {
    title: "matchers of a block must all hold, and lines are alternatives",
    text: proxy(
      "lb_retry_match {",
      "  method POST",
      "  path /api/*",
      "}",
      "lb_retry_match path /free/*",
    ),
    route: {
      upstreams: ["http://a:8080"],
      retry: {
        idempotent: false,
        match: [{ method: "POST", path: "/api/*" }, { path: "/free/*" }],
      },
    },
  },
  {
    title: "statuses",
    text: proxy("lb_retry_match expression `{rp.status_code} in [502, 503]`"),
    route: {
      upstreams: ["http://a:8080"],
      retry: { idempotent: false, responses: [{ status: [502, 503] }] },
    },
  },
  {
    title: "an expression without quotes around it",
    text: proxy(
      'lb_retry_match expression {rp.status_code} == 503 && {rp.header.X-Retry} == "yes"',
    ),
    route: {
      upstreams: ["http://a:8080"],
      retry: { idempotent: false, responses: [{ status: [503], headers: { "X-Retry": "yes" } }] },
    },
  },
  {
    title: "a failure of the connection",
    text: proxy("lb_retry_match expression {rp.is_transport_error}"),
    route: { upstreams: ["http://a:8080"], retry: { idempotent: false, match: [{ path: "*" }] } },
  },
  {
    title: "alternatives of failures and statuses",
    text: proxy("lb_retry_match expression `{rp.is_transport_error} || {rp.status_code} >= 500`"),
    route: {
      upstreams: ["http://a:8080"],
      retry: { idempotent: false, match: [{ path: "*" }], responses: [{ status: ["5xx"] }] },
    },
  },
  {
    title: "an expression beside a matcher",
    text: proxy(
      "lb_retry_match {",
      "  method POST",
      "  expression `{rp.is_transport_error} || {rp.status_code} == 502`",
      "}",
    ),
    route: {
      upstreams: ["http://a:8080"],
      retry: {
        idempotent: false,
        match: [{ method: "POST" }],
        responses: [{ status: [502], match: { method: "POST" } }],
      },
    },
  },
  {
    title: "the request within the expression",
    text: proxy(
      "lb_retry_match expression `method('GET', 'POST') && {http.reverse_proxy.status_code} == 503`",
    ),
    route: {
      upstreams: ["http://a:8080"],
      retry: {
        idempotent: false,
        responses: [{ status: [503], match: { method: ["GET", "POST"] } }],
      },
    },
  },
  {
    title: "fields that are there, absent or begin with something",
    text: proxy(
      "lb_retry_match expression `{rp.header.X-A} != '' && {rp.header.X-B} == '' && {rp.header.X-C}.startsWith('re')`",
    ),
    route: {
      upstreams: ["http://a:8080"],
      retry: {
        idempotent: false,
        responses: [{ headers: { "X-A": "*", "X-B": null, "X-C": "re*" } }],
      },
    },
  },
  {
    title: "denied questions",
    text: proxy("lb_retry_match expression `!({rp.status_code} < 500 || {rp.status_code} > 502)`"),
    route: {
      upstreams: ["http://a:8080"],
      retry: { idempotent: false, responses: [{ status: [500, 501, 502] }] },
    },
  },
  {
    title: "a failure compared with true",
    text: proxy("lb_retry_match expression `{rp.is_transport_error} == true && path('/a')`"),
    route: { upstreams: ["http://a:8080"], retry: { idempotent: false, match: [{ path: "/a" }] } },
  },
  {
    title: "fields of several values",
    text: proxy(
      "lb_retry_match expression `{rp.header.X-A} in ['a', 'b'] || {rp.header.X-A}.endsWith('z') || {rp.header.X-A}.contains('y')`",
    ),
    route: {
      upstreams: ["http://a:8080"],
      retry: {
        idempotent: false,
        responses: [{ headers: { "X-A": ["a", "b"] } }, { headers: { "X-A": "*z" } }, {
          headers: { "X-A": "*y*" },
        }],
      },
    },
  },
  {
    title: "nothing",
    text: proxy("lb_retry_match"),
    problems: ["2:3 reverse_proxy.lb_retry_match: Expected a matcher but received none"],
  },
  {
    title: "an unknown matcher",
    text: proxy("lb_retry_match metod POST"),
    problems: [
      '2:18 matcher: Expected a matcher such as "path" but received "metod" (did you mean "method"?)',
    ],
  },
  {
    title: "a matcher and a block",
    text: proxy("lb_retry_match method POST {", "  path /a", "}"),
    problems: [
      "2:18 reverse_proxy.lb_retry_match: Expected either a matcher or a block but received both",
    ],
  },
  {
    title: "what is no expression",
    text: proxy("lb_retry_match expression `{rp.status_code} =`"),
    problems: [refusal("2:18", "reverse_proxy.lb_retry_match.other expression")],
  },
  {
    title: "a status text",
    text: proxy("lb_retry_match expression `{rp.status_text} == 'Bad Gateway'`"),
    problems: [refusal("2:18", "reverse_proxy.lb_retry_match.other expression")],
  },
  {
    title: "a failure that has a status",
    text: proxy("lb_retry_match expression `{rp.is_transport_error} && {rp.status_code} == 502`"),
    problems: [refusal("2:18", "reverse_proxy.lb_retry_match.other expression")],
  },
  {
    title: "anything but a failure",
    text: proxy("lb_retry_match expression `!{rp.is_transport_error}`"),
    problems: [refusal("2:18", "reverse_proxy.lb_retry_match.other expression")],
  },
  {
    title: "anything but one value",
    text: proxy("lb_retry_match expression `{rp.header.X-A} != 'a'`"),
    problems: [refusal("2:18", "reverse_proxy.lb_retry_match.other expression")],
  },
  {
    title: "statuses that cannot be",
    text: proxy("lb_retry_match expression `{rp.status_code} > 700`"),
    problems: [refusal("2:18", "reverse_proxy.lb_retry_match.other expression")],
  },
];
