/** Steps: every action, long and short, and what is said of wrong ones. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Action } from "../../src/rules.ts";
import { action, problems, step, withStep } from "../support/config_text.ts";

const HASH = `$2a$14$${"a".repeat(53)}`;
const NO_EDITS = { remove: [], replace: [], set: [], add: [], fallback: [] };
const NO_REWRITE = {
  method: undefined,
  uri: undefined,
  stripPrefix: undefined,
  stripSuffix: undefined,
  replace: [],
};
const OK = { kind: "respond", status: [], body: [], fields: [], close: false } as const;

describe("step", () => {
  const cases: [string, Action][] = [
    ["respond: 204", { ...OK, status: ["204"] }],
    ["respond: 'I am {host}'", { ...OK, body: ["I am ", { name: "host" }] }],
    ["respond: {}", OK],
    [
      'respond: { status: "{var.code}", body: "a\\nb", headers: { X-A: "{path}" }, close: true }',
      {
        kind: "respond",
        status: [{ name: "var", of: "code" }],
        body: ["a\nb"],
        fields: [{ name: "X-A", value: [{ name: "path" }] }],
        close: true,
      },
    ],
    ["respond: { status: '${CODE}' }", { ...OK, status: ["204"] }],
    ["redirect: /new", { kind: "redirect", to: ["/new"], status: 302 }],
    ["redirect: { to: 'https://{host}{uri}', status: 308 }", {
      kind: "redirect",
      to: ["https://", { name: "host" }, { name: "uri" }],
      status: 308,
    }],
    ["error: 404", { kind: "error", status: ["404"], text: [] }],
    ["error: { message: 'no {path}' }", {
      kind: "error",
      status: ["500"],
      text: ["no ", { name: "path" }],
    }],
    ["rewrite: { uri: '/new{uri}' }", {
      kind: "rewrite",
      rewrite: { ...NO_REWRITE, uri: ["/new", { name: "uri" }] },
    }],
    [
      "rewrite: { method: post, strip_prefix: /a, strip_suffix: .html, replace: [{ search: a, with: b, max: 1 }, { search_regexp: /+, with: / }] }",
      {
        kind: "rewrite",
        rewrite: {
          method: ["POST"],
          uri: undefined,
          stripPrefix: ["/a"],
          stripSuffix: [".html"],
          replace: [
            { search: "a", with: ["b"], max: 1 },
            { search: new RegExp("/+", "g"), with: ["/"], max: Infinity },
          ],
        },
      },
    ],
    ["headers: { request: { set: { X-A: b } }, response: { default: { X-B: c } } }", {
      kind: "headers",
      request: { ...NO_EDITS, set: [{ name: "X-A", value: ["b"] }] },
      response: { ...NO_EDITS, fallback: [{ name: "X-B", value: ["c"] }] },
    }],
    ["vars: { tier: '{header.X-Tier}' }", {
      kind: "var",
      name: "tier",
      value: [{ name: "header", of: "X-Tier" }],
    }],
    ["vars: { a: b, c: d }", {
      kind: "steps",
      steps: [
        { match: undefined, action: { kind: "var", name: "a", value: ["b"] } },
        { match: undefined, action: { kind: "var", name: "c", value: ["d"] } },
      ],
    }],
    ["encode: { formats: gzip, minimum_length: 1KiB, match: { status: 2xx } }", {
      kind: "encode",
      formats: ["gzip"],
      leastBytes: 1024,
      match: { status: [{ from: 200, to: 299 }], headers: [] },
    }],
    [`basic_auth: { users: { bob: ${HASH} } }`, {
      kind: "basic_auth",
      realm: "restricted",
      users: [{ name: "bob", hash: HASH }],
    }],
    ["limits: { request_body: 10MB }", { kind: "limit", bodyBytes: 10_000_000 }],
    ["access_log: off", { kind: "unlogged" }],
    ["steps: [{ respond: 204 }]", {
      kind: "steps",
      steps: [{ match: undefined, action: { ...OK, status: ["204"] } }],
    }],
    ["steps: []", { kind: "steps", steps: [] }],
    ["first_of: [{ match: { method: GET }, steps: [respond: 204] }, { steps: [] }]", {
      kind: "first_of",
      branches: [
        {
          match: { kind: "method", methods: ["GET"] },
          steps: [{ match: undefined, action: { ...OK, status: ["204"] } }],
        },
        { match: undefined, steps: [] },
      ],
    }],
  ];
  for (const [written, expected] of cases) {
    it(`reads ${written}`, async () => {
      assert.deepEqual(await step(written), { match: undefined, action: expected });
    });
  }

  it("compresses texts in two formats when encode says only that", async () => {
    const [short, long] = [await action("encode: [zstd, gzip]"), await action("encode: {}")];
    assert.deepEqual(short, long);
    assert.ok(short.kind === "encode" && short.leastBytes === 512);
    const [types] = short.match.headers;
    assert.equal(types?.name, "Content-Type");
    assert.ok(types.values.includes("text/*") && types.values.includes("application/json*"));
  });

  it("asks with GET when forward_auth says nothing else", async () => {
    const auth = await action(
      "forward_auth: { upstreams: [http://a], uri: /verify, copy_headers: [Remote-User, { from: X-A, to: X-B }] }",
    );
    assert.ok(auth.kind === "forward_auth");
    assert.deepEqual(auth.pool.rewrite, { ...NO_REWRITE, method: ["GET"], uri: ["/verify"] });
    assert.deepEqual(auth.copy, [
      { from: "Remote-User", to: "Remote-User" },
      { from: "X-A", to: "X-B" },
    ]);
  });

  it("passes responses on only where there is one", async () => {
    const proxy = await action(
      "proxy: { upstreams: [a], responses: [{ match: { status: 404 }, steps: [{ copy_response_headers: { include: [X-A] } }, { copy_response: { status: 200 } }] }, { steps: [{ copy_response_headers: { exclude: X-A } }, { copy_response: {} }] }, { match: { headers: { X-A: null } }, status: 503 }] }",
    );
    assert.deepEqual(proxy.kind === "proxy" && proxy.pool.responses, [
      {
        match: { status: [{ from: 404, to: 404 }], headers: [] },
        action: {
          kind: "steps",
          steps: [
            {
              match: undefined,
              action: { kind: "copy_response_headers", include: ["X-A"], exclude: [] },
            },
            { match: undefined, action: { kind: "copy_response", status: ["200"] } },
          ],
        },
      },
      {
        match: { status: [], headers: [] },
        action: {
          kind: "steps",
          steps: [
            {
              match: undefined,
              action: { kind: "copy_response_headers", include: [], exclude: ["X-A"] },
            },
            { match: undefined, action: { kind: "copy_response", status: undefined } },
          ],
        },
      },
      {
        match: { status: [], headers: [{ name: "X-A", values: [] }] },
        action: { kind: "status", status: ["503"] },
      },
    ]);
  });

  const STATUS =
    'Expected a status from 200 to 599, or a placeholder such as "{error_status}", but';
  const wrong: [string, string][] = [
    [
      "{}",
      '3:9 routes[0].steps[0]: Expected one action such as "proxy" or "respond" but received none',
    ],
    [
      "{ match: { path: / } }",
      '3:9 routes[0].steps[0]: Expected one action such as "proxy" or "respond" but received none',
    ],
    [
      "{ respond: 204, error: 404 }",
      '3:25 routes[0].steps[0].error: Expected one action such as "proxy" or "respond" but received "error" beside "respond"',
    ],
    [
      "respnd: 204",
      '3:9 routes[0].steps[0].respnd: Expected a known key but received "respnd", did you mean "respond"?',
    ],
    ["respond: 103", `3:18 routes[0].steps[0].respond: ${STATUS} received 103`],
    [
      "respond: { status: 2000 }",
      `3:28 routes[0].steps[0].respond.status: ${STATUS} received 2000`,
    ],
    [
      "respond: { status: '{var.a}{var.b}' }",
      `3:28 routes[0].steps[0].respond.status: ${STATUS} received "{var.a}{var.b}"`,
    ],
    [
      "respond: '{\"a\": 1}'",
      '3:18 routes[0].steps[0].respond: Expected a known placeholder ("{{" is a plain brace) but received "{\\"a\\": 1}"',
    ],
    [
      "respond: '{hosd}'",
      '3:18 routes[0].steps[0].respond: Expected a known placeholder ("{{" is a plain brace) but received "{hosd}", did you mean "host"?',
    ],
    [
      "respond: '{headr.X}'",
      '3:18 routes[0].steps[0].respond: Expected a known placeholder ("{{" is a plain brace) but received "{headr.X}", did you mean "header"?',
    ],
    [
      "respond: '{header}'",
      '3:18 routes[0].steps[0].respond: Expected a placeholder such as "{header.User-Agent}" but received "{header}"',
    ],
    [
      "respond: '{segment.x}'",
      '3:18 routes[0].steps[0].respond: Expected a placeholder such as "{segment.0}" but received "{segment.x}"',
    ],
    [
      'respond: { headers: { X-A: "a\\nb" } }',
      "3:36 routes[0].steps[0].respond.headers.X-A: Expected a header value but received one with a line break or another character no header can hold",
    ],
    [
      "respond: { headers: { Content-Length: '1' } }",
      '3:31 routes[0].steps[0].respond.headers.Content-Length: Expected a header that understudy does not manage itself but received "Content-Length"',
    ],
    [
      "redirect: { to: /, status: 200 }",
      "3:36 routes[0].steps[0].redirect.status: Expected a whole number from 300 to 399 but received 200",
    ],
    [
      "redirect: 'a b'",
      '3:19 routes[0].steps[0].redirect: Expected where to, such as "https://{host}{uri}", but received "a b"',
    ],
    [
      "redirect: { status: 301 }",
      '3:9 routes[0].steps[0].redirect.to: Expected a key "to" but received none',
    ],
    ["error: nope", `3:16 routes[0].steps[0].error: ${STATUS} received "nope"`],
    [
      "rewrite: {}",
      '3:9 routes[0].steps[0].rewrite: Expected at least one key such as "uri" but received none',
    ],
    [
      "rewrite: { uri: new }",
      '3:25 routes[0].steps[0].rewrite.uri: Expected a path and query such as "/new{uri}" but received "new"',
    ],
    [
      "rewrite: { strip_prefix: api }",
      '3:34 routes[0].steps[0].rewrite.strip_prefix: Expected a part of a path such as "/api" but received "api"',
    ],
    [
      "rewrite: { method: 'a b' }",
      '3:28 routes[0].steps[0].rewrite.method: Expected a method such as "GET" but received "a b"',
    ],
    [
      "rewrite: { replace: { search: a, search_regexp: b, with: c } }",
      '3:42 routes[0].steps[0].rewrite.replace.search_regexp: Expected either "search" or "search_regexp" but received "search_regexp" beside "search"',
    ],
    [
      "vars: { 'a b': c }",
      '3:17 routes[0].steps[0].vars["a b"]: Expected a name of letters, digits, _, . and - but received "a b"',
    ],
    [
      "vars: { a: 1 }",
      "3:20 routes[0].steps[0].vars.a: Expected a text, in quotes, but received 1",
    ],
    [
      "encode: brotli",
      '3:17 routes[0].steps[0].encode: Expected "zstd" or "gzip" but received "brotli"',
    ],
    [
      "basic_auth: { users: {} }",
      "3:23 routes[0].steps[0].basic_auth.users: Expected at least one user but received none",
    ],
    [
      "basic_auth: { users: { bob: hunter2 } }",
      '3:37 routes[0].steps[0].basic_auth.users.bob: Expected a bcrypt hash such as "$2a$14$…" but received something else',
    ],
    [
      `basic_auth: { users: { 'a:b': ${HASH} } }`,
      '3:32 routes[0].steps[0].basic_auth.users["a:b"]: Expected a user\'s name without a colon but received "a:b"',
    ],
    [
      "forward_auth: { upstreams: [a] }",
      '3:9 routes[0].steps[0].forward_auth.uri: Expected a key "uri" but received none',
    ],
    [
      "proxy: {}",
      '3:9 routes[0].steps[0].proxy: Expected "upstreams" or "dynamic" but received none',
    ],
    [
      "proxy: { upstreams: [a, a] }",
      '3:33 routes[0].steps[0].proxy.upstreams[1]: Expected a name unique in its route but received "a:80", as upstreams[0] has',
    ],
    ["access_log: on", '3:21 routes[0].steps[0].access_log: Expected "off" but received "on"'],
    [
      "copy_response: {}",
      '3:9 routes[0].steps[0].copy_response: Expected steps of "responses" around "copy_response" but received none',
    ],
    [
      "first_of: []",
      "3:9 routes[0].steps[0].first_of: Expected at least one entry but received an empty list",
    ],
    [
      "first_of: [{ match: { path: / } }]",
      '3:20 routes[0].steps[0].first_of[0].steps: Expected a key "steps" but received none',
    ],
    [
      "first_of: [{ steps: [] }, { steps: [] }]",
      "3:35 routes[0].steps[0].first_of[1]: Expected a branch that is reached but received one behind first_of[0], which takes everything",
    ],
    [
      "proxy: { upstreams: [a], responses: { status: 200, steps: [] } }",
      '3:60 routes[0].steps[0].proxy.responses.steps: Expected "status" or "steps" but received "steps" beside "status"',
    ],
  ];
  for (const [written, expected] of wrong) {
    it(`refuses ${written}`, async () => {
      assert.deepEqual(await problems(withStep(written)), [expected]);
    });
  }
});
