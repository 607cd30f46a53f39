/**
 * Clients of HTTP/2 that mean harm, against real processes over TLS: whoever only makes work is sent away, memory
 * stays bounded, and somebody else is answered all the while.
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { CODE, FLAG, FRAME, SETTING } from "../../src/wire/h2_frames.ts";
import { frame, headerFrames, numberFrame, settingsFrame } from "../../src/wire/h2_make.ts";
import { pack } from "../../src/wire/h2_pack.ts";
import { Authority } from "../support/certificates.ts";
import { Child, Understudy, wireSubjects } from "../support/processes.ts";
import { packed } from "../wire/h2_peer.ts";
import { asking, ping, posting, RawH2 } from "../support/raw_h2.ts";
import { StreamUpstream } from "../support/stream_upstream.ts";

const MIB = 1024 ** 2;
const MAX = 0x7fff_ffff;
const NONE = new Uint8Array(0);
/** How long somebody else may wait for an answer meanwhile, on a busy machine. */
const WAIT_MAX_MS = 5_000;
/** A part of what each of these clients asks for or sends. */
const GROWTH_MAX_BYTES = 192 * MIB;
const BESIDE_MS = 20;
/** Rounds that are said in one go. */
const BATCH = 100;
/** Twice what a process may keep, all streams together. */
const STREAMS = 50;
const BULK = `bulk.a.example/down?bytes=${8 * MIB}`;
const HANG = pack(asking("/hang"));
/** In place of the first byte of a field that is packed: the table shall keep it. And the field it has kept last. */
const KEPT = 0x40;
const X = Uint8Array.of(0xbe);
const WHOLE = FLAG.endHeaders | FLAG.endStream;

interface Flood {
  readonly title: string;
  readonly begin?: readonly Uint8Array[];
  /** One round; streams count up. */
  readonly round: (stream: number) => readonly Uint8Array[];
  /** Rounds after which the client must have been sent away. */
  readonly roundsMax: number;
}

const ask = (stream: number) => headerFrames(stream, HANG, true);
const waitsForItself = (stream: number) => Uint8Array.of(0, 0, stream >> 8, stream, 15);

const floods: readonly Flood[] = [
  {
    title: "resets what it asks for (CVE-2023-44487)",
    round: (stream) => [ask(stream), numberFrame(FRAME.rst, stream, CODE.cancel)],
    roundsMax: 1_000,
  },
  ...([
    ["a window opened by nothing", (stream) => numberFrame(FRAME.windowUpdate, stream, 0)],
    ["a window opened too far", (stream) => numberFrame(FRAME.windowUpdate, stream, MAX)],
    ["a body behind its end", (stream) => frame(FRAME.data, 0, stream, Uint8Array.of(1))],
    ["a head behind its end", (stream) => ask(stream)],
    ["a wrong priority", (stream) => frame(FRAME.priority, 0, stream, new Uint8Array(4))],
    [
      "a priority in a circle",
      (stream) => frame(FRAME.priority, 0, stream, waitsForItself(stream)),
    ],
  ] as [string, (stream: number) => Uint8Array][]).map(([how, breach]): Flood => ({
    title: `makes us reset what it asks for, by ${how} (CVE-2025-8671)`,
    round: (stream) => [ask(stream), breach(stream)],
    roundsMax: 500,
  })),
  {
    title: "says its settings over and over (CVE-2019-9515)",
    round: () => [settingsFrame([[SETTING.initialWindow, 65_535]])],
    roundsMax: 500,
  },
  { title: "pings (CVE-2019-9512)", round: () => [ping], roundsMax: 1_000 },
  {
    title: "gives priorities (CVE-2019-9513)",
    round: (stream) => [frame(FRAME.priority, 0, stream, new Uint8Array(5))],
    roundsMax: 2_000,
  },
  {
    title: "opens windows that nobody waits for (CVE-2019-9517)",
    round: () => [numberFrame(FRAME.windowUpdate, 0, 1)],
    roundsMax: 3_000,
  },
  {
    title: "sends bodies of nothing (CVE-2019-9518)",
    begin: [posting(1, "/hang")],
    round: () => [frame(FRAME.data, 0, 1, NONE)],
    roundsMax: 1_000,
  },
  {
    title: "sends heads of nothing",
    round: (stream) => [frame(FRAME.headers, WHOLE, stream, NONE)],
    roundsMax: 500,
  },
  {
    title: "sends a head without an end (CVE-2024-27316)",
    begin: [frame(FRAME.headers, FLAG.endStream, 1, HANG)],
    round: () => [frame(FRAME.continuation, 0, 1, new Uint8Array(16_000).fill(0x82))],
    roundsMax: 100,
  },
  {
    title: "sends a head without an end in frames of nothing",
    begin: [frame(FRAME.headers, FLAG.endStream, 1, HANG)],
    round: () => [frame(FRAME.continuation, 0, 1, NONE)],
    roundsMax: 500,
  },
  {
    title: "sends frames of no known type",
    round: () => [frame(0x77, 0, 0, new Uint8Array(100))],
    roundsMax: 2_000,
  },
];

