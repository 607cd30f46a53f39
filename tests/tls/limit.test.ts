/** Signals that abort when something takes too long. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { limited, TookTooLong } from "../../src/tls/limit.ts";
import { ManualClock } from "../support/manual_clock.ts";

describe("limited()", () => {
  it("limited() aborts when it takes too long, and says so", async () => {
    const clock = new ManualClock();
    const { signal } = limited(5000, clock);
    await clock.advance(4999);
    assert.equal(signal.aborted, false);
    await clock.advance(1);
    assert.ok(signal.reason instanceof TookTooLong);
    assert.equal(signal.reason.message, "no end after 5 s");
  });

  it("limited() aborts with another signal, also with one that has", () => {
    const clock = new ManualClock();
    const leaving = new AbortController();
    const { signal } = limited(5000, clock, leaving.signal);
    leaving.abort();
    assert.equal(signal.aborted, true);
    assert.equal(limited(5000, clock, leaving.signal).signal.aborted, true);
  });

  it("limited() leaves nothing behind at its end", async () => {
    const clock = new ManualClock();
    const leaving = new AbortController();
    const { signal, end } = limited(5000, clock, leaving.signal);
    end();
    assert.equal(clock.pending, 0);
    leaving.abort();
    await clock.advance(9000);
    assert.equal(signal.aborted, false);
  });
});
