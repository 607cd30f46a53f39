/** Questions about requests and responses, row by row. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fields } from "../../src/fields.ts";
import { matches, matchesResponse } from "../../src/request/match.ts";
import type { Cidr, Matcher, ResponseMatcher } from "../../src/rules.ts";
import { visit, type VisitChanges } from "../support/fake_visit.ts";

const path = (...patterns: string[]): Matcher => ({ kind: "path", patterns });
const method = (...methods: string[]): Matcher => ({ kind: "method", methods });
const prefix = (...paths: string[]): Matcher => ({ kind: "prefix", paths });
const host = (...hosts: string[]): Matcher => ({ kind: "host", hosts });
const header = (name: string, ...values: string[]): Matcher => ({ kind: "header", name, values });
const query = (key: string, ...values: string[]): Matcher => ({ kind: "query", key, values });
const TEN: Cidr = { bytes: [10, 0, 0, 0], bits: 8 };

const cases: [string, Matcher, VisitChanges, boolean][] = [
  ["an exact path", path("/a"), { target: "/a?x" }, true],
  ["no path below an exact one", path("/a"), { target: "/a/b" }, false],
  ["an exact path in any case", path("/Api/X"), { target: "/aPI/x" }, true],
  ["a path by its beginning", path("/api/*"), { target: "/api/x/y" }, true],
  ["no path before the star's slash", path("/api/*"), { target: "/api" }, false],
  ["a path by a beginning amid a segment", path("/api*"), { target: "/apis" }, true],
  ["a path by its end", path("*.php"), { target: "/x/index.PHP" }, true],
  ["a path by its middle", path("*admin*"), { target: "/x/admin/y" }, true],
  ["any path by a star alone", path("*"), { target: "/x" }, true],
  ["a star within one segment", path("/u/*/photo"), { target: "/u/7/photo" }, true],
  ["no star within over two segments", path("/u/*/photo"), { target: "/u/7/8/photo" }, false],
  ["no dot as any character", path("/u/*/a.b"), { target: "/u/7/axb" }, false],
  ["a path as it decodes", path("/a b"), { target: "/%61%20b" }, true],
  ["a pattern as it decodes", path("/a%20b"), { target: "/a%20b" }, true],
  ["a path where its dots lead", path("/admin/*"), { target: "/public/../admin//x" }, true],
  ["not where dots lead away", path("/public/*"), { target: "/public/%2e%2e/admin" }, false],
  ["a prefix on a segment border", prefix("/api"), { target: "/api/x" }, true],
  ["no prefix amid a segment", prefix("/api"), { target: "/apis" }, false],
  ["a method", method("GET", "POST"), { method: "POST" }, true],
  ["no other method", method("GET"), { method: "POST" }, false],
  ["a host without its port", host("a.test"), { host: "A.test:8080" }, true],
  ["a wildcard host", host("*.test"), { host: "a.test" }, true],
  ["no wildcard over two labels", host("*.test"), { host: "a.b.test" }, false],
  ["any host", host("*"), { host: "a.test" }, true],
  ["a header's value", header("x-a", "1"), { fields: [["X-A", "1"]] }, true],
  ["the second of two fields", header("X-A", "2"), { fields: [["X-A", "1"], ["x-a", "2"]] }, true],
  ["no other value", header("X-A", "1"), { fields: [["X-A", "11"]] }, false],
  ["a header's beginning", header("X-A", "ba*"), { fields: [["X-A", "bar"]] }, true],
  ["a header's end", header("X-A", "*ar"), { fields: [["X-A", "bar"]] }, true],
  ["a header's middle", header("X-A", "*a*"), { fields: [["X-A", "bar"]] }, true],
  ["a header that is there", header("X-A", "*"), { fields: [["X-A", ""]] }, true],
  ["a header that is not there", header("X-A"), {}, true],
  ["no absence of one that is there", header("X-A"), { fields: [["X-A", ""]] }, false],
  [
    "a header by expression",
    { kind: "header_regexp", field: "X-A", name: "", pattern: /^b(.)/ },
    { fields: [["X-A", "x"], ["X-A", "bar"]] },
    true,
  ],
  ["a parameter's value", query("a", "1", "2"), { target: "/?a=0&a=2" }, true],
  ["no other parameter's", query("a", "1"), { target: "/?b=1" }, false],
  ["a parameter decoded", query("a", "x y"), { target: "/?a=x%20y" }, true],
  ["a parameter that is there", query("a", "*"), { target: "/?a" }, true],
  ["a parameter that is not there", query("a"), { target: "/?b" }, true],
  ["no query at all", query(""), { target: "/" }, true],
  ["no query as none though one is there", query(""), { target: "/?a" }, false],
  ["the peer", { kind: "remote_ip", blocks: [TEN] }, { ip: "10.1.2.3" }, true],
  [
    "the peer in IPv6 clothes",
    { kind: "remote_ip", blocks: [TEN] },
    { ip: "::ffff:10.1.2.3" },
    true,
  ],
  [
    "not the client for the peer",
    { kind: "remote_ip", blocks: [TEN] },
    { clientIp: "10.1.2.3" },
    false,
  ],
  [
    "the client behind the peer",
    { kind: "client_ip", blocks: [TEN] },
    { ip: "192.0.2.1", clientIp: "10.1.2.3" },
    true,
  ],
  ["the scheme", { kind: "protocol", protocol: "https" }, { scheme: "https" }, true],
  ["no other scheme", { kind: "protocol", protocol: "https" }, { scheme: "http" }, false],
  [
    "gRPC",
    { kind: "protocol", protocol: "grpc" },
    { fields: [["Content-Type", "application/grpc+proto"]] },
    true,
  ],
  ["gRPC by nothing else", { kind: "protocol", protocol: "grpc" }, {}, false],
  ["all of several", { kind: "all", of: [method("GET"), path("/a")] }, { target: "/a" }, true],
  ["not one of all", { kind: "all", of: [method("PUT"), path("/a")] }, { target: "/a" }, false],
  ["any of several", { kind: "any", of: [method("PUT"), path("/a")] }, { target: "/a" }, true],
  ["what is not", { kind: "not", of: path("/a") }, { target: "/b" }, true],
];

