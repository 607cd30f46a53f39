/**
 * Clients of HTTP/2 that ask for nothing, in all the ways that are known: each is ended before it costs anything,
 * and another is served meanwhile. And clients that only look alike, which are left alone.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Delivery } from "../../src/model.ts";
import { sourceOf } from "../../src/source.ts";
import { FORSAKEN_MAX } from "../../src/wire/h2_reception.ts";
import { STREAMS_MAX, StreamShare } from "../../src/wire/h2_share.ts";
import { FakeBody } from "../support/fake_bytes.ts";
import { settled } from "../support/manual_clock.ts";
import { CODE, FLAG, FRAME, type H2Peer, packed, SETTING } from "./h2_peer.ts";
import { ASKED, asking, goesOn, open, POST, sayPath } from "./h2_served.ts";
import { reply, type Serve } from "./served.ts";

const NONE = new Uint8Array(0);
const MAX = 0x7fff_ffff;
const BLOCK = packed(ASKED);
/** Keeps its exchange until the client leaves, but for `/on`. */
const keeps: Serve = (exchange) =>
  exchange.target === "/on"
    ? sayPath(exchange)
    : new Promise((resolve) => exchange.signal.addEventListener("abort", () => resolve(0)));
const waitsForItself = (stream: number) => Uint8Array.of(0, 0, stream >> 8, stream, 15);

interface Attack {
  readonly title: string;
  /** One round of it; streams count up with `at`. */
  readonly round: (client: H2Peer, stream: number) => unknown;
  /** Said once before. */
  readonly begin?: (client: H2Peer) => unknown;
  /** Rounds at most. */
  readonly roundsMax: number;
  readonly serve?: Serve;
}

const ping = (client: H2Peer) => client.raw(FRAME.ping, 0, 0, new Uint8Array(8));
const ask = (client: H2Peer, stream: number) => client.headers(stream, ASKED, true);
const tell = (client: H2Peer, stream: number) => client.headers(stream, POST);

const attacks: readonly Attack[] = [
  {
    title: "resets what it asks for (CVE-2023-44487)",
    round: (client, stream) => ask(client, stream).number(FRAME.rst, stream, CODE.cancel),
    roundsMax: 501,
  },
  ...([
    [
      "opening windows by nothing",
      (client, stream) => ask(client, stream).number(FRAME.windowUpdate, stream, 0),
    ],
    [
      "opening windows too far",
      (client, stream) => ask(client, stream).number(FRAME.windowUpdate, stream, MAX),
    ],
    ["sending bodies twice over", (client, stream) => ask(client, stream).data(stream, "x")],
    [
      "sending heads twice over",
      (client, stream) => ask(client, stream).headers(stream, ASKED, true),
    ],
    [
      "priorities of a wrong length",
      (client, stream) => tell(client, stream).raw(FRAME.priority, 0, stream, new Uint8Array(4)),
    ],
    [
      "priorities in a circle",
      (client, stream) =>
        tell(client, stream).raw(FRAME.priority, 0, stream, waitsForItself(stream)),
    ],
    [
      "bodies that are longer than told",
      (client, stream) =>
        client.headers(stream, asking({}, ["content-length", "1"])).data(stream, "xy"),
    ],
    ["malformed heads", (client, stream) => client.headers(stream, asking({ ":path": "x" }), true)],
  ] as [string, Attack["round"]][]).map(([how, round]): Attack => ({
    title: `makes us reset what it asks for, by ${how} (CVE-2025-8671)`,
    round,
    roundsMax: 101,
  })),
  {
    title: "asks for more than it may, over and over",
    begin: (client) => {
      for (let at = 0; at < STREAMS_MAX; at++) ask(client, 2 * at + 1);
    },
    round: (client, stream) => ask(client, stream + 2 * STREAMS_MAX),
    roundsMax: 101,
  },
  {
    title: "says its settings over and over (CVE-2019-9515)",
    round: (client) => client.greet([[SETTING.initialWindow, 1]]),
    roundsMax: 20,
  },
  {
    title: "says more settings than there are",
    round: (client) => client.greet(Array.from({ length: 100 }, () => [0x99, 1] as const)),
    roundsMax: 1,
  },
  { title: "pings (CVE-2019-9512)", round: ping, roundsMax: 101 },
  {
    title: "gives priorities (CVE-2019-9513)",
    round: (client, stream) => client.raw(FRAME.priority, 0, stream, new Uint8Array(5)),
    roundsMax: 501,
  },
  {
    title: "opens windows that nobody waits for (CVE-2019-9517)",
    round: (client) => client.number(FRAME.windowUpdate, 0, 1),
    roundsMax: 1_001,
  },
  {
    title: "opens the windows of what is over",
    begin: (client) => client.headers(1, asking({ ":path": "/on" }), true),
    round: (client) => client.number(FRAME.windowUpdate, 1, 1),
    roundsMax: 1_010,
  },
  {
    title: "sends bodies of nothing (CVE-2019-9518)",
    begin: (client) => tell(client, 1),
    round: (client) => client.data(1, ""),
    roundsMax: 101,
  },
  {
    title: "sends bodies of padding",
    begin: (client) => tell(client, 1),
    round: (client) => client.raw(FRAME.data, FLAG.padded, 1, Uint8Array.of(2, 0, 0)),
    roundsMax: 101,
  },
  {
    title: "sends heads without an end (CVE-2024-27316)",
    begin: (client) => client.raw(FRAME.headers, FLAG.endStream, 1, BLOCK),
    round: (client) => client.raw(FRAME.continuation, 0, 1, new Uint8Array(16_000).fill(0x82)),
    roundsMax: 9,
  },
  {
    title: "sends heads without an end in frames of nothing",
    begin: (client) => client.raw(FRAME.headers, FLAG.endStream, 1, BLOCK),
    round: (client) => client.raw(FRAME.continuation, 0, 1, NONE),
    roundsMax: 128,
  },
  {
    title: "sends frames of no known type",
    round: (client) => client.raw(0x77, 0, 0, new Uint8Array(100)),
    roundsMax: 501,
  },
  {
    title: "acknowledges what was never said",
    round: (client) => client.raw(FRAME.settings, FLAG.ack, 0, NONE),
    roundsMax: 501,
  },
  {
    title: "resets what is over",
    begin: (client) => client.headers(1, asking({ ":path": "/on" }), true),
    round: (client) => client.number(FRAME.rst, 1, CODE.cancel),
    roundsMax: 510,
  },
];

