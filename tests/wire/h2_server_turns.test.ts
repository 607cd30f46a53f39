/**
 * Nobody waits for whoever does a lot: what one connection sends or takes in one go is dealt with turn by turn. And
 * a bug that one of them meets is no other's.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Gate } from "../../src/wire/h2_gate.ts";
import { frame } from "../../src/wire/h2_make.ts";
import { StreamShare } from "../../src/wire/h2_share.ts";
import { Turns } from "../../src/wire/h2_turns.ts";
import { settled } from "../support/manual_clock.ts";
import { CODE, FLAG, FRAME, packed } from "./h2_peer.ts";
import { ASKED, connect, goesOn, open, POST, sayPath } from "./h2_served.ts";
import { MemoryConnection } from "./memory_net.ts";

/** Callbacks that wait for the next turn. */
class Later {
  #due: (() => void)[] = [];
  readonly soon = (callback: () => void): void => void this.#due.push(callback);

  get waiting(): number {
    return this.#due.length;
  }

  turn(): void {
    for (const callback of this.#due.splice(0)) callback();
  }
}

const heads = (count: number, from = 1) =>
  Buffer.concat(
    Array.from({ length: count }, (_, at) =>
      frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, from + 2 * at, packed(ASKED))),
  );

describe("H2Server", () => {
  it("begins only some of the requests that come in one go before others have their turn", async () => {
    const { connection, exchanges, client } = open();
    connection.says(heads(200));
    const atOnce = exchanges.length;
    assert.ok(atOnce > 10 && atOnce < 150, String(atOnce));
    await settled();
    assert.equal(exchanges.length, 200);
    assert.equal(client.said().filter((words) => words.startsWith("data")).length, 200);
  });

  it("takes what comes meanwhile in its order, and none of it too early", async () => {
    const { connection, exchanges, client } = open();
    connection.says(heads(140));
    const late = heads(60, 281);
    for (let at = 0; at < late.length; at += 1_000) connection.says(late.subarray(at, at + 1_000));
    assert.equal(connection.paused, true);
    await settled();
    assert.equal(connection.paused, false);
    assert.equal(exchanges.length, 200);
    assert.equal(client.said().at(-1), 'data 399 end "/"');
  });

  it("drops what waits for its turn when it ends the connection, and reads on", async () => {
    const { connection, exchanges, client } = open();
    const broken = frame(FRAME.ping, 0, 0, new Uint8Array(1));
    connection.says(Buffer.concat([heads(140), broken, heads(10, 301)]));
    connection.says(heads(10, 401));
    assert.equal(connection.paused, true);
    await settled();
    assert.equal(exchanges.length, 140);
    assert.equal(client.said().at(-1), `goaway 279 ${CODE.frameSize}`);
    // To hear of its end.
    assert.equal(connection.paused, false);
  });

  it("drops what waits for its turn when the client leaves", async () => {
    const { connection, exchanges, bugs } = open();
    connection.says(heads(200));
    const atOnce = exchanges.length;
    connection.leaves();
    await settled();
    assert.equal(exchanges.length, atOnce);
    assert.deepEqual(bugs, []);
  });
});

describe("Turns", () => {
  it("deals with one piece a turn, and stops reading while any waits", () => {
    const later = new Later();
    const connection = new MemoryConnection();
    const dealt: (number | undefined)[] = [];
    const turns = new Turns({
      connection,
      clock: later,
      deal(bytes) {
        dealt.push(bytes?.length);
        // One of three takes two turns.
        return bytes?.length === 3;
      },
    });
    turns.give(new Uint8Array(1));
    turns.give(new Uint8Array(3));
    turns.give(new Uint8Array(2));
    turns.give(new Uint8Array(4));
    assert.deepEqual([dealt, connection.pauses], [[1, 3], 1]);
    later.turn();
    assert.deepEqual(dealt, [1, 3, undefined]);
    later.turn();
    later.turn();
    assert.deepEqual(dealt, [1, 3, undefined, 2, 4]);
    assert.deepEqual([connection.paused, connection.resumes, later.waiting], [false, 1, 0]);
  });
});

describe("Gate", () => {
  it("lets a run of bytes out, and more once others have had their turn", () => {
    const later = new Later();
    const gate = new Gate(10_000_000, later);
    const sent: number[] = [];
    const one = {
      turn(bytes: number) {
        const now = Math.min(bytes, gate.room);
        sent.push(now);
        gate.sent(now);
        gate.enter(one);
      },
    };
    gate.enter(one);
    gate.serve();
    assert.deepEqual([sent.length, gate.room, later.waiting], [4, 0, 1]);
    later.turn();
    assert.equal(sent.length, 8);
    gate.leave(one);
    later.turn();
    assert.deepEqual([sent.length, gate.free, later.waiting], [8, true, 0]);
    assert.ok(sent.every((bytes) => bytes === 65_536));
  });
});

describe("H2Server and a bug of ours", () => {
  it("that is met by what comes ends that connection, and is told", async () => {
    const other = open();
    const share = Object.assign(new StreamShare(10), {
      opened() {
        throw new Error("bug");
      },
    });
    const { client, connection, bugs, gone } = open(sayPath, [], share);
    client.headers(1, ASKED, true);
    assert.deepEqual(client.said(), [`goaway 1 ${CODE.internal}`]);
    assert.deepEqual([connection.state, bugs, gone()], ["closed", ["Error: bug"], 1]);
    await goesOn(other);
  });

  it("that is met in a later turn ends that connection, and is told", async () => {
    const { client, connection, bugs } = open(() => new Promise(() => {}));
    client.headers(1, POST);
    connection.says(heads(140, 3));
    Object.assign(connection, {
      write() {
        throw new Error("bug");
      },
    });
    client.raw(FRAME.ping, 0, 0, new Uint8Array(8));
    await settled();
    assert.equal(connection.state, "closed");
    assert.ok(bugs.length > 0);
    assert.deepEqual(new Set(bugs), new Set(["Error: bug"]));
  });

  it("that whoever serves it meets ends that connection, and is told", async () => {
    const { client, connection, bugs } = open(() => Promise.reject(new Error("bug")));
    client.headers(1, ASKED, true);
    await settled();
    assert.deepEqual(client.said(), [`goaway 1 ${CODE.internal}`]);
    assert.deepEqual([connection.state, bugs], ["closed", ["Error: bug"]]);
  });

  it("breaks a connection that does not end though it should", async () => {
    const { client, connection, clock } = connect(() => Promise.reject(new Error("bug")));
    client.preface().greet().headers(1, ASKED, true);
    connection.taking = false;
    await clock.advance(60_000);
    assert.equal(connection.state, "reset");
  });
});
