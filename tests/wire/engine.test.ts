/** Listeners of the wire engine: how many connections they hold, how they end; and the one timer of all that wait. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fields } from "../../src/fields.ts";
import type { Exchange } from "../../src/model.ts";
import { Deadlines } from "../../src/deadlines.ts";
import { CONNECTIONS_MAX, wireEngine } from "../../src/wire/engine.ts";
import { WireTunnel } from "../../src/wire/tunnel.ts";
import { ManualClock, settled } from "../support/manual_clock.ts";
import { CODE, H2Peer } from "./h2_peer.ts";
import { MemoryConnection, MemoryNet } from "./memory_net.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const UPGRADE = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";
const ADDRESS = { kind: "tcp", host: "", port: 0 } as const;

async function open(serve: (exchange: Exchange) => Promise<unknown> = answer) {
  const net = new MemoryNet();
  const engine = wireEngine({
    clock: new ManualClock(),
    listen: net.listen,
    dial: net.dial,
  });
  const listener = await engine.listen(ADDRESS, async (exchange) => void await serve(exchange));
  return { net, listener };
}

const NOTHING = { status: 200, reason: "", body: undefined, tunnel: undefined };
const answer = (exchange: Exchange) => exchange.answer({ ...NOTHING, fields: Fields.empty() });

describe("wireEngine().listen()", () => {
  it("refuses connections beyond its maximum in words that they understand", async () => {
    const { net } = await open();
    const all = Array.from({ length: CONNECTIONS_MAX }, () => net.connect());
    const over = net.connect();
    assert.match(over.text, /^HTTP\/1.1 503 .*Connection: close/s);
    assert.equal(over.state, "closed");
    const overH2 = net.connect("h2");
    assert.deepEqual(new H2Peer(overH2, "client").heard(), [
      "settings 0",
      `goaway 0 ${CODE.enhanceYourCalm}`,
    ]);
    assert.equal(overH2.state, "closed");
    all[0]?.leaves();
    assert.equal(net.connect().state, "open");
  });

  it("ends idle connections when it closes, and settles when the last one is over", async () => {
    let release = () => {};
    const { net, listener } = await open(async (exchange) => {
      await new Promise<void>((resolve) => (release = resolve));
      await answer(exchange);
    });
    const [idle, busy] = [net.connect(), net.connect()];
    busy.says(GET);
    let closed = false;
    const closing = listener.close().then(() => (closed = true));
    await settled();
    assert.deepEqual([idle.state, busy.state, closed, net.listening], [
      "closed",
      "open",
      false,
      false,
    ]);
    // It was on its way when listening ended.
    assert.equal(net.connect().state, "closed");
    release();
    await closing;
    assert.match(busy.text, /Connection: close/);
    assert.equal(busy.state, "closed");
  });

  it("counts upgraded connections until they end, and cuts them too", async () => {
    const upstream = new MemoryConnection();
    const { net, listener } = await open((exchange) => {
      const tunnel = new WireTunnel("x", upstream, new Uint8Array());
      return exchange.answer({ ...NOTHING, status: 101, fields: Fields.empty(), tunnel });
    });
    const client = net.connect();
    client.says(`${UPGRADE}early`);
    await settled();
    assert.match(client.text, /^HTTP\/1.1 101 .*\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n$/s);
    assert.equal(upstream.text, "early");
    const closing = listener.close();
    await settled();
    assert.equal(client.state, "open");
    listener.abort();
    await closing;
    assert.deepEqual([client.state, upstream.state], ["reset", "reset"]);
  });

  it("asks for no change to HTTP/2, to a list of protocols, or of a request with a body", async () => {
    const asked: unknown[] = [];
    const { net } = await open((exchange) => {
      asked.push(exchange.upgrade);
      return answer(exchange);
    });
    for (const offer of ["h2c", "h2", "TLS/1.0", "HTTP/2.0", "websocket, h2c", "websocket"]) {
      net.connect().says(UPGRADE.replace("Upgrade: x", `Upgrade: ${offer}`));
    }
    net.connect().says(UPGRADE.replace("\r\n\r\n", "\r\nContent-Length: 2\r\n\r\nhi"));
    await settled();
    assert.deepEqual(asked, [...Array(5).fill(undefined), "websocket", undefined]);
  });
});

describe("Deadlines", () => {
  it("expires what waits too long, late by a tick at most, and rests when nothing waits", async () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock);
    const expired: number[] = [];
    const waiting = (deadline: number) => {
      const one = {
        deadline,
        place: -1,
        expire() {
          expired.push(deadline);
          deadlines.drop(one);
        },
      };
      deadlines.add(one);
      return one;
    };
    waiting(1000);
    const moving = waiting(500);
    const dropped = waiting(600);
    deadlines.drop(dropped);
    moving.deadline = 5000;
    await clock.advance(999);
    assert.deepEqual(expired, []);
    await clock.advance(251);
    assert.deepEqual(expired, [1000]);
    await clock.advance(5000);
    assert.deepEqual(expired, [1000, 500]);
    assert.equal(clock.pending, 0);
  });
});
