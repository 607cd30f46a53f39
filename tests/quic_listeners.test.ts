/** HTTP/3 beside listeners: when it opens, what happens when certificates change, what clients are told. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Exchange, Listener } from "../src/model.ts";
import { ListenError } from "../src/platform/platform.ts";
import type { NamedIdentity } from "../src/platform/tls.ts";
import { QuicListeners } from "../src/quic_listeners.ts";
import { FakeExchange } from "./support/fake_exchange.ts";
import { loopback } from "./support/fake_route.ts";
import { ManualClock, settled } from "./support/manual_clock.ts";

const RULES = { ...loopback(443), tls: true, h2: true, h3: true };

class Scene {
  readonly clock = new ManualClock();
  readonly events: string[] = [];
  identities: NamedIdentity[] = [];
  /** Takes an exchange to the server that is open now. */
  serve: (exchange: Exchange) => Promise<void> = () => assert.fail();
  /** Ends the exchanges that run. */
  finish: () => void = () => {};
  taken = false;
  readonly quic: QuicListeners;

  constructor(served = true) {
    const open = (_: unknown, identities: readonly NamedIdentity[], serve: Scene["serve"]) => {
      if (this.taken) return Promise.reject(new ListenError("the port is taken"));
      const shown = identities.map(({ chain }) => chain).join();
      this.events.push(`open ${shown}`);
      this.serve = serve;
      const closed = Promise.withResolvers<void>();
      const listener: Listener = {
        address: RULES.address,
        close: () => {
          this.events.push(`close ${shown}`);
          return closed.promise;
        },
        abort: () => {
          this.events.push(`abort ${shown}`);
          closed.resolve();
        },
      };
      return Promise.resolve(listener);
    };
    this.quic = new QuicListeners({
      quic: served ? open : undefined,
      serve: () => new Promise((resolve) => (this.finish = resolve)),
      identities: () => this.identities,
      clock: this.clock,
      log: {
        debug() {},
        info() {},
        error() {},
        warn: (event) => void this.events.push(event),
      },
    });
  }

  show(...serials: string[]): void {
    this.identities = serials.map((chain) => ({ names: ["a"], chain, key: "k" }));
  }

  async want(...rules: (typeof RULES)[]): Promise<void> {
    this.quic.replace(rules, ({ address }) => address);
    await settled();
  }

  async align(): Promise<void> {
    this.quic.align();
    await settled();
  }
}

