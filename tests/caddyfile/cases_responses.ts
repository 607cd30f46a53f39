/** What becomes of responses, and requests that are asked about first. */
import { type Case, proxy, refusal } from "./cases.ts";

export const RESPONSE_CASES: readonly Case[] = [
  {
    title: "replace_status",
    text: proxy("replace_status 503"),
    route: { upstreams: ["http://a:8080"], responses: [{ status: 503 }] },
  },
  {
    title: "replace_status of a matcher",
    text: proxy("@gone status 404 410", "replace_status @gone 200"),
    route: {
      upstreams: ["http://a:8080"],
      responses: [{ match: { status: [404, 410] }, status: 200 }],
    },
  },
  {
    title: "handle_response",
    text: proxy("@err status 5xx", "handle_response @err {", '  respond "sorry" 503', "}"),
    route: {
      upstreams: ["http://a:8080"],
      responses: [{
        match: { status: ["5xx"] },
        steps: [{ respond: { status: 503, body: "sorry" } }],
      }],
    },
  },
  {
    title: "matchers of both kinds, defined below",
    text: proxy(
      "handle_response @m {",
      "  respond 204",
      "}",
      "@m {",
      "  status 2xx 404",
      "  header X-A a*",
      "  header X-A *b",
      "  header !X-B",
      "}",
    ),
    route: {
      upstreams: ["http://a:8080"],
      responses: [{
        match: { status: ["2xx", 404], headers: { "X-A": ["a*", "*b"], "X-B": null } },
        steps: [{ respond: 204 }],
      }],
    },
  },
  {
    title: "copy_response",
    text: proxy("handle_response {", "  copy_response 202", "}"),
    route: {
      upstreams: ["http://a:8080"],
      responses: [{ steps: [{ copy_response: { status: 202 } }] }],
    },
  },
  {
    title: "copy_response with its status in a block",
    text: proxy("handle_response {", "  copy_response {", "    status 202", "  }", "}"),
    route: {
      upstreams: ["http://a:8080"],
      responses: [{ steps: [{ copy_response: { status: 202 } }] }],
    },
  },
  {
    title: "copy_response_headers",
    text: proxy(
      "handle_response {",
      "  copy_response_headers {",
      "    include X-A X-B",
      "  }",
      "  respond 200",
      "}",
    ),
    route: {
      upstreams: ["http://a:8080"],
      responses: [{
        steps: [{ copy_response_headers: { include: ["X-A", "X-B"] } }, { respond: 200 }],
      }],
    },
  },
  {
    title: "copy_response_headers but some",
    text: proxy(
      "handle_response {",
      "  copy_response_headers {",
      "    exclude X-A",
      "  }",
      "  copy_response",
      "}",
    ),
    route: {
      upstreams: ["http://a:8080"],
      responses: [{
        steps: [{ copy_response_headers: { exclude: ["X-A"] } }, { copy_response: {} }],
      }],
    },
  },
  {
    title: "replaced statuses come first, as in Caddy",
    text: proxy(
      "@a status 404",
      "handle_response @a {",
      "  respond 204",
      "}",
      "replace_status @a 410",
    ),
    route: {
      upstreams: ["http://a:8080"],
      responses: [{ match: { status: [404] }, status: 410 }, {
        match: { status: [404] },
        steps: [{ respond: 204 }],
      }],
    },
  },
  {
    title: "a status from a placeholder",
    text: proxy("replace_status {rp.status_code}"),
    route: { upstreams: ["http://a:8080"], responses: [{ status: "{status}" }] },
  },
  {
    title: "an unknown matcher",
    text: proxy("handle_response @nope {", "  respond 204", "}"),
    problems: [
      '2:19 reverse_proxy.handle_response: Expected a response matcher of this block but received "@nope"',
    ],
  },
  {
    title: "a matcher that is no name",
    text: proxy("handle_response 404 {", "  respond 204", "}"),
    problems: [
      '2:19 reverse_proxy.handle_response: Expected a response matcher such as @error but received "404"',
    ],
  },
  {
    title: "handle_response with a status",
    text: proxy("@a status 404", "handle_response @a 200"),
    problems: [refusal("3:22", "reverse_proxy.handle_response.status")],
  },
  {
    title: "replace_status without one",
    text: proxy("replace_status"),
    problems: [
      "2:3 reverse_proxy.replace_status: Expected at least one argument but received none",
    ],
  },
  {
    title: "replace_status that is none",
    text: proxy("replace_status fine"),
    problems: [
      '2:18 reverse_proxy.replace_status: Expected a status such as 503 but received "fine"',
    ],
  },
  {
    title: "replace_status with a block",
    text: proxy("replace_status 200 {", "  respond 204", "}"),
    problems: ['3:5 reverse_proxy.replace_status: Expected no block but received "respond"'],
  },
  {
    title: "a response matcher of another kind",
    text: proxy("@a path /x", "replace_status @a 200"),
    problems: [refusal("2:6", "reverse_proxy.@.module")],
  },
  {
    title: "a response matcher without a value",
    text: proxy("@a header X-A", "replace_status @a 200"),
    problems: ["2:6 reverse_proxy.@.header: Expected 2 arguments but received 1"],
  },
  {
    title: "a response matcher with a bad status",
    text: proxy("@a status many", "replace_status @a 200"),
    problems: [
      '2:13 reverse_proxy.@.status: Expected a status such as 200 or "2xx" but received "many"',
    ],
  },
  {
    title: "a response matcher twice",
    text: proxy("@a status 404", "@a status 405", "replace_status @a 200"),
    problems: ["3:3 reverse_proxy.@: Expected @a once but received it again"],
  },
  {
    title: "an empty response matcher",
    text: proxy("@a", "replace_status @a 200"),
    problems: ["2:3 reverse_proxy.@: Expected status or header but received nothing"],
  },
  {
    title: "include and exclude",
    text: proxy(
      "handle_response {",
      "  copy_response_headers {",
      "    include A",
      "    exclude B",
      "  }",
      "}",
    ),
    problems: ["3:5 copy_response_headers: Expected either include or exclude but received both"],
  },
  {
    title: "copy_response with too much",
    text: proxy("handle_response {", "  copy_response 200 300", "}"),
    problems: ['3:23 copy_response: Expected at most one argument but received "300"'],
  },
  {
    title: "intercept",
    text: ["intercept {", "  replace_status 200", "}"],
    problems: [refusal("1:1", "intercept")],
  },
  {
    title: "forward_auth",
    text: [
      "forward_auth authelia:9091 {",
      "  uri /api/verify?rd=x",
      "  copy_headers Remote-User Remote-Groups>X-Groups {",
      "    Remote-Email",
      "  }",
      "}",
    ],
    route: {
      steps: [{
        forward_auth: {
          upstreams: ["http://authelia:9091"],
          uri: "/api/verify?rd=x",
          copy_headers: ["Remote-User", { from: "Remote-Groups", to: "X-Groups" }, "Remote-Email"],
        },
      }],
    },
  },
  {
    title: "forward_auth with options of a pool",
    text: [
      "forward_auth /admin/* https://auth.lan {",
      "  uri /verify",
      "  header_up X-A a",
      "  transport http {",
      "    dial_timeout 1s",
      "  }",
      "}",
    ],
    route: {
      steps: [{
        match: { path: "/admin/*" },
        forward_auth: {
          upstreams: ["https://auth.lan"],
          transport: { dial_timeout: "1s" },
          headers: { request: { set: { "X-A": "a" } } },
          uri: "/verify",
        },
      }],
    },
  },
  {
    title: "forward_auth without uri",
    text: ["forward_auth a:9091"],
    problems: ["1:1 forward_auth: Expected uri to ask for but received none"],
  },
  {
    title: "forward_auth without upstreams",
    text: ["forward_auth {", "  uri /verify", "}"],
    problems: ["1:1 forward_auth: Expected at least one upstream but received none"],
  },
  {
    title: "forward_auth that handles responses",
    text: [
      "forward_auth a:9091 {",
      "  uri /verify",
      "  handle_response {",
      "    respond 204",
      "  }",
      "}",
    ],
    problems: [refusal("3:3", "forward_auth.responses")],
  },
  {
    title: "forward_auth by another method",
    text: ["forward_auth a:9091 {", "  uri /verify", "  method POST", "}"],
    problems: [refusal("3:3", "forward_auth.request")],
  },
  {
    title: "copy_headers of none",
    text: ["forward_auth a:9091 {", "  uri /verify", "  copy_headers", "}"],
    problems: ["3:3 forward_auth.copy_headers: Expected a field but received none"],
  },
];
