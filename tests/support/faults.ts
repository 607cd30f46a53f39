/**
 * The program of an upstream that fails in every way upstreams fail, as told over a unix socket,
 * which reaches it in any network namespace. Prints the tag of every request it took on before it
 * does anything with it, so that its word outlives its death. `faulty.ts` runs it.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import process from "node:process";
import { fieldOf } from "./raw_client.ts";

/** What the upstream does to whoever comes. `sick` fails probes only; `flapping` is well and resets in turn. */
export const MODES = [
  "well",
  "close",
  "reset",
  "cut_head",
  "cut_body",
  "cut_chunk",
  "error",
  "sick",
  "slow",
  "flapping",
] as const;
export type Mode = (typeof MODES)[number];

/** How much too late everything comes when slow: longer than any probe waits. */
export const SLOW_MS = 800;
/** How long it is well, and how long it resets, in turn. */
export const FLAP_MS = 250;
/** Lines of a stream, and the time between them. */
export const STREAM_LINES = 10;
const LINE_EVERY_MS = 25;
/** What a whole answer is filled up with, so that there is something to cut. */
const FILLING = "x".repeat(2000);
/** RFC 6455 section 1.3. */
const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** A request whose body has come whole. */
interface Asked {
  readonly socket: Socket;
  readonly head: string;
  readonly body: Buffer;
  readonly mode: Mode;
}

class Machine {
  readonly #name: string;
  #mode: Mode = "well";

  constructor(name: string) {
    this.#name = name;
  }

  turn(mode: string): void {
    this.#mode = MODES.find((known) => known === mode) ?? this.#mode;
  }

