/** Upgraded connections outlive a reload that leaves their upstream alone, and end in good order else. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { platform } from "#platform";
import { Proxy } from "../src/app.ts";
import type { Delivery, Engine, Exchange } from "../src/model.ts";
import type { Config } from "../src/rules.ts";
import { Logger } from "../src/ops/log.ts";
import { FakeExchange } from "./support/fake_exchange.ts";
import { config, route, type RouteChanges, upstream } from "./support/fake_route.ts";
import { answer, FakeTransport } from "./support/fake_transport.ts";
import { WORLD } from "./support/fake_world.ts";
import { ManualClock, settled } from "./support/manual_clock.ts";

/** A proxy with one tunnel to upstream "a", on an engine without sockets. */
class Bench {
  readonly clock = new ManualClock();
  endedAt: number | undefined;
  #serve: (exchange: Exchange) => Promise<void> = () => Promise.resolve();

  async open(changes: RouteChanges = {}): Promise<Proxy> {
    const { promise: delivered, resolve: deliver } = Promise.withResolvers<Delivery>();
    const goAway = () => {
      this.endedAt ??= this.clock.elapsed();
      deliver({ end: "whole", bodyBytes: 0 });
    };
    const transport = new FakeTransport().on("a", answer(101, { tunnel: { goAway } }));
    const engine: Engine = {
      transport,
      listen: (address, serve) => {
        this.#serve = serve;
        return Promise.resolve({ address, close: () => Promise.resolve(), abort: () => {} });
      },
    };
    const log = new Logger({ format: "off", level: "info" }, {
      now: () => this.clock.now(),
      write: () => {},
      later: () => {},
      colours: false,
    });
    const proxy = await Proxy.open(configured(changes), {
      engine,
      log,
      clock: this.clock,
      names: platform.names,
      ...WORLD,
    });
    const exchange = new FakeExchange({ upgrade: "websocket" });
    exchange.answer = () => delivered;
    void this.#serve(exchange);
    await settled();
    return proxy;
  }
}

function configured(changes: RouteChanges): Config {
  return config({ routes: [route(changes)] });
}

const moved = upstream("a", { address: { kind: "tcp", host: "elsewhere", port: 80 } });

describe("Proxy with a tunnel", () => {
  it("leaves it alone when its upstream stays", async () => {
    const bench = new Bench();
    const proxy = await bench.open();
    await proxy.replace(configured({ upstreams: [upstream("b"), upstream("a")] }));
    await bench.clock.advance(60_000);
    assert.equal(bench.endedAt, undefined);
    assert.equal(proxy.running, 1);
  });

  for (const [what, upstreams] of [["gone", [upstream("b")]], ["moved", [moved]]] as const) {
    it(`ends it after stream_close_delay when its upstream is ${what}`, async () => {
      const bench = new Bench();
      const proxy = await bench.open({ streamCloseDelayMs: 500 });
      await proxy.replace(configured({ upstreams, streamCloseDelayMs: 9_999 }));
      await bench.clock.advance(499);
      assert.equal(proxy.running, 1);
      await bench.clock.advance(1);
      assert.equal(bench.endedAt, 500);
      assert.equal(proxy.running, 0);
    });
  }

  it("ends it at once when it drains and there is no delay", async () => {
    const bench = new Bench();
    const proxy = await bench.open();
    assert.equal(await proxy.drain(60_000), 0);
    assert.equal(bench.endedAt, 0);
    assert.equal(bench.clock.pending, 0);
  });

  it("waits for the delay when it drains", async () => {
    const bench = new Bench();
    const proxy = await bench.open({ streamCloseDelayMs: 500 });
    const drain = proxy.drain(60_000);
    await bench.clock.advance(500);
    assert.equal(await drain, 0);
  });
});
