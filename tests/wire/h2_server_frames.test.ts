/**
 * What RFC 9113 asks of a server, frame by frame: sections 3 to 7. Every breach ends what it says it ends
 * and no more, which the next request on the same connection proves.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Exchange } from "../../src/model.ts";
import { frame, settingsFrame } from "../../src/wire/h2_make.ts";
import { settled } from "../support/manual_clock.ts";
import { CODE, FLAG, FRAME, H2Peer, packed, PREFACE, SETTING } from "./h2_peer.ts";
import { ASKED, asking, connect, goesOn, open, POST, sayPath } from "./h2_served.ts";

const NONE = new Uint8Array(0);
const END = FLAG.endHeaders | FLAG.endStream;
const BLOCK = packed(ASKED);
const ON = asking({ ":path": "/on" });
const POST_BLOCK = packed(POST);
const word = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
};
const join = (...parts: Uint8Array[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));
/** A priority that waits for a stream. */
const after = (stream: number): Uint8Array => join(word(stream), Uint8Array.of(15));
const padding = (bytes: number): Uint8Array => new Uint8Array(bytes);
const padded = (content: Uint8Array, bytes: number): Uint8Array =>
  join(Uint8Array.of(bytes), content, padding(bytes));

type Talk = (client: H2Peer) => unknown;
type Case = readonly [section: string, title: string, talk: Talk];

/** The connection ends, with a farewell that tells why. */
function ends(code: number, cases: readonly Case[]): void {
  for (const [section, title, talk] of cases) {
    it(`${section}: ${title}`, async () => {
      const opened = open(unanswered);
      await talk(opened.client);
      await settled();
      const farewell = opened.client.said().at(-1);
      assert.match(farewell ?? "nothing", new RegExp(`^goaway \\d+ ${code}$`));
      assert.equal(opened.connection.state, "finished");
      assert.deepEqual(opened.exchanges.filter(stillRuns), []);
      // It hears nothing more.
      opened.client.headers(1001, ASKED, true);
      await settled();
      assert.deepEqual(opened.client.heard(), []);
    });
  }
}

/** One stream ends, and the connection goes on. */
function resets(code: number, stream: number, cases: readonly Case[]): void {
  for (const [section, title, talk] of cases) {
    it(`${section}: ${title}`, async () => {
      const opened = open(unanswered);
      await talk(opened.client);
      await settled();
      const ended = opened.client.said().filter((words) => /^(rst|goaway)/.test(words));
      assert.deepEqual(ended, [`rst ${stream} ${code}`]);
      await goesOn(opened);
    });
  }
}

/** Nothing ends, and the connection goes on. */
function passes(cases: readonly Case[]): void {
  for (const [section, title, talk] of cases) {
    it(`${section}: ${title}`, async () => {
      const opened = open(unanswered);
      await talk(opened.client);
      await settled();
      assert.deepEqual(opened.client.said().filter((words) => /^(rst|goaway)/.test(words)), []);
      await goesOn(opened);
    });
  }
}

/** Answers `/on` and nothing else, so that streams stay open. */
async function unanswered(exchange: Exchange): Promise<unknown> {
  if (exchange.target === "/on") return await sayPath(exchange);
  await new Promise<void>((resolve) => {
    exchange.signal.addEventListener("abort", () => resolve());
  });
  return undefined;
}

const stillRuns = ({ target, signal }: Exchange) => target !== "/on" && !signal.aborted;

/** A stream that the client has ended, and that is not answered yet. */
const halfClosed = (client: H2Peer) => client.headers(1, ASKED, true);
/** A stream that is answered in full. */
const answered = async (client: H2Peer) => {
  client.headers(1, ON, true);
  await settled();
};
/** A stream that its client has reset. */
const resetByClient = (client: H2Peer) => client.headers(1, POST).number(FRAME.rst, 1, CODE.cancel);
/** A stream that we broke off, as it broke the rules. */
const resetByUs = (client: H2Peer) => client.headers(1, asking({ ":path": "x" }));

