/** The state of one upstream: what probes and requests make of it, and who is told. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Change, Entry, type Rules } from "../../src/health/entry.ts";
import { health, passive, PASSIVE_OFF } from "../support/fake_route.ts";
import { ManualClock } from "../support/manual_clock.ts";

class Bench {
  readonly clock = new ManualClock();
  readonly changes: Change[] = [];
  readonly entry: Entry;

  constructor(rules: Partial<Rules> = {}) {
    this.entry = new Entry(
      { health: health(), passive: passive(), ...rules },
      { clock: this.clock, announce: (change) => this.changes.push(change) },
    );
  }

  /** A probe that began at `startedAt`, now if not told. */
  probed(passed: boolean, startedAt = this.clock.elapsed(), silent = !passed): void {
    const reason = passed ? "answered 200" : "refused the connection";
    const verdict = { passed, silent, reason, startedAt: this.clock.now(), durationMs: 1 };
    this.entry.judge({ ...verdict, status: passed ? 200 : undefined }, startedAt);
  }

  fails(): void {
    this.entry.saw({ kind: "failed", reason: "refused" });
  }

  get barred(): boolean {
    return this.entry.penalisedUntil(this.clock.elapsed()) !== undefined;
  }

  get phases(): string[] {
    return this.changes.map((one) => one.kind === "phase" ? `${one.from} → ${one.to}` : one.kind);
  }
}

describe("Entry.judge()", () => {
  it("announces each change of phase once, with its reason, when probes repeat themselves", () => {
    const bench = new Bench();
    for (const passed of [true, true, false, false, true]) bench.probed(passed);
    assert.deepEqual(bench.phases, ["unknown → up", "up → down", "down → up"]);
    assert.equal(bench.entry.reason, "answered 200");
    assert.equal(bench.entry.lastVerdict?.passed, true);
  });

  it("settles the first verdict, whichever it is", async () => {
    for (const passed of [true, false]) {
      const bench = new Bench();
      const waiting = bench.entry.firstVerdict;
      assert.ok(waiting);
      bench.probed(passed);
      await waiting;
      assert.equal(bench.entry.firstVerdict, undefined);
    }
  });

  it("notes since when the phase is what it is", async () => {
    const bench = new Bench();
    bench.probed(true);
    await bench.clock.advance(5_000);
    bench.probed(true);
    assert.equal(bench.entry.since, bench.clock.now() - 5_000);
  });

  it("calls back with every probe that leaves the phase down, and not after unsubscribing", () => {
    const bench = new Bench({ health: health({ fall: 2 }) });
    bench.probed(true);
    const heard: (boolean | string)[] = [];
    bench.entry.hear({ wentDown: (silent) => heard.push(silent) });
    const gone = { wentDown: () => heard.push("unsubscribed") };
    bench.entry.hear(gone);
    bench.entry.unhear(gone);
    bench.probed(false);
    assert.deepEqual(heard, [], "one failure of two turns nothing down");
    bench.probed(false);
    bench.probed(false, bench.clock.elapsed(), false);
    assert.deepEqual(heard, [true, false]);
    bench.probed(true);
    assert.deepEqual(heard, [true, false]);
  });
});

describe("Entry init_state", () => {
  for (const initState of ["up", "down"] as const) {
    it(`begins ${initState} without a wait when set so`, () => {
      const { entry } = new Bench({ health: health({ initState }) });
      assert.equal(entry.phase, initState);
      assert.equal(entry.firstVerdict, undefined);
    });
  }

  it("holds nobody up when nothing is probed", () => {
    const { entry } = new Bench({ health: undefined });
    assert.equal(entry.phase, "unknown");
    assert.equal(entry.firstVerdict, undefined);
  });
});

describe("Entry.saw()", () => {
  it("bars for fail_duration from the failure on", async () => {
    const bench = new Bench();
    bench.fails();
    assert.equal(bench.barred, true);
    await bench.clock.advance(29_999);
    assert.equal(bench.barred, true);
    await bench.clock.advance(1);
    assert.equal(bench.barred, false);
  });

  it("gives each failure a timer of its own when max_fails is 2", async () => {
    const bench = new Bench({ passive: passive({ failsMax: 2 }) });
    bench.fails();
    await bench.clock.advance(20_000);
    assert.equal(bench.barred, false);
    bench.fails();
    assert.equal(bench.barred, true);
    await bench.clock.advance(10_000);
    assert.equal(bench.barred, false, "the first of the two has lapsed");
  });

  it("announces once when several failures bar", () => {
    const bench = new Bench();
    bench.fails();
    bench.fails();
    assert.deepEqual(bench.phases, ["penalised"]);
    assert.deepEqual(bench.changes[0], {
      kind: "penalised",
      reason: "refused the connection",
      forMs: 30_000,
    });
  });

  it("counts a truncated response", () => {
    const bench = new Bench();
    bench.entry.saw({ kind: "truncated" });
    assert.equal(bench.barred, true);
  });

  it("asks for a probe at once, also where passive health is off", () => {
    const bench = new Bench({ passive: PASSIVE_OFF });
    let nudges = 0;
    bench.entry.nudge = () => nudges++;
    bench.fails();
    assert.equal(bench.entry.probeAsked, true);
    assert.equal(nudges, 1);
    assert.equal(bench.barred, false);
  });

  it("is free at once when a probe passes that began after the last failure", async () => {
    const bench = new Bench();
    bench.fails();
    await bench.clock.advance(10);
    bench.probed(true);
    assert.equal(bench.barred, false);
  });

  it("stays barred when a probe passes that began before the last failure", async () => {
    const bench = new Bench();
    const startedAt = bench.clock.elapsed();
    await bench.clock.advance(10);
    bench.fails();
    bench.probed(true, startedAt);
    assert.equal(bench.barred, true);
  });

  it("stays barred when clear_on_pass is off", async () => {
    const bench = new Bench({ passive: passive({ clearOnPass: false }) });
    bench.fails();
    await bench.clock.advance(10);
    bench.probed(true);
    assert.equal(bench.barred, true);
  });

  it("is free when a reload turns passive health off", () => {
    const bench = new Bench();
    bench.fails();
    bench.entry.configure({ health: health(), passive: PASSIVE_OFF });
    assert.equal(bench.barred, false);
  });
});

