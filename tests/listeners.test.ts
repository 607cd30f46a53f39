/** Listeners through reloads: opened before they count, closed behind those who still talk, told what is spoken. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Engine, Listener, Terms } from "../src/model.ts";
import { Listeners } from "../src/listeners.ts";
import { ListenError } from "../src/platform/platform.ts";
import type { TlsDoor } from "../src/platform/tls.ts";
import type { ListenRules } from "../src/rules.ts";
import { loopback } from "./support/fake_route.ts";
import { settled } from "./support/manual_clock.ts";

const SECURE = { tls: true, h2: true } as const;

class Scene {
  /** Ports that are taken by somebody else. */
  readonly taken = new Set<number>();
  readonly open = new Map<number, () => Terms>();
  readonly events: string[] = [];
  readonly listeners: Listeners;

  constructor() {
    const engine: Pick<Engine, "listen"> = {
      listen: (address, _, options) => {
        const port = address.kind === "tcp" ? address.port : 0;
        if (this.taken.has(port)) return Promise.reject(new ListenError("the port is taken"));
        this.open.set(port, options?.terms ?? (() => assert.fail()));
        const gone = (how: string) => {
          this.open.delete(port);
          this.events.push(`${how} ${port}`);
        };
        const listener: Listener = {
          address,
          close: () => Promise.resolve(gone("closed")),
          abort: () => gone("aborted"),
        };
        return Promise.resolve(listener);
      },
    };
    this.listeners = new Listeners({
      engine,
      serve: () => Promise.resolve(),
      refused: () => {},
      bug: (error) => assert.fail(String(error)),
      door: (rules) => ({ rules, choose: () => undefined, failed: () => {} }) as TlsDoor,
      log: {
        debug() {},
        info() {},
        error() {},
        warn: (event) => void this.events.push(event),
      },
    });
  }

  async take(...rules: ListenRules[]): Promise<void> {
    (await this.listeners.prepare(rules)).take();
  }

  get ports(): number[] {
    return [...this.open.keys()];
  }
}

describe("Listeners", () => {
  it("prepare() opens what is new and take() closes what is wanted no more", async () => {
    const scene = new Scene();
    await scene.take(loopback(1), loopback(2));
    const next = await scene.listeners.prepare([loopback(2), loopback(3)]);
    assert.deepEqual(scene.ports, [1, 2, 3]);
    next.take();
    assert.deepEqual(scene.ports, [2, 3]);
    assert.deepEqual(scene.events, ["closed 1"]);
  });

  it("prepare() leaves nothing open when one cannot be opened", async () => {
    const scene = new Scene();
    await scene.take(loopback(1));
    scene.taken.add(3);
    await assert.rejects(scene.listeners.prepare([loopback(2), loopback(3)]), ListenError);
    assert.deepEqual(scene.ports, [1]);
    assert.deepEqual(scene.events, ["aborted 2"]);
  });

  it("giveUp() leaves things as they were", async () => {
    const scene = new Scene();
    await scene.take(loopback(1));
    (await scene.listeners.prepare([loopback(2)])).giveUp();
    assert.deepEqual(scene.ports, [1]);
  });

  it("prepare() goes without a helper whose port is taken, says so once, and tries again", async () => {
    const scene = new Scene();
    const helper = { ...loopback(80), written: false };
    scene.taken.add(80);
    await scene.take({ ...loopback(443), ...SECURE }, helper);
    await scene.take({ ...loopback(443), ...SECURE }, helper);
    assert.deepEqual(scene.ports, [443]);
    assert.deepEqual(scene.events, ["listener.missing"]);
    scene.taken.clear();
    await scene.take({ ...loopback(443), ...SECURE }, helper);
    assert.deepEqual(scene.ports, [443, 80]);
  });

  const terms: [string, Partial<ListenRules>, boolean, boolean, boolean][] = [
    ["in the clear", {}, false, false, false],
    ["in the clear with HTTP/2", { h2: true }, false, false, true],
    ["of a helper, which only leads on", { written: false }, false, true, false],
    ["with TLS, where nothing in the clear is in place", SECURE, true, true, false],
  ];
  for (const [title, rules, door, securedOnly, h2c] of terms) {
    it(`terms are those ${title}`, async () => {
      const scene = new Scene();
      await scene.take({ ...loopback(1), ...rules });
      const told = scene.open.get(1)?.();
      assert.deepEqual([told?.door !== undefined, told?.securedOnly, told?.h2c], [
        ...[door, securedOnly, h2c],
      ]);
    });
  }

  it("terms change with a reload, on the same socket", async () => {
    const scene = new Scene();
    await scene.take(loopback(1));
    const ask = scene.open.get(1);
    await scene.take({ ...loopback(1), ...SECURE });
    assert.equal(ask?.().securedOnly, true);
    assert.deepEqual(scene.listeners.urls, ["https://127.0.0.1:1"]);
    assert.deepEqual(scene.events, []);
  });

  it("handshakes wait for the configuration that their listener is of", async () => {
    const scene = new Scene();
    const next = await scene.listeners.prepare([{ ...loopback(1), ...SECURE }]);
    const early = scene.open.get(1)?.().door;
    let answered = false;
    void Promise.resolve(early?.choose({ name: "a", protocols: [] }, "")).then(() => {
      answered = true;
    });
    await settled();
    assert.equal(answered, false);
    next.take();
    await settled();
    assert.equal(answered, true);
  });
});
