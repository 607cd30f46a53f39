/** Pieces of a body that wait: none is lost, and small ones cost no more than what they hold. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Pieces } from "../../src/wire/pieces.ts";

function all(pieces: Pieces): Uint8Array[] {
  const taken: Uint8Array[] = [];
  for (let piece = pieces.shift(); piece; piece = pieces.shift()) taken.push(piece);
  return taken;
}

describe("Pieces", () => {
  it("gives back what it was given, byte for byte, however it is taken", () => {
    const step = fc.oneof(fc.integer({ min: 1, max: 20_000 }), fc.nat(50), fc.constant("take"));
    fc.assert(fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const pieces = new Pieces();
      const [given, taken]: [number[], number[]] = [[], []];
      for (const one of steps) {
        if (typeof one === "string") {
          taken.push(...pieces.shift() ?? []);
        } else if (one > 0) {
          const piece = Uint8Array.from({ length: one }, () => given.length & 0xff);
          given.push(...piece);
          pieces.push(piece);
        }
        assert.equal(pieces.bytes, given.length - taken.length);
      }
      for (const piece of all(pieces)) taken.push(...piece);
      assert.equal(pieces.bytes, 0);
      assert.deepEqual(taken, given);
    }));
  });

  it("joins what comes byte by byte", () => {
    const pieces = new Pieces();
    const chunk = new Uint8Array(10);
    for (let at = 0; at < 100_000; at++) pieces.push(chunk.subarray(9));
    const taken = all(pieces);
    assert.ok(taken.length < 20, String(taken.length));
    const keptBytes = taken.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    assert.ok(keptBytes < 110_000, String(keptBytes));
  });

  it("keeps a piece of some size as it came", () => {
    const pieces = new Pieces();
    const [one, other] = [new Uint8Array(8_000), new Uint8Array(8_000)];
    pieces.push(one);
    pieces.push(other);
    assert.deepEqual(all(pieces).map((piece) => piece === one || piece === other), [true, true]);
  });

  it("keeps no large chunk for a sliver of it", () => {
    const pieces = new Pieces();
    pieces.push(new Uint8Array(100_000).subarray(0, 1));
    assert.equal(all(pieces)[0]?.buffer.byteLength, 1);
  });

  it("leaves a taken piece to its taker", () => {
    const pieces = new Pieces();
    pieces.push(Uint8Array.of(1));
    pieces.push(Uint8Array.of(2));
    const [taken] = all(pieces);
    pieces.push(Uint8Array.of(3));
    pieces.push(Uint8Array.of(4));
    assert.deepEqual([taken, ...all(pieces)], [Uint8Array.of(1, 2), Uint8Array.of(3, 4)]);
  });

  it("forgets what is dropped", () => {
    const pieces = new Pieces();
    for (const length of [9_000, 1, 1]) pieces.push(new Uint8Array(length));
    pieces.clear();
    assert.deepEqual([pieces.bytes, all(pieces)], [0, []]);
  });
});
