/** The section `match`: what each key asks, and what is said of wrong ones. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Matcher } from "../../src/rules.ts";
import { action, problems, step, withStep } from "../support/config_text.ts";

const TEN = { bytes: [10, 0, 0, 0], bits: 8 };

describe("match of a step", () => {
  const cases: [string, Matcher][] = [
    ["host: [A.com, '*.b.com']", { kind: "host", hosts: ["a.com", "*.b.com"] }],
    ["path: ['/api/*', '*.php']", { kind: "path", patterns: ["/api/*", "*.php"] }],
    ["under: /api", { kind: "prefix", paths: ["/api"] }],
    ["path_regexp: '^/v([0-9]+)'", {
      kind: "path_regexp",
      name: "",
      pattern: new RegExp("^/v([0-9]+)"),
    }],
    ["path_regexp: { name: version, pattern: '^/v(.)' }", {
      kind: "path_regexp",
      name: "version",
      pattern: new RegExp("^/v(.)"),
    }],
    ["method: [get, POST]", { kind: "method", methods: ["GET", "POST"] }],
    ["header: { X-Foo: bar* }", { kind: "header", name: "X-Foo", values: ["bar*"] }],
    ["header: { X-Foo: [a, b] }", { kind: "header", name: "X-Foo", values: ["a", "b"] }],
    ["header: { X-Gone: null }", { kind: "header", name: "X-Gone", values: [] }],
    ["header: { Connection: '*' }", { kind: "header", name: "Connection", values: ["*"] }],
    ["header_regexp: { X-Foo: ^b }", {
      kind: "header_regexp",
      field: "X-Foo",
      name: "",
      pattern: /^b/,
    }],
    ["header_regexp: { X-Foo: { name: n, pattern: ^b } }", {
      kind: "header_regexp",
      field: "X-Foo",
      name: "n",
      pattern: /^b/,
    }],
    ["query: { id: '7' }", { kind: "query", key: "id", values: ["7"] }],
    ["query: { id: ['7', '*'] }", { kind: "query", key: "id", values: ["7", "*"] }],
    ["query: { id: }", { kind: "query", key: "id", values: [] }],
    ["query: ''", { kind: "query", key: "", values: [] }],
    ["remote_ip: 10.0.0.0/8", { kind: "remote_ip", blocks: [TEN] }],
    ["client_ip: [10.0.0.0/8, 10.0.0.0/8]", { kind: "client_ip", blocks: [TEN, TEN] }],
    ["protocol: grpc", { kind: "protocol", protocol: "grpc" }],
    ["var: { tier: [gold, silver] }", { kind: "var", name: "tier", values: ["gold", "silver"] }],
    ["any: [{ method: GET }, { protocol: https }]", {
      kind: "any",
      of: [{ kind: "method", methods: ["GET"] }, { kind: "protocol", protocol: "https" }],
    }],
    ["any: { method: GET }", { kind: "method", methods: ["GET"] }],
    ["not: { method: GET }", { kind: "not", of: { kind: "method", methods: ["GET"] } }],
    ["not: [{ method: GET }, { path: / }]", {
      kind: "not",
      of: {
        kind: "any",
        of: [{ kind: "method", methods: ["GET"] }, { kind: "path", patterns: ["/"] }],
      },
    }],
    ["method: GET, path: /a", {
      kind: "all",
      of: [{ kind: "method", methods: ["GET"] }, { kind: "path", patterns: ["/a"] }],
    }],
    ["header: { A: a, B: b }", {
      kind: "all",
      of: [
        { kind: "header", name: "A", values: ["a"] },
        { kind: "header", name: "B", values: ["b"] },
      ],
    }],
  ];
  for (const [written, expected] of cases) {
    it(`reads { ${written} }`, async () => {
      assert.deepEqual((await step(`{ respond: 204, match: { ${written} } }`)).match, expected);
    });
  }

  const wrong: [string, string][] = [
    [
      "{}",
      '3:25 routes[0].steps[0].match: Expected at least one key such as "path" or "method"' +
      " but received none",
    ],
    [
      "{ pth: / }",
      "3:34 routes[0].steps[0].match.pth: Expected a known key but received" +
      ' "pth", did you mean "path"?',
    ],
    [
      "{ path: api }",
      '3:40 routes[0].steps[0].match.path: Expected a path such as "/api/*" or' +
      ' "*.php" but received "api"',
    ],
    [
      "{ under: '/a*' }",
      '3:41 routes[0].steps[0].match.under: Expected a path prefix such as "/api"' +
      ', without "*", but received "/a*"',
    ],
    [
      "{ path_regexp: '(' }",
      "3:47 routes[0].steps[0].match.path_regexp: Expected a regular " +
      `expression in JavaScript's syntax but received "("`,
    ],
    [
      "{ path_regexp: '(a+)+$' }",
      "3:47 routes[0].steps[0].match.path_regexp: Expected a regular " +
      'expression that repeats nothing repeated, as "(a+)+" does, but received "(a+)+$"',
    ],
    [
      "{ path_regexp: { name: 1x, pattern: a } }",
      "3:55 routes[0].steps[0].match.path_regexp.name: " +
      'Expected a name such as "version" but received "1x"',
    ],
    [
      "{ header: { 'A B': c } }",
      '3:44 routes[0].steps[0].match.header["A B"]: Expected a header' +
      ' name such as "X-Origin" but received "A B"',
    ],
    [
      "{ query: '?a' }",
      '3:41 routes[0].steps[0].match.query: Expected a map, or "" for no query ' +
      'at all, but received "?a"',
    ],
    [
      "{ remote_ip: 10.0.0 }",
      "3:45 routes[0].steps[0].match.remote_ip: Expected an address block " +
      'such as "192.168.0.0/16", or "private_ranges", but received "10.0.0"',
    ],
    [
      "{ protocol: htps }",
      '3:44 routes[0].steps[0].match.protocol: Expected "http", "https" or ' +
      '"grpc" but received "htps", did you mean "https"?',
    ],
    [
      "{ not: [{ method: 'G T' }] }",
      "3:50 routes[0].steps[0].match.not[0].method: Expected a " +
      'method such as "GET" but received "G T"',
    ],
    [
      "{ var: { 'a b': c } }",
      '3:41 routes[0].steps[0].match.var["a b"]: Expected a name of ' +
      'letters, digits, _, . and - but received "a b"',
    ],
  ];
  for (const [written, expected] of wrong) {
    it(`refuses ${written}`, async () => {
      assert.deepEqual(await problems(withStep(`{ respond: 204, match: ${written} }`)), [expected]);
    });
  }

  it("refuses expressions that are too long", async () => {
    const [told] = await problems(
      withStep(`{ respond: 1, match: { path_regexp: ${"a".repeat(1001)} } }`)
        .replace("respond: 1,", "respond: 204,"),
    );
    assert.match(told ?? "", /Expected a regular expression of at most 1000 characters but/);
  });

  it("keeps the groups of an expression within reach of placeholders", async () => {
    const answer = await action("{ respond: '{re.version.1}', match: { path_regexp: '/(.)' } }");
    assert.deepEqual(answer.kind === "respond" && answer.body, [{ name: "re", of: "version.1" }]);
  });
});
