/** So many at once, in the order of their coming. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Turns } from "../../src/tls/turns.ts";
import { settled } from "../support/manual_clock.ts";

const NEVER = new AbortController().signal;

describe("Turns", () => {
  it("take() lets so many work at once, first come first served, also after failures", async () => {
    const turns = new Turns(2);
    const began: number[] = [];
    const ends = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    const all = ends.map(({ promise }, at) =>
      turns.take(() => {
        began.push(at);
        return promise;
      }, NEVER)
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

  it("take() lets leave who waits, without work and without a turn lost", async () => {
    const turns = new Turns(1);
    const end = Promise.withResolvers<void>();
    const first = turns.take(() => end.promise, NEVER);
    const [left, gone] = [new AbortController(), new AbortController()];
    gone.abort(new Error("gone before"));
    const worked: string[] = [];
    const work = (who: string) => () => Promise.resolve(void worked.push(who));
    const second = assert.rejects(turns.take(work("second"), left.signal), /gone amid/);
    const third = turns.take(work("third"), NEVER);
    await assert.rejects(turns.take(work("fourth"), gone.signal), /gone before/);
    left.abort(new Error("gone amid"));
    await second;
    end.resolve();
    await Promise.all([first, third]);
    assert.deepEqual(worked, ["third"]);
    await turns.take(work("fifth"), NEVER);
    assert.deepEqual(worked, ["third", "fifth"]);
  });
});
