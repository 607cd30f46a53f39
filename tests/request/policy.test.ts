/** Whom each policy chooses among those that may be chosen, and how evenly. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Board } from "../../src/health/board.ts";
import type { Pool } from "../../src/model.ts";
import type { Policy } from "../../src/rules.ts";
import { choose } from "../../src/request/policy.ts";
import { keyOf } from "../../src/request/policy_asker.ts";
import { type FakePool, type FakeStanding, pool, poolRules } from "../support/fake_route.ts";
import { asker, type AskerChanges, seeded, WORLD } from "../support/fake_world.ts";
import { ManualClock } from "../support/manual_clock.ts";

/** Names chosen one after the other; `absent` ones may not be. */
function names(
  one: Pool,
  times: number,
  { absent = "", ...asked }: AskerChanges & { absent?: string } = {},
): string {
  const candidates = one.members.filter(({ upstream }) => !absent.includes(upstream.name));
  const by = asker(asked);
  let all = "";
  for (let time = 0; time < times; time++) {
    all += choose(one.rules.policy, candidates, one, by)?.upstream.name ?? "-";
  }
  return all;
}

function count(all: string, name: string): number {
  return all.split(name).length - 1;
}

function ofFour(policy: Policy, inFlight: readonly number[] = [0, 0, 0, 0]): FakePool {
  const standings = inFlight.map((running): Partial<FakeStanding> => ({ inFlight: running }));
  return pool(standings, { policy });
}

const BY_CHANCE: readonly [Policy, readonly number[], Readonly<Record<string, number>>][] = [
  [{ kind: "random" }, [9, 0, 0, 3], { a: 1 / 4, b: 1 / 4, c: 1 / 4, d: 1 / 4 }],
  [{ kind: "least_conn" }, [1, 0, 2, 0], { a: 0, b: 1 / 2, c: 0, d: 1 / 2 }],
  [{ kind: "least_conn" }, [7, 7, 7, 7], { a: 1 / 4, b: 1 / 4, c: 1 / 4, d: 1 / 4 }],
  // Six pairs are alike likely; "a" wins the three that it is in, "d" none.
  [{ kind: "random_choose", choices: 2 }, [0, 1, 2, 3], { a: 3 / 6, b: 2 / 6, c: 1 / 6, d: 0 }],
  [{ kind: "random_choose", choices: 3 }, [0, 1, 2, 3], { a: 3 / 4, b: 1 / 4, c: 0, d: 0 }],
  [{ kind: "random_choose", choices: 2 }, [5, 5, 5, 5], { a: 1 / 4, b: 1 / 4, c: 1 / 4, d: 1 / 4 }],
  [{ kind: "random_choose", choices: 9 }, [2, 1, 1, 2], { a: 0, b: 1 / 2, c: 1 / 2, d: 0 }],
];

describe("choose() by chance", () => {
  for (const [policy, inFlight, expected] of BY_CHANCE) {
    const choices = policy.kind === "random_choose" ? ` of ${policy.choices}` : "";
    it(`shares out by ${policy.kind}${choices} when in flight are ${inFlight.join()}`, () => {
      const world = { ...WORLD, random: seeded(42) };
      const all = names(ofFour(policy, inFlight), 12_000, { world });
      for (const [name, share] of Object.entries(expected)) {
        const got = count(all, name) / all.length;
        // Five standard deviations of the widest share; what never is has none.
        assert.ok(Math.abs(got - share) <= (share === 0 ? 0 : 0.023), `${name}: ${got}`);
      }
    });
  }
});

describe("choose() in turn", () => {
  const robin: Policy = { kind: "round_robin" };

  it("goes round the list when all are there", () => {
    assert.equal(names(ofFour(robin), 10), "abcdabcdab");
  });

  it("gives the neighbours of an absent one no more than others", () => {
    const one = ofFour(robin);
    assert.equal(names(one, 6, { absent: "b" }), "acdacd");
    assert.equal(names(one, 5), "abcda");
  });

  /** A board that is given the configuration again and again. */
  function reloading() {
    const board = new Board(new ManualClock(), () => {});
    return (policy: Policy, upstreamsMax: number): Pool => {
      const upstreams = ofFour(policy).rules.upstreams.slice(0, upstreamsMax);
      const [adopted] = board.adopt([poolRules({ policy, upstreams })], new Set());
      assert.ok(adopted);
      return adopted;
    };
  }

  it("goes on after a reload where it was, also when the list has become shorter", () => {
    const reload = reloading();
    assert.equal(names(reload(robin, 4), 3), "abc");
    assert.equal(names(reload(robin, 4), 1), "d");
    assert.equal(names(reload(robin, 3), 4), "bcab");
  });

  it("goes on amid a cycle of weights after a reload", () => {
    const weighted: Policy = { kind: "weighted_round_robin", weights: [3, 1] };
    const cycle = names(reloading()(weighted, 2), 4);
    const reload = reloading();
    assert.equal(names(reload(weighted, 2), 1) + names(reload(weighted, 2), 3), cycle);
  });
});

