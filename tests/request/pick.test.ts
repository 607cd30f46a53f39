/** Preference, availability, and what each kind of failback holds on to. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Failback, Policy } from "../../src/rules.ts";
import {
  anyLeft,
  available,
  backInMs,
  expected,
  hold,
  noteAnswer,
  pick,
} from "../../src/request/pick.ts";
import { type FakePool, type FakeStanding, passive, pool } from "../support/fake_route.ts";
import { asker, seeded, WORLD } from "../support/fake_world.ts";

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
  pick(one, tried.map((index) => at(one, index)), now, asker())?.upstream.name;

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

  const random: Policy = { kind: "random" };
  const policies: readonly Policy[] = [
    { kind: "first" },
    random,
    { kind: "random_choose", choices: 2 },
    { kind: "round_robin" },
    { kind: "weighted_round_robin", weights: [3, 1, 2, 1, 5] },
    { kind: "least_conn" },
    { kind: "ip_hash" },
    { kind: "client_ip_hash" },
    { kind: "uri_hash" },
    { kind: "query", key: "id", fallback: { kind: "uri_hash" } },
    { kind: "header", name: "X-User", fallback: random },
    { kind: "cookie", name: "lb", secret: "s", maxAgeMs: undefined, fallback: random },
  ];
  const standing = fc.record({
    phase: fc.constantFrom("unknown", "up", "up", "up", "down"),
    drained: fc.constantFrom(false, false, false, true),
    inFlight: fc.integer({ min: 0, max: 4 }),
    penalty: fc.constantFrom(undefined, undefined, 100),
  });
  for (const policy of policies) {
    it(`takes whom it may take, and each once a pass, when the policy is ${policy.kind}`, () => {
      fc.assert(fc.property(
        fc.array(standing, { minLength: 1, maxLength: 5 }),
        fc.nat(),
        fc.webPath(),
        (standings, seed, target) => {
          const one = pool(standings, { policy, passive: passive({ requestsMax: 4 }) });
          const world = { ...WORLD, random: seeded(seed) };
          const fit = one.members.filter((member) => available(member, one, 0));
          const tried: typeof fit = [];
          for (;;) {
            const more = anyLeft(one, tried, 0);
            const member = pick(one, tried, 0, asker({ target: target || "/", world }));
            assert.equal(member !== undefined, more);
            if (member === undefined) break;
            const known = one.members.find((other) => other === member);
            assert.ok(known && fit.includes(known) && !tried.includes(known));
            tried.push(known);
          }
          assert.equal(tried.length, fit.length);
        },
      ));
    });
  }
});

describe("anyLeft()", () => {
  it("takes nobody's turn", () => {
    const one = pool([UP, UP], { policy: { kind: "round_robin" } });
    assert.equal(nameOf(one), "a");
    assert.equal(anyLeft(one, [], 0), true);
    assert.equal(nameOf(one), "b");
  });
});

describe("available()", () => {
  it("has no cap when max_requests is unlimited", () => {
    const one = pool([{ inFlight: 1_000_000 }]);
    assert.equal(available(at(one, 0), one, 0), true);
  });

  it("heeds the upstream's own cap below that of its pool", () => {
    const one = pool([{ inFlight: 2 }], { passive: passive({ requestsMax: 9 }) });
    const { upstream, standing } = at(one, 0);
    const capped = (requestsMax: number) => ({ upstream: { ...upstream, requestsMax }, standing });
    assert.equal(available(capped(3), one, 0), true);
    assert.equal(available(capped(2), one, 0), false);
  });
});

describe("expected()", () => {
  const nameIn = (one: FakePool, now = 0, evenFull = false) =>
    expected(one, now, evenFull)?.upstream.name;

  it("tells whom the next request would get", () => {
    assert.equal(nameIn(pool([DOWN, UP])), "b");
    assert.equal(nameIn(pool([DOWN, DOWN])), undefined);
    assert.equal(nameIn(pool([{ drained: true }, UP])), "b");
    assert.equal(nameIn(pool([{ penalty: 100 }, UP])), "b");
  });

  it("passes over those that are full, unless told not to", () => {
    const one = pool([{ inFlight: 1 }, UP], { passive: passive({ requestsMax: 1 }) });
    assert.equal(nameIn(one), "b");
    assert.equal(nameIn(one, 0, true), "a");
  });

  it("tells nothing where a policy goes by more than preference", () => {
    assert.equal(nameIn(pool([UP, UP], { policy: { kind: "round_robin" } })), undefined);
  });

  it("tells who is held, and holds on to nobody by asking", () => {
    const one = pool([DOWN, UP], { failback: { kind: "sticky" } });
    assert.equal(nameIn(one), "b");
    at(one, 0).standing.phase = "up";
    assert.equal(nameIn(one), "a", "nobody was held yet");
    one.held.upstreamId = at(one, 1).upstream.id;
    assert.equal(nameIn(one), "b");
  });

  it("is whom a request then gets", () => {
    const phase = fc.constantFrom("unknown" as const, "up" as const, "down" as const);
    const standing = fc.record({
      phase,
      drained: fc.boolean(),
      inFlight: fc.integer({ min: 0, max: 2 }),
      penalty: fc.constantFrom(undefined, 100),
      since: fc.integer({ min: -100, max: 0 }),
    });
    const failback = fc.constantFrom<Failback>(
      { kind: "immediate" },
      { kind: "sticky" },
      { kind: "manual" },
      { kind: "after", afterMs: 50 },
    );
    fc.assert(fc.property(
      fc.array(standing, { minLength: 1, maxLength: 4 }),
      failback,
      fc.integer({ min: -1, max: 3 }),
      (standings, rule, heldAt) => {
        const rules = { failback: rule, passive: passive({ requestsMax: 2 }) };
        const one = pool(standings, rules);
        one.held.upstreamId = one.members[heldAt]?.upstream.id;
        const foretold = nameIn(one);
        assert.equal(nameOf(one), foretold);
      },
    ));
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