describe("H2Server, preface", () => {
  it("3.4: says its settings first of all, and acknowledges the client's", () => {
    const { client } = connect();
    assert.deepEqual(client.heard(), ["settings 0", "windowUpdate 0 2031617"]);
    client.preface().greet();
    assert.deepEqual(client.heard(), ["settings 1"]);
  });

  it("3.4: takes a preface byte by byte, with what follows it", async () => {
    const opened = connect();
    const bytes = `${PREFACE}${String.fromCharCode(...settingsFrame([]))}`;
    for (const character of bytes) opened.connection.says(character);
    opened.client.heard();
    await goesOn(opened);
  });

  const strangers: [string, string][] = [
    ["speaks HTTP/1.1", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["differs in the last byte", `${PREFACE.slice(0, -1)}x`],
    ["speaks TLS", "\x16\x03\x01\x02\x00"],
  ];
  for (const [title, bytes] of strangers) {
    it(`3.4: ends the connection of a client that ${title}`, () => {
      const { client, connection, refusals } = connect();
      connection.says(bytes);
      assert.deepEqual(client.heard().slice(2), [`goaway 0 ${CODE.protocol}`]);
      assert.equal(connection.state, "finished");
      assert.deepEqual(refusals, ["400 Not the preface of HTTP/2"]);
    });
  }

  const firsts: [string, (client: H2Peer) => void][] = [
    ["HEADERS", (client) => client.headers(1, ASKED, true)],
    ["PING", (client) => client.raw(FRAME.ping, 0, 0, padding(8))],
    ["an acknowledgement", (client) => client.raw(FRAME.settings, FLAG.ack, 0, NONE)],
    ["a frame of no known type", (client) => client.raw(0x33, 0, 0, NONE)],
  ];
  for (const [title, says] of firsts) {
    it(`3.4: ends the connection when ${title} comes before settings`, () => {
      const { client, connection, exchanges } = connect();
      client.preface();
      says(client);
      assert.deepEqual(client.said(), [`goaway 0 ${CODE.protocol}`]);
      assert.equal(connection.state, "finished");
      assert.equal(exchanges.length, 0);
    });
  }
});

describe("H2Server, frames", () => {
  passes([
    ["4.1", "ignores frames of types it does not know", (client) => {
      client.raw(0x16, 0xff, 0, padding(8)).raw(0x16, 0, 7, NONE).raw(0xff, 0, 1, padding(99));
    }],
    ["4.1", "ignores flags that have no meaning", (client) => {
      client.raw(FRAME.ping, 0x16, 0, padding(8)).raw(FRAME.headers, END | 0xd2, 1, BLOCK);
    }],
    ["4.1", "ignores the reserved bit of a stream's number", (client) => {
      client.raw(FRAME.headers, END, 0x8000_0001, BLOCK);
    }],
    ["4.2", "takes the largest frame there may be", (client) => {
      client.headers(1, POST).data(1, padding(16_384), true);
    }],
    ["5.5", "ignores settings it does not know", (client) => {
      client.greet([[0xff, 1], [0xfff0, 0xffff_ffff]]);
    }],
    ["5.5", "ignores frames it does not know amid a body", (client) => {
      client.headers(1, POST).data(1, "x").raw(0x33, 0, 1, padding(3)).data(1, "y", true);
    }],
  ]);
  ends(CODE.frameSize, [
    ["4.2", "ends the connection on DATA that is too large", (client) => {
      client.headers(1, POST).data(1, padding(16_385));
    }],
    ["4.2", "ends the connection on HEADERS that are too large", (client) => {
      client.raw(FRAME.headers, END, 1, padding(16_385));
    }],
    [
      "4.2",
      "ends the connection on a frame that says it is enormous, before it comes",
      (client) => {
        client.connection.says(Uint8Array.of(0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1));
      },
    ],
  ]);
  ends(CODE.protocol, [
    ["4.3", "ends the connection when a priority breaks a block up", (client) => {
      client.raw(FRAME.headers, 0, 1, BLOCK).raw(FRAME.priority, 0, 1, after(0));
    }],
    ["4.3", "ends the connection when another stream's HEADERS break a block up", (client) => {
      client.raw(FRAME.headers, 0, 1, BLOCK).raw(FRAME.headers, END, 3, BLOCK);
    }],
    ["4.3", "ends the connection when DATA break a block up", (client) => {
      client.raw(FRAME.headers, 0, 1, BLOCK).data(1, "x");
    }],
    ["5.5", "ends the connection when an unknown frame breaks a block up", (client) => {
      client.raw(FRAME.headers, 0, 1, BLOCK).raw(0x33, 0, 0, NONE);
    }],
  ]);
});

describe("H2Server, states of streams", () => {
  ends(CODE.protocol, [
    ["5.1", "ends the connection on DATA of an idle stream", (client) => client.data(1, "x", true)],
    ["5.1", "ends the connection on RST_STREAM of an idle stream", (client) => {
      client.number(FRAME.rst, 1, CODE.cancel);
    }],
    ["5.1", "ends the connection on WINDOW_UPDATE of an idle stream", (client) => {
      client.number(FRAME.windowUpdate, 1, 100);
    }],
    ["5.1", "ends the connection on CONTINUATION of an idle stream", (client) => {
      client.raw(FRAME.continuation, FLAG.endHeaders, 1, BLOCK);
    }],
    ["5.1", "ends the connection on CONTINUATION of a half-closed stream", (client) => {
      halfClosed(client).raw(FRAME.continuation, FLAG.endHeaders, 1, BLOCK);
    }],
    ["5.1", "ends the connection on CONTINUATION of a stream that its client reset", (client) => {
      resetByClient(client).raw(FRAME.continuation, FLAG.endHeaders, 1, BLOCK);
    }],
    ["5.1", "ends the connection on CONTINUATION of a closed stream", async (client) => {
      await answered(client);
      client.raw(FRAME.continuation, FLAG.endHeaders, 1, BLOCK);
    }],
    ["5.1.1", "ends the connection when a client opens a stream of the server's", (client) => {
      client.headers(2, ASKED, true);
    }],
    ["5.1.1", "ends the connection when a client opens a stream it has left out", (client) => {
      client.headers(5, ASKED, true).headers(3, ASKED, true);
    }],
  ]);
  resets(CODE.streamClosed, 1, [
    ["5.1", "resets a half-closed stream on DATA", (client) => halfClosed(client).data(1, "x")],
    ["5.1", "resets a half-closed stream on DATA that end it again", (client) => {
      halfClosed(client).data(1, "", true);
    }],
    ["5.1", "resets a half-closed stream on HEADERS", (client) => {
      halfClosed(client).headers(1, ASKED, true);
    }],
    ["5.1", "resets a stream half-closed by a body on HEADERS", (client) => {
      client.headers(1, POST).data(1, "x", true).headers(1, [["x-t", "1"]], true);
    }],
  ]);
  ends(CODE.streamClosed, [
    ["5.1", "ends the connection on DATA of a stream that its client reset", (client) => {
      resetByClient(client).data(1, "x");
    }],
    ["5.1", "ends the connection on HEADERS of a stream that its client reset", (client) => {
      resetByClient(client).headers(1, ASKED, true);
    }],
    ["5.1", "ends the connection on DATA of a closed stream", async (client) => {
      await answered(client);
      client.data(1, "x");
    }],
    ["5.1", "ends the connection on HEADERS of a closed stream", async (client) => {
      await answered(client);
      client.headers(1, ASKED, true);
    }],
  ]);
  passes([
    ["5.1", "takes WINDOW_UPDATE and PRIORITY on a half-closed stream", (client) => {
      halfClosed(client).number(FRAME.windowUpdate, 1, 9).raw(FRAME.priority, 0, 1, after(0));
    }],
    ["5.1", "takes RST_STREAM on a half-closed stream", (client) => {
      halfClosed(client).number(FRAME.rst, 1, CODE.cancel);
    }],
    ["5.1", "takes what may cross the end of a stream", async (client) => {
      await answered(client);
      client.number(FRAME.windowUpdate, 1, 9).number(FRAME.rst, 1, CODE.none);
      client.raw(FRAME.priority, 0, 1, after(0));
    }],
    ["5.1", "takes a priority of an idle stream", (client) => {
      client.raw(FRAME.priority, 0, 99, after(0));
    }],
  ]);
  resets(CODE.protocol, 1, [
    ["5.1", "drops what was on its way to a stream that it reset, and says nothing", (client) => {
      resetByUs(client).data(1, "x").data(1, "", true).number(FRAME.windowUpdate, 1, 9);
      client.number(FRAME.rst, 1, CODE.cancel);
    }],
    ["5.1", "unpacks blocks on their way to a stream that it reset", (client) => {
      // Adds an entry to the table, which the next block refers to.
      resetByUs(client).raw(
        FRAME.headers,
        END,
        1,
        join(Uint8Array.of(0x40), packed([["x", "1"]]).slice(1)),
      );
      client.raw(FRAME.headers, END, 3, join(BLOCK, Uint8Array.of(0xbe)));
    }],
    ["5.3.1 of RFC 7540", "resets a stream that waits for itself", (client) => {
      client.raw(FRAME.headers, END | FLAG.priority, 1, join(after(1), BLOCK));
    }],
    ["5.3.1 of RFC 7540", "resets a running stream that is told to wait for itself", (client) => {
      client.headers(1, POST).raw(FRAME.priority, 0, 1, after(1));
    }],
  ]);
  ends(CODE.protocol, [
    ["5.3.1 of RFC 7540", "ends the connection when an idle stream waits for itself", (client) => {
      client.raw(FRAME.priority, 0, 9, after(9));
    }],
  ]);

  it("5.1.2: refuses streams beyond its maximum, and takes them when others have ended", async () => {
    const opened = open(unanswered);
    const { client } = opened;
    for (let at = 0; at < 251; at++) client.headers(2 * at + 1, ASKED, true);
    assert.deepEqual(client.said(), [`rst 501 ${CODE.refusedStream}`]);
    assert.equal(opened.exchanges.length, 250);
    client.number(FRAME.rst, 1, CODE.cancel);
    await goesOn(opened, 503);
  });

  it("5.4.1: names the last stream that it looked at, and closes", async () => {
    const { client, connection, clock, gone } = open(unanswered);
    client.headers(1, ASKED, true).headers(7, ASKED, true).raw(FRAME.ping, 0, 0, NONE);
    assert.deepEqual(client.said(), [`goaway 7 ${CODE.frameSize}`]);
    assert.equal(connection.state, "finished");
    await clock.advance(3_000);
    assert.equal(connection.state, "closed");
    assert.equal(gone(), 1);
  });
});

describe("H2Server, DATA and HEADERS", () => {
  ends(CODE.protocol, [
    ["6.1", "ends the connection on DATA without a stream", (client) => client.data(0, "x")],
    ["6.1", "ends the connection on DATA with more padding than there is", (client) => {
      client.headers(1, POST).raw(FRAME.data, FLAG.padded, 1, Uint8Array.of(5, 1, 2));
    }],
    ["6.1", "ends the connection on padded DATA that are empty", (client) => {
      client.headers(1, POST).raw(FRAME.data, FLAG.padded, 1, NONE);
    }],
    [
      "6.2",
      "ends the connection on HEADERS without a stream",
      (client) => client.headers(0, ASKED),
    ],
    ["6.2", "ends the connection on HEADERS with more padding than there is", (client) => {
      client.raw(FRAME.headers, END | FLAG.padded, 1, join(Uint8Array.of(0xff), BLOCK));
    }],
    ["6.2", "ends the connection on HEADERS too short for their priority", (client) => {
      client.raw(FRAME.headers, END | FLAG.priority, 1, padding(4));
    }],
    ["6.6", "ends the connection of a client that pushes", (client) => {
      client.headers(1, POST).raw(FRAME.push, FLAG.endHeaders, 1, join(word(2), BLOCK));
    }],
  ]);

  it("6.1: takes DATA without their padding, and pays for that", async () => {
    const { client, exchanges } = open(unanswered);
    client.headers(1, POST).raw(FRAME.data, FLAG.padded, 1, padded(Uint8Array.of(104, 105), 200));
    const piece = await exchanges[0]?.body?.read();
    assert.deepEqual(piece, Uint8Array.of(104, 105));
    // All but what was read here is over and done with; the window opens when it is worth a frame.
    for (let at = 0; at < 642; at++) {
      client.raw(FRAME.data, FLAG.padded, 1, padded(Uint8Array.of(1), 203));
    }
    assert.deepEqual(client.said(), ["windowUpdate 1 131171"]);
  });

  it("6.2: takes HEADERS with padding and a priority", async () => {
    const { client, exchanges } = open();
    const flags = END | FLAG.padded | FLAG.priority;
    client.raw(FRAME.headers, flags, 1, join(Uint8Array.of(3), after(0), BLOCK, padding(3)));
    await settled();
    assert.equal(exchanges.length, 1);
    assert.equal(client.said().length, 2);
  });
});

describe("H2Server, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY", () => {
  ends(CODE.protocol, [
    ["6.3", "ends the connection on a priority of no stream", (client) => {
      client.raw(FRAME.priority, 0, 0, after(1));
    }],
    ["6.4", "ends the connection on RST_STREAM of no stream", (client) => {
      client.number(FRAME.rst, 0, CODE.cancel);
    }],
    ["6.5", "ends the connection on settings of a stream", (client) => {
      client.headers(1, POST).raw(FRAME.settings, 0, 1, NONE);
    }],
    ["6.5.2", "ends the connection on push neither on nor off", (client) => {
      client.greet([[SETTING.enablePush, 2]]);
    }],
    ["6.5.2", "ends the connection on frames smaller than all must take", (client) => {
      client.greet([[SETTING.frameSize, 16_383]]);
    }],
    ["6.5.2", "ends the connection on frames larger than can be", (client) => {
      client.greet([[SETTING.frameSize, 16_777_216]]);
    }],
    ["6.7", "ends the connection on a ping on a stream", (client) => {
      client.raw(FRAME.ping, 0, 1, padding(8));
    }],
    ["6.8", "ends the connection on a farewell on a stream", (client) => {
      client.raw(FRAME.goaway, 0, 1, padding(8));
    }],
  ]);
  ends(CODE.frameSize, [
    ["6.4", "ends the connection on RST_STREAM of another length", (client) => {
      client.headers(1, POST).raw(FRAME.rst, 0, 1, padding(3));
    }],
    ["6.5", "ends the connection on an acknowledgement with content", (client) => {
      client.raw(FRAME.settings, FLAG.ack, 0, padding(6));
    }],
    ["6.5", "ends the connection on settings of another length", (client) => {
      client.raw(FRAME.settings, 0, 0, padding(7));
    }],
    ["6.7", "ends the connection on a ping of another length", (client) => {
      client.raw(FRAME.ping, 0, 0, padding(7));
    }],
    ["6.8", "ends the connection on a farewell that is too short", (client) => {
      client.raw(FRAME.goaway, 0, 0, padding(7));
    }],
    ["6.9", "ends the connection on WINDOW_UPDATE of another length", (client) => {
      client.raw(FRAME.windowUpdate, 0, 0, padding(3));
    }],
    ["6.3", "ends the connection on an idle stream's priority of another length", (client) => {
      client.raw(FRAME.priority, 0, 1, padding(4));
    }],
  ]);
  ends(CODE.flowControl, [
    ["6.5.2", "ends the connection on a window larger than can be", (client) => {
      client.greet([[SETTING.initialWindow, 0x8000_0000]]);
    }],
  ]);
  resets(CODE.frameSize, 1, [
    ["6.3", "resets a stream whose priority has another length", (client) => {
      client.headers(1, POST).raw(FRAME.priority, 0, 1, padding(4));
    }],
  ]);
  passes([
    ["7", "takes error codes that it does not know", (client) => {
      client.headers(1, POST).number(FRAME.rst, 1, 0xff).goaway(0, 0xffff_ffff);
    }],
    ["6.5", "takes an acknowledgement", (client) => client.raw(FRAME.settings, FLAG.ack, 0, NONE)],
    ["6.5.2", "takes every setting at its bounds", (client) => {
      client.greet([[SETTING.enablePush, 0], [SETTING.frameSize, 16_777_215]]);
      client.greet([[SETTING.enablePush, 1], [SETTING.frameSize, 16_384]]);
      client.greet([[0x1, 0], [SETTING.concurrentStreams, 0], [SETTING.headerListSize, 0]]);
      client.greet([[SETTING.initialWindow, 0x7fff_ffff]]);
    }],
    ["6.7", "takes answers to pings that it has not sent", (client) => {
      client.raw(FRAME.ping, FLAG.ack, 0, padding(8));
    }],
    ["6.8", "goes on after a client's farewell, which says nothing of its requests", (client) => {
      client.goaway(0);
    }],
  ]);

  it("6.5.3: acknowledges settings once they are in force, each time", () => {
    const { client } = open();
    client.greet([[SETTING.initialWindow, 1]]).greet();
    assert.deepEqual(client.heard(), ["settings 1", "settings 1"]);
  });

  it("6.5.3: heeds the last word on a setting", async () => {
    const { client } = open();
    client.greet([[SETTING.initialWindow, 100], [SETTING.initialWindow, 1]]);
    client.headers(1, ON, true);
    await settled();
    assert.deepEqual(client.said().slice(1), ['data 1 "/"']);
  });

  it("6.7: returns a ping's content", () => {
    const { client, connection } = open();
    client.raw(FRAME.ping, 0, 0, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    assert.equal(
      connection.take(),
      String.fromCharCode(...frame(FRAME.ping, FLAG.ack, 0, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))),
    );
  });
});

describe("H2Server, CONTINUATION", () => {
  const pieces = (client: H2Peer, count: number, stream = 1) => {
    client.raw(FRAME.headers, FLAG.endStream, stream, BLOCK.subarray(0, 10));
    for (let at = 1; at < count; at++) client.raw(FRAME.continuation, 0, stream, NONE);
    return client;
  };
  it("6.10: puts a head together from many frames", async () => {
    const { client, exchanges } = open();
    client.raw(FRAME.headers, FLAG.endStream, 1, BLOCK.subarray(0, 1));
    for (let at = 1; at < BLOCK.length; at++) {
      const flags = at === BLOCK.length - 1 ? FLAG.endHeaders : 0;
      client.raw(FRAME.continuation, flags, 1, BLOCK.subarray(at, at + 1));
    }
    await settled();
    assert.equal(exchanges[0]?.fields.get("host"), "a.test");
    assert.equal(client.said().length, 2);
  });
  passes([
    ["6.10", "takes frames with nothing in them, also as the last", (client) => {
      pieces(client, 3).raw(FRAME.continuation, 0, 1, BLOCK.subarray(10));
      client.raw(FRAME.continuation, FLAG.endHeaders, 1, NONE);
    }],
  ]);
  ends(CODE.protocol, [
    ["6.10", "ends the connection on CONTINUATION of another stream", (client) => {
      pieces(client, 1).raw(FRAME.continuation, FLAG.endHeaders, 3, BLOCK.subarray(10));
    }],
    ["6.10", "ends the connection on CONTINUATION without a stream", (client) => {
      pieces(client, 1).raw(FRAME.continuation, FLAG.endHeaders, 0, BLOCK.subarray(10));
    }],
    ["6.10", "ends the connection on CONTINUATION behind the end of a block", (client) => {
      client.headers(1, POST).raw(FRAME.continuation, FLAG.endHeaders, 1, NONE);
    }],
    ["6.10", "ends the connection on CONTINUATION behind one that ended the block", (client) => {
      pieces(client, 1).raw(FRAME.continuation, FLAG.endHeaders, 1, BLOCK.subarray(10));
      client.raw(FRAME.continuation, FLAG.endHeaders, 1, NONE);
    }],
    ["6.10", "ends the connection on CONTINUATION behind DATA", (client) => {
      client.headers(1, POST).data(1, "x").raw(FRAME.continuation, FLAG.endHeaders, 1, POST_BLOCK);
    }],
  ]);
  ends(CODE.compression, [
    ["4.3", "ends the connection on a block that cannot be unpacked", (client) => {
      client.raw(FRAME.headers, END, 1, Uint8Array.of(0x80));
    }],
    ["4.3", "ends the connection on trailers that cannot be unpacked", (client) => {
      client.headers(1, POST).raw(FRAME.headers, END, 1, Uint8Array.of(0xff));
    }],
  ]);
});
