/** What live traffic counts as a failure, and how long failures bar an upstream. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { barredUntil, countsAs, penalise, type Penalties } from "../../src/health/passive.ts";
import type { Sighting } from "../../src/model.ts";
import { passive } from "../support/fake_route.ts";

describe("countsAs()", () => {
  const rules = passive({ unhealthyStatus: [{ from: 500, to: 599 }], unhealthyLatencyMs: 200 });
  const answered = (status: number, latencyMs: number): Sighting => {
    return { kind: "answered", status, latencyMs };
  };
  const cases: [string, Sighting, string | undefined][] = [
    ["passes a good answer", answered(200, 20), undefined],
    ["passes a status that is not listed", answered(404, 20), undefined],
    ["counts a listed status", answered(503, 20), "answered 503"],
    ["counts a latency at the limit", answered(200, 200), "took 200 ms to answer"],
    ["passes a latency just below", answered(200, 199.9), undefined],
    ["counts a dial error", { kind: "failed", reason: "refused" }, "refused the connection"],
    ["counts a truncation", { kind: "truncated" }, "died in the middle of a response"],
  ];
  for (const [title, sighting, expected] of cases) {
    it(title, () => assert.equal(countsAs(sighting, rules), expected));
  }

  it("passes any answer when no status and no latency is listed", () => {
    assert.equal(countsAs(answered(503, 60_000), passive()), undefined);
  });
});

describe("penalise()", () => {
  it("remembers nothing when fail_duration is 0", () => {
    const before: Penalties = [];
    assert.equal(penalise(before, 5, passive({ failDurationMs: 0 })), before);
  });

  it("bars as long as max_fails failures are remembered, each by a timer of its own", () => {
    const moments = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 12 });
    const failsMax = fc.integer({ min: 1, max: 4 });
    const duration = fc.integer({ min: 1, max: 40 });
    fc.assert(fc.property(moments, failsMax, duration, (gaps, max, failDurationMs) => {
      const rules = passive({ failsMax: max, failDurationMs });
      const failures: number[] = [];
      let penalties: Penalties = [];
      let now = 0;
      for (const gap of gaps) {
        now += gap;
        failures.push(now);
        penalties = penalise(penalties, now, rules);
        for (let later = now; later <= now + 45; later += 5) {
          const remembered = failures.filter((at) => at + failDurationMs > later);
          const barred = barredUntil(penalties, later, max);
          assert.equal(barred !== undefined, remembered.length >= max);
        }
        assert.ok(penalties.length <= max, "more is kept than can matter");
      }
    }));
  });

  it("keeps the longest when a reload shortened fail_duration in between", () => {
    const long = penalise([], 0, passive({ failDurationMs: 60_000 }));
    const both = penalise(long, 1_000, passive({ failDurationMs: 10_000 }));
    assert.equal(barredUntil(both, 20_000, 1), 60_000);
  });
});

describe("barredUntil()", () => {
  const cases: [string, Penalties, number, number, number | undefined][] = [
    ["is free when nothing is remembered", [], 0, 1, undefined],
    ["names the moment the only failure lapses", [30], 10, 1, 30],
    ["is free at that very moment", [30], 30, 1, undefined],
    ["is free below max_fails", [30], 10, 2, undefined],
    ["names the moment the older of two lapses when two bar", [30, 40], 10, 2, 30],
    ["names the moment the newer lapses when one bars", [30, 40], 10, 1, 40],
  ];
  for (const [title, penalties, now, failsMax, expected] of cases) {
    it(title, () => assert.equal(barredUntil(penalties, now, failsMax), expected));
  }
});