describe("QuicListeners", () => {
  it("opens once there is a certificate, and tells clients from then on", async () => {
    const scene = new Scene();
    await scene.want(RULES);
    assert.equal(scene.quic.alternative(443, "a"), undefined);
    scene.show("1");
    await scene.align();
    assert.deepEqual(scene.events, ["open 1"]);
    assert.equal(scene.quic.alternative(443, "a"), 'h3=":443"; ma=86400');
    assert.equal(scene.quic.alternative(8443, "a"), undefined);
    await scene.align();
    assert.deepEqual(scene.events, ["open 1"]);
  });

  it("opens once though it is wanted twice in one moment, and anew where that was for another", async () => {
    const scene = new Scene();
    scene.show("1");
    const twice = [scene.want(RULES), scene.want(RULES)];
    await Promise.all(twice);
    assert.deepEqual(scene.events, ["open 1"]);

    const other = new Scene();
    other.show("1");
    const first = other.want(RULES);
    other.show("2");
    await Promise.all([first, other.align()]);
    assert.deepEqual(other.events, ["open 1", "close 1", "abort 1", "open 2"]);
  });

  it("leaves no server behind that opens after its end", async () => {
    const scene = new Scene();
    scene.show("1");
    const opening = scene.want(RULES);
    scene.quic.abort();
    await opening;
    assert.deepEqual(scene.events, ["open 1", "abort 1"]);
  });

  it("tells only those of it who would be shown a certificate there", async () => {
    const scene = new Scene();
    scene.identities = [{ names: ["a.test", "*.b.test"], chain: "1", key: "k" }];
    await scene.want(RULES);
    const names = ["a.test", "x.b.test", undefined, "b.test", "c.test", "192.0.2.1"];
    assert.deepEqual(
      names.map((name) => scene.quic.alternative(443, name) !== undefined),
      [true, true, true, false, false, false],
    );
    assert.equal(scene.quic.alternative(undefined, "a.test"), undefined);
  });

  it("tells nobody of it where another address of the port has none", async () => {
    const scene = new Scene();
    scene.show("1");
    const other = { kind: "tcp", host: "::1", port: 443 } as const;
    await scene.want(RULES, { ...RULES, address: other, h3: false });
    assert.equal(scene.quic.alternative(443, "a"), undefined);
    await scene.want(RULES);
    assert.notEqual(scene.quic.alternative(443, "a"), undefined);
  });

  it("opens nothing on listeners that want none", async () => {
    const scene = new Scene();
    scene.show("1");
    await scene.want({ ...RULES, h3: false });
    assert.deepEqual(scene.events, []);
  });

  it("makes room for a new certificate at once while nothing runs", async () => {
    const scene = new Scene();
    scene.show("1");
    await scene.want(RULES);
    scene.show("2");
    await scene.align();
    assert.deepEqual(scene.events, ["open 1", "close 1", "abort 1", "open 2"]);
    assert.equal(scene.clock.pending, 0);
  });

  it("takes certificates over together that come within a moment", async () => {
    const scene = new Scene();
    scene.quic.stir();
    await scene.want(RULES);
    for (const serial of ["1", "2", "3"]) {
      scene.show(serial);
      scene.quic.stir();
    }
    await settled();
    assert.deepEqual(scene.events, ["open 1"]);
    await scene.clock.advance(100);
    assert.deepEqual(scene.events, ["open 1", "close 1", "abort 1", "open 3"]);
    scene.quic.stir();
    scene.quic.abort();
    assert.equal(scene.clock.pending, 0);
  });

  it("lets exchanges end before that, and tells nobody of it meanwhile", async () => {
    const scene = new Scene();
    scene.show("1");
    await scene.want(RULES);
    void scene.serve(new FakeExchange());
    scene.show("2");
    await scene.align();
    assert.deepEqual(scene.events, ["open 1", "close 1"]);
    assert.equal(scene.quic.alternative(443, "a"), undefined);
    scene.finish();
    await settled();
    assert.deepEqual(scene.events, ["open 1", "close 1", "abort 1", "open 2"]);
    assert.equal(scene.quic.alternative(443, "a"), 'h3=":443"; ma=86400');
  });

  it("has patience with exchanges that never end, but not for ever", async () => {
    const scene = new Scene();
    scene.show("1");
    await scene.want(RULES);
    void scene.serve(new FakeExchange());
    scene.show("2");
    await scene.align();
    await scene.clock.advance(600_000);
    assert.ok(scene.events.includes("open 2"));
  });

  it("closes what is wanted no more", async () => {
    const scene = new Scene();
    scene.show("1");
    await scene.want(RULES);
    await scene.want();
    assert.deepEqual(scene.events, ["open 1", "close 1", "abort 1"]);
    await scene.want(RULES);
    assert.equal(scene.events.at(-1), "open 1");
  });

  it("goes without where the port is taken, and says so", async () => {
    const scene = new Scene();
    scene.taken = true;
    scene.show("1");
    await scene.want(RULES);
    assert.deepEqual(scene.events, ["quic.unavailable"]);
    assert.equal(scene.quic.alternative(443, "a"), undefined);
  });

  it("says once that the runtime serves none", async () => {
    const scene = new Scene(false);
    await scene.want(RULES);
    await scene.want(RULES);
    assert.deepEqual(scene.events, ["quic.unavailable"]);
  });

  it("retire() accepts nothing more, and leaves what runs to abort()", async () => {
    const scene = new Scene();
    scene.show("1");
    await scene.want(RULES);
    void scene.serve(new FakeExchange());
    scene.quic.retire();
    await settled();
    assert.deepEqual(scene.events, ["open 1", "close 1"]);
    scene.quic.abort();
    await settled();
    assert.deepEqual(scene.events, ["open 1", "close 1", "abort 1", "abort 1"]);
    assert.equal(scene.clock.pending, 0);
  });
});
