/**
 * Clients that come to a door and never finish their handshake: each is let go of, whatever it has said by
 * then, and leaves nothing behind.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { platform } from "#platform";
import type { HandshakeFailure, TlsChoice } from "../../src/platform/tls.ts";
import { Authority } from "../support/certificates.ts";
import { handshake } from "../support/curl.ts";
import { LOOPBACK, within } from "./support.ts";

/** Handshakes at once; one more, and the oldest is given up. */
const CROWD = 1024;

let authority: Authority;
let choice: TlsChoice;
/** What openssl says first. */
let hello: Uint8Array;

before(async () => {
  authority = await Authority.open();
  const context = platform.tlsContext({
    ...authority.issue("DNS:one.example"),
    ...{ clientAuthorities: [], minVersion: "1.2" },
  });
  choice = { context, protocols: [], asksClient: false };
  hello = await firstWords();
});

after(() => authority[Symbol.asyncDispose]());

async function firstWords(): Promise<Uint8Array> {
  const heard = Promise.withResolvers<Uint8Array>();
  const listener = await platform.listen(LOOPBACK, (connection) => {
    connection.events = {
      data(bytes) {
        heard.resolve(bytes.slice());
        connection.reset();
      },
      drained() {},
      closed() {},
    };
  });
  const port = listener.address.kind === "tcp" ? listener.address.port : 0;
  await handshake(port, ["-servername", "one.example"]);
  listener.close();
  return await heard.promise;
}

async function opened() {
  const kinds: HandshakeFailure[] = [];
  const asked: (() => void)[] = [];
  let accepted = 0;
  const listener = await platform.listen(LOOPBACK, (connection) => {
    accepted++;
    connection.events = { data() {}, drained() {}, closed() {} };
    connection.close();
  }, () => ({
    choose() {
      asked.shift()?.();
      return choice;
    },
    failed: (_peer, _reason, kind) => kinds.push(kind),
  }));
  const { address } = listener;
  const port = address.kind === "tcp" ? address.port : 0;
  return {
    port,
    kinds,
    accepted: () => accepted,
    /** Settles with the next hello that is whole. */
    heard: () => new Promise<void>((resolve) => void asked.push(resolve)),
    [Symbol.dispose]: () => listener.close(),
  };
}

async function client(port: number, ...says: Uint8Array[]): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => {});
  await within("a connection", once(socket, "connect"));
  for (const words of says) socket.write(words);
  return socket;
}

/** As many as may be there at once, at the same time. */
async function crowd(port: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let at = 0; at < CROWD; at += 64) {
    sockets.push(...await Promise.all(Array.from({ length: 64 }, () => client(port))));
  }
  return sockets;
}

function ended(socket: Socket): Promise<void> {
  socket.resume();
  return within("its end", new Promise((resolve) => void socket.once("close", () => resolve())));
}

describe("clients that never finish their handshake", () => {
  const stalls: [string, (port: number) => Promise<Socket>, boolean][] = [
    ["say nothing", (port) => client(port), false],
    ["say half a hello", (port) => client(port, hello.subarray(0, 100)), false],
    ["answer nothing to ours", (port) => client(port, hello), true],
  ];
  for (const [title, stall, isWhole] of stalls) {
    it(`are let go of where they ${title}`, async () => {
      using door = await opened();
      const heard = isWhole ? door.heard() : Promise.resolve();
      const socket = await stall(door.port);
      await within("a hello", heard);
      const gone = ended(socket);
      const others = await crowd(door.port);
      await gone;
      assert.deepEqual(door.kinds, ["crowded"]);
      const { said } = await handshake(door.port, ["-servername", "one.example"]);
      assert.match(said, /Cipher is TLS_/);
      assert.deepEqual([door.accepted(), door.kinds.length], [1, 2]);
      const left = others.slice(1).map(ended);
      for (const other of others) other.destroy();
      await Promise.all(left);
    });
  }
});
