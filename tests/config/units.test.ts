/** Durations and sizes as people write them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readDuration, readSize } from "../../src/config/units.ts";

describe("readDuration()", () => {
  const good: [unknown, number][] = [
    ["250ms", 250],
    ["10s", 10_000],
    ["1m30s", 90_000],
    ["1d", 86_400_000],
    ["1.5h", 5_400_000],
    [".5s", 500],
    ["2.s", 2_000],
    ["1h2m3s4ms", 3_723_004],
    ["1500us", 2],
    ["1µs", 1],
    ["0", 0],
    ["0s", 0],
    [0, 0],
    ["24d", 24 * 86_400_000],
  ];
  for (const [written, ms] of good) {
    it(`reads ${ms} ms when given ${JSON.stringify(written)}`, () => {
      assert.deepEqual(readDuration(written), { kind: "read", value: ms });
    });
  }

  const bad = ["", "5 sec", "5", 10, "-1s", "1s 2s", "s", "1w", "25d", "1e3s", null, true, [], {}];
  for (const written of bad) {
    it(`refuses ${JSON.stringify(written)}`, () => {
      assert.equal(readDuration(written).kind, "refused");
    });
  }

  it("says that the unit is missing when given a bare number", () => {
    assert.deepEqual(readDuration(10), {
      kind: "refused",
      expected: 'a duration such as "5s"',
      received: "10, a number without a unit",
    });
  });

  it("refuses what is under the bound", () => {
    assert.equal(readDuration("9ms", 10).kind, "refused");
    assert.equal(readDuration("10ms", 10).kind, "read");
  });

  it("adds up its parts when there are several", () => {
    const part = fc.integer({ min: 0, max: 1_000 });
    fc.assert(fc.property(part, part, part, (hours, seconds, ms) => {
      const reading = readDuration(`${Math.min(hours, 500)}h${seconds}s${ms}ms`);
      const value = Math.min(hours, 500) * 3_600_000 + seconds * 1_000 + ms;
      assert.deepEqual(reading, { kind: "read", value });
    }));
  });
});

describe("readSize()", () => {
  const good: [string, number][] = [
    ["512B", 512],
    ["64KiB", 65_536],
    ["10MB", 10_000_000],
    ["1.5GiB", 1_610_612_736],
    ["1 MiB", 1_048_576],
    ["1tb", 1e12],
    ["0B", 0],
  ];
  for (const [written, bytes] of good) {
    it(`reads ${bytes} bytes when given ${written}`, () => {
      assert.deepEqual(readSize(written, false), { kind: "read", value: bytes });
    });
  }

  const bad = [512, "512", "", "MB", "-1B", "1PB", "1 M B", "99999999TB", "unlimited", null, {}];
  for (const written of bad) {
    it(`refuses ${JSON.stringify(written)}`, () => {
      assert.equal(readSize(written, false).kind, "refused");
    });
  }

  it("reads Infinity when unlimited is allowed", () => {
    assert.deepEqual(readSize("unlimited", true), { kind: "read", value: Infinity });
  });
});
