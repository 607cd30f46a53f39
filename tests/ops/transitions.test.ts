/** Where new requests go, when that moves, and the words for it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Choices } from "../../src/ops/choices.ts";
import { transitionOf, whyMoved } from "../../src/ops/transitions.ts";
import type { Kept } from "../../src/ops/view.ts";
import { pool } from "../support/fake_route.ts";

const NO_ROW = { list: () => [], last: undefined };
const UP: Kept = {
  phase: "up",
  reason: "answered 200",
  since: 0,
  streak: 0,
  drained: false,
  inFlight: 0,
  requests: 0,
  failures: 0,
  lastVerdict: undefined,
  latencies: NO_ROW,
  probeLatencies: NO_ROW,
  penalties: () => [],
};

describe("Choices.look()", () => {
  it("tells what has moved since it was last asked, and nothing of what is new or gone", () => {
    const choices = new Choices();
    assert.deepEqual(choices.look([{ poolId: "r", name: "a" }]), []);
    assert.deepEqual(choices.look([{ poolId: "r", name: "a" }]), []);
    assert.deepEqual(choices.look([{ poolId: "r", name: "" }, { poolId: "s", name: "x" }]), [
      { poolId: "r", from: "a", to: "" },
    ]);
    assert.deepEqual(choices.look([]), []);
    assert.deepEqual(choices.look([{ poolId: "r", name: "b" }]), []);
  });
});

describe("whyMoved()", () => {
  const { members } = pool([{}, {}]);
  const cases: [string, { from: string; to: string }, Partial<Kept>, string][] = [
    ["down", { from: "a", to: "b" }, { phase: "down", reason: "refused" }, "a refused"],
    ["drained", { from: "a", to: "b" }, { drained: true, phase: "down" }, "a is drained"],
    ["penalised", { from: "a", to: "b" }, {}, "a failed lately"],
    [
      "the last one",
      { from: "a", to: "" },
      { phase: "down", reason: "refused" },
      "a refused and nobody else can be asked",
    ],
    ["preferred", { from: "b", to: "a" }, {}, "a is preferred and can be asked again"],
    ["back", { from: "", to: "b" }, {}, "b can be asked again"],
    ["gone", { from: "z", to: "b" }, {}, "the configuration has changed"],
  ];
  for (const [title, moved, changes, expected] of cases) {
    it(`says why when one is ${title}`, () => {
      assert.equal(whyMoved(moved, members, () => ({ ...UP, ...changes })), expected);
    });
  }
});

describe("transitionOf()", () => {
  const about = { at: 1_000, poolId: "r", upstream: "a" };

  it("tells from what to what a phase went", () => {
    const change = { kind: "phase", from: "up", to: "down", reason: "refused" } as const;
    assert.deepEqual(transitionOf(change, about), { ...about, ...change });
  });

  it("tells until when penalties bar", () => {
    const change = { kind: "penalised", reason: "refused", forMs: 30_000.4 } as const;
    const expected = { ...about, kind: "penalised", reason: "refused", until: 31_000 };
    assert.deepEqual(transitionOf(change, about), expected);
  });
});
