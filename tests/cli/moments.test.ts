/** Spans of time in words. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { configSpan, spelledMs, spelledSpan } from "../../src/cli/moments.ts";
import { readDuration } from "../../src/config/units.ts";

describe("spelledSpan()", () => {
  const cases: [number, string][] = [
    [-5, "0s"],
    [999, "0s"],
    [59_999, "59s"],
    [60_000, "1m"],
    [3_599_999, "59m 59s"],
    [7_500_000, "2h 5m"],
    [86_400_000, "1d"],
    [6 * 86_400_000 + 3_700_000, "6d 1h"],
  ];
  for (const [ms, expected] of cases) {
    it(`spells ${ms} ms as ${expected}`, () => assert.equal(spelledSpan(ms), expected));
  }
});

describe("spelledMs()", () => {
  it("takes the unit that fits", () => {
    assert.deepEqual([0.4, 12.3, 1500, 90_000].map(spelledMs), [
      "0 ms",
      "12 ms",
      "1.5 s",
      "1m 30s",
    ]);
  });
});

describe("configSpan()", () => {
  it("spells what a configuration would read", () => {
    for (const ms of [1, 250, 1500, 3000, 90_000, 3_600_000, 3_660_000]) {
      assert.deepEqual(readDuration(configSpan(ms)), { kind: "read", value: ms });
    }
    assert.deepEqual([250, 3000, 90_000].map(configSpan), ["250ms", "3s", "1m30s"]);
  });
});
