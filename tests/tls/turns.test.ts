/** So many at once, in the order of their coming. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Turns } from "../../src/tls/turns.ts";
import { settled } from "../support/manual_clock.ts";

describe("Turns", () => {
  it("take() lets so many work at once, first come first served, also after failures", async () => {
    const turns = new Turns(2);
    const began: number[] = [];
    const ends = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    const all = ends.map(({ promise }, at) =>
      turns.take(() => {
        began.push(at);
        return promise;
      })
    );
    const outcomes = Promise.allSettled(all);
    await settled();
    assert.deepEqual(began, [0, 1]);
    ends[1]?.reject(new Error("no"));
    await settled();
    assert.deepEqual(began, [0, 1, 2]);
    for (const { resolve } of ends) resolve();
    const kinds = (await outcomes).map(({ status }) => status);
    assert.deepEqual(began, [0, 1, 2, 3, 4]);
    assert.deepEqual(kinds.filter((status) => status === "rejected").length, 1);
  });
});
