/** What a client may do that asks for nothing: how often, how soon again, and what it earns by being answered. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Guard, type Nuisance } from "../../src/wire/h2_guard.ts";

/** How many in a row are within bounds, up to a limit. */
function inARow(guard: Guard, nuisance: Nuisance, now: number): number {
  let times = 0;
  while (times < 10_000 && guard.count(nuisance, now) === undefined) times++;
  return times;
}

describe("Guard.count()", () => {
  const bursts: [Nuisance, number, number][] = [
    ["reset", 500, 50],
    ["breach", 100, 10],
    ["settings", 20, 1],
    ["ping", 100, 10],
    ["priority", 500, 50],
    ["window", 1000, 100],
    ["empty", 100, 10],
    ["stray", 500, 50],
  ];
  for (const [nuisance, burst, perSecond] of bursts) {
    it(`allows ${burst} of "${nuisance}" in a row, and ${perSecond} a second for ever`, () => {
      const guard = new Guard();
      assert.equal(inARow(guard, nuisance, 5_000), burst);
      const patient = new Guard();
      for (let at = 0; at < 5_000; at++) {
        assert.equal(patient.count(nuisance, at * 1000 / perSecond), undefined);
      }
    });
  }

  it("says what there was too much of", () => {
    const guard = new Guard();
    inARow(guard, "settings", 0);
    assert.equal(guard.count("settings", 0), "settings");
    assert.equal(guard.count("ping", 0), undefined);
  });

  it("allows a reset for every answer, but none for mere writes", () => {
    const guard = new Guard();
    for (let at = 0; at < 5_000; at++) {
      guard.answers++;
      assert.equal(guard.count("reset", 0), undefined);
    }
    guard.wrote(1e9);
    assert.equal(inARow(guard, "reset", 0), 499);
  });

  it("saves up what large writes allow for, and no time", () => {
    const guard = new Guard();
    guard.count("window", 0);
    guard.wrote(4_096_000);
    assert.equal(inARow(guard, "window", 1e9), 5_000);
    assert.equal(guard.count("window", 1e9), "window updates");
  });

  it("saves nothing up: who was good for long may do no more at once than others", () => {
    const later = fc.integer({ min: 1_000, max: 1e9 });
    fc.assert(fc.property(later, fc.nat({ max: 1e6 }), (now, answers) => {
      const guard = new Guard();
      guard.count("reset", 0);
      guard.answers = answers;
      assert.equal(inARow(guard, "reset", now), 500);
    }));
  });
});
