/** The fold of verdicts into a phase, held against a model that keeps the whole history. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Phase } from "../../src/model.ts";
import { type Health, observe } from "../../src/health/state.ts";

const UNKNOWN: Health = { phase: "unknown", streak: 0 };
const verdicts = fc.array(fc.boolean(), { maxLength: 40 });
const thresholds = fc.record({
  rise: fc.integer({ min: 1, max: 5 }),
  fall: fc.integer({ min: 1, max: 5 }),
});

/** Looks back at all verdicts each time: the last `needed` ones must all contradict the phase. */
function naive(history: readonly boolean[], { rise, fall }: { rise: number; fall: number }): Phase {
  let phase: Phase = "unknown";
  let since = 0;
  for (let at = 0; at < history.length; at++) {
    const passed = history[at] ?? false;
    const implied = passed ? "up" : "down";
    if (phase === implied) continue;
    const needed = phase === "unknown" ? 1 : passed ? rise : fall;
    const last = history.slice(Math.max(since, at + 1 - needed), at + 1);
    if (last.length < needed || last.some((one) => one !== passed)) continue;
    phase = implied;
    since = at + 1;
  }
  return phase;
}

describe("observe()", () => {
  const cases: [string, Health, boolean, Health][] = [
    ["is up at once when the first verdict passes", UNKNOWN, true, { phase: "up", streak: 0 }],
    ["is down at once when the first verdict fails", UNKNOWN, false, { phase: "down", streak: 0 }],
    ["counts when the phase is contradicted", { phase: "up", streak: 0 }, false, {
      phase: "up",
      streak: 1,
    }],
    ["turns when the streak is long enough", { phase: "up", streak: 1 }, false, {
      phase: "down",
      streak: 0,
    }],
    ["forgets the streak when the phase is confirmed", { phase: "up", streak: 1 }, true, {
      phase: "up",
      streak: 0,
    }],
    ["rises by its own threshold", { phase: "down", streak: 1 }, true, {
      phase: "down",
      streak: 2,
    }],
  ];
  for (const [title, before, passed, after] of cases) {
    it(title, () => assert.deepEqual(observe(before, passed, { rise: 3, fall: 2 }), after));
  }

  it("gives the same object back when nothing changes", () => {
    const up: Health = { phase: "up", streak: 0 };
    assert.equal(observe(up, true, { rise: 1, fall: 1 }), up);
  });

  it("agrees with a model that looks back at the whole history: consecutive means consecutive", () => {
    fc.assert(fc.property(verdicts, thresholds, (history, rules) => {
      const health = history.reduce((state, passed) => observe(state, passed, rules), UNKNOWN);
      assert.equal(health.phase, naive(history, rules));
    }));
  });
});
