/** What becomes of method and target, rule by rule; and that a valid target comes out of anything. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { placeholders } from "../../src/request/placeholders.ts";
import { rewritten } from "../../src/request/rewrite.ts";
import type { Rewrite } from "../../src/rules.ts";
import { rewriteRules } from "../support/fake_steps.ts";
import { visit } from "../support/fake_visit.ts";

function rewriteOf(target: string, rules: Partial<Rewrite>, method = "GET"): string {
  const of = visit({ target, method });
  const made = rewritten(rewriteRules(rules), of.exchange, placeholders(of));
  return `${made.method} ${made.target}`;
}

const cases: [string, string, Partial<Rewrite>, string][] = [
  ["keeps all when no rule is there", "/a?b", {}, "/a?b"],
  ["replaces the path and keeps the query", "/a?b=1", { uri: ["/new"] }, "/new?b=1"],
  ["replaces the query and keeps the path", "/a?b=1", { uri: ["?c=2"] }, "/a?c=2"],
  ["replaces both", "/a?b=1", { uri: ["/new?c=2"] }, "/new?c=2"],
  ["drops the query after a bare mark", "/a?b=1", { uri: ["/new?"] }, "/new"],
  ["adds to the query", "/a?b=1", { uri: ["?", { name: "query" }, "&c=2"] }, "/a?b=1&c=2"],
  ["adds to a query that is not there", "/a", { uri: ["?", { name: "query" }, "&c=2"] }, "/a?c=2"],
  ["puts the whole behind a prefix", "/a?b=1", { uri: ["/new", { name: "uri" }] }, "/new/a?b=1"],
  ["keeps escapes of a path", "/a%2Fb", { uri: ["/new", { name: "path" }] }, "/new/a%2Fb"],
  [
    "escapes a value for the query",
    "/?p=a%26b",
    { uri: ["/x?q=", { name: "query", of: "p" }] },
    "/x?q=a%26b",
  ],
  [
    "lets no value begin a query",
    "/?p=a%3Fadmin",
    { uri: ["/", { name: "query", of: "p" }, "?"] },
    "/a%3Fadmin",
  ],
  ["roots a path", "/a", { uri: ["new"] }, "/new"],
  ["strips a prefix", "/api/x?y", { stripPrefix: ["/api"] }, "/x?y"],
  ["strips a prefix in any case", "/API/x", { stripPrefix: ["/api"] }, "/x"],
  ["strips a whole path to its root", "/api", { stripPrefix: ["/api"] }, "/"],
  ["strips a prefix that is escaped", "/%61pi/x%2Fy", { stripPrefix: ["/api"] }, "/x%2Fy"],
  ["strips a prefix of many bytes", "/caf%c3%a9/x", { stripPrefix: ["/café"] }, "/x"],
  ["strips a prefix without its slash", "/api/x", { stripPrefix: ["api"] }, "/x"],
  ["strips a prefix that dots lead to", "/a/..//api/./x", { stripPrefix: ["/api"] }, "/x"],
  ["keeps a path that has another prefix", "//x/../y", { stripPrefix: ["/api"] }, "//x/../y"],
  ["strips a suffix", "/x.HTML?y", { stripSuffix: [".html"] }, "/x?y"],
  ["strips in the path it has made", "/a", { uri: ["/api/b"], stripPrefix: ["/api"] }, "/b"],
  [
    "replaces a text everywhere",
    "/a-b-c?d-e",
    { replace: [{ search: "-", with: ["_"], max: Infinity }] },
    "/a_b_c?d_e",
  ],
  [
    "replaces a text so many times",
    "/a-b-c",
    { replace: [{ search: "-", with: ["--"], max: 1 }] },
    "/a--b-c",
  ],
  [
    "replaces by expression, in the path alone",
    "/a//b///c?d=//",
    { replace: [{ search: /\/{2,}/g, with: ["/"], max: Infinity }] },
    "/a/b/c?d=//",
  ],
  [
    "puts groups in, and no client's dollar",
    "/x1/$1",
    { replace: [{ search: /^\/x(\d)/g, with: ["/$1", { name: "path" }], max: Infinity }] },
    "/1/x1/$1/$1",
  ],
  [
    "replaces by expression so many times",
    "/a1/b2/c3",
    { replace: [{ search: /([a-z])(\d)/g, with: ["$2$1$$"], max: 2 }] },
    "/1a$/2b$/c3",
  ],
  ["escapes what no request line may hold", "/", { uri: ['/a b"é'] }, "/a%20b%22%C3%A9"],
];

describe("rewritten()", () => {
  for (const [title, target, rules, expected] of cases) {
    it(title, () => assert.equal(rewriteOf(target, rules), `GET ${expected}`));
  }

  it("replaces the method, by a token alone", () => {
    assert.equal(rewriteOf("/", { method: ["post"] }), "POST /");
    assert.equal(rewriteOf("/", { method: ["P O"] }), "GET /");
    assert.equal(rewriteOf("/", { method: [] }, "PUT"), "PUT /");
  });

  it("makes a valid target of anything", () => {
    const nasty = fc.string({ unit: "binary" });
    fc.assert(fc.property(nasty, nasty, nasty, (literal, value, cut) => {
      const of = visit({ target: `/${value.replace(/[\r\n\0 ]/g, "")}` });
      of.note("v", value);
      const made = rewritten(
        rewriteRules({
          uri: [literal, { name: "var", of: "v" }, "?", { name: "var", of: "v" }],
          stripPrefix: [cut],
          stripSuffix: [cut],
          replace: [{ search: cut, with: [value], max: Infinity }],
        }),
        of.exchange,
        placeholders(of),
      );
      assert.match(made.target, /^\/[\x21-\x7e]*$/);
    }));
  });
});
