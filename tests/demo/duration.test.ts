/** Durations as the stand-in's command line and `keep_alive` write them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { durationMs } from "../../src/demo/duration.ts";

describe("durationMs()", () => {
  const cases: [string, number | undefined][] = [
    ["20ms", 20],
    ["2s", 2000],
    ["1.5s", 1500],
    ["1m30s", 90_000],
    ["1h", 3_600_000],
    ["-1m", -60_000],
    ["0", 0],
    ["0s", 0],
    ["5", undefined],
    ["", undefined],
    ["5 s", undefined],
    ["s", undefined],
    ["1d", undefined],
  ];
  for (const [text, expected] of cases) {
    it(`gives ${expected} when it reads "${text}"`, () => {
      assert.equal(durationMs(text), expected);
    });
  }
});