describe("H2Server ends the connection of a client that", () => {
  for (const { title, begin, round, roundsMax, serve = keeps } of attacks) {
    it(title, async () => {
      const other = open(keeps);
      const { client, connection, exchanges, refusals } = open(serve);
      begin?.(client);
      await settled();
      client.said();
      let rounds = 0;
      for (; connection.state === "open" && rounds <= roundsMax; rounds++) {
        round(client, 2 * rounds + 1);
        // Some are dealt with between two turns only.
        if (rounds % 50 === 0) await settled();
        if (rounds === 3) await goesOn(other, 2 * rounds + 1);
      }
      assert.ok(rounds <= roundsMax, `Still there after ${rounds} rounds`);
      assert.match(client.said().at(-1) ?? "", new RegExp(`^goaway \\d+ ${CODE.enhanceYourCalm}$`));
      assert.match(refusals.at(-1) ?? "", /^429 /);
      assert.deepEqual(
        exchanges.filter(({ target, signal }) => target !== "/on" && !signal.aborted),
        [],
      );
      await goesOn(other, 9_999);
    });
  }

  it("takes nothing of what it is told (CVE-2019-9515)", async () => {
    const other = open();
    const { client, connection, clock } = open(keeps);
    // An idle connection would end by itself.
    ask(client, 1);
    connection.taking = false;
    let pings = 0;
    // Slowly enough not to be told off for that.
    for (; connection.state === "open" && pings < 5_000; pings++) {
      ping(client);
      await clock.advance(100);
      if (pings === 2_000) await goesOn(other);
    }
    assert.equal(connection.state, "reset");
    assert.ok(pings < 4_000, String(pings));
    // Of all it was told, one write is with the system.
    assert.ok(connection.text.length < 100, String(connection.text.length));
  });
});

