/** Asking a name service again and again: what is kept, for how long, and what is told of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Sources } from "../../src/dynamic/sources.ts";
import type { NameAnswer, Names, ServicePlace } from "../../src/platform/platform.ts";
import type { Dynamic, PoolRules } from "../../src/rules.ts";
import { poolRules, upstream } from "../support/fake_route.ts";
import { ManualClock } from "../support/manual_clock.ts";

const { id: _id, name: _name, address: _address, authority: _authority, ...template } = upstream(
  "t",
);

/** A name service that says what a test sets. */
class FakeNames implements Pick<Names, "addresses" | "services"> {
  addressesNow: NameAnswer<string> = { kind: "failed", detail: "no answer" };
  servicesNow: NameAnswer<ServicePlace> = { kind: "failed", detail: "no answer" };
  asked = 0;

  find(...items: string[]): void {
    this.addressesNow = { kind: "found", items };
  }

  fail(detail = "no answer"): void {
    this.addressesNow = { kind: "failed", detail };
  }

  addresses(): Promise<NameAnswer<string>> {
    this.asked++;
    return Promise.resolve(this.addressesNow);
  }

  services(): Promise<NameAnswer<ServicePlace>> {
    this.asked++;
    return Promise.resolve(this.servicesNow);
  }
}

function dynamic(changes: Partial<Dynamic> = {}): PoolRules {
  const source: Dynamic = {
    kind: "a",
    name: "gpu.lan",
    port: 80,
    families: [4, 6],
    refreshMs: 60_000,
    graceMs: 20_000,
    resolvers: [],
    template,
    ...changes,
  } as Dynamic;
  return poolRules({ id: "p", upstreams: [upstream("listed")], dynamic: [source] });
}

class Bench {
  readonly clock = new ManualClock();
  readonly names = new FakeNames();
  readonly told: string[] = [];
  changes = 0;
  readonly sources = new Sources({
    names: this.names,
    clock: this.clock,
    changed: () => void this.changes++,
    tell: (level, event, fields) => {
      this.told.push(`${level} ${event} ${Object.values(fields).join(" ")}`);
    },
  });

  /** Upstreams of the pool now. */
  of(pool: PoolRules): string {
    return this.sources.filled(pool).upstreams.map(({ name }) => name).join(" ");
  }

  /** What was told since it was asked last. */
  heard(): string[] {
    return this.told.splice(0);
  }
}

