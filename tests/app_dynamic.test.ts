/** Upstreams that a name service knows, in a running proxy: they come, are probed, and go with its answers. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { platform } from "#platform";
import { Proxy } from "../src/app.ts";
import type { Dynamic } from "../src/rules.ts";
import { Logger } from "../src/ops/log.ts";
import { config, health, route, upstream } from "./support/fake_route.ts";
import { within } from "./support/fake_upstream.ts";
import { FakeTransport } from "./support/fake_transport.ts";
import { WORLD } from "./support/fake_world.ts";
import { ManualClock, settled } from "./support/manual_clock.ts";
import { NameServer } from "./support/name_server.ts";

const { id: _id, name: _name, address: _address, authority: _authority, ...template } = upstream(
  "t",
);

/** A proxy whose upstreams a name server tells, and whose probes are answered by a script. */
class Bench {
  readonly clock = new ManualClock();
  readonly transport = new FakeTransport();
  readonly lines: string[] = [];
  readonly #waiting = new Set<() => void>();

  async open(dynamic: Partial<Dynamic>, server: NameServer): Promise<Proxy> {
    const source = {
      kind: "a",
      name: "gpu.lan",
      port: 8080,
      families: [4],
      refreshMs: 60_000,
      graceMs: 0,
      resolvers: [server.address],
      template,
      ...dynamic,
    } as Dynamic;
    const rules = health({ intervalMs: 10_000 });
    const routes = [route({ upstreams: [upstream("listed")], dynamic: [source], health: rules })];
    return await Proxy.open(config({ routes }), {
      engine: {
        transport: this.transport,
        listen: (address) =>
          Promise.resolve({ address, close: () => Promise.resolve(), abort: () => {} }),
      },
      log: new Logger({ format: "text", level: "info" }, {
        now: () => this.clock.now(),
        write: (text) => this.#heard(text),
        later: (callback) => callback(),
        colours: false,
      }),
      clock: this.clock,
      names: platform.names,
      ...WORLD,
    });
  }

  /** Lets a refresh come, and waits for what it changes. */
  async refresh(told: RegExp): Promise<void> {
    this.lines.length = 0;
    await this.clock.advance(60_000);
    await this.until(told);
  }

  async until(told: RegExp): Promise<void> {
    const holds = () => this.lines.some((line) => told.test(line));
    if (holds()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => holds() && resolve();
    this.#waiting.add(look);
    await within(`a line like ${told}`, promise);
    this.#waiting.delete(look);
    await settled();
  }

  #heard(text: string): void {
    this.lines.push(text);
    for (const look of this.#waiting) look();
  }
}

describe("Proxy with dynamic upstreams", () => {
  it("has those that the name server knows, probed like others, as they come and go", async () => {
    await using server = await NameServer.open();
    server.records.set("gpu.lan", [{ type: "A", address: "10.0.0.1" }]);
    const bench = new Bench();
    const proxy = await bench.open({}, server);
    await settled();
    assert.equal(proxy.board.entry("r 10.0.0.1:8080")?.phase, "up");
    const known = proxy.board.entry("r/listed");

    server.records.set("gpu.lan", [
      { type: "A", address: "10.0.0.2" },
      { type: "A", address: "10.0.0.1" },
    ]);
    const kept = proxy.board.entry("r 10.0.0.1:8080");
    await bench.refresh(/upstreams\.found.*10\.0\.0\.1:8080, 10\.0\.0\.2:8080/);
    assert.equal(proxy.board.entry("r 10.0.0.1:8080"), kept, "what was learned stays");
    assert.equal(proxy.board.entry("r 10.0.0.2:8080")?.phase, "up");

    server.records.set("gpu.lan", [{ type: "A", address: "10.0.0.2" }]);
    await bench.refresh(/upstreams\.found/);
    assert.equal(proxy.board.entry("r 10.0.0.1:8080"), undefined);
    assert.equal(proxy.board.entry("r/listed"), known);
    const before = bench.transport.asked.filter((name) => name === "10.0.0.1:8080").length;
    await bench.clock.advance(30_000);
    const after = bench.transport.asked.filter((name) => name === "10.0.0.1:8080").length;
    assert.equal(after, before, "what is gone is probed no more");

    await proxy.drain(0);
    await settled();
    assert.equal(bench.clock.pending, 0);
  });

  it("serves by what it lists until the name server answers", async () => {
    await using server = await NameServer.open();
    server.mood = "refuses";
    const bench = new Bench();
    const proxy = await bench.open({}, server);
    assert.equal(proxy.board.entry("r/listed")?.phase !== undefined, true);
    await bench.until(/upstreams\.unknown/);
    server.mood = "answers";
    server.records.set("gpu.lan", [{ type: "A", address: "10.0.0.1" }]);
    await bench.refresh(/upstreams\.found/);
    await settled();
    assert.equal(proxy.board.entry("r 10.0.0.1:8080")?.phase, "up");
    await proxy.drain(0);
  });

  it("finds services by priority", async () => {
    await using server = await NameServer.open();
    server.records.set("_http._tcp.gpu.lan", [
      { type: "SRV", priority: 2, weight: 1, port: 81, target: "b.lan" },
      { type: "SRV", priority: 1, weight: 1, port: 82, target: "a.lan" },
    ]);
    const bench = new Bench();
    const proxy = await bench.open({ kind: "srv", name: "_http._tcp.gpu.lan" }, server);
    await bench.until(/upstreams\.found.*a\.lan:82, b\.lan:81/);
    assert.notEqual(proxy.board.entry("r a.lan:82"), undefined);
    await proxy.drain(0);
  });
});