describe("H2Server keeps at bay a client that", () => {
  it("resets faster than its exchanges come to rest: they are never more than a bound", async () => {
    const releases: (() => void)[] = [];
    const stubborn: Serve = () => new Promise((resolve) => void releases.push(() => resolve(0)));
    const opened = open(stubborn);
    const { client, exchanges, clock } = opened;
    let stream = 1;
    for (let batch = 0; batch < 30; batch++) {
      for (let at = 0; at < 40; at++, stream += 2) {
        ask(client, stream).number(FRAME.rst, stream, CODE.cancel);
      }
      await clock.advance(1_000);
    }
    assert.equal(exchanges.length, FORSAKEN_MAX);
    assert.ok(client.said().every((words) => words.endsWith(` ${CODE.refusedStream}`)));
    for (const release of releases) release();
    await settled();
    ask(client, stream);
    assert.equal(exchanges.length, FORSAKEN_MAX + 1);
  });

  it("resets answers that it never takes: nothing of them is kept", async () => {
    const bodies: FakeBody[] = [];
    const deliveries: Delivery[] = [];
    const { client, connection, clock, exchanges } = open(async (exchange) => {
      const body = new FakeBody(["x"]);
      bodies.push(body);
      deliveries.push(await exchange.answer(reply({ body })));
    });
    connection.taking = false;
    ping(client);
    for (let at = 0; at < 400; at++) {
      ask(client, 2 * at + 1).number(FRAME.rst, 2 * at + 1, CODE.cancel);
      await clock.advance(50);
    }
    assert.equal(exchanges.length, 400);
    assert.deepEqual([...new Set(deliveries.map(({ end }) => end))], ["left"]);
    assert.equal(deliveries.length, 400);
    assert.ok(bodies.every(({ cancelled }) => cancelled));
    client.said();
    connection.drains();
    await settled();
    assert.deepEqual(client.said(), []);
  });

  it("opens no window for its answers: hardly more of them is read than it takes", async () => {
    const other = open();
    const bodies: FakeBody[] = [];
    const { client, exchanges } = open((exchange) => {
      const body = new FakeBody(Array.from({ length: 9 }, () => new Uint8Array(500_000)));
      bodies.push(body);
      return exchange.answer(reply({ body }));
    }, [[SETTING.initialWindow, 0]]);
    for (let at = 0; at < STREAMS_MAX; at++) {
      ask(client, 2 * at + 1);
      await settled();
    }
    assert.equal(exchanges.length, STREAMS_MAX);
    const reads = bodies.reduce((sum, body) => sum + body.reads, 0);
    assert.ok(reads <= 6, `${reads} pieces of half a megabyte`);
    await goesOn(other);
    // Who opens it is served all the same.
    client.said();
    for (let at = 0; at < 30; at++) {
      client.number(FRAME.windowUpdate, 0, 150_000).number(FRAME.windowUpdate, 499, 150_000);
      await settled();
    }
    assert.equal(client.said().at(-1), 'data 499 end ""');
  });

  it("opens all its streams together with its likes: others have room for a few", async () => {
    const share = new StreamShare(1_000);
    const all = Array.from({ length: 10 }, () => open(keeps, [], share));
    for (let at = 0; at < STREAMS_MAX; at++) {
      for (const { client } of all) ask(client, 2 * at + 1);
    }
    const counts = all.map(({ exchanges }) => exchanges.length);
    const sum = counts.reduce((one, other) => one + other, 0);
    assert.ok(sum < 1_000, String(sum));
    // Refused and not told off: it may ask again, and nobody loses what he has.
    for (const { client, connection } of all) {
      assert.equal(connection.state, "open");
      assert.ok(client.said().every((words) => words.endsWith(` ${CODE.refusedStream}`)));
    }
    const other = open(sayPath, [], share);
    for (let at = 0; at < 5; at++) await goesOn(other, 2 * at + 1);
    all[0]?.connection.leaves();
    ask(all[1]?.client ?? other.client, 999);
    assert.deepEqual(all[1]?.client.said(), []);
  });

  it("takes up all streams there are: everybody has one all the same", async () => {
    const share = new StreamShare(10);
    const all = Array.from({ length: 30 }, () => open(keeps, [], share));
    for (const { client } of all) ask(client, 1).headers(3, ASKED, true);
    assert.ok(all.every(({ exchanges }) => exchanges.length >= 1));
    assert.ok(all.slice(10).every(({ exchanges }) => exchanges.length === 1));
    await goesOn(open(keeps, [], share));
  });

  it("sends heads that unpack to a hundred times their size", async () => {
    const opened = open();
    const { client, exchanges } = opened;
    const entry = packed([["x", "y".repeat(4_000)]]);
    entry[0] = 0x40;
    client.raw(
      FRAME.headers,
      FLAG.endHeaders | FLAG.endStream,
      1,
      Uint8Array.from([...BLOCK, ...entry]),
    );
    const bomb = Uint8Array.from([...BLOCK, ...new Uint8Array(16_000).fill(0xbe)]);
    for (let at = 1; at < 50; at++) {
      client.raw(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 2 * at + 1, bomb);
    }
    await settled();
    assert.equal(exchanges.length, 1);
    const words = client.said().filter((one) => one.startsWith("headers"));
    assert.equal(words.filter((one) => one.endsWith(":status=431 content-length=0")).length, 49);
    await goesOn(opened, 999);
  });
});

