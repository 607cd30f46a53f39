/** When probes happen: the rhythm, what quickens it and what slows it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Entry } from "../../src/health/entry.ts";
import { watch } from "../../src/health/loop.ts";
import type { Verdict } from "../../src/model.ts";
import type { HealthRules } from "../../src/rules.ts";
import { health, passive } from "../support/fake_route.ts";
import { ManualClock } from "../support/manual_clock.ts";

/** A loop whose probes take `probeMs` and find what `passes` says. */
class Bench {
  readonly clock = new ManualClock();
  readonly entry: Entry;
  readonly starts: number[] = [];
  readonly stop = new AbortController();
  passes = true;
  readonly probeMs: number;
  running = 0;
  mostRunning = 0;
  readonly ended: Promise<void>;

  constructor(
    changes: Partial<HealthRules> = {},
    { probeMs = 0, random = () => 0.5 }: { probeMs?: number; random?: () => number } = {},
  ) {
    this.probeMs = probeMs;
    const rules = health(changes);
    this.entry = new Entry(
      { health: rules, passive: passive() },
      { clock: this.clock, announce: () => {} },
    );
    this.ended = watch(this.entry, rules, () => this.#probe(), {
      clock: this.clock,
      random,
      signal: this.stop.signal,
    });
  }

  async #probe(): Promise<Verdict> {
    const startedAt = this.clock.now();
    this.starts.push(this.clock.elapsed());
    this.mostRunning = Math.max(this.mostRunning, ++this.running);
    if (this.probeMs > 0) await this.clock.sleep(this.probeMs);
    this.running--;
    const durationMs = this.probeMs;
    return { passed: this.passes, silent: false, reason: "", startedAt, durationMs, status: 200 };
  }

  fails(): void {
    this.entry.saw({ kind: "failed", reason: "refused" });
  }
}

describe("watch()", () => {
  it("probes at once, and then from start to start", async () => {
    const bench = new Bench({}, { probeMs: 1_500 });
    await bench.clock.advance(30_000);
    assert.deepEqual(bench.starts, [0, 10_000, 20_000, 30_000]);
  });

  it("never overlaps when a probe takes longer than the interval", async () => {
    const bench = new Bench({ intervalMs: 1_000 }, { probeMs: 2_500 });
    await bench.clock.advance(6_000);
    assert.deepEqual(bench.starts, [0, 2_500, 5_000]);
    assert.equal(bench.mostRunning, 1);
  });

  it("hurries while a streak is under way", async () => {
    const bench = new Bench({ fall: 3 });
    await bench.clock.advance(9_000);
    bench.passes = false;
    await bench.clock.advance(5_000);
    assert.deepEqual(bench.starts, [0, 10_000, 11_000, 12_000]);
    assert.equal(bench.entry.phase, "down");
  });

  it("probes at once when a request failed", async () => {
    const bench = new Bench();
    await bench.clock.advance(4_000);
    bench.fails();
    await bench.clock.advance(10_000);
    assert.deepEqual(bench.starts, [0, 4_000, 14_000]);
  });

  it("probes no more often than every 100 ms when failures rain", async () => {
    for (const chance of [0, 0.5, 0.999]) {
      const bench = new Bench({}, { random: () => chance });
      for (let ms = 0; ms < 1_000; ms += 10) {
        bench.fails();
        await bench.clock.advance(10);
      }
      const gaps = bench.starts.slice(1).map((start, at) => start - (bench.starts[at] ?? 0));
      assert.ok(gaps.length >= 8, `${gaps.length} probes in a second`);
      assert.ok(Math.min(...gaps) >= 100, `a gap of ${Math.min(...gaps)} ms`);
    }
  });

  it("probes once more when a request failed while a probe ran", async () => {
    const bench = new Bench({}, { probeMs: 300 });
    await bench.clock.advance(100);
    bench.fails();
    await bench.clock.advance(1_000);
    assert.deepEqual(bench.starts, [0, 300]);
  });

  it("stops on abort, while it rests and while it probes", async () => {
    for (const probeMs of [0, 500]) {
      const bench = new Bench({}, { probeMs });
      await bench.clock.advance(100);
      bench.stop.abort();
      await bench.clock.advance(1_000);
      await bench.ended;
      assert.equal(bench.clock.pending, 0);
      assert.equal(bench.starts.length, 1);
      if (probeMs > 0) assert.equal(bench.entry.phase, "unknown", "a late verdict is dropped");
    }
  });

  it("keeps each rest within 5 % of the interval, whatever chance says", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        async (chance) => {
          const bench = new Bench({}, { random: () => chance });
          await bench.clock.advance(10_600);
          const gap = (bench.starts[1] ?? 0) - (bench.starts[0] ?? 0);
          assert.ok(gap >= 9_500 && gap <= 10_500, `${gap} ms`);
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe("watch() with idle_interval", () => {
  const idle = { idleIntervalMs: 60_000 };

  it("slows down while no request comes", async () => {
    const bench = new Bench(idle);
    await bench.clock.advance(130_000);
    assert.deepEqual(bench.starts, [0, 60_000, 120_000]);
  });

  it("probes at once when a request ends a long silence", async () => {
    const bench = new Bench(idle);
    await bench.clock.advance(30_000);
    bench.entry.wanted();
    await bench.clock.advance(10_000);
    assert.deepEqual(bench.starts, [0, 30_000, 40_000]);
  });

  it("keeps the interval as long as requests come, however they fall between probes", async () => {
    for (const everyMs of [1_000, 4_000, 9_000, 9_999]) {
      const bench = new Bench(idle);
      for (let ms = 0; ms < 100_000; ms += everyMs) {
        bench.entry.wanted();
        await bench.clock.advance(everyMs);
      }
      const gaps = bench.starts.slice(1).map((start, at) => start - (bench.starts[at] ?? 0));
      assert.ok(gaps.length >= 9, `${gaps.length + 1} probes at a request every ${everyMs} ms`);
      assert.ok(Math.max(...gaps) <= 10_000, `a gap of ${Math.max(...gaps)} ms`);
    }
  });

  it("goes back to sleep when requests cease", async () => {
    const bench = new Bench(idle);
    bench.entry.wanted();
    await bench.clock.advance(150_000);
    assert.deepEqual(bench.starts.slice(0, 2), [0, 10_000]);
    assert.ok(bench.starts.length <= 5, `probes at ${bench.starts.join()}`);
  });

  it("hurries in a streak though nobody asks", async () => {
    const bench = new Bench({ ...idle, fall: 2 });
    await bench.clock.advance(59_000);
    bench.passes = false;
    await bench.clock.advance(3_000);
    assert.deepEqual(bench.starts, [0, 60_000, 61_000]);
  });
});
