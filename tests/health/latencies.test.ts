/** The last latencies in a row. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Latencies } from "../../src/health/latencies.ts";

describe("Latencies", () => {
  it("lists what came, oldest first, and what failed as null", () => {
    const row = new Latencies();
    assert.deepEqual([row.list(), row.last], [[], undefined]);
    row.push(1.26);
    row.push(undefined);
    assert.deepEqual([row.list(), row.last], [[1.3, null], null]);
  });

  it("keeps the last 60", () => {
    const row = new Latencies();
    for (let ms = 1; ms <= 130; ms++) row.push(ms);
    assert.deepEqual(row.list(), Array.from({ length: 60 }, (_, at) => at + 71));
    assert.equal(row.last, 130);
  });
});