describe("choose() by weight", () => {
  const weighing = (...weights: number[]) => ofFour({ kind: "weighted_round_robin", weights });

  it("spreads the heavy one over its cycle", () => {
    assert.equal(names(weighing(5, 1, 1, 0), 7), "aabacaa");
  });

  it("never takes one of weight 0, be it the only one", () => {
    assert.equal(names(weighing(0, 1, 0, 0), 3), "bbb");
    assert.equal(names(weighing(0, 1, 0, 0), 2, { absent: "b" }), "--");
  });

  it("shares an absent one's part out by weight", () => {
    const all = names(weighing(2, 1, 5, 0), 30, { absent: "c" });
    assert.deepEqual([count(all, "a"), count(all, "b")], [20, 10]);
  });

  it("gives those 1 that are found beyond the list of weights", () => {
    const all = names(weighing(2, 1), 10);
    assert.deepEqual(["a", "b", "c", "d"].map((name) => count(all, name)), [4, 2, 2, 2]);
  });

  it("starves nobody for what it owes from heavier days", () => {
    const before = weighing(1000, 1, 0, 0);
    names(before, 400);
    const after = { ...weighing(1, 1, 0, 0), held: before.held };
    assert.equal(count(names(after, 10), "a") >= 4, true);
  });

  it("forgets upstreams that are gone", () => {
    const one = weighing(1, 1, 1, 1);
    for (let at = 0; at < 9; at++) one.held.credit.set(`r/gone${at}`, 1);
    names(one, 1);
    assert.deepEqual([...one.held.credit.keys()].sort(), ["r/a", "r/b", "r/c", "r/d"]);
  });

  it("gives each its weight over any cycle", () => {
    const weights = fc.array(fc.nat(20), { minLength: 4, maxLength: 4 });
    fc.assert(fc.property(weights, fc.nat(40), (given, skipped) => {
      const total = given.reduce((sum, weight) => sum + weight, 0);
      fc.pre(total > 0);
      const one = weighing(...given);
      names(one, skipped);
      const cycle = names(one, total);
      assert.deepEqual(["a", "b", "c", "d"].map((name) => count(cycle, name)), given);
    }));
  });
});

describe("choose() by hash", () => {
  const FIRST: Policy = { kind: "first" };
  const query: Policy = { kind: "query", key: "id", fallback: FIRST };
  const header: Policy = { kind: "header", name: "X-User", fallback: FIRST };
  const host: Policy = { kind: "header", name: "Host", fallback: FIRST };
  /** What a policy goes by, and what it does not. */
  const rows: readonly [string, Policy, (text: string) => AskerChanges, boolean][] = [
    ["ip_hash goes by the peer", { kind: "ip_hash" }, (text) => ({ ip: text }), true],
    ["ip_hash not by the client", { kind: "ip_hash" }, (text) => ({ clientIp: text }), false],
    ["client_ip_hash by the client", { kind: "client_ip_hash" }, (c) => ({ clientIp: c }), true],
    [
      "client_ip_hash not by the peer",
      { kind: "client_ip_hash" },
      (text) => ({ ip: text, clientIp: "c" }),
      false,
    ],
    ["uri_hash by the path", { kind: "uri_hash" }, (text) => ({ target: `/${text}` }), true],
    ["uri_hash by the query", { kind: "uri_hash" }, (text) => ({ target: `/?${text}` }), true],
    ["query by its key", query, (text) => ({ target: `/?id=${text}` }), true],
    ["query not by others", query, (text) => ({ target: `/?id=1&x=${text}` }), false],
    ["query not by the path", query, (text) => ({ target: `/${text}?id=1` }), false],
    ["header by its field", header, (text) => ({ fields: [["x-user", text]] }), true],
    ["header by the host", host, (text) => ({ host: text }), true],
    ["header not by the host", header, (h) => ({ host: h, fields: [["X-User", "u"]] }), false],
  ];
  for (const [title, policy, asked, matters] of rows) {
    it(`goes elsewhere only for what counts: ${title}`, () => {
      const one = ofFour(policy);
      const chosen = new Set<string>();
      for (let at = 0; at < 50; at++) chosen.add(names(one, 1, asked(`text${at}`)));
      assert.equal(chosen.size, matters ? 4 : 1);
      assert.match(names(one, 5, asked("same")), /^(.)\1{4}$/);
    });
  }

  const absent: readonly [string, Policy, AskerChanges][] = [
    ["no query", query, { target: "/path" }],
    ["another key", query, { target: "/?idx=1" }],
    ["an empty value", query, { target: "/?id=" }],
    ["no such field", header, {}],
    ["an empty field", header, { fields: [["X-User", ""]] }],
  ];
  for (const [title, policy, asked] of absent) {
    it(`falls back when there is ${title}`, () => {
      assert.equal(names(ofFour(policy), 3, asked), "aaa");
    });
  }

  it("falls back from one key to the next", () => {
    const nested: Policy = { ...query, fallback: header };
    const byHeader = names(ofFour(header), 1, { fields: [["X-User", "zoe"]] });
    assert.equal(names(ofFour(nested), 1, { fields: [["X-User", "zoe"]] }), byHeader);
  });
});

describe("keyOf()", () => {
  const query = { kind: "query", key: "a b", fallback: { kind: "random" } } as const;
  const cases: [string, string, string][] = [
    ["reads a key as it is encoded", "/?a+b=1", "1"],
    ["reads a value as it is encoded", "/?a%20b=x%2Fy", "x/y"],
    ["takes all values, in order", "/?a+b=1&c=2&a+b=3", "1,3"],
    ["does not stumble over a broken escape", "/?a+b=%zz", "%zz"],
    ["knows the query from a mark within it", "/?x=?&a+b=1", "1"],
  ];
  for (const [title, target, expected] of cases) {
    it(title, () => assert.equal(keyOf(query, asker({ target })), expected));
  }

  it("takes all fields of a name", () => {
    const policy = { kind: "header", name: "X-User", fallback: { kind: "random" } } as const;
    const fields = [["X-User", "a"], ["x-user", "b"]] as const;
    assert.equal(keyOf(policy, asker({ fields })), "a, b");
  });
});
