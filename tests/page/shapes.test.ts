/** What the page draws, as numbers. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Transition } from "../../src/ops/status.ts";
import { upstreamStatus } from "../support/fake_status.ts";
import { reigns, span, SPARK, sparkline, stretches, uptime } from "./client.ts";

const HOUR = 3_600_000;
const NOW = 100 * HOUR;
const DAY_VIEW = { from: NOW - 24 * HOUR, startedAt: 0, now: NOW };

function phase(at: number, from: string, to: string, reason = `is ${to}`): Transition {
  return { at, poolId: "r", upstream: "a", kind: "phase", from, to, reason };
}

describe("sparkline()", () => {
  it("stays in its box whatever it is given", () => {
    const value = fc.option(fc.double({ min: 0, max: 1e7, noNaN: true }), { nil: null });
    fc.assert(fc.property(fc.array(value, { maxLength: 200 }), (series) => {
      const { lines, failures } = sparkline(series);
      for (const [x, y] of lines.flat()) {
        assert.ok(x >= 0 && x <= SPARK.width && y >= 0 && y <= SPARK.height, `${x},${y}`);
      }
      const shown = series.slice(-SPARK.samplesMax);
      assert.equal(failures.length + lines.flat().length, shown.length);
    }));
  });

  it("breaks the line when one failed", () => {
    const { lines, failures, last } = sparkline([1, 2, null, 3]);
    assert.deepEqual(lines.map((line) => line.length), [2, 1]);
    assert.equal(failures.length, 1);
    assert.equal(last, 3);
  });

  it("draws small numbers low when all is quick", () => {
    const [[[, first] = [0, 0]] = []] = sparkline([1, 1, 2]).lines;
    assert.ok(first > SPARK.height * 0.8);
  });
});

describe("span()", () => {
  it("grows with the uptime and ends at a day", () => {
    const spans = [1, 3, 11, 120, 600, 6000].map((min) => span(NOW - min * 60_000, NOW) / 60_000);
    assert.deepEqual(spans, [2, 10, 60, 360, 1440, 1440]);
  });
});

describe("stretches()", () => {
  it("covers the day without a gap when phases change", () => {
    const transitions = [
      phase(NOW - HOUR, "down", "up"),
      phase(NOW - 3 * HOUR, "up", "down"),
    ];
    const found = stretches(upstreamStatus("a"), transitions, DAY_VIEW);
    assert.deepEqual(found.map(({ colour, from, to }) => [colour, (to - from) / HOUR]), [
      ["up", 21],
      ["down", 2],
      ["up", 1],
    ]);
    assert.equal(uptime(found), 22 / 24);
  });

  it("shows that nothing ran when it started within the day", () => {
    const view = { ...DAY_VIEW, startedAt: NOW - 6 * HOUR };
    const found = stretches(upstreamStatus("a"), [], view);
    assert.deepEqual(found.map(({ colour, to, from }) => [colour, (to - from) / HOUR]), [
      ["none", 18],
      ["up", 6],
    ]);
    assert.equal(uptime(found), 1);
  });

  it("lets a penalty lapse, and a pass end it", () => {
    const penalised: Transition = {
      at: NOW - 5 * HOUR,
      poolId: "r",
      upstream: "a",
      kind: "penalised",
      until: NOW - 3 * HOUR,
      reason: "closed the connection before answering",
    };
    const lapsed = stretches(
      upstreamStatus("a"),
      [phase(NOW - HOUR, "up", "down"), penalised],
      DAY_VIEW,
    );
    assert.deepEqual(lapsed.map(({ colour, to, from }) => [colour, (to - from) / HOUR]), [
      ["up", 19],
      ["penalised", 2],
      ["up", 2],
      ["down", 1],
    ]);
  });

  it("covers phases by what an operator did", () => {
    const drained: Transition = {
      at: NOW - 4 * HOUR,
      poolId: "r",
      upstream: "a",
      kind: "drained",
      reason: "by an operator",
    };
    const upstream = upstreamStatus("a", { drained: true, available: false });
    const found = stretches(upstream, [phase(NOW - 2 * HOUR, "up", "down"), drained], DAY_VIEW);
    assert.deepEqual(found.map(({ colour }) => colour), ["up", "drained", "drained"]);
  });

  it("never leaves a gap whatever happened", () => {
    const kinds = fc.constantFrom("phase", "penalised", "drained", "undrained");
    const events = fc.array(fc.tuple(kinds, fc.integer({ min: 0, max: 30 * HOUR })), {
      maxLength: 20,
    });
    fc.assert(fc.property(events, (list) => {
      const transitions = list.toSorted(([, a], [, b]) => a - b).map(([kind, ago], at) => ({
        at: NOW - ago,
        poolId: "r",
        upstream: "a",
        kind: kind as Transition["kind"],
        from: at % 2 === 0 ? "up" : "down",
        to: at % 2 === 0 ? "down" : "up",
        until: NOW - ago + HOUR,
        reason: `${at}`,
      }));
      const found = stretches(upstreamStatus("a"), transitions, DAY_VIEW);
      let end = DAY_VIEW.from;
      for (const { from, to } of found) {
        assert.equal(from, end);
        assert.ok(to > from);
        end = to;
      }
      assert.equal(end, NOW);
    }));
  });
});

describe("reigns()", () => {
  const moved = (at: number, from: string, to: string): Transition => {
    return { at, poolId: "r", upstream: to, kind: "chosen", from, to, reason: "" };
  };

  it("shows who answered when it moved and returned", () => {
    const transitions = [moved(NOW - HOUR, "b", "a"), moved(NOW - 3 * HOUR, "a", "b")];
    const hours = (name: string) =>
      reigns(upstreamStatus(name), "a", transitions, DAY_VIEW)
        .map(({ from, to }) => [(NOW - from) / HOUR, (NOW - to) / HOUR]);
    assert.deepEqual(hours("a"), [[24, 3], [1, 0]]);
    assert.deepEqual(hours("b"), [[3, 1]]);
  });

  it("shows the one chosen now when nothing ever moved", () => {
    assert.equal(reigns(upstreamStatus("a"), "a", [], DAY_VIEW).length, 1);
    assert.equal(reigns(upstreamStatus("b"), "a", [], DAY_VIEW).length, 0);
  });
});
