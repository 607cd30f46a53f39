/** What goes out on a connection of HTTP/2: in its order, and never changed while it waits. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Gate } from "../../src/wire/h2_gate.ts";
import { dataFrames } from "../../src/wire/h2_make.ts";
import { Outbox } from "../../src/wire/h2_outbox.ts";
import { MemoryConnection } from "./memory_net.ts";

const LARGE = 40_000;

/** A connection that takes all or nothing, and keeps what it was given as it was given. */
class Keeping extends MemoryConnection {
  takes = true;
  readonly copies: boolean;
  readonly given: Uint8Array[] = [];

  constructor(copies: boolean) {
    super();
    this.copies = copies;
  }

  override write(bytes: Uint8Array): boolean {
    this.given.push(this.copies && this.takes ? bytes.slice() : bytes);
    return this.takes;
  }
}

function scene(copies: boolean) {
  const connection = new Keeping(copies);
  const clock = { soon: () => {} };
  const gate = new Gate(1 << 20, clock);
  return { connection, gate, outbox: new Outbox(connection, gate, { clock, stuck: () => {} }) };
}

const piece = (value: number) => new Uint8Array(LARGE).fill(value);
const frames = (value: number) => dataFrames(1, piece(value), false);
const joined = (parts: readonly Uint8Array[]) => Buffer.concat(parts).toString("latin1");

describe("Outbox", () => {
  it("sends large pieces at once, behind what was gathered", () => {
    const { connection, outbox } = scene(true);
    const head = Uint8Array.of(1, 2, 3);
    outbox.push(head);
    outbox.data(1, piece(7));
    outbox.data(1, piece(8));
    assert.equal(connection.given.length, 2);
    assert.equal(joined(connection.given), joined([head, frames(7), frames(8)]));
  });

  it("gathers small pieces", () => {
    const { connection, outbox } = scene(true);
    outbox.data(1, Uint8Array.of(1));
    outbox.data(3, Uint8Array.of(2));
    assert.equal(connection.given.length, 0);
    outbox.flush();
    const small = [1, 2].map((value) => dataFrames(2 * value - 1, Uint8Array.of(value), false));
    assert.equal(joined(connection.given), joined(small));
  });

  it("changes nothing of what waits", () => {
    const slow = scene(true);
    slow.connection.takes = false;
    slow.outbox.data(1, piece(7));
    assert.ok(slow.gate.blocked);
    // Another connection's turn.
    scene(true).outbox.data(1, piece(8));
    assert.equal(joined(slow.connection.given), joined([frames(7)]));
  });

  it("changes nothing of what a connection keeps that copies nothing", () => {
    const { connection, outbox } = scene(false);
    outbox.data(1, piece(7));
    outbox.data(1, piece(8));
    assert.equal(joined(connection.given), joined([frames(7), frames(8)]));
  });
});
