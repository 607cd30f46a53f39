/** Which models are in memory, as time passes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Models } from "../../src/demo/models.ts";
import { LeapClock } from "./leap_clock.ts";

const NAME = "llama3.2:latest";
const signal = new AbortController().signal;

function models(): { models: Models; clock: LeapClock } {
  const clock = new LeapClock();
  return { models: new Models(["llama3.2"], 3000, clock), clock };
}

describe("Models", () => {
  it("find() adds the tag when the client leaves it out", () => {
    assert.equal(models().models.find("llama3.2"), NAME);
    assert.equal(models().models.find(NAME), NAME);
    assert.equal(models().models.find("llama3.2:1b"), undefined);
  });

  it("hold() makes the first request wait and the next one not", async () => {
    const { models: owned, clock } = models();
    const first = owned.hold(NAME);
    assert.deepEqual(owned.loaded(), []);
    await first.ready(signal);
    assert.equal(clock.elapsed(), 3000);
    assert.equal(owned.loaded().length, 1);
    assert.equal(owned.hold(NAME).loadMs, 0);
  });

  it("hold() shares one load when requests come together", () => {
    const { models: owned, clock } = models();
    owned.hold(NAME);
    clock.advance(1000);
    assert.equal(owned.hold(NAME).loadMs, 2000);
  });

  it("hold() goes on loading when the client leaves meanwhile", async () => {
    const { models: owned, clock } = models();
    clock.limitMs = 0;
    const leaving = new AbortController();
    const hold = owned.hold(NAME);
    const ready = hold.ready(leaving.signal);
    leaving.abort();
    await assert.rejects(ready);
    hold.release();
    clock.advance(3000);
    assert.equal(owned.loaded().length, 1);
  });

  it("loaded() forgets a model when its keep-alive is over, counted from its last use", async () => {
    const { models: owned, clock } = models();
    const hold = owned.hold(NAME, 10_000);
    await hold.ready(signal);
    clock.advance(60_000);
    assert.equal(owned.loaded().length, 1);
    hold.release();
    clock.advance(9999);
    assert.equal(owned.loaded().length, 1);
    clock.advance(1);
    assert.equal(owned.loaded().length, 0);
    assert.equal(owned.hold(NAME).loadMs, 3000);
  });

  it("loaded() keeps a model for ever when its keep-alive is Infinity", async () => {
    const { models: owned, clock } = models();
    const hold = owned.hold(NAME, Infinity);
    await hold.ready(signal);
    hold.release();
    clock.advance(1e9);
    assert.equal(owned.loaded().length, 1);
  });

  it("unload() waits for the running request when there is one", async () => {
    const { models: owned } = models();
    const hold = owned.hold(NAME);
    await hold.ready(signal);
    owned.unload(NAME);
    assert.equal(owned.loaded().length, 1);
    hold.release();
    assert.equal(owned.loaded().length, 0);
  });
});
