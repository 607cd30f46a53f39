/** The bucket of tokens against one that is kept by counting, whatever comes when. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { takeToken } from "../../src/request/bucket.ts";
import type { RateRules } from "../../src/rules.ts";

const RULES: RateRules = { requests: 60, perMs: 60_000, burst: 3 };

/** Takes tokens at these moments, one after the other; says how long each had to wait. */
function waits(moments: readonly number[], rules: RateRules): number[] {
  let fullAt = -Infinity;
  return moments.map((now) => {
    const taken = takeToken(fullAt, now, rules);
    fullAt = taken.fullAt;
    return taken.waitMs;
  });
}

describe("takeToken()", () => {
  const cases: [string, number[], number[]][] = [
    ["gives all of the burst at once, then a token in its time", [0, 0, 0, 0], [0, 0, 0, 1000]],
    ["gives a token when it has come", [0, 0, 0, 1000, 1000], [0, 0, 0, 0, 1000]],
    ["tells what is left of the wait", [0, 0, 0, 400], [0, 0, 0, 600]],
    ["fills no more than the burst", [0, 90_000, 90_000, 90_000, 90_000], [0, 0, 0, 0, 1000]],
    ["takes nothing for those that wait", [0, 0, 0, 900, 950, 1000], [0, 0, 0, 100, 50, 0]],
  ];
  for (const [title, moments, expected] of cases) {
    it(title, () => assert.deepEqual(waits(moments, RULES), expected));
  }

  const rules = fc.record({
    requests: fc.integer({ min: 1, max: 1000 }),
    // Whole milliseconds a token, so that the counting is exact.
    tokenMs: fc.integer({ min: 1, max: 1000 }),
    burst: fc.integer({ min: 1, max: 50 }),
  }).map(({ requests, tokenMs, burst }) => ({ requests, perMs: requests * tokenMs, burst }));
  const pauses = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5000 })), {
    maxLength: 100,
  });

  it("lets pass exactly what a counted bucket does", () => {
    fc.assert(fc.property(rules, pauses, (one, gaps) => {
      const tokenMs = one.perMs / one.requests;
      let [now, tokens] = [0, one.burst];
      const moments: number[] = [];
      const expected = gaps.map((gap) => {
        now += gap;
        moments.push(now);
        tokens = Math.min(one.burst, tokens + gap / tokenMs);
        if (tokens < 1 - 1e-9) return false;
        tokens -= 1;
        return true;
      });
      assert.deepEqual(waits(moments, one).map((waitMs) => waitMs === 0), expected);
    }));
  });

  it("keeps its word: whoever waits that long gets a token", () => {
    fc.assert(fc.property(rules, fc.integer({ min: 0, max: 1e9 }), (one, now) => {
      let fullAt = -Infinity;
      for (let taken = 0; taken < one.burst; taken++) {
        fullAt = takeToken(fullAt, now, one).fullAt;
      }
      const { waitMs } = takeToken(fullAt, now, one);
      assert.ok(waitMs > 0);
      assert.equal(takeToken(fullAt, now + waitMs, one).waitMs, 0);
    }));
  });
});
