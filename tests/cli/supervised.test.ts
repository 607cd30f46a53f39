/** What the service manager hears of a life, and how often. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { tellReady, tellStopping } from "../../src/cli/supervised.ts";
import { ManualClock } from "../support/manual_clock.ts";

function supervised(watchdogUs?: string) {
  const told: string[] = [];
  const clock = new ManualClock();
  const platform = {
    clock,
    env: (name: string) => name === "WATCHDOG_USEC" ? watchdogUs : undefined,
    tellSupervisor: (message: string) => void told.push(message),
  };
  return { told, clock, platform };
}

describe("tellReady()", () => {
  it("says where it serves, once, when no watchdog is asked for", async () => {
    const { told, clock, platform } = supervised();
    tellReady(platform, ["http://0.0.0.0:80", "http://0.0.0.0:81"]);
    await clock.advance(60_000);
    assert.deepEqual(told, ["READY=1\nSTATUS=Serving http://0.0.0.0:80, http://0.0.0.0:81"]);
  });

  it("shows that it lives twice as often as the watchdog looks", async () => {
    const { told, clock, platform } = supervised("30000000");
    tellReady(platform, []);
    await clock.advance(60_000);
    assert.deepEqual(told.slice(1), ["WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]);
  });
});

describe("tellStopping()", () => {
  it("says what is waited for", () => {
    const { told, platform } = supervised();
    tellStopping(platform, 3);
    assert.deepEqual(told, ["STOPPING=1\nSTATUS=Waiting for 3 running requests"]);
  });
});
