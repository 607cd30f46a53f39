/** What a reload starts afresh and probes anew. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { addressKey } from "../../src/address.ts";
import { type Plan, plan } from "../../src/config/plan.ts";
import type { Address, Config, PoolRules, Upstream } from "../../src/rules.ts";
import { poolsOf } from "../../src/steps.ts";
import { config, health, route, type RouteChanges, upstream } from "../support/fake_route.ts";

const tcp = (port: number, host = "127.0.0.1"): Address => ({ kind: "tcp", host, port });
const unix = (path: string): Address => ({ kind: "unix", path });
const routes = (changes: RouteChanges): Config => config({ routes: [route(changes)] });
const PROBED = health();

/** A plan with its sets spelled out. */
function told({ moved, gone, probe, unprobe }: Plan): Record<string, string[]> {
  return {
    moved: [...moved],
    gone: [...gone],
    probe: [...probe],
    unprobe: [...unprobe],
  };
}

const NOTHING = { moved: [], gone: [], probe: [], unprobe: [] };

describe("plan()", () => {
  it("probes everything when nothing runs yet", () => {
    const next = routes({ health: PROBED });
    assert.deepEqual(told(plan(undefined, next)), { ...NOTHING, probe: ["r/a", "r/b"] });
  });

  it("does nothing when nothing changed, however often it is built anew", () => {
    const build = () => routes({ health: health({ expectBody: /x/ }) });
    const { unprobe, ...rest } = told(plan(build(), build()));
    assert.deepEqual({ ...rest, unprobe }, NOTHING);
  });

  const at = (changes: Parameters<typeof upstream>[1]) => [upstream("a", changes), upstream("b")];
  const moves: [string, PoolRules["upstreams"], string[]][] = [
    ["another port", at({ address: tcp(81, "a") }), ["r/a"]],
    ["another host", at({ address: tcp(80, "c") }), ["r/a"]],
    ["another scheme", at({ scheme: "https" }), ["r/a"]],
    ["a unix socket", at({ address: unix("/s") }), ["r/a"]],
    ["another order", at({}).reverse(), []],
    ["other fields", at({ headers: [{ name: "X", value: ["1"] }] }), []],
    ["another host_header", at({ hostHeader: { kind: "upstream" } }), []],
  ];
  for (const [title, upstreams, moved] of moves) {
    it(`takes ${moved.length > 0 ? "" : "not "}for another machine what has ${title}`, () => {
      const told_ = told(plan(routes({ health: PROBED }), routes({ health: PROBED, upstreams })));
      assert.deepEqual(told_["moved"], moved);
      assert.deepEqual(told_["probe"], moved);
    });
  }

  const rules: [string, PoolRules["health"], PoolRules["health"], string[], string[]][] = [
    ["the same rules", PROBED, health(), [], []],
    ["another interval", PROBED, health({ intervalMs: 1 }), ["r/a", "r/b"], []],
    [
      "another pattern",
      health({ expectBody: /a/ }),
      health({ expectBody: /b/ }),
      ["r/a", "r/b"],
      [],
    ],
    ["another flag", health({ expectBody: /a/ }), health({ expectBody: /a/i }), ["r/a", "r/b"], []],
    ["rules for the first time", undefined, PROBED, ["r/a", "r/b"], []],
    ["no rules any more", PROBED, undefined, [], ["r/a", "r/b"]],
  ];
  for (const [title, before, after, probe, unprobe] of rules) {
    it(`starts ${probe.length} probe loops and ends ${unprobe.length} for ${title}`, () => {
      const made = told(plan(routes({ health: before }), routes({ health: after })));
      assert.deepEqual([made["probe"], made["unprobe"]], [probe, unprobe]);
      assert.deepEqual([made["moved"], made["gone"]], [[], []]);
    });
  }

  const reached: [string, Partial<Upstream>][] = [
    ["another certificate to show", { tls: { ...upstream("a").tls, insecure: true } }],
    ["another address to leave from", {
      connections: { ...upstream("a").connections, localAddress: "127.0.0.2" },
    }],
  ];
  for (const [title, changes] of reached) {
    it(`probes anew, as the same machine, what is reached with ${title}`, () => {
      const upstreams = [upstream("a", changes), upstream("b")];
      const after = routes({ health: PROBED, upstreams });
      const { moved, probe } = told(plan(routes({ health: PROBED }), after));
      assert.deepEqual([moved, probe], [[], ["r/a"]]);
    });
  }

  it("ends probing and lets go of what is gone", () => {
    const after = routes({ health: PROBED, upstreams: [upstream("a")] });
    const { gone, unprobe, probe } = told(plan(routes({ health: PROBED }), after));
    assert.deepEqual([gone, unprobe, probe], [["r/b"], ["r/b"], []]);
  });

  it("leads from any configuration to any other: what is probed is what is wanted", () => {
    const one = fc.record({ name: fc.constantFrom("a", "b", "c"), host: fc.constantFrom("x", "y") })
      .map(({ name, host }) => upstream(name, { address: tcp(80, host) }));
    const some = fc.record({
      upstreams: fc.uniqueArray(one, { selector: ({ id }) => id }),
      probed: fc.boolean(),
    }).map(({ upstreams, probed }) => {
      const rules = probed ? PROBED : undefined;
      return routes({ upstreams, health: rules });
    });
    fc.assert(fc.property(fc.array(some, { maxLength: 6 }), (configs) => {
      let running: Config | undefined;
      const loops = new Map<string, string>();
      for (const next of configs) {
        const made = plan(running, next);
        for (const id of [...made.unprobe, ...made.probe]) loops.delete(id);
        const upstreams = poolsOf(next.routes).flatMap((each) =>
          each.health ? [...each.upstreams] : []
        );
        for (const { id, address: now } of upstreams) {
          if (made.probe.has(id)) loops.set(id, addressKey(now));
        }
        const wanted = upstreams.map(({ id, address: now }) => [id, addressKey(now)]);
        assert.deepEqual(Object.fromEntries(loops), Object.fromEntries(wanted));
        running = next;
      }
    }));
  });
});

describe("addressKey()", () => {
  it("tells addresses apart, also where host and port could run together", () => {
    const keys = [tcp(1), tcp(11), tcp(1, "::1"), tcp(1, ""), unix("/1"), unix("127.0.0.1|1")];
    assert.equal(new Set(keys.map(addressKey)).size, keys.length);
  });
});
