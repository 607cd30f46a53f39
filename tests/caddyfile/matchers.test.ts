/** Named matchers and expressions: the `match` they become, and what is refused. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readExpression } from "../../src/caddyfile/expression.ts";
import { at, readingOf } from "./reading.ts";

async function matchOf(definition: string): Promise<unknown> {
  const { tree, problems } = await readingOf(`:80 {\n@m ${definition}\nrespond @m hi\n}\n`);
  return problems.length > 0 ? problems : at(tree, "routes", 0, "steps", 0, "match");
}

describe("matchers", () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ["host a.com *.b.com", { host: ["a.com", "*.b.com"] }],
    ["path /a/* *.php", { path: ["/a/*", "*.php"] }],
    ["path_regexp ^/v([0-9])", { path_regexp: "^/v([0-9])" }],
    ["path_regexp ver ^/v([0-9])", { path_regexp: { name: "ver", pattern: "^/v([0-9])" } }],
    ["method GET post", { method: ["GET", "post"] }],
    ["header X-A *b*", { header: { "X-A": "*b*" } }],
    ["header X-A b c", { header: { "X-A": ["b", "c"] } }],
    ["header !X-A", { header: { "X-A": null } }],
    ["header_regexp X-A ^b", { header_regexp: { "X-A": "^b" } }],
    ["header_regexp n X-A ^b", { header_regexp: { "X-A": { name: "n", pattern: "^b" } } }],
    ["query a=1 a=2 b=*", { query: { a: ["1", "2"], b: "*" } }],
    ['query ""', { query: "" }],
    ["remote_ip private_ranges 1.2.3.4", { remote_ip: ["private_ranges", "1.2.3.4"] }],
    ["client_ip 10.0.0.0/8", { client_ip: "10.0.0.0/8" }],
    ["protocol https", { protocol: "https" }],
    ["vars a 1 2", { var: { a: ["1", "2"] } }],
    ["vars {vars.a} 1", { var: { a: "1" } }],
    ["not path /a", { not: { path: "/a" } }],
    ["{\n not {\n  path /a\n  method GET\n }\n not host a\n}", {
      not: [{ path: "/a", method: "GET" }, { host: "a" }],
    }],
    ["{\n path /a\n path /b\n method GET\n}", { path: ["/a", "/b"], method: "GET" }],
    ["{\n header X a\n header Y b\n header X c\n}", { header: { X: ["a", "c"], Y: "b" } }],
    ['expression {method} == "GET"', { method: "GET" }],
    ["expression `{method} != 'GET'`", { not: { method: "GET" } }],
    ['`{host} in ["a", "b"]`', { host: ["a", "b"] }],
    ["expression `path('/a', '/b') && method('GET')`", { path: ["/a", "/b"], method: "GET" }],
    ["expression `path('/a') && path('/b')`", {
      not: [{ not: { path: "/a" } }, { not: { path: "/b" } }],
    }],
    ["expression `path('/a') || !method('GET')`", {
      any: [{ path: "/a" }, { not: { method: "GET" } }],
    }],
    ["expression `(path('/a') || path('/b')) && host('x')`", {
      any: [{ path: "/a" }, { path: "/b" }],
      host: "x",
    }],
    ["expression `{path} == '/a.b'`", { path_regexp: "^(?:/a\\.b)$" }],
    ["expression `{path}.startsWith('/a')`", { path_regexp: "^/a" }],
    ["expression `{http.request.uri.path}.endsWith('.x')`", { path_regexp: "\\.x$" }],
    ["expression `{header.X-A}.contains('b')`", { header_regexp: { "X-A": "b" } }],
    ["expression `{header.X-A}.matches('^b')`", { header_regexp: { "X-A": "^b" } }],
    ["expression `{header.X-A} == ''`", { header: { "X-A": null } }],
    ["expression `{query.a} == 'b'`", { query: { a: "b" } }],
    ["expression `{cookie.a} == 'b'`", { header_regexp: { Cookie: "(?:^|; *)a=(?:b)(?:;|$)" } }],
    ["expression `{vars.a} == 'b'`", { var: { a: "b" } }],
    ["expression `{scheme} == 'https'`", { protocol: "https" }],
    ["expression `'10.0.0.1' == {remote_host}`", { remote_ip: "10.0.0.1" }],
    ["expression `header({'X-A': ['b', 'c']})`", { header: { "X-A": ["b", "c"] } }],
    ["expression `header_regexp('X-A', '^b')`", { header_regexp: { "X-A": "^b" } }],
    ["expression `path_regexp('v', '^/b')`", { path_regexp: { name: "v", pattern: "^/b" } }],
    ["expression `query({'a': '1'})`", { query: { a: "1" } }],
    ["expression `remote_ip('10.0.0.0/8')`", { remote_ip: "10.0.0.0/8" }],
  ];
  for (const [definition, expected] of cases) {
    it(`take ${definition.replaceAll("\n", " ")}`, async () => {
      assert.deepEqual(await matchOf(definition), expected);
    });
  }

  const refusals: readonly (readonly [string, string])[] = [
    [
      "file",
      "matcher.file: Cannot take this over as it serves no files; use `path` or `path_regexp`",
    ],
    [
      "vars_regexp a b",
      "matcher.vars_regexp: Cannot take this over as variables are compared as they are; use `vars`",
    ],
    [
      "remote_ip forwarded 1.2.3.4",
      "matcher.remote_ip.forwarded: Cannot take this over as it trusted everybody; use client_ip and trusted_proxies",
    ],
    [
      "protocol http/2",
      "matcher.protocol.version: Cannot take this over as versions are not matched; use http, https or grpc",
    ],
    [
      "pth /a",
      'matcher: Expected a matcher such as "path" but received "pth" (did you mean "path"?)',
    ],
    [
      "{\n path_regexp a\n path_regexp b\n}",
      "matcher.path_regexp: Expected path_regexp once in a matcher but received it again",
    ],
    ["path", "matcher.path: Expected at least one argument but received none"],
    [
      "path {host}",
      'matcher.path: Cannot take the placeholder "{host}" over here as it has no counterpart',
    ],
    [
      "path_regexp (?=a)",
      'matcher.path_regexp: Expected a regular expression that JavaScript knows as well ("(?=a)" has no counterpart in JavaScript) but received "(?=a)"',
    ],
    ["query a", 'matcher.query: Expected a query such as "key=value" but received "a"'],
    [
      "remote_ip x",
      'matcher.remote_ip: Expected an address block such as "192.168.0.0/16", or "private_ranges", but received "x"',
    ],
    [
      "expression `{uri} == 'x'`",
      "matcher.expression: Cannot take this expression over as {http.request.uri} cannot be compared like this; use other matchers, such as path, header or not",
    ],
    [
      "expression `{method} ==`",
      "matcher.expression: Cannot take this expression over as a value is missing at its end; use other matchers, such as path, header or not",
    ],
    [
      "expression `size({method}) > 3`",
      "matcher.expression: Cannot take this expression over as one side of a comparison is a placeholder; use other matchers, such as path, header or not",
    ],
    [
      "expression `frob('x')`",
      'matcher.expression: Cannot take this expression over as "frob(…)" has no counterpart in this form; use other matchers, such as path, header or not',
    ],
    [
      "expression `{method} == 'a' ? true : false`",
      'matcher.expression: Cannot take this expression over as an operator is expected before "? true : false"; use other matchers, such as path, header or not',
    ],
  ];
  for (const [definition, expected] of refusals) {
    it(`refuse ${definition}`, async () => {
      const match = await matchOf(definition);
      assert.ok(Array.isArray(match));
      assert.deepEqual(match.map((one) => String(one).replace(/^Caddyfile:\d+:\d+ /, "")), [
        expected,
      ]);
    });
  }

  it("lend their name to an expression without one, where a text refers to it", async () => {
    const { tree } = await readingOf(`:80 {\n@m path_regexp ^/(a)\nrespond @m {re.m.1}\n}`);
    assert.deepEqual(at(tree, "routes", 0, "steps", 0), {
      match: { path_regexp: { name: "m", pattern: "^/(a)" } },
      respond: "{re.m.1}",
    });
  });

  it("reach into blocks, which may define their own", async () => {
    const { tree, problems } = await readingOf(
      `:80 {\n@m path /a\nhandle {\n@n path /b\nrespond @m a\nrespond @n b\n}\n}`,
    );
    assert.deepEqual(problems, []);
    assert.deepEqual(at(tree, "routes", 0, "steps"), [
      { match: { path: "/a" }, respond: "a" },
      { match: { path: "/b" }, respond: "b" },
    ]);
  });

  it("are refused when unknown or there twice", async () => {
    const { problems } = await readingOf(`:80 {\n@m path /a\n@m path /b\nrespond @n a\n}`);
    assert.deepEqual(problems, [
      'Caddyfile:3:1 : Expected each matcher once but received "@m" again',
      'Caddyfile:4:9 respond: Expected a matcher defined here but received "@n" (did you mean "@m"?)',
    ]);
  });
});

describe("readExpression()", () => {
  it("reads or refuses any text", () => {
    const piece = fc.constantFrom(
      "(",
      ")",
      "!",
      "&&",
      "||",
      "{a}",
      "'x'",
      "==",
      ".",
      "f(",
      "[",
      "]",
      ",",
      "{",
      "1",
      " ",
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 30 }).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(text, (one) => assert.match(readExpression(one).kind, /^(?:read|refused)$/)),
      { numRuns: 300 },
    );
  });

  it("bounds its depth", () => {
    assert.deepEqual(readExpression("(".repeat(10_000)), {
      kind: "refused",
      reason: "it nests more than 40 levels",
    });
  });
});
