/** The life of a client's connection in HTTP/2: deadlines, draining, lingering; and how it begins in the clear. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Exchange, Refusal } from "../../src/model.ts";
import { wireEngine } from "../../src/wire/engine.ts";
import { StreamShare } from "../../src/wire/h2_share.ts";
import { SERVER_LIMITS } from "../../src/wire/limits.ts";
import { FakeBody } from "../support/fake_bytes.ts";
import { ManualClock, settled } from "../support/manual_clock.ts";
import { CODE, FLAG, FRAME, H2Peer, packed, PREFACE } from "./h2_peer.ts";
import { ASKED, asking, connect, goesOn, open, POST, sayPath } from "./h2_served.ts";
import { type MemoryConnection, MemoryNet } from "./memory_net.ts";
import { GET, held, reply } from "./served.ts";

const TICK_MS = 250;
const MAX = 0x7fff_ffff;
const { headTimeoutMs, keepAliveMs, lingerMs, lingerLimitMs } = SERVER_LIMITS;
const FAREWELL = `goaway ${MAX} ${CODE.none}`;

describe("H2Server and time", () => {
  it("closes without another word when nothing is said", async () => {
    const { client, connection, clock, refusals, gone } = connect();
    client.heard();
    await clock.advance(headTimeoutMs + 2 * TICK_MS);
    assert.deepEqual([client.heard(), connection.state, refusals, gone()], [[], "closed", [], 1]);
    assert.equal(clock.pending, 0);
  });

  it("ends a connection whose preface drips in", async () => {
    const { client, connection, clock, refusals } = connect();
    client.heard();
    for (const character of PREFACE) {
      connection.says(character);
      await clock.advance(3_000);
    }
    assert.deepEqual(client.heard(), [`goaway 0 ${CODE.enhanceYourCalm}`]);
    assert.deepEqual(refusals, ["429 Head took too long"]);
  });

  it("ends a connection whose settings never come", async () => {
    const { client, connection, clock } = connect();
    client.preface();
    await clock.advance(headTimeoutMs + TICK_MS);
    assert.deepEqual(client.said(), [`goaway 0 ${CODE.enhanceYourCalm}`]);
    assert.equal(connection.state, "finished");
  });

  it("ends a connection whose head drips in, though others are served", async () => {
    const { serve } = held();
    const { client, connection, clock, exchanges } = open(serve);
    client.headers(1, ASKED, true);
    const block = packed(ASKED);
    client.raw(FRAME.headers, FLAG.endStream, 3, block.subarray(0, 1));
    for (let passed = 0; passed < headTimeoutMs; passed += 10_000) {
      client.raw(FRAME.continuation, 0, 3, block.subarray(0, 0));
      assert.equal(connection.state, "open");
      await clock.advance(10_000);
    }
    await clock.advance(TICK_MS);
    assert.deepEqual(client.said(), [`goaway 3 ${CODE.enhanceYourCalm}`]);
    assert.equal(exchanges[0]?.signal.aborted, true);
  });

  it("ends after keep-alive, not before, and says which stream was the last", async () => {
    const { client, connection, clock, gone } = open();
    client.headers(3, ASKED, true);
    await settled();
    client.said();
    await clock.advance(keepAliveMs - TICK_MS);
    client.raw(FRAME.ping, 0, 0, new Uint8Array(8));
    assert.deepEqual(client.said(), ["ping 1"]);
    await clock.advance(2 * TICK_MS);
    assert.deepEqual(client.said(), [`goaway 3 ${CODE.none}`]);
    assert.equal(connection.state, "finished");
    await clock.advance(lingerMs + TICK_MS);
    assert.deepEqual([connection.state, gone()], ["closed", 1]);
    assert.equal(clock.pending, 0);
  });

  it("ends, when an answer says so, once what runs has ended", async () => {
    const closing = reply();
    closing.fields.set("Connection", "close");
    const { client, connection } = open((exchange) => exchange.answer(closing));
    client.headers(1, ASKED, true);
    await settled();
    const said = client.said();
    assert.deepEqual(said.slice(0, 2), [FAREWELL, "ping 0"]);
    assert.match(said[2] ?? "", /^headers 1 end :status=200/);
    assert.equal(said.some((one) => one.includes("connection=")), false);
    client.raw(FRAME.ping, FLAG.ack, 0, new Uint8Array(8));
    assert.deepEqual(client.said(), [`goaway 1 ${CODE.none}`]);
    assert.equal(connection.state, "finished");
  });

  it("ends after keep-alive when nothing was ever asked", async () => {
    const { client, clock } = open();
    await clock.advance(keepAliveMs + 2 * TICK_MS);
    assert.deepEqual(client.said(), [`goaway 0 ${CODE.none}`]);
  });

  it("lets a running exchange take any time", async () => {
    const { serve, release } = held();
    const { client, connection, clock } = open(serve);
    client.headers(1, POST).data(1, "a");
    await clock.advance(1_000_000);
    assert.equal(connection.state, "open");
    client.data(1, "b", true);
    await release();
    assert.deepEqual(client.said(), ["headers 1 end :status=200 content-length=0"]);
  });

  it("breaks a connection whose last bytes are never taken", async () => {
    const { client, connection, clock } = open();
    connection.taking = false;
    client.raw(FRAME.ping, 0, 0, new Uint8Array(1));
    await clock.advance(lingerMs + 2 * TICK_MS);
    assert.equal(connection.state, "closed");
    await clock.advance(lingerLimitMs + 2 * TICK_MS);
    assert.equal(connection.state, "reset");
  });

  it("lingers after a breach for as long as it must, whatever still comes", async () => {
    const { client, connection, clock } = open();
    client.raw(FRAME.ping, 0, 0, new Uint8Array(1));
    for (let passed = 0; passed < lingerMs; passed += 500) {
      connection.says("x".repeat(1_000));
      await clock.advance(500);
    }
    await clock.advance(2 * TICK_MS);
    assert.equal(connection.state, "closed");
  });
});

describe("H2Server.drain()", () => {
  it("6.8: says first that it will end and then where, and loses no request in between", async () => {
    const { client, connection, server, exchanges, clock, gone } = open();
    server.drain();
    assert.deepEqual(client.said(), [FAREWELL, "ping 0"]);
    // It was on its way when the client heard.
    client.headers(1, ASKED, true).raw(FRAME.ping, FLAG.ack, 0, new Uint8Array(8));
    await settled();
    assert.equal(exchanges.length, 1);
    assert.deepEqual(client.said(), [
      "headers 1 :status=200 content-length=1",
      'data 1 end "/"',
      `goaway 1 ${CODE.none}`,
    ]);
    assert.equal(connection.state, "finished");
    connection.leaves();
    assert.equal(gone(), 1);
    await clock.advance(TICK_MS);
    assert.equal(clock.pending, 0);
  });

  it("lets what runs come to its end, and takes no more", async () => {
    const { serve, release } = held();
    const { client, connection, server, exchanges } = open(serve);
    client.headers(1, ASKED, true).headers(3, POST);
    server.drain();
    client.raw(FRAME.ping, FLAG.ack, 0, new Uint8Array(8));
    assert.deepEqual(client.said(), [FAREWELL, "ping 0", `goaway 3 ${CODE.none}`]);
    client.headers(5, POST).data(5, "x", true);
    assert.equal(exchanges.length, 2);
    await release({ body: new FakeBody(["one"]) });
    assert.equal(connection.state, "open");
    client.data(3, "hi", true);
    await release();
    assert.deepEqual(client.said(), [
      "headers 1 :status=200",
      'data 1 "one"',
      'data 1 end ""',
      "headers 3 end :status=200 content-length=0",
    ]);
    assert.equal(connection.state, "finished");
  });

  it("waits no longer than it lingers for a client that does not answer", async () => {
    const { client, connection, server, clock } = open();
    server.drain();
    client.said();
    await clock.advance(lingerMs + 2 * TICK_MS);
    assert.deepEqual(client.said(), [`goaway 0 ${CODE.none}`]);
    assert.equal(connection.state, "finished");
  });

  it("closes a connection on which nothing was said", () => {
    const { client, connection, server } = connect();
    client.heard();
    server.drain();
    assert.deepEqual([client.heard(), connection.state], [[], "closed"]);
  });

  it("is done once, and not after the end", async () => {
    const { client, server } = open();
    client.raw(FRAME.ping, 0, 0, new Uint8Array(1));
    client.said();
    server.drain();
    server.drain();
    await settled();
    assert.deepEqual(client.heard(), []);
  });
});

describe("wireEngine().listen() with HTTP/2 in the clear", () => {
  const ADDRESS = { kind: "tcp", host: "", port: 0 } as const;
  const SETTINGS = "\0\0\0\x04\0\0\0\0\0";

  async function listening(h2c?: boolean, securedOnly = false) {
    const net = new MemoryNet();
    const clock = new ManualClock();
    const engine = wireEngine({ clock, listen: net.listen, dial: net.dial });
    const protos: string[] = [];
    const misplaced: unknown[] = [];
    const refusals: Refusal[] = [];
    const serve = async (exchange: Exchange) => {
      protos.push(exchange.proto);
      misplaced.push(exchange.misplaced);
      await (exchange.target === "/on" ? sayPath(exchange) : exchange.answer(reply()));
    };
    const refused = (refusal: Refusal) => void refusals.push(refusal);
    const terms = () => ({ door: undefined, securedOnly, h2c: h2c ?? false });
    const listener = h2c === undefined
      ? await engine.listen(ADDRESS, serve, { refused })
      : await engine.listen(ADDRESS, serve, { refused, terms });
    return { net, clock, protos, misplaced, refusals, listener };
  }
  const speaks = (connection: MemoryConnection) => new H2Peer(connection, "client");

  it("speaks it with a client that begins with its preface, however that comes", async () => {
    const { net, protos } = await listening(true);
    for (const size of [1, 5, 24, 100]) {
      const connection = net.connect();
      const bytes = PREFACE + SETTINGS;
      for (let at = 0; at < bytes.length; at += size) connection.says(bytes.slice(at, at + size));
      const client = speaks(connection).headers(1, ASKED, true);
      await settled();
      assert.equal(client.said().at(-1), "headers 1 end :status=200 content-length=0");
    }
    assert.deepEqual(new Set(protos), new Set(["HTTP/2.0"]));
  });

  it("speaks HTTP/1.1 with all others, however alike they begin", async () => {
    const { net, protos } = await listening(true);
    for (const method of ["GET", "PRI", "PR", "P", "POST"]) {
      const connection = net.connect();
      for (const character of GET.replace("GET", method)) connection.says(character);
      await settled();
      assert.match(connection.text, /^HTTP\/1.1 200 OK\r\n/, method);
    }
    assert.deepEqual(protos, Array(5).fill("HTTP/1.1"));
  });

  for (const h2c of [undefined, false]) {
    it(`takes a preface for a malformed head where it is ${h2c === false ? "not allowed" : "not said"}`, async () => {
      const { net, refusals } = await listening(h2c);
      const connection = net.connect();
      connection.says(PREFACE + SETTINGS);
      await settled();
      assert.match(connection.text, /^HTTP\/1.1 505 .*Connection: close/s);
      assert.deepEqual(refusals.map(({ status }) => status), [505]);
    });
  }

  it("tells of both versions that they are out of place where only TLS is answered", async () => {
    const { net, misplaced } = await listening(true, true);
    net.connect().says(GET);
    const connection = net.connect();
    connection.says(PREFACE + SETTINGS);
    speaks(connection).headers(1, ASKED, true);
    await settled();
    assert.deepEqual(misplaced, [true, true]);
  });

  it("speaks what a client has chosen over TLS, whatever is allowed in the clear", async () => {
    const { net, protos } = await listening();
    net.connect("http/1.1").says(GET);
    const connection = net.connect("h2");
    connection.says(PREFACE + SETTINGS);
    const client = speaks(connection).headers(1, ASKED, true);
    await settled();
    assert.deepEqual(protos, ["HTTP/1.1", "HTTP/2.0"]);
    assert.match(client.said().at(-1) ?? "", /^headers 1 end :status=200/);
    // By ALPN, and not by its bytes.
    const liar = net.connect("h2");
    liar.says(GET);
    assert.equal(speaks(liar).said().at(-1), `goaway 0 ${CODE.protocol}`);
  });

  it("closes a connection that does not say what it speaks", async () => {
    const { net, clock } = await listening(true);
    const silent = net.connect();
    const slow = net.connect();
    slow.says(PREFACE.slice(0, 23));
    await clock.advance(headTimeoutMs + 2 * TICK_MS);
    assert.deepEqual([silent.state, slow.state], ["closed", "closed"]);
    assert.deepEqual([silent.text, slow.text], ["", ""]);
    assert.equal(clock.pending, 0);
  });

  it("ends them all when it closes, and settles when the last one is over", async () => {
    const { net, listener } = await listening(true);
    const [silent, begun, busy, old] = [net.connect(), net.connect(), net.connect(), net.connect()];
    begun.says(PREFACE.slice(0, 5));
    busy.says(PREFACE + SETTINGS);
    const client = speaks(busy);
    client.heard();
    old.says(GET);
    await settled();
    let closed = false;
    const closing = listener.close().then(() => (closed = true));
    assert.equal(silent.state, "closed");
    assert.equal(old.state, "closed");
    begun.says(PREFACE.slice(5) + SETTINGS);
    assert.deepEqual(speaks(begun).said(), [FAREWELL, "ping 0"]);
    begun.leaves();
    client.raw(FRAME.ping, FLAG.ack, 0, new Uint8Array(8));
    assert.equal(client.said().at(-1), `goaway 0 ${CODE.none}`);
    await settled();
    assert.equal(closed, false);
    busy.leaves();
    await closing;
  });

  it("cuts them when it aborts", async () => {
    const { net, listener } = await listening(true);
    const [silent, busy] = [net.connect(), net.connect()];
    busy.says(PREFACE + SETTINGS);
    listener.abort();
    assert.deepEqual([silent.state, busy.state], ["reset", "reset"]);
  });
});

describe("H2Server, however it ends, gives back", () => {
  const endings: [string, (opened: ReturnType<typeof open>) => unknown][] = [
    ["streams that their client resets", ({ client }) => {
      for (let stream = 1; stream < 20; stream += 2) client.number(FRAME.rst, stream, CODE.cancel);
    }],
    ["streams that break the rules", ({ client }) => {
      for (let stream = 1; stream < 20; stream += 2) client.number(FRAME.windowUpdate, stream, 0);
    }],
    ["a connection that breaks the rules", ({ client }) => client.number(FRAME.windowUpdate, 0, 0)],
    ["a connection whose client leaves", ({ connection }) => connection.leaves()],
    ["a connection that is cut", ({ connection }) => connection.reset()],
    ["a connection that is drained, and whose client leaves then", ({ server, connection }) => {
      server.drain();
      connection.leaves();
    }],
    ["a connection that took too long over a head", async ({ client, clock }) => {
      client.raw(FRAME.headers, 0, 21, new Uint8Array(0));
      await clock.advance(headTimeoutMs + TICK_MS);
    }],
  ];
  for (const [title, ends] of endings) {
    it(`all that was kept for ${title}`, async () => {
      const share = new StreamShare(1_000);
      const opened = open(
        (exchange) => {
          const body = new FakeBody([new Uint8Array(20_000), new Uint8Array(20_000)]);
          return exchange.target === "/" ? exchange.answer(reply({ body })) : new Promise(() => {});
        },
        [],
        share,
      );
      const { client, server } = opened;
      // Some wait for the connection's window in line, some for an answer, some for a body.
      for (let stream = 1; stream < 12; stream += 2) client.headers(stream, ASKED, true);
      client.headers(13, asking({ ":path": "/never" }), true);
      client.headers(15, asking({ ":path": "/never" })).data(15, "x");
      for (let stream = 17; stream < 20; stream += 2) client.headers(stream, ASKED);
      await settled();
      assert.ok(share.open > 5, String(share.open));
      assert.equal(server.gate.free, false);
      await ends(opened);
      await settled();
      assert.deepEqual([share.open, server.gate.free, server.gate.held], [0, true, 0]);
      assert.deepEqual(
        opened.exchanges.filter(({ target, signal }) => target === "/never" && !signal.aborted),
        [],
      );
    });
  }
});

describe("H2Server beside others", () => {
  it("ends nobody's connection but that of the client who breaks the rules", async () => {
    const [good, bad] = [open(), open()];
    bad.client.raw(FRAME.push, 0, 1, new Uint8Array(4));
    assert.equal(bad.connection.state, "finished");
    await goesOn(good);
  });
});