for (const subject of wireSubjects) {
  describe(`HTTP/2 and who means harm (${subject.name})`, () => {
    let authority: Authority;
    let upstream: StreamUpstream;
    let bulk: Child;
    let proxy: Understudy;
    let ca: string;

    before(async () => {
      authority = await Authority.open();
      upstream = await StreamUpstream.open();
      // A process of its own, as what it sends would hold up whoever is asked about here.
      const script = new URL("../support/bulk_upstream.ts", import.meta.url).pathname;
      bulk = new Child(["node_modules/.bin/bun", script]);
      await bulk.until(() => bulk.stdout.includes("listening on"));
      ca = authority.certificate;
      const pair = authority.issue("DNS:a.example", "DNS:*.a.example");
      const [chain, key] = [join(authority.folder, "h2.pem"), join(authority.folder, "h2.key")];
      await writeFile(chain, pair.chain);
      await writeFile(key, pair.key);
      proxy = await Understudy.start(
        subject,
        `
listen: "127.0.0.1:0"
tls: { cert: ${chain}, key: ${key} }
admin: off
routes:
  - host: a.example
    upstreams: ["${upstream.url}"]
  - host: bulk.a.example
    upstreams: ["http://127.0.0.1:${/listening on (\d+)/.exec(bulk.stdout)?.[1]}"]
`,
        { engine: "wire" },
      );
      using peer = await open();
      for (let stream = 1; stream < 200; stream += 2) await answered(peer, stream);
    });

    after(async () => {
      await proxy?.[Symbol.asyncDispose]();
      await upstream?.[Symbol.asyncDispose]();
      await bulk?.[Symbol.asyncDispose]();
      await authority?.[Symbol.asyncDispose]();
    });

    const open = (settings: readonly (readonly [number, number])[] = []) =>
      RawH2.open(proxy.port, ca, settings);

    /** Milliseconds until one more request was answered. */
    async function answered(peer: RawH2, stream: number): Promise<number> {
      const asked = performance.now();
      peer.asks(stream, "/");
      await peer.until(() => peer.ended.has(stream));
      assert.equal(peer.received.get(stream), "raw".length);
      return performance.now() - asked;
    }

    /** Does harm while somebody else asks on; holds the process to its promises. */
    async function beside(harm: () => Promise<void>): Promise<void> {
      using other = await open();
      const before = await proxy.residentBytes();
      let [over, waitedMs, grownBytes, stream] = [false, 0, 0, 1];
      const asking = (async () => {
        for (; !over; stream += 2) {
          waitedMs = Math.max(waitedMs, await answered(other, stream));
          grownBytes = Math.max(grownBytes, await proxy.residentBytes() - before);
          await new Promise((resolve) => setTimeout(resolve, BESIDE_MS));
        }
      })();
      try {
        await harm();
      } finally {
        over = true;
        await asking;
      }
      await answered(other, stream);
      assert.equal(proxy.hasEnded, false);
      if (process.env["H2_ABUSE_TOLD"] !== undefined) {
        console.log(`waited ${waitedMs.toFixed(0)} ms, grew ${(grownBytes / MIB).toFixed(1)} MiB`);
      }
      assert.ok(waitedMs < WAIT_MAX_MS, `Somebody else waited for ${waitedMs} ms`);
      assert.ok(grownBytes < GROWTH_MAX_BYTES, `Grew by ${grownBytes / MIB} MiB`);
    }

    for (const { title, begin = [], round, roundsMax } of floods) {
      it(`sends a client away that ${title}`, async () => {
        await beside(async () => {
          using peer = await open();
          peer.says(...begin);
          const gone = () => peer.goaway !== undefined || peer.closed;
          for (let at = 0; at < roundsMax && !gone(); at += BATCH) {
            const frames = Array.from({ length: BATCH }, (_, one) => round(2 * (at + one) + 1));
            await peer.pours(Buffer.concat(frames.flat()));
          }
          await peer.until(gone);
          assert.equal(peer.goaway, CODE.enhanceYourCalm);
          await peer.until(() => peer.closed);
        });
      });
    }

    it("answers heads that unpack to a hundred times their size, and keeps none of them", async () => {
      await beside(async () => {
        using peer = await open();
        const entry = packed([["x", "y".repeat(4_000)]]);
        entry[0] = KEPT;
        const first = Buffer.concat([packed(asking("/")), entry]);
        peer.says(frame(FRAME.headers, WHOLE, 1, first));
        const bomb = Buffer.concat([packed(asking("/")), new Uint8Array(16_000).fill(0xbe)]);
        for (let stream = 3; stream < 1_000; stream += 2) {
          await peer.pours(frame(FRAME.headers, WHOLE, stream, bomb));
        }
        await peer.until(() => peer.ended.size === 500);
        // The first alone was a request.
        assert.equal(peer.counts.get(FRAME.data), 1);
        // What was packed before the bombs is known behind them.
        peer.says(frame(FRAME.headers, WHOLE, 1_001, Buffer.concat([packed(asking("/")), X])));
        await peer.until(() => peer.ended.has(1_001));
        assert.equal(peer.counts.get(FRAME.data), 2);
      });
    });

    it("answers heads that are too large, and goes on", async () => {
      await beside(async () => {
        using peer = await open();
        const large = asking("/", ["x", "y".repeat(100_000)]);
        for (let stream = 1; stream < 100; stream += 2) {
          await peer.pours(headerFrames(stream, pack(large), true));
        }
        await peer.until(() => peer.ended.size === 50);
        assert.equal(peer.counts.get(FRAME.data), undefined);
        await answered(peer, 101);
      });
    });

    it("refuses thousands of requests that come in one go, one turn after the other", async () => {
      await beside(async () => {
        using peer = await open();
        const trace = pack([[":method", "TRACE"], ...asking("/").slice(1)]);
        const heads = Array.from(
          { length: 20_000 },
          (_, at) => headerFrames(2 * at + 1, trace, true),
        );
        await peer.pours(Buffer.concat(heads));
        await peer.until(() => peer.ended.size === heads.length, 30_000);
        await answered(peer, 40_001);
      });
    });

    for (const windowBytes of [0, 1]) {
      it(`reads hardly more of answers than windows of ${windowBytes} let through`, async () => {
        await beside(async () => {
          using peer = await open([[SETTING.initialWindow, windowBytes]]);
          for (let at = 0; at < STREAMS; at++) peer.asks(2 * at + 1, BULK);
          await peer.until(() => peer.counts.get(FRAME.headers) === STREAMS);
          for (let at = 0; at < STREAMS * windowBytes; at++) {
            const stream = 2 * at + 1;
            peer.says(numberFrame(FRAME.windowUpdate, stream, 1));
            await peer.until(() => peer.received.get(stream) === 2);
          }
          assert.equal(peer.goaway, undefined);
        });
      });
    }

    it("reads hardly more of answers for a client that opens its windows and takes nothing", async () => {
      await beside(async () => {
        using peer = await open([[SETTING.initialWindow, MAX]]);
        peer.says(numberFrame(FRAME.windowUpdate, 0, MAX - 65_535));
        peer.pause();
        for (let at = 0; at < STREAMS; at++) peer.asks(2 * at + 1, BULK);
        await beats(50);
      });
    });

    it("keeps nobody waiting for the sake of many large answers", async () => {
      await beside(async () => {
        using peer = await open([[SETTING.initialWindow, MAX]]);
        peer.says(numberFrame(FRAME.windowUpdate, 0, MAX - 65_535));
        const large = `bulk.a.example/down?bytes=${MIB}`;
        for (let at = 0; at < STREAMS; at++) peer.asks(2 * at + 1, large);
        await peer.until(() => peer.ended.size === STREAMS, 60_000);
        assert.equal(peer.received.get(1), MIB);
      });
    });

    it("owes little to a client that pings and reads nothing", async () => {
      await beside(async () => {
        using peer = await open([[SETTING.initialWindow, MAX]]);
        peer.says(numberFrame(FRAME.windowUpdate, 0, MAX - 65_535));
        peer.pause();
        peer.asks(1, `bulk.a.example/down?bytes=${MIB}`);
        for (let at = 0; at < 20; at++) {
          await peer.pours(Buffer.concat(Array.from({ length: 1_000 }, () => ping)));
          await beats(1);
        }
        peer.resume();
        await peer.until(() => peer.closed || peer.goaway !== undefined);
      });
    });

    it("keeps little of a body that comes byte by byte for an upstream that reads none", async () => {
      await beside(async () => {
        using peer = await open();
        const streams = Array.from({ length: 8 }, (_, at) => 2 * at + 1);
        peer.says(...streams.map((stream) => posting(stream, "bulk.a.example/up?rate=1")));
        // As many bytes as every window lets through, each in a frame of its own.
        const bytes = streams.flatMap((stream) =>
          Array.from({ length: 1_000 }, () => frame(FRAME.data, 0, stream, Uint8Array.of(1)))
        );
        const batch = Buffer.concat(bytes);
        for (let at = 0; at < 250; at++) await peer.pours(batch);
        await beats(20);
        assert.equal(peer.goaway, undefined);
      });
    });

    it("breaks off the answers of an upstream that dies, and no others", async () => {
      await beside(async () => {
        using peer = await open();
        const streams = Array.from({ length: 20 }, (_, at) => 2 * at + 1);
        for (const stream of streams) peer.asks(stream, stream % 4 === 1 ? "/die" : "/");
        await peer.until(() => peer.resets.size + peer.ended.size === streams.length);
        for (const stream of streams) {
          assert.equal(peer.resets.get(stream), stream % 4 === 1 ? CODE.internal : undefined);
          assert.equal(peer.ended.has(stream), stream % 4 !== 1);
        }
        await answered(peer, 101);
      });
    });
  });
}

/** Waits while somebody else asks. */
async function beats(count: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, count * BESIDE_MS));
}
