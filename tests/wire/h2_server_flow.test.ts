/** Flow control of the HTTP/2 server, both ways (RFC 9113 sections 5.2 and 6.9), and who gets his turn when. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fields } from "../../src/fields.ts";
import type { ByteSource, Delivery } from "../../src/model.ts";
import { FakeBody } from "../support/fake_bytes.ts";
import { settled } from "../support/manual_clock.ts";
import { frame } from "../../src/wire/h2_make.ts";
import { CODE, FRAME, H2Peer, SETTING } from "./h2_peer.ts";
import { ASKED, asking, goesOn, open, type Opened, POST, sayPath } from "./h2_served.ts";
import { reply, type Serve } from "./served.ts";

const MAX = 0x7fff_ffff;
const STREAM_WINDOW = 256 * 1024;
const WINDOW = 2 * 1024 * 1024;
const FRAME_BYTES = 16_384;

/** Answers with so many bytes. */
const sends = (bytes: number): Serve => (exchange) =>
  exchange.target === "/on"
    ? sayPath(exchange)
    : exchange.answer(reply({ body: new FakeBody([new Uint8Array(bytes)]) }));
/** Answers nothing and reads nothing, but keeps the stream. */
const keeps: Serve = (exchange) =>
  exchange.target === "/on" ? sayPath(exchange) : new Promise(() => {});
/** Sizes of the DATA of a stream, by the words. */
function sizes(words: readonly string[], stream: number): number[] {
  return words.filter((one) => one.startsWith(`data ${stream} `)).map((one) => {
    const size = one.split(" ").at(-1) ?? "";
    return size.startsWith('"') ? size.length - 2 : Number(size);
  });
}
const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);
const ask = (client: H2Peer, stream: number) => client.headers(stream, ASKED, true);

