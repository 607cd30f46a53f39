/**
 * A client of HTTP/2 out of its mind: whatever it says, nothing is thrown, every exchange comes to its end, no
 * timer is left, and what it is told keeps to the rules all the same.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Exchange } from "../../src/model.ts";
import { sourceOf } from "../../src/source.ts";
import {
  CODE,
  FLAG,
  FRAME,
  type Frame,
  FrameReader,
  SETTING,
  uint,
} from "../../src/wire/h2_frames.ts";
import {
  frame,
  headerFrames,
  numberFrame,
  settingsFrame,
  together,
} from "../../src/wire/h2_make.ts";
import { pack } from "../../src/wire/h2_pack.ts";
import { StreamShare } from "../../src/wire/h2_share.ts";
import { bytes, FakeBody } from "../support/fake_bytes.ts";
import { settled } from "../support/manual_clock.ts";
import { packed, PREFACE } from "./h2_peer.ts";
import { asking, connect, POST } from "./h2_served.ts";
import { reply } from "./served.ts";
import { bytesOf } from "./transcript.ts";

/** In all ways that an exchange may go, by its path. */
async function serve(exchange: Exchange): Promise<void> {
  const { signal, body } = exchange;
  switch (exchange.target) {
    case "/echo":
      return void await exchange.answer(reply({ body }));
    case "/dies":
      return void await exchange.answer(reply({ body: new FakeBody(["x"], { end: "dies" }) }));
    case "/hangs":
      return void await exchange.answer(reply({ body: new FakeBody(["x"], { end: "hangs" }) }));
    case "/large":
      exchange.interim?.(103, reply().fields);
      return void await exchange.answer(
        reply({ body: new FakeBody([new Uint8Array(200_000), "x"], { lengthBytes: 200_001 }) }),
      );
    case "/reads":
      try {
        while (await body?.read() !== undefined);
      } catch {
        body?.cancel();
      }
      return void await exchange.answer(reply());
    case "/never":
      return;
    case "/waits":
      return await new Promise((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener("abort", () => resolve());
      });
    default:
      return void await exchange.answer(reply({ body: sourceOf(bytes("hello")) }));
  }
}

const paths = ["/", "/echo", "/dies", "/hangs", "/large", "/reads", "/never", "/waits", "bad"];
const block = fc.oneof(
  fc.constantFrom(...paths).map((path) => packed(asking({ ":path": path }))),
  fc.constantFrom(...paths).map((path) => pack(asking({ ":path": path, ":method": "POST" }))),
  fc.constantFrom(
    packed([["x-t", "1"]]),
    packed(POST),
    packed([...POST, ["content-length", "3"]]),
    packed([...POST, ["expect", "100-continue"]]),
    packed(asking({ ":method": "HEAD" })),
    Uint8Array.of(0x40, 0x01, 0x78, 0x01, 0x79),
    Uint8Array.of(0xbe),
    Uint8Array.of(0x3f, 0xe1, 0x1f),
  ),
);
const word = fc.constantFrom(0, 1, 5, 20_000, 70_000, 0x7fff_ffff, 0xffff_ffff).map((value) =>
  Uint8Array.of(value >>> 24, value >> 16, value >> 8, value)
);
const setting = fc.tuple(
  fc.constantFrom<number>(...Object.values(SETTING), 1, 99),
  fc.constantFrom(0, 1, 100, 16_384, 70_000, 0x7fff_ffff, 0x8000_0000),
).map(([id, value]) => settingsFrame([[id, value]]).slice(9));
const payload = fc.oneof(
  { weight: 5, arbitrary: block },
  { weight: 2, arbitrary: word },
  setting,
  fc.constantFrom(new Uint8Array(0), new Uint8Array(8), new Uint8Array(5), new Uint8Array(9_000)),
  fc.uint8Array({ maxLength: 40 }),
);
/** Says something that fits what was said before: of streams that were opened, mostly. */
type Move = (opened: number[]) => Uint8Array;
const NONE = new Uint8Array(0);
const picked = (opened: number[], at: number) => opened[at % opened.length] ?? 1;
const opens = fc.tuple(block, fc.boolean()).map(([content, end]): Move => (opened) => {
  const id = (opened.at(-1) ?? -1) + 2;
  opened.push(id);
  return headerFrames(id, content, end);
});
const ofStream = fc.tuple(
  fc.nat({ max: 20 }),
  fc.oneof(
    fc.tuple(fc.constantFrom(0, 0, 0, FLAG.endStream), fc.uint8Array({ maxLength: 9 }))
      .map(([flags, content]) => [FRAME.data, flags, content] as const),
    fc.constantFrom(9_000, 16_384).map((size) => [FRAME.data, 0, new Uint8Array(size)] as const),
    word.map((content) => [FRAME.windowUpdate, 0, content] as const),
    word.map((content) => [FRAME.rst, 0, content] as const),
    block.map((content) => [FRAME.headers, 5, content] as const),
  ),
).map(([at, [type, flags, content]]): Move => (opened) =>
  opened.length === 0 ? NONE : frame(type, flags, picked(opened, at), content)
);
const ofConnection = fc.oneof(
  fc.constantFrom(1, 1_000, 70_000).map((value): Move => () =>
    numberFrame(FRAME.windowUpdate, 0, value)
  ),
  fc.constantFrom(0, 1, 16_384, 100_000).map((value): Move => () =>
    settingsFrame([[SETTING.initialWindow, value]])
  ),
  fc.constantFrom(0, 1).map((flags): Move => () => frame(FRAME.ping, flags, 0, new Uint8Array(8))),
);
const fitting = fc.oneof(
  { weight: 5, arbitrary: opens },
  { weight: 6, arbitrary: ofStream },
  { weight: 2, arbitrary: ofConnection },
);
const anyMove = fc.oneof(
  fc.tuple(
    fc.integer({ min: 0, max: 10 }),
    fc.oneof(fc.constantFrom(0, 1, 4, 5, 5, 5, 0xd, 0x2d), fc.integer({ min: 0, max: 255 })),
    fc.nat({ max: 20 }),
    payload,
  ).map(([type, flags, at, content]): Move => (opened) =>
    frame(type, flags, at > 15 ? 0 : picked(opened, at), content)
  ),
  fc.uint8Array({ maxLength: 30 }).map((noise): Move => () => noise),
);
const played = (moves: readonly Move[]): Uint8Array[] => {
  const opened: number[] = [];
  return moves.map((move) => move(opened));
};
const good = fc.array(fitting, { minLength: 10, maxLength: 60 }).map(played);
const talk = fc.array(
  fc.oneof({ weight: 60, arbitrary: fitting }, { weight: 1, arbitrary: anyMove }),
  { minLength: 10, maxLength: 60 },
).map(played);
const GREETING = together([bytesOf(PREFACE), settingsFrame([])]);