describe("matches()", () => {
  for (const [title, matcher, asked, expected] of cases) {
    it(`takes ${title}`, () => assert.equal(matches(matcher, visit(asked)), expected));
  }

  it("asks for variables, of which one that was never set is empty", () => {
    const of = visit();
    const is = (...values: string[]): Matcher => ({ kind: "var", name: "v", values });
    assert.equal(matches(is(""), of), true);
    of.note("v", "2");
    assert.deepEqual([matches(is("1", "2"), of), matches(is("1"), of)], [true, false]);
  });

  it("keeps the groups of expressions, by name and without, for {re.…}", () => {
    const of = visit({ target: "/v2/x%20y" });
    const named: Matcher = { kind: "path_regexp", name: "ver", pattern: /^\/v(?<n>\d+)\/(.*)/g };
    const bare: Matcher = { kind: "path_regexp", name: "", pattern: /(x).*/ };
    for (let turn = 0; turn < 2; turn++) assert.equal(matches(named, of), true);
    assert.equal(matches(bare, of), true);
    assert.deepEqual(
      ["ver.1", "ver.n", "ver.2", "1", "2", "none.1"].map((name) => of.group(name)),
      [
        "2",
        "2",
        "x y",
        "x",
        "",
        "",
      ],
    );
  });
});

describe("matchesResponse()", () => {
  const response = { status: 404, fields: Fields.from([["X-A", "one"], ["X-A", "two"]]) };
  const rows: [string, Partial<ResponseMatcher>, boolean][] = [
    ["every response when nothing is asked", {}, true],
    ["a status in a range", { status: [{ from: 400, to: 499 }] }, true],
    ["no status out of range", { status: [{ from: 500, to: 599 }] }, false],
    ["a field's value", { headers: [{ name: "x-a", values: ["two"] }] }, true],
    ["a field that is not there", { headers: [{ name: "X-B", values: [] }] }, true],
    [
      "nothing but all of it",
      { status: [{ from: 404, to: 404 }], headers: [{ name: "X-B", values: ["*"] }] },
      false,
    ],
  ];
  for (const [title, matcher, expected] of rows) {
    it(`takes ${title}`, () => {
      assert.equal(matchesResponse({ status: [], headers: [], ...matcher }, response), expected);
    });
  }
});
