/** When certificates are renewed and failures tried again. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { pauseMs, renewalAt } from "../../src/tls/schedule.ts";

const LIFE = { validFrom: 0, validTo: 90_000 };

describe("renewalAt()", () => {
  const cases: [string, Parameters<typeof renewalAt>, number][] = [
    ["is at two thirds of a life", [LIFE, undefined, 0], 60_000],
    ["is up to a twentieth earlier, by chance", [LIFE, undefined, 1], 55_500],
    [
      "is within the window that the authority suggests",
      [LIFE, { from: 10_000, to: 20_000 }, 0.5],
      15_000,
    ],
    ["follows a window that has passed at once", [
      { validFrom: -50_000, validTo: 40_000 },
      { from: -5_000, to: -1_000 },
      0,
    ], -5_000],
    ["leaves a new certificate alone, whatever is suggested", [LIFE, { from: -9, to: -1 }, 0], 900],
    ["ignores a window that is none", [LIFE, { from: 20_000, to: 10_000 }, 0], 60_000],
    [
      "does not outlive the certificate for a window",
      [LIFE, { from: 95_000, to: 99_000 }, 0],
      85_500,
    ],
  ];
  for (const [title, args, expected] of cases) {
    it(`renewalAt() ${title}`, () => assert.equal(renewalAt(...args), expected));
  }

  it("renewalAt() leaves time before the end, whatever life and chance", () => {
    const life = fc.tuple(fc.nat(1e6), fc.integer({ min: 1000, max: 1e9 }))
      .map(([validFrom, ms]) => ({ validFrom, validTo: validFrom + ms }));
    const window = fc.option(fc.record({ from: fc.nat(1e9), to: fc.nat(1e9) }), { nil: undefined });
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(fc.property(life, window, chance, (one, span, random) => {
      assert.ok(renewalAt(one, span, random) < one.validTo);
    }));
  });
});

describe("pauseMs()", () => {
  it("pauseMs() grows up to six hours", () => {
    const pauses = Array.from({ length: 12 }, (_, at) => pauseMs(at + 1, 0.5));
    assert.deepEqual(pauses.slice(0, 3), [30_000, 60_000, 120_000]);
    assert.equal(pauses.at(-1), 6 * 3_600_000);
    assert.deepEqual(pauses, pauses.toSorted((one, other) => one - other));
  });

  it("pauseMs() varies by a tenth", () => {
    assert.deepEqual([pauseMs(1, 0), pauseMs(1, 0.999999)].map(Math.round), [27_000, 33_000]);
  });

  it("pauseMs() waits as long as the authority asks for", () => {
    assert.equal(pauseMs(1, 0.5, 3_600_000), 3_600_000);
    assert.equal(pauseMs(12, 0.5, 1_000), 6 * 3_600_000);
  });
});
