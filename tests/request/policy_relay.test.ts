/** Policies at work in the relay: cookies that stick, turns that are not lost, who is wanted. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fields } from "../../src/fields.ts";
import type { Policy } from "../../src/rules.ts";
import { RelayBench } from "../support/fake_relay.ts";
import {
  health,
  NO_RULES,
  retry,
  route,
  type RouteChanges,
  upstream,
} from "../support/fake_route.ts";
import { answer, notSent } from "../support/fake_transport.ts";

const COOKIE: Policy = {
  kind: "cookie",
  name: "lb",
  secret: "open sesame",
  maxAgeMs: undefined,
  fallback: { kind: "first" },
};

/** A browser that keeps one cookie. */
function browser(bench: RelayBench) {
  let kept: string | undefined;
  return async () => {
    const fields = kept === undefined ? [] : [["Cookie", `theme=dark; ${kept}`] as const];
    const { exchange, account } = await bench.ask({ fields });
    const set = exchange.reply?.fields.get("set-cookie");
    if (set !== undefined) kept = set.slice(0, set.indexOf(";"));
    return `${account.upstream}${set === undefined ? "" : " set"}`;
  };
}

describe("createRelay() with policy cookie", () => {
  it("keeps a client with its upstream until that dies, and with the next one from then on", async () => {
    const bench = new RelayBench(route({ policy: COOKIE, health: health() }));
    const visit = browser(bench);
    bench.probed("a", false);
    bench.probed("b", true);
    assert.equal(await visit(), "b set");
    bench.probed("a", true);
    assert.equal(await visit(), "b");
    bench.probed("b", false);
    assert.equal(await visit(), "a set");
    bench.probed("b", true);
    assert.equal(await visit(), "a");
  });

  it("names the upstream that answered when the chosen one did not", async () => {
    const bench = new RelayBench(route({ policy: COOKIE }));
    const visit = browser(bench);
    bench.transport.on("a", notSent(), answer());
    assert.equal(await visit(), "b set");
    assert.equal(await visit(), "b");
  });

  it("keeps clients where they are over a reload", async () => {
    const bench = new RelayBench(route({ policy: COOKIE, upstreams: [upstream("b")] }));
    const visit = browser(bench);
    assert.equal(await visit(), "b set");
    bench.reload(route({ policy: { ...COOKIE } }));
    assert.equal(await visit(), "b");
  });

  const response = { ...NO_RULES, remove: ["Set-Cookie"] };
  const rows: [string, RouteChanges, number][] = [
    ["sets its cookie beside those of the upstream", {}, 2],
    ["sets its cookie whatever rules there are for the upstream's", {
      headers: { request: NO_RULES, response },
    }, 1],
  ];
  for (const [title, rules, expected] of rows) {
    it(title, async () => {
      const bench = new RelayBench(route({ policy: COOKIE, ...rules }));
      bench.transport.on("a", answer(200, { fields: [["Set-Cookie", "session=1"]] }));
      const { exchange } = await bench.ask();
      const fields = [...exchange.reply?.fields ?? Fields.empty()];
      const cookies = fields.filter(([name]) => name === "Set-Cookie");
      assert.equal(cookies.length, expected);
      assert.match(cookies.at(-1)?.[1] ?? "", /^lb=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Lax$/);
    });
  }
});

describe("createRelay() with policy round_robin", () => {
  const policy: Policy = { kind: "round_robin" };
  const upstreams = ["a", "b", "c"].map((name) => upstream(name));

  it("takes turns, and fails over to whose turn is next", async () => {
    const bench = new RelayBench(route({ policy, upstreams }));
    bench.transport.on("b", notSent());
    for (let time = 0; time < 3; time++) await bench.ask();
    assert.deepEqual(bench.transport.asked, ["a", "b", "c", "a"]);
  });

  it("loses no turn to the question whether an answer could be replaced", async () => {
    const status = [{ from: 503, to: 503 }];
    const bench = new RelayBench(route({ policy, upstreams, retry: retry({ status }) }));
    for (let time = 0; time < 4; time++) await bench.ask();
    assert.deepEqual(bench.transport.asked, ["a", "b", "c", "a"]);
  });
});

describe("idle_interval", () => {
  it("hears of a request for every upstream when any might have been chosen", async () => {
    const rules = health({ idleIntervalMs: 60_000 });
    const bench = new RelayBench(route({ policy: { kind: "round_robin" }, health: rules }));
    bench.probed("a", true);
    bench.probed("b", false);
    await bench.clock.advance(5_000);
    await bench.ask();
    assert.equal(bench.entry("b").lastWantedAt, 5_000);
  });
});