  accept(socket: Socket): void {
    socket.setNoDelay(true);
    socket.on("error", () => {});
    if (this.#now() === "close") return void socket.end();
    let pending: Buffer = Buffer.alloc(0);
    let head: string | undefined;
    let mode: Mode = "well";
    const read = (data: Buffer) => {
      pending = Buffer.concat([pending, data]);
      if (head === undefined) {
        const end = pending.indexOf("\r\n\r\n");
        if (end < 0) return;
        head = pending.toString("latin1", 0, end);
        pending = pending.subarray(end + 4);
        mode = this.#now();
        if (this.#breaks(socket, head, mode)) return void socket.off("data", read);
      }
      const length = Number(fieldOf({ head }, "content-length") ?? 0);
      if (pending.length < length) return;
      const asked = { socket, head, body: pending.subarray(0, length), mode };
      pending = pending.subarray(length);
      head = undefined;
      if (fieldOf(asked, "upgrade") !== undefined) socket.off("data", read);
      setTimeout(() => this.#answer(asked), mode === "slow" ? SLOW_MS : 0);
    };
    socket.on("data", read);
  }

  #now(): Mode {
    if (this.#mode !== "flapping") return this.#mode;
    return Math.floor(performance.now() / FLAP_MS) % 2 === 0 ? "reset" : "well";
  }

  /** Breaks off before an answer where the mode says so. */
  #breaks(socket: Socket, head: string, mode: Mode): boolean {
    if (mode === "close") {
      socket.destroy();
      return true;
    }
    const tag = tagOf({ head });
    // Whoever answers 500 says that it did not do it, which is why `retry.status` may go elsewhere.
    if (tag !== "") writeSync(1, `${mode === "error" ? "refused" : "took"} ${tag}\n`);
    if (mode === "reset") socket.resetAndDestroy();
    if (mode === "cut_head") socket.end("HTTP/1.1 200 O");
    return mode === "reset" || mode === "cut_head";
  }

  #answer(asked: Asked): void {
    const { socket, head, body, mode } = asked;
    const path = head.split(" ", 2)[1] ?? "";
    if (socket.destroyed) return;
    if (mode === "error" || (mode === "sick" && path === "/health")) {
      const status = mode === "sick" ? "503 Service Unavailable" : "500 Internal Server Error";
      return void socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 4\r\n\r\noops`);
    }
    if (fieldOf(asked, "upgrade") !== undefined) return this.#converse(asked);
    if (path === "/stream") return this.#stream(asked);
    const text = JSON.stringify({ name: this.#name, bytes: body.length, FILLING, done: true });
    const fields = `X-Answered-By: ${this.#name}\r\n`;
    if (mode === "cut_chunk") {
      const size = text.length.toString(16);
      return void socket.end(
        `${CHUNKED}${fields}\r\n${size}\r\n${text.slice(0, text.length / 2)}`,
      );
    }
    const whole = `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${text.length}\r\n\r\n${text}`;
    if (mode === "cut_body") socket.end(whole.slice(0, -text.length / 2));
    else socket.write(whole);
  }

  #stream({ socket, mode }: Asked): void {
    const lines = Array.from(
      { length: STREAM_LINES },
      (_, at) => `${JSON.stringify({ at, done: at === STREAM_LINES - 1 })}\n`,
    );
    const total = lines.join("").length;
    const chunked = mode !== "cut_body";
    const framing = chunked ? CHUNKED : `HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n`;
    socket.write(`${framing}X-Answered-By: ${this.#name}\r\n\r\n`);
    let at = 0;
    const timer = setInterval(() => {
      const line = lines[at++] ?? "";
      if (socket.destroyed) return clearInterval(timer);
      const size = line.length.toString(16);
      if ((mode === "cut_body" || mode === "cut_chunk") && at === 4) {
        clearInterval(timer);
        return void socket.end(chunked ? `${size}\r\n${line.slice(0, 5)}` : line.slice(0, 5));
      }
      socket.write(chunked ? `${size}\r\n${line}\r\n` : line);
      if (at < lines.length) return;
      clearInterval(timer);
      socket.write("0\r\n\r\n");
    }, LINE_EVERY_MS);
  }

  /** A WebSocket that says its name, then echoes. */
  #converse({ socket, head, mode }: Asked): void {
    const key = `${fieldOf({ head }, "sec-websocket-key")}${WEBSOCKET_GUID}`;
    const accept = createHash("sha1").update(key).digest("base64");
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
        `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    const hello = frame(1, Buffer.from(this.#name));
    if (mode === "cut_body" || mode === "cut_chunk") return void socket.end(hello.subarray(0, 4));
    socket.write(hello);
    const tag = fieldOf({ head }, "x-request-tag");
    let pending: Buffer = Buffer.alloc(0);
    socket.once("data", () => writeSync(1, `took ${tag}\n`));
    socket.on("data", (data: Buffer) => {
      pending = Buffer.concat([pending, data]);
      for (;;) {
        // All that clients send here is short and masked: two bytes, four of the mask, the rest.
        const length = (pending[1] ?? 0) & 0x7f;
        if (pending.length < 6 + length) return;
        const mask = pending.subarray(2, 6);
        const payload = pending.subarray(6, 6 + length).map((byte, at) =>
          byte ^ (mask[at % 4] ?? 0)
        );
        const opcode = (pending[0] ?? 0) & 0x0f;
        pending = pending.subarray(6 + length);
        socket.write(frame(opcode, Buffer.from(payload)));
        if (opcode === 8) return void socket.end();
      }
    });
  }
}

const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";

/** A handshake does nothing yet and may be repeated as any GET: a WebSocket counts with its first word. */
function tagOf(asked: Pick<Asked, "head">): string {
  return fieldOf(asked, "upgrade") === undefined ? fieldOf(asked, "x-request-tag") ?? "" : "";
}

function frame(opcode: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x80 | opcode, payload.length]), payload]);
}

if (import.meta.main) {
  const [name = "", host = "", port = "", control = ""] = process.argv.slice(2);
  const machine = new Machine(name);
  const server = createServer((socket) => machine.accept(socket));
  server.listen({ host, port: Number(port), backlog: 1024 }, () => {
    const address = server.address();
    writeSync(1, `port ${typeof address === "object" ? address?.port : 0}\n`);
    createServer((socket) =>
      socket.on("data", (data) => {
        machine.turn(data.toString());
        socket.write("so");
      })
    ).listen(control, () => writeSync(1, "ready\n"));
  });
}