describe("H2Server and the windows of its client", () => {
  it("6.9.1: sends no more than a stream's window, and goes on as it opens", async () => {
    const { client } = open(sends(50_000), [[SETTING.initialWindow, 20_000]]);
    ask(client, 1);
    await settled();
    assert.deepEqual(client.said().slice(1), ["data 1 16384", "data 1 3616"]);
    client.number(FRAME.windowUpdate, 1, 10_000);
    assert.deepEqual(client.said(), ["data 1 10000"]);
    client.number(FRAME.windowUpdate, 1, MAX - 30_000);
    await settled();
    assert.deepEqual(client.said(), ["data 1 16384", "data 1 3616", 'data 1 end ""']);
  });

  it("6.9.1: sends no more than the connection's window, on all streams together", async () => {
    const { client } = open(sends(50_000));
    ask(client, 1);
    ask(client, 3);
    await settled();
    const first = client.said();
    assert.equal(sum(sizes(first, 1)) + sum(sizes(first, 3)), 65_535);
    assert.equal(sum(sizes(first, 1)), 50_000);
    client.number(FRAME.windowUpdate, 0, MAX - 65_535);
    await settled();
    assert.deepEqual(
      sizes(client.said(), 3),
      [FRAME_BYTES, 50_000 - 15_535 - 2 * FRAME_BYTES, 0]
        .toSpliced(1, 0, FRAME_BYTES),
    );
  });

  it("6.9: works with windows of a single byte", async () => {
    const { client } = open(sends(5), [[SETTING.initialWindow, 1]]);
    ask(client, 1);
    await settled();
    for (let at = 0; at < 4; at++) client.number(FRAME.windowUpdate, 1, 1);
    await settled();
    assert.deepEqual(sizes(client.said(), 1), [1, 1, 1, 1, 1, 0]);
  });

  it("6.9: sends what has nothing in it though no window is open", async () => {
    const { client } = open(
      (exchange) => exchange.answer(reply({ body: new FakeBody([]) })),
      [[SETTING.initialWindow, 0]],
    );
    ask(client, 1);
    await settled();
    assert.deepEqual(client.said(), ["headers 1 :status=200", 'data 1 end ""']);
  });

  it("6.9: ends a body that fits its window to the byte", async () => {
    const { client } = open(sends(100), [[SETTING.initialWindow, 100]]);
    ask(client, 1);
    await settled();
    assert.deepEqual(client.said().slice(1), ["data 1 100", 'data 1 end ""']);
  });

  it("6.9.2: moves the windows of running streams as settings do, below zero too", async () => {
    const { client } = open(sends(1_000), [[SETTING.initialWindow, 100]]);
    ask(client, 1);
    await settled();
    assert.deepEqual(sizes(client.said(), 1), [100]);
    client.greet([[SETTING.initialWindow, 40]]);
    client.number(FRAME.windowUpdate, 1, 60);
    await settled();
    // The window was at -60, and is shut at 0.
    assert.deepEqual(sizes(client.said(), 1), []);
    client.number(FRAME.windowUpdate, 1, 1);
    client.greet([[SETTING.initialWindow, 45]]);
    await settled();
    assert.deepEqual(sizes(client.said(), 1), [1, 5]);
    // New ones begin with what was said last.
    ask(client, 3);
    await settled();
    assert.deepEqual(sizes(client.said(), 3), [45]);
  });

  it("6.9.2: leaves the connection's window alone when settings change", async () => {
    const { client } = open(sends(100_000), [[SETTING.initialWindow, MAX]]);
    ask(client, 1);
    await settled();
    assert.equal(sum(sizes(client.said(), 1)), 65_535);
    client.greet([[SETTING.initialWindow, 1_000_000]]);
    await settled();
    assert.deepEqual(sizes(client.said(), 1), []);
  });

  const breaches: [string, (client: H2Peer) => unknown, string][] = [
    [
      "6.9: resets a stream whose window is opened by nothing",
      (client) => client.number(FRAME.windowUpdate, 1, 0),
      `rst 1 ${CODE.protocol}`,
    ],
    [
      "6.9.1: resets a stream whose window is opened too far",
      (client) => client.number(FRAME.windowUpdate, 1, MAX),
      `rst 1 ${CODE.flowControl}`,
    ],
    [
      "6.9: ends the connection when its window is opened by nothing",
      (client) => client.number(FRAME.windowUpdate, 0, 0),
      `goaway 1 ${CODE.protocol}`,
    ],
    [
      "6.9.1: ends the connection when its window is opened too far",
      (client) => client.number(FRAME.windowUpdate, 0, MAX),
      `goaway 1 ${CODE.flowControl}`,
    ],
    [
      "6.9.2: ends the connection when settings open a stream's window too far",
      (client) => {
        client.number(FRAME.windowUpdate, 1, MAX - 70_000);
        client.greet([[SETTING.initialWindow, 100_000]]);
      },
      `goaway 1 ${CODE.flowControl}`,
    ],
  ];
  for (const [title, says, expected] of breaches) {
    it(title, async () => {
      const opened = open(keeps);
      ask(opened.client, 1);
      says(opened.client);
      assert.deepEqual(opened.client.said(), [expected]);
      assert.equal(opened.exchanges[0]?.signal.aborted, true);
      if (expected.startsWith("rst")) await goesOn(opened);
    });
  }

  it("lets streams take turns, so that a long answer holds no short one up", async () => {
    const opened = open(
      (exchange) => sends(exchange.target === "/long" ? 900_000 : 20_000)(exchange),
      [[SETTING.initialWindow, MAX]],
    );
    const { client } = opened;
    client.headers(1, asking({ ":path": "/long" }), true);
    ask(client, 3);
    ask(client, 5);
    await settled();
    client.said();
    client.number(FRAME.windowUpdate, 0, 200_000);
    await settled();
    const words = client.said();
    assert.deepEqual([sum(sizes(words, 3)), sum(sizes(words, 5))], [20_000, 20_000]);
    assert.equal(sum(sizes(words, 1)), 160_000);
  });

  it("lets others pass a stream whose own window is shut", async () => {
    const opened = open(sends(1_000), [[SETTING.initialWindow, 500]]);
    ask(opened.client, 1);
    await settled();
    opened.client.said();
    await goesOn(opened);
  });

  it("gives up an answer whose window never opens when the client leaves", async () => {
    const body = new FakeBody([new Uint8Array(10)]);
    let delivery: Delivery | undefined;
    const { client, connection } = open(async (exchange) => {
      delivery = await exchange.answer(reply({ body }));
    }, [[SETTING.initialWindow, 4]]);
    ask(client, 1);
    await settled();
    connection.leaves(false);
    await settled();
    assert.deepEqual(delivery, { end: "left", bodyBytes: 4 });
    assert.equal(body.cancelled, true);
  });
});

