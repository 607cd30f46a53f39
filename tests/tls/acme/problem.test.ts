/** What authorities say went wrong, in words that fit a log. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { failureOf, readProblem, spellProblem, URN } from "../../../src/tls/acme/problem.ts";

describe("spellProblem()", () => {
  const sub = (value: string) => ({
    ...{ type: `${URN}caa`, detail: "forbidden" },
    identifier: { type: "dns", value },
  });
  const cases: [string, unknown, string][] = [
    ["type and detail", { type: `${URN}dns`, detail: "NXDOMAIN" }, `${URN}dns: NXDOMAIN`],
    ["a type alone", { type: `${URN}dns` }, `${URN}dns`],
    ["a detail alone", { detail: "no" }, "no"],
    ["nothing", undefined, ""],
    ["what is none", ["x", 7], ""],
    ["members of another kind", { type: 7, detail: {}, subproblems: "many" }, ""],
    ["line breaks and escapes", { detail: "a\n\u001b[31mb\u0000" }, "a [31mb"],
    [
      "subproblems",
      {
        type: `${URN}compound`,
        detail: "see below",
        subproblems: [sub("a.example"), { detail: "?" }],
      },
      `${URN}compound: see below ("a.example": ${URN}caa: forbidden; ?)`,
    ],
    [
      "too many subproblems",
      { detail: "all", subproblems: ["a", "b", "c", "d", "e", "f", "g"].map(sub) },
      `all (${
        ["a", "b", "c", "d", "e"].map((name) => `"${name}": ${URN}caa: forbidden`).join("; ")
      }; 2 more)`,
    ],
  ];
  for (const [title, value, expected] of cases) {
    it(`spellProblem() spells ${title}`, () => {
      assert.equal(spellProblem(readProblem(value)), expected);
    });
  }

  it("spellProblem() fits on one line and has an end, whatever came", () => {
    fc.assert(fc.property(fc.json(), fc.string(), (json, detail) => {
      const value = { detail: detail.repeat(50), subproblems: [JSON.parse(json), { detail }] };
      const words = spellProblem(readProblem(value));
      // oxlint-disable-next-line no-control-regex
      return !/[\u0000-\u001f]/.test(words) && words.length < 5000;
    }));
  });
});

describe("failureOf()", () => {
  const cases: [string, number, string, string, boolean][] = [
    ["a refusal", 403, JSON.stringify({ type: `${URN}unauthorized` }), `${URN}unauthorized`, false],
    ["a page", 502, "<html>", "status 502", true],
    ["a limit", 429, JSON.stringify({ type: `${URN}rateLimited` }), `${URN}rateLimited`, true],
    ["an empty answer", 400, "", "status 400", false],
  ];
  for (const [title, status, text, message, passing] of cases) {
    it(`failureOf() reads ${title}`, () => {
      const failure = failureOf({ status, text, retryAfterMs: undefined });
      assert.deepEqual([failure.message, failure.passing], [message, passing]);
    });
  }
});