/** What a server may say, in what order. */
class Audit {
  readonly #reader = new FrameReader();
  readonly #over = new Set<number>();
  #inBlock = 0;
  /** It was said why the connection ends, and that is the last word. */
  #ended = false;

  hear(said: Uint8Array): void {
    this.#reader.take(said);
    for (let one = this.#reader.next(); one; one = this.#reader.next()) this.#judge(one);
  }

  #judge({ type, flags, stream: id, payload }: Frame): void {
    assert.ok(!this.#ended, `Frame ${type} behind the end`);
    if (this.#inBlock !== 0) assert.deepEqual([type, id], [FRAME.continuation, this.#inBlock]);
    const onStream = type === FRAME.data || type === FRAME.headers || type === FRAME.continuation;
    if (onStream) assert.ok(!this.#over.has(id), `Frame ${type} on stream ${id}, which is over`);
    if (type === FRAME.headers || type === FRAME.continuation) {
      this.#inBlock = (flags & FLAG.endHeaders) === 0 ? id : 0;
    }
    const ends = (type === FRAME.data || type === FRAME.headers) && (flags & FLAG.endStream) !== 0;
    // An answer may be whole and its request not wanted any more.
    if (ends || type === FRAME.rst) this.#over.add(id);
    this.#ended = type === FRAME.goaway && uint(payload, 4, 4) !== CODE.none;
  }
}

async function survives(chunks: readonly Uint8Array[], taking: boolean): Promise<void> {
  const share = new StreamShare(1_000);
  const { clock, connection, exchanges, gone, server } = connect(serve, { share });
  const audit = new Audit();
  const listen = () => audit.hear(bytesOf(connection.writes.splice(0).join("")));
  for (const [at, chunk] of chunks.entries()) {
    connection.taking = taking || at % 3 !== 0;
    connection.says(chunk);
    if (at % 4 === 0) await settled();
    if (connection.taking) connection.drains();
    listen();
  }
  await settled();
  if (chunks.length % 2 === 0) server.drain();
  await clock.advance(1_000);
  connection.drains();
  connection.leaves(false);
  await clock.advance(1_000);
  listen();
  assert.equal(gone(), 1);
  assert.equal(clock.pending, 0);
  assert.equal(share.open, 0);
  assert.ok(exchanges.length <= 60);
}

describe("H2Server", () => {
  it("survives whatever comes, and says nothing that is against the rules", async () => {
    await fc.assert(
      fc.asyncProperty(talk, fc.boolean(), async (said, taking) => {
        await survives([GREETING, ...said], taking);
      }),
      { numRuns: 300 },
    );
  });

  it("survives a good conversation with bytes changed, in pieces of any size", async () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(
        good,
        changes,
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 10 }),
        async (said, changed, sizes) => {
          const all = together([GREETING, ...said]).slice();
          for (const [at, value] of changed) all[at % all.length] = value;
          const chunks: Uint8Array[] = [];
          for (let at = 0, turn = 0; at < all.length; turn++) {
            // Large bodies byte by byte would take for ever.
            const size = at < 2_000 ? sizes[turn % sizes.length] ?? 1 : 5_000;
            chunks.push(all.slice(at, at + size));
            at += size;
          }
          await survives(chunks, true);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("survives noise", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 99 }), { maxLength: 9 }),
        async (noise) => {
          await survives(noise, true);
          await survives([GREETING, ...noise], true);
        },
      ),
      { numRuns: 100 },
    );
  });
});
