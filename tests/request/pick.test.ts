/** Preference, availability, and what each kind of failback holds on to. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Failback } from "../../src/rules.ts";
import { available, backInMs, hold, noteAnswer, pick } from "../../src/request/pick.ts";
import { FakeExchange } from "../support/fake_exchange.ts";
import { type FakePool, type FakeStanding, passive, pool } from "../support/fake_route.ts";
import { WORLD } from "../support/fake_world.ts";

const ASKER = {
  forwarding: { exchange: new FakeExchange(), client: { ip: "192.0.2.1", viaTrusted: false } },
  world: WORLD,
};

type Changes = Partial<FakeStanding>;
const UP: Changes = {};
const DOWN: Changes = { phase: "down" };
const PENALISED: Changes = { penalty: 100 };

function at(one: FakePool, index: number) {
  const member = one.members[index];
  assert.ok(member);
  return member;
}

const nameOf = (one: FakePool, now = 0, tried: number[] = []) =>
  pick(one, tried.map((index) => at(one, index)), now, ASKER)?.upstream.name;

describe("pick()", () => {
  const cases: [string, Changes[], number[], string | undefined][] = [
    ["prefers the first when all are up", [UP, UP], [], "a"],
    ["takes the next when the first is down", [DOWN, UP], [], "b"],
    ["takes the next when the first is penalised", [PENALISED, UP], [], "b"],
    ["takes the next when the first is drained", [{ drained: true }, UP], [], "b"],
    ["takes one of unknown phase", [{ phase: "unknown" }, UP], [], "a"],
    ["leaves out what was tried", [UP, UP, UP], [0, 1], "c"],
    ["has nothing when all were tried", [UP, UP], [0, 1], undefined],
    ["has nothing when none is available", [DOWN, PENALISED], [], undefined],
    ["spills over when the first is full", [{ inFlight: 2 }, { inFlight: 1 }], [], "b"],
    ["has nothing when all are full", [{ inFlight: 2 }, { inFlight: 3 }], [], undefined],
  ];
  for (const [title, standings, tried, expected] of cases) {
    it(title, () => {
      const one = pool(standings, { passive: passive({ requestsMax: 2 }) });
      assert.equal(nameOf(one, 0, tried), expected);
    });
  }

  it("comes back the moment a penalty lapses", () => {
    const one = pool([PENALISED, UP]);
    assert.equal(nameOf(one, 99), "b");
    assert.equal(nameOf(one, 100), "a");
  });
});

describe("available()", () => {
  it("has no cap when max_requests is unlimited", () => {
    const one = pool([{ inFlight: 1_000_000 }]);
    assert.equal(available(at(one, 0), one, 0), true);
  });
});

describe("hold()", () => {
  const failback = (rule: Failback, ...standings: Changes[]) => pool(standings, { failback: rule });

  it("holds nothing when failback is immediate", () => {
    const one = failback({ kind: "immediate" }, DOWN, UP);
    assert.equal(nameOf(one), "b");
    at(one, 0).standing.phase = "up";
    assert.equal(nameOf(one), "a");
    assert.equal(one.held.upstreamId, undefined);
  });

  for (const kind of ["sticky", "manual"] as const) {
    it(`stays where it went until that fails when failback is ${kind}`, () => {
      const one = failback({ kind }, DOWN, UP);
      assert.equal(nameOf(one), "b");
      at(one, 0).standing.phase = "up";
      assert.equal(nameOf(one, 1_000_000), "b");
      at(one, 1).standing.phase = "down";
      assert.equal(nameOf(one), "a");
    });
  }

  it("returns when manual failback is released", () => {
    const one = failback({ kind: "manual" }, DOWN, UP);
    assert.equal(nameOf(one), "b");
    at(one, 0).standing.phase = "up";
    one.held.upstreamId = undefined;
    assert.equal(nameOf(one), "a");
    assert.equal(one.held.upstreamId, "r/a");
  });

  it("returns after so long of continuous health, and not while that is broken", () => {
    const one = failback({ kind: "after", afterMs: 60 }, DOWN, UP);
    assert.equal(nameOf(one, 10), "b");
    const first = at(one, 0).standing;
    Object.assign(first, { phase: "up", since: 100 });
    assert.equal(nameOf(one, 159), "b");
    first.since = 140;
    assert.equal(nameOf(one, 160), "b");
    assert.equal(nameOf(one, 200), "a");
  });

  it("starts with the preferred one when failback is after", () => {
    assert.equal(nameOf(failback({ kind: "after", afterMs: 60 }, UP, UP), 0), "a");
  });

  it("goes back step by step when several are preferred to the held one", () => {
    const one = failback({ kind: "after", afterMs: 60 }, DOWN, DOWN, UP);
    assert.equal(nameOf(one, 0), "c");
    Object.assign(at(one, 1).standing, { phase: "up", since: 10 });
    Object.assign(at(one, 0).standing, { phase: "up", since: 50 });
    assert.equal(nameOf(one, 70), "b");
    assert.equal(nameOf(one, 110), "a");
  });

  it("keeps its hold on one that is merely full: what spills over comes back", () => {
    const standings = [{ inFlight: 2 }, UP];
    const rules = { failback: { kind: "sticky" }, passive: passive({ requestsMax: 2 }) } as const;
    const one = pool(standings, rules);
    assert.equal(nameOf(one), "b");
    assert.equal(one.held.upstreamId, "r/a");
    at(one, 0).standing.inFlight = 1;
    assert.equal(nameOf(one), "a");
  });

  it("forgets a held upstream that is configured no more", () => {
    const one = failback({ kind: "sticky" }, UP, UP);
    one.held.upstreamId = "r/gone";
    assert.equal(hold(one, 0)?.upstream.name, "a");
  });

  it("holds nothing while none is fit, and takes whichever is first to return", () => {
    const one = failback({ kind: "sticky" }, DOWN, DOWN);
    assert.equal(hold(one, 0), undefined);
    at(one, 1).standing.phase = "up";
    assert.equal(hold(one, 0)?.upstream.name, "b");
  });

  it("tries others when the held one was tried", () => {
    const one = failback({ kind: "sticky" }, DOWN, UP);
    assert.equal(nameOf(one), "b");
    at(one, 0).standing.phase = "up";
    assert.equal(nameOf(one, 0, [1]), "a");
  });
});

describe("noteAnswer()", () => {
  const answered = (kind: "sticky" | "immediate", held: string, failed: number[]) => {
    const one = pool([UP, UP], { failback: { kind } });
    one.held.upstreamId = held;
    noteAnswer(one, at(one, 1), failed.map((index) => at(one, index)));
    return one.held.upstreamId;
  };

  it("moves the hold when the held one failed and another answered", () => {
    assert.equal(answered("sticky", "r/a", [0]), "r/b");
  });

  it("leaves the hold when the held one was not tried, or when nothing is held", () => {
    assert.equal(answered("sticky", "r/a", []), "r/a");
    assert.equal(answered("immediate", "r/a", [0]), "r/a");
  });
});

describe("backInMs()", () => {
  const cases: [string, Changes[], number | undefined][] = [
    ["names the first penalty to lapse", [{ penalty: 300 }, { penalty: 200 }], 150],
    ["knows none when all are down", [DOWN, DOWN], undefined],
    ["does not count on one that is down besides", [{ ...DOWN, penalty: 60 }, PENALISED], 50],
    ["does not count on a drained one", [{ drained: true, penalty: 60 }], undefined],
    ["knows none when all are merely full", [{ inFlight: 9 }], undefined],
  ];
  for (const [title, standings, expected] of cases) {
    it(title, () => assert.equal(backInMs(pool(standings), 50), expected));
  }
});
