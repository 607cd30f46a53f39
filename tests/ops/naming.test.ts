/** Which upstream an operator means. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resolve } from "../../src/ops/naming.ts";

const ALL = [["a/", "gpu"], ["b/", "gpu"], ["b/", "spare"]].map(([poolId = "", name = ""]) => ({
  id: `${poolId} ${name}`,
  poolId,
  name,
}));

describe("resolve()", () => {
  const cases: [string, string, unknown][] = [
    ["a name that one has", "spare", { kind: "found", one: ALL[2] }],
    ["a name with its pool", "b/|gpu", { kind: "found", one: ALL[1] }],
    ["an id", "a/ gpu", { kind: "found", one: ALL[0] }],
    ["a name that two have", "gpu", { kind: "ambiguous", candidates: ["a/|gpu", "b/|gpu"] }],
    ["a name that nobody has", "cpu", { kind: "unknown" }],
    ["a name in a pool without it", "a/|spare", { kind: "unknown" }],
  ];
  for (const [title, text, expected] of cases) {
    it(`takes ${title}`, () => assert.deepEqual(resolve(text, ALL), expected));
  }
});