describe("H2Server and a client that takes nothing", () => {
  it("reads no answer on while the system takes no more", async () => {
    const bodies = [1, 2, 3].map(() =>
      new FakeBody(Array.from({ length: 50 }, () => new Uint8Array(10_000)))
    );
    const queue = [...bodies];
    const { client, connection } = open(
      (exchange) => exchange.answer(reply({ body: queue.shift() })),
      [[SETTING.initialWindow, MAX]],
    );
    client.number(FRAME.windowUpdate, 0, MAX - 65_535);
    connection.taking = false;
    ask(client, 1);
    ask(client, 3);
    ask(client, 5);
    await settled();
    assert.ok(sum(bodies.map(({ reads }) => reads)) < 20, "Reads on");
    client.said();
    connection.drains();
    await settled();
    const words = client.said();
    assert.deepEqual([1, 3, 5].map((stream) => sum(sizes(words, stream))), [
      500_000,
      500_000,
      500_000,
    ]);
  });

  it("lets whole answers wait, and opens no more streams than may be", async () => {
    const { client, connection, exchanges } = open();
    connection.taking = false;
    for (let at = 0; at < 300; at++) ask(client, 2 * at + 1);
    await settled();
    // The first answers are on their way; those behind them keep their streams.
    assert.ok(exchanges.length <= 251, String(exchanges.length));
    connection.drains();
    await settled();
    assert.equal(
      client.said().filter((words) => words.startsWith("data")).length,
      exchanges.length,
    );
  });

  it("lets answers out that wait, some at a time where the system takes only some", async () => {
    const fields = () => Fields.from([["X", "y".repeat(2_000)]]);
    const opened = open((exchange) => exchange.answer(reply({ fields: fields() })));
    const { client, connection } = opened;
    connection.taking = false;
    for (let at = 0; at < 240; at++) ask(client, 2 * at + 1);
    await settled();
    let writes = 0;
    for (; client.said().length > 0; writes++) {
      connection.events.drained();
      await settled();
    }
    assert.equal(connection.state, "open");
    assert.ok(writes > 5, String(writes));
    connection.drains();
    client.headers(999, ASKED, true);
    await settled();
    assert.equal(client.said().length, 1);
    assert.ok(opened.exchanges.every(({ signal }) => !signal.aborted));
  });

  it("lets answers that wait go first, as they are small", async () => {
    const many = Array.from({ length: 20 }, () => new Uint8Array(20_000));
    const pieces: Serve = (exchange) => exchange.answer(reply({ body: new FakeBody(many) }));
    const opened = open(
      (exchange) => exchange.target === "/" ? pieces(exchange) : sayPath(exchange),
      [[SETTING.initialWindow, MAX]],
    );
    const { client, connection } = opened;
    client.number(FRAME.windowUpdate, 0, MAX - 65_535);
    ask(client, 1);
    connection.taking = false;
    await settled();
    client.headers(3, asking({ ":path": "/small" }), true);
    await settled();
    client.said();
    connection.taking = false;
    connection.events.drained();
    assert.equal(client.said()[0], "headers 3 :status=200 content-length=6");
  });
});

