/** Certificates that end soon, and the root: told once a day and no more often, for as long as it is so. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Log } from "../../src/ops/log.ts";
import { certificate, identity } from "../support/fake_tls.ts";
import { ACME, FakeEdge, INTERNAL, pairSource, tlsRules } from "../support/fake_edge.ts";
import { loopback } from "../support/fake_route.ts";
import { ManualClock, settled } from "../support/manual_clock.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

class Scene {
  readonly clock = new ManualClock();
  /** Level, event and moment of each line. */
  readonly lines: string[] = [];
  readonly keeping: FakeEdge;

  constructor() {
    const noted = (level: string) => (event: string, { expires = "" } = {}) => {
      this.lines.push(`${level} ${event} ${String(expires).slice(0, 10)}`.trimEnd());
    };
    const log: Log = {
      ...{ debug: noted("debug"), info: noted("info"), warn: noted("warn"), error: noted("error") },
    };
    this.keeping = new FakeEdge(this.clock, log);
  }

  /** A pair of files that is good for so many days more, of sixty. */
  pair(name: string, days: number) {
    const from = this.clock.now() - (60 - days) * DAY_MS;
    return certificate([name], pairSource([name], { from, days: 60 }));
  }

  async replace(rules: Parameters<FakeEdge["edge"]["replace"]>[0]): Promise<void> {
    this.keeping.edge.replace(rules);
    await settled();
  }
}

describe("Lookout", () => {
  it("tells of files with less than a sixth of their life left, at once and then once a day", async () => {
    const scene = new Scene();
    await scene.replace(tlsRules([scene.pair("a.lan", 9), scene.pair("b.lan", 11)]));
    assert.deepEqual(scene.lines, ["warn certificate.expiring 2026-12-01"]);
    await scene.clock.advance(DAY_MS - 1);
    assert.equal(scene.lines.length, 1);
    await scene.clock.advance(HOUR_MS);
    assert.equal(scene.lines.length, 2);
    await scene.clock.advance(DAY_MS);
    assert.deepEqual(scene.lines.slice(2).sort(), [
      "warn certificate.expiring 2026-12-01",
      "warn certificate.expiring 2026-12-03",
    ]);
    scene.keeping.edge.close();
  });

  it("goes on when it has ended, as an error", async () => {
    const scene = new Scene();
    await scene.replace(tlsRules([scene.pair("a.lan", -1)]));
    assert.deepEqual(scene.lines, ["error certificate.expiring 2026-11-21"]);
    scene.keeping.edge.close();
  });

  it("is not told again by a reload, and forgets what is well again", async () => {
    const scene = new Scene();
    const old = scene.pair("a.lan", 3);
    await scene.replace(tlsRules([old]));
    await scene.replace(tlsRules([{ ...old }]));
    assert.equal(scene.lines.length, 1);
    await scene.replace(tlsRules([scene.pair("a.lan", 50)]));
    await scene.replace(tlsRules([old]));
    assert.equal(scene.lines.length, 2);
    scene.keeping.edge.close();
  });

  it("says nothing of certificates that are renewed in time, nor of missing ones", async () => {
    const scene = new Scene();
    scene.keeping.acme.problem = { reason: "away" };
    await scene.replace(
      tlsRules([certificate(["a.lan"], INTERNAL), certificate(["a.example"], ACME)]),
    );
    await scene.clock.advance(100 * DAY_MS);
    assert.deepEqual(scene.lines.filter((line) => line.includes("expiring")), []);
    scene.keeping.edge.close();
  });

  it("tells of the root from ninety days before its end, while it is in use", async () => {
    const scene = new Scene();
    const days = 3650;
    const from = scene.clock.now() - (days - 91) * DAY_MS;
    scene.keeping.root = identity([], { from, days }).chain;
    await scene.replace(tlsRules([scene.pair("a.lan", 50)]));
    await scene.clock.advance(2 * DAY_MS);
    assert.deepEqual(scene.lines, []);

    const onDemand = { names: "private", lifetimeMs: 1 } as const;
    await scene.replace(tlsRules([], { onDemand }));
    await scene.clock.advance(2 * HOUR_MS);
    assert.deepEqual([scene.lines, scene.keeping.rootAsked], [[], 0]);
    const door = scene.keeping.edge.door({ ...loopback(443), tls: true });
    await door.choose({ name: "new.lan", protocols: [] }, "192.0.2.1");
    await scene.clock.advance(DAY_MS);
    assert.deepEqual(scene.lines, ["warn root.expiring 2027-02-21"]);
    await scene.clock.advance(2 * HOUR_MS);
    assert.equal(scene.lines.length, 2);
    scene.keeping.edge.close();
  });

  it("tells of the root that has signed what is held", async () => {
    const scene = new Scene();
    scene.keeping.root = identity([], { from: scene.clock.now(), days: 80 }).chain;
    await scene.replace(tlsRules([certificate(["a.lan"], INTERNAL)]));
    await scene.clock.advance(2 * HOUR_MS);
    assert.deepEqual(scene.lines.slice(1), ["warn root.expiring 2027-02-10"]);
    scene.keeping.edge.close();
  });

  it("survives a root that cannot be read, or is none", async () => {
    const scene = new Scene();
    scene.keeping.rootProblem = new Error("locked");
    await scene.replace(tlsRules([certificate(["a.lan"], INTERNAL)]));
    scene.keeping.rootProblem = undefined;
    scene.keeping.root = "nonsense";
    await scene.clock.advance(2 * HOUR_MS);
    assert.deepEqual(scene.lines, ["info certificate.issued 2027-02-20"]);
    scene.keeping.edge.close();
  });

  it("ends with the edge, and where no TLS is spoken any more", async () => {
    const scene = new Scene();
    const rules = tlsRules([scene.pair("a.lan", 3)]);
    await scene.replace(rules);
    await scene.replace(undefined);
    assert.equal(scene.clock.pending, 0);
    await scene.replace(rules);
    scene.keeping.edge.close();
    assert.equal(scene.clock.pending, 0);
    await scene.clock.advance(3 * DAY_MS);
    assert.equal(scene.lines.length, 1);
  });
});