describe("Entry.fitSince()", () => {
  it("names the return when the upstream was down", async () => {
    const bench = new Bench();
    bench.probed(true);
    assert.equal(bench.entry.fitSince(0), 0);
    await bench.clock.advance(1_000);
    bench.probed(false);
    assert.equal(bench.entry.fitSince(1_000), Infinity);
    await bench.clock.advance(1_000);
    bench.probed(true);
    assert.equal(bench.entry.fitSince(2_000), 2_000);
  });

  it("names the end of a penalty, whether it lapsed or was cleared", async () => {
    const lapsed = new Bench({ health: undefined });
    lapsed.fails();
    assert.equal(lapsed.entry.fitSince(29_999), Infinity);
    await lapsed.clock.advance(40_000);
    assert.equal(lapsed.entry.fitSince(40_000), 30_000);

    const cleared = new Bench();
    cleared.fails();
    await cleared.clock.advance(500);
    cleared.probed(true);
    assert.equal(cleared.entry.fitSince(500), 500);
  });

  it("names the last failure when it bars nothing", async () => {
    const bench = new Bench({ passive: PASSIVE_OFF });
    await bench.clock.advance(700);
    bench.fails();
    assert.equal(bench.entry.fitSince(800), 700);
  });

  it("starts over when a reload ends the probing of an upstream that was down", async () => {
    const bench = new Bench();
    bench.probed(false);
    await bench.clock.advance(1_000);
    bench.entry.configure({ health: undefined, passive: passive() });
    assert.equal(bench.entry.fitSince(1_000), 1_000);
  });
});

describe("Entry.configure()", () => {
  it("keeps phase and penalties when rules change", () => {
    const bench = new Bench();
    bench.probed(false);
    bench.fails();
    bench.entry.configure({ health: health({ intervalMs: 5 }), passive: passive() });
    assert.equal(bench.entry.phase, "down");
    assert.equal(bench.barred, true);
  });

  it("ends the wait for a first verdict when probing ends", async () => {
    const bench = new Bench();
    const waiting = bench.entry.firstVerdict;
    bench.entry.configure({ health: undefined, passive: passive() });
    await waiting;
    assert.equal(bench.entry.firstVerdict, undefined);
    bench.probed(false);
    assert.equal(bench.entry.phase, "unknown", "a verdict that comes too late says nothing");
  });

  it("begins a wait for a first verdict when probing begins", () => {
    const bench = new Bench({ health: undefined });
    bench.entry.configure({ health: health(), passive: passive() });
    assert.ok(bench.entry.firstVerdict);
  });
});

describe("Entry.drain()", () => {
  it("takes it out of play and back, and tells of each once", () => {
    const bench = new Bench();
    assert.equal(bench.entry.drain(true), true);
    assert.equal(bench.entry.drain(true), false);
    assert.equal(bench.entry.drained, true);
    assert.equal(bench.entry.fitSince(0), Infinity);
    assert.equal(bench.entry.drain(false), true);
    assert.equal(bench.entry.drained, false);
    assert.deepEqual(bench.phases, ["drained", "undrained"]);
  });
});

describe("Entry.probeNow()", () => {
  it("wants a probe, and settles with the first that began since", async () => {
    const bench = new Bench();
    await bench.clock.advance(10);
    const verdict = bench.entry.probeNow();
    assert.equal(bench.entry.probeAsked, true);
    bench.probed(true, 5);
    bench.probed(false, 11);
    assert.equal((await verdict)?.passed, false);
  });

  it("settles with nothing when it is not probed", async () => {
    assert.equal(await new Bench({ health: undefined }).entry.probeNow(), undefined);
  });

  it("settles with nothing when probing ends, or the upstream is gone", async () => {
    const bench = new Bench();
    const one = bench.entry.probeNow();
    bench.entry.configure({ health: undefined, passive: passive() });
    assert.equal(await one, undefined);

    const gone = new Bench();
    const other = gone.entry.probeNow();
    gone.entry.retire();
    assert.equal(await other, undefined);
  });
});

describe("Entry counts", () => {
  it("what it was given, what failed, and how long heads took", () => {
    const { entry } = new Bench();
    for (let count = 0; count < 3; count++) entry.enter();
    entry.saw({ kind: "answered", status: 200, latencyMs: 12.34 });
    entry.saw({ kind: "truncated" });
    entry.saw({ kind: "failed", reason: "refused" });
    assert.deepEqual([entry.requests, entry.failures], [3, 2]);
    assert.deepEqual(entry.latencies.list(), [12.3, null]);
  });

  it("how long probes took", () => {
    const bench = new Bench();
    bench.probed(true);
    bench.probed(false);
    assert.deepEqual(bench.entry.probeLatencies.list(), [1, null]);
  });

  it("each remembered failure until it lapses", async () => {
    const bench = new Bench({ passive: passive({ failsMax: 3 }) });
    bench.fails();
    await bench.clock.advance(1_000);
    bench.fails();
    assert.deepEqual(bench.entry.penalties(1_000), [30_000, 31_000]);
    assert.deepEqual(bench.entry.penalties(30_000), [31_000]);
  });
});