describe("H2Server and its own windows", () => {
  /** Gives the bodies of all requests to the test. */
  function bodies() {
    const all: ByteSource[] = [];
    const opened = open((exchange) => {
      if (exchange.target === "/on") return sayPath(exchange);
      if (exchange.body !== undefined) all.push(exchange.body);
      return new Promise(() => {});
    });
    return { ...opened, all };
  }
  const fill = (client: H2Peer, stream: number, bytes: number) => {
    for (let left = bytes; left > 0; left -= FRAME_BYTES) {
      client.data(stream, new Uint8Array(Math.min(left, FRAME_BYTES)));
    }
  };

  it("opens a stream's window as its body is read, and not before", async () => {
    const { client, all } = bodies();
    client.headers(1, POST);
    fill(client, 1, STREAM_WINDOW);
    assert.deepEqual(client.heard(), []);
    for (let at = 0; at < 7; at++) await all[0]?.read();
    assert.deepEqual(client.heard(), []);
    await all[0]?.read();
    await settled();
    assert.deepEqual(client.heard(), [`windowUpdate 1 ${STREAM_WINDOW / 2}`]);
  });

  it("opens the connection's window as bodies are read, and not before", async () => {
    const { client, all } = bodies();
    for (let at = 0; at < 8; at++) {
      client.headers(2 * at + 1, POST);
      fill(client, 2 * at + 1, STREAM_WINDOW);
    }
    assert.deepEqual(client.heard(), []);
    for (let at = 0; at < 4; at++) {
      for (let piece = 0; piece < 16; piece++) await all[at]?.read();
    }
    await settled();
    // While it is shut a frame's worth of it is worth telling, and then ever less.
    const opened = client.heard().filter((words) => words.startsWith("windowUpdate 0"));
    const steps = [1, 1, 2, 4, 8, 16, 32].map((frames) => frames * FRAME_BYTES);
    assert.deepEqual(opened, steps.map((bytes) => `windowUpdate 0 ${bytes}`));
  });

  it("opens the connection's window at half where there is room", async () => {
    const { client, all } = bodies();
    for (let at = 0; at < 4; at++) {
      client.headers(2 * at + 1, POST);
      fill(client, 2 * at + 1, STREAM_WINDOW);
    }
    for (let piece = 0; piece < 63; piece++) await all[piece >> 4]?.read();
    const opened = () => client.heard().filter((words) => words.startsWith("windowUpdate 0"));
    assert.deepEqual(opened(), []);
    await all[3]?.read();
    await settled();
    assert.deepEqual(opened(), [`windowUpdate 0 ${WINDOW / 2}`]);
  });

  it("lets a body on though most of the connection's window waits for readers who never come", async () => {
    const { client, all } = bodies();
    for (let at = 0; at < 7; at++) {
      client.headers(2 * at + 1, POST);
      fill(client, 2 * at + 1, STREAM_WINDOW);
    }
    client.headers(15, POST);
    let room = WINDOW - 7 * STREAM_WINDOW;
    for (let sent = 0; sent < 2 * WINDOW; sent += FRAME_BYTES) {
      assert.ok(room >= FRAME_BYTES, `Stalls after ${sent} bytes`);
      client.data(15, new Uint8Array(FRAME_BYTES));
      room -= FRAME_BYTES;
      await all[7]?.read();
      for (const words of client.heard()) {
        if (words.startsWith("windowUpdate 0 ")) room += Number(words.split(" ")[2]);
      }
    }
  });

  it("6.9.1: resets a stream that brings more than its window", async () => {
    const opened = bodies();
    opened.client.headers(1, POST);
    fill(opened.client, 1, STREAM_WINDOW);
    opened.client.data(1, "x");
    assert.deepEqual(opened.client.said(), [`rst 1 ${CODE.flowControl}`]);
    assert.equal(opened.exchanges[0]?.signal.aborted, true);
    await goesOn(opened);
  });

  it("6.9.1: ends a connection that brings more than its window", () => {
    const { client, connection } = bodies();
    for (let at = 0; at < 8; at++) {
      client.headers(2 * at + 1, POST);
      fill(client, 2 * at + 1, STREAM_WINDOW);
    }
    client.headers(17, POST).data(17, "x");
    assert.deepEqual(client.said(), [`goaway 17 ${CODE.flowControl}`]);
    assert.equal(connection.state, "finished");
  });

  it("counts what comes on streams that are over, and gives the window back", () => {
    const { client, all } = bodies();
    for (let stream = 1; stream < 20; stream += 2) {
      client.headers(stream, POST);
      fill(client, stream, STREAM_WINDOW);
      client.number(FRAME.rst, stream, CODE.cancel);
    }
    assert.equal(all.length, 10);
    assert.deepEqual(client.said(), []);
    // A stream that we broke off, and what was on its way.
    client.headers(21, asking({ ":path": "x" }));
    fill(client, 21, WINDOW);
    assert.deepEqual(client.said(), [`rst 21 ${CODE.protocol}`]);
  });

  /** Sends more than the connection's window in bodies of which nobody wants the rest, as the window lets it. */
  async function floods({ client, connection }: Opened, begins: (stream: number) => unknown) {
    let room = WINDOW;
    for (let stream = 1; stream < 40; stream += 2) {
      client.headers(stream, POST);
      await begins(stream);
      for (let left = STREAM_WINDOW; left > 0; left -= FRAME_BYTES) {
        for (const words of client.heard()) {
          if (words.startsWith("windowUpdate 0 ")) room += Number(words.split(" ")[2]);
        }
        assert.ok(room >= FRAME_BYTES, `Stalls on stream ${stream}`);
        client.data(stream, new Uint8Array(FRAME_BYTES));
        room -= FRAME_BYTES;
      }
    }
    assert.equal(connection.state, "open");
  }

  it("gives back what comes of bodies behind their answers", async () => {
    const opened = open((exchange) => exchange.answer(reply()));
    await floods(opened, settled);
    assert.equal(opened.exchanges.length, 20);
  });

  it("gives back what comes of bodies that nobody reads any more", async () => {
    const opened = bodies();
    await floods(opened, () => opened.all.at(-1)?.cancel());
    assert.equal(opened.all.length, 20);
  });

  it("gives back what comes of bodies whose streams were refused", async () => {
    const opened = bodies();
    await floods(opened, (stream) => opened.client.number(FRAME.windowUpdate, stream, 0));
    assert.equal(opened.all.length, 20);
  });

  it("asks for no more of a body that nobody reads any more", async () => {
    const { client, all } = bodies();
    client.headers(1, POST);
    fill(client, 1, STREAM_WINDOW / 2);
    all[0]?.cancel();
    fill(client, 1, STREAM_WINDOW / 2);
    await settled();
    assert.deepEqual(client.said(), []);
  });

  it("joins what comes byte by byte and waits, and gives all of the window back", async () => {
    const { client, connection, all } = bodies();
    client.headers(1, POST);
    const one = frame(FRAME.data, 0, 1, Uint8Array.of(7));
    const many = Buffer.concat(Array.from({ length: 1_000 }, () => one));
    for (let at = 0; at < STREAM_WINDOW / 2; at += 1_000) connection.says(many);
    do await settled(); while (connection.paused);
    let [pieces, bytes, keptBytes] = [0, 0, 0];
    while (bytes < STREAM_WINDOW / 2) {
      const piece = await all[0]?.read() ?? assert.fail("Ends early");
      pieces++;
      bytes += piece.length;
      keptBytes += piece.buffer.byteLength;
      assert.ok(piece.every((byte) => byte === 7));
    }
    assert.ok(pieces < 40, `${pieces} pieces`);
    assert.ok(keptBytes < 1.2 * bytes, `${keptBytes} bytes are kept`);
    await settled();
    assert.deepEqual(client.heard(), [`windowUpdate 1 ${bytes}`]);
  });

  it("keeps no large chunk in memory for a sliver of it", async () => {
    const { client, connection, all } = bodies();
    client.headers(1, POST);
    client.said();
    const junk = new Uint8Array(100_000);
    // The frame lies in a chunk that is much larger.
    junk.set([0, 0, 1, FRAME.data, 0, 0, 0, 0, 1, 0x78]);
    connection.says(junk.subarray(0, 10));
    const piece = await all[0]?.read();
    assert.deepEqual(piece && [piece.length, piece.buffer.byteLength], [1, 1]);
  });
});