describe("H2Server leaves alone a client that", () => {
  const rounds = 3_000;
  const harmless: [string, Serve, (client: H2Peer, stream: number) => unknown][] = [
    ["asks a lot", sayPath, ask],
    [
      "takes the first of two answers and resets the other",
      (exchange) => exchange.target === "/" ? sayPath(exchange) : keeps(exchange),
      (client, stream) =>
        ask(client, 2 * stream - 1).headers(2 * stream + 1, asking({ ":path": "/slow" }), true)
          .number(FRAME.rst, 2 * stream + 1, CODE.cancel),
    ],
    [
      "is served by somebody who takes his time afterwards",
      async (exchange) => {
        await sayPath(exchange);
        await new Promise(() => {});
      },
      ask,
    ],
    [
      "resets what it has whole",
      sayPath,
      (client, stream) => ask(client, stream).number(FRAME.rst, stream, CODE.none),
    ],
    ["pings at every answer", sayPath, (client, stream) => ping(ask(client, stream))],
    [
      "tells priorities in a frame of its own",
      sayPath,
      (client, stream) =>
        client.raw(0x10, 0, 0, waitsForItself(stream)).headers(stream, ASKED, true),
    ],
    [
      "opens two windows at every answer",
      sayPath,
      (client, stream) =>
        ask(client, stream).number(FRAME.windowUpdate, stream, 1).number(FRAME.windowUpdate, 0, 1),
    ],
  ];
  for (const [title, serve, round] of harmless) {
    it(title, async () => {
      const opened = open(serve);
      for (let at = 0; at < rounds; at++) {
        round(opened.client, 2 * at + 1);
        opened.connection.take();
        if (at % 100 === 0) await settled();
      }
      await settled();
      assert.equal(opened.connection.state, "open");
      assert.deepEqual(opened.refusals, []);
    });
  }

  it("takes a long answer byte by byte", async () => {
    const text = new Uint8Array(rounds);
    const opened = open((exchange) => exchange.answer(reply({ body: sourceOf(text) })), [
      [SETTING.initialWindow, 1],
    ]);
    ask(opened.client, 1);
    await settled();
    for (let at = 1; at < rounds; at++) {
      opened.client.number(FRAME.windowUpdate, 1, 1);
      if (at % 100 === 0) opened.client.number(FRAME.windowUpdate, 0, 100);
    }
    await settled();
    assert.equal(
      opened.client.said().filter((words) => words.startsWith("data 1")).length,
      rounds + 1,
    );
    assert.deepEqual(opened.refusals, []);
  });

  it("opens both windows for every four KiB of a long answer, as Go's does", async () => {
    const pieces = Array.from({ length: 6 }, () => new Uint8Array(500_000));
    const opened = open((exchange) => exchange.answer(reply({ body: new FakeBody(pieces) })), [
      [SETTING.initialWindow, 4_000_000],
    ]);
    const { client } = opened;
    client.number(FRAME.windowUpdate, 0, 4_000_000);
    ask(client, 1);
    let bytes = 0;
    for (let ended = false; !ended;) {
      await settled();
      const said = client.said();
      assert.ok(said.length > 0, `Stalls after ${bytes} bytes`);
      for (const words of said) {
        ended ||= words.startsWith("data 1 end");
        const size = Number(/^data 1 (\d+)$/.exec(words)?.[1] ?? 0);
        bytes += size;
        for (let read = 0; read < size; read += 4_096) {
          const step = Math.min(4_096, size - read);
          client.number(FRAME.windowUpdate, 0, step).number(FRAME.windowUpdate, 1, step);
        }
      }
    }
    assert.equal(bytes, 3_000_000);
    assert.deepEqual(opened.refusals, []);
  });

  it("sends a long body in small pieces", async () => {
    let bytes = 0;
    const opened = open(async (exchange) => {
      for (let piece = await exchange.body?.read(); piece; piece = await exchange.body?.read()) {
        bytes += piece.length;
      }
      await exchange.answer(reply());
    });
    tell(opened.client, 1);
    for (let at = 0; at < rounds; at++) {
      opened.client.data(1, "x");
      if (at % 100 === 0) await settled();
    }
    opened.client.data(1, "", true);
    await settled();
    assert.equal(bytes, rounds);
    assert.equal(opened.client.said().at(-1), "headers 1 end :status=200 content-length=0");
  });
});