describe("Sources", () => {
  it("knows the first answer once it has met a pool", async () => {
    const bench = new Bench();
    bench.names.find("10.0.0.2", "10.0.0.1");
    const pool = dynamic();
    await bench.sources.meet([pool]);
    assert.equal(bench.of(pool), "listed 10.0.0.1:80 10.0.0.2:80");
    assert.deepEqual(bench.heard(), ["info upstreams.found gpu.lan 10.0.0.1:80, 10.0.0.2:80"]);
    bench.sources.keep([]);
  });

  it("does not wait for ever for it", async () => {
    const bench = new Bench();
    bench.names.addresses = () => new Promise(() => {});
    const pool = dynamic();
    let met = false;
    const meeting = bench.sources.meet([pool]).then(() => (met = true));
    await bench.clock.advance(2_999);
    assert.equal(met, false);
    await bench.clock.advance(1);
    await meeting;
    assert.equal(bench.of(pool), "listed");
  });

  it("asks again after every refresh and tells only of changes", async () => {
    const bench = new Bench();
    bench.names.find("10.0.0.1", "10.0.0.2");
    const pool = dynamic();
    await bench.sources.meet([pool]);
    bench.heard();
    bench.names.find("10.0.0.2", "10.0.0.1");
    await bench.clock.advance(60_000);
    assert.deepEqual([bench.names.asked, bench.changes, bench.heard()], [2, 1, []]);
    bench.names.find("10.0.0.3");
    await bench.clock.advance(60_000);
    assert.deepEqual([bench.changes, bench.of(pool)], [2, "listed 10.0.0.3:80"]);
    assert.deepEqual(bench.heard(), ["info upstreams.found gpu.lan 10.0.0.3:80"]);
    bench.sources.keep([]);
  });

  it("keeps old answers for the grace period, asking sooner, and then has none", async () => {
    const bench = new Bench();
    bench.names.find("10.0.0.1");
    const pool = dynamic();
    await bench.sources.meet([pool]);
    bench.heard();
    bench.names.fail("no answer in 2000 ms");
    await bench.clock.advance(60_000);
    assert.deepEqual(bench.heard(), ["warn upstreams.stale gpu.lan no answer in 2000 ms 20"]);
    await bench.clock.advance(19_999);
    assert.equal(bench.of(pool), "listed 10.0.0.1:80");
    assert.deepEqual([bench.names.asked, bench.heard()], [5, []]);
    await bench.clock.advance(1);
    assert.equal(bench.of(pool), "listed");
    assert.deepEqual(bench.heard(), ["warn upstreams.unknown gpu.lan no answer in 2000 ms"]);
    assert.equal(bench.changes, 2);
    await bench.clock.advance(60_000);
    assert.deepEqual(bench.heard(), []);
    bench.names.find("10.0.0.1");
    await bench.clock.advance(5_000);
    assert.deepEqual(bench.heard(), ["info upstreams.found gpu.lan 10.0.0.1:80"]);
    bench.sources.keep([]);
  });

  it("says that a name is known again, without a change, when it was only stale", async () => {
    const bench = new Bench();
    bench.names.find("10.0.0.1");
    await bench.sources.meet([dynamic()]);
    bench.names.fail();
    await bench.clock.advance(60_000);
    bench.heard();
    bench.names.find("10.0.0.1");
    await bench.clock.advance(5_000);
    assert.deepEqual(bench.heard(), ["info upstreams.found gpu.lan 10.0.0.1:80"]);
    assert.equal(bench.changes, 1);
    bench.sources.keep([]);
  });

  it("has nothing at once when there is no grace", async () => {
    const bench = new Bench();
    bench.names.find("10.0.0.1");
    const pool = dynamic({ graceMs: 0 });
    await bench.sources.meet([pool]);
    bench.names.fail();
    await bench.clock.advance(60_000);
    assert.equal(bench.of(pool), "listed");
    bench.sources.keep([]);
  });

  it("has none of its listed upstreams go while it never had an answer", async () => {
    const bench = new Bench();
    const pool = dynamic();
    await bench.sources.meet([pool]);
    assert.equal(bench.of(pool), "listed");
    assert.deepEqual(bench.heard(), ["warn upstreams.unknown gpu.lan no answer"]);
    bench.names.find("10.0.0.1");
    await bench.clock.advance(5_000);
    assert.equal(bench.of(pool), "listed 10.0.0.1:80");
    bench.sources.keep([]);
  });

  it("finds places of services", async () => {
    const bench = new Bench();
    const place = { host: "a.lan.", port: 8080, priority: 1, weight: 1 };
    bench.names.servicesNow = { kind: "found", items: [place] };
    const pool = dynamic({ kind: "srv", name: "_http._tcp.gpu.lan" });
    await bench.sources.meet([pool]);
    assert.equal(bench.of(pool), "listed a.lan:8080");
    bench.sources.keep([]);
  });

  it("keeps what it knows across reloads, and asks no more for what nobody names", async () => {
    const bench = new Bench();
    bench.names.find("10.0.0.1");
    const pool = dynamic();
    await bench.sources.meet([pool]);
    const reloaded = { ...dynamic(), id: "q" };
    await bench.sources.meet([reloaded]);
    bench.sources.keep([reloaded]);
    assert.equal(bench.names.asked, 1);
    assert.equal(bench.of(reloaded), "listed 10.0.0.1:80");
    bench.sources.keep([]);
    await bench.clock.advance(600_000);
    assert.equal(bench.names.asked, 1);
    assert.equal(bench.clock.pending, 0);
  });
});
