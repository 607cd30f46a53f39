/// <reference types="bun" />
/**
 * The upstream of every row: answers from raw bytes, so that it costs less than any proxy before
 * it. Reads only as much of HTTP as the proxies here send. Prints its port, then serves until it
 * is killed.
 *
 *   GET /small                    13 bytes of text
 *   GET /stream?chunks=N&every=MS NDJSON, a chunk every MS milliseconds carrying when it was sent
 *   GET /idle                     one chunk, then silence
 *   GET /bulk?bytes=N             that many bytes
 *   POST /…                       reads the body, then as /small
 */
import type { Socket } from "bun";
import { now } from "./load.ts";

interface Talk {
  /** Bytes of the request's body still to come; infinite while a chunked one lasts. */
  bodyLeft: number;
  /** Last bytes seen of a head that is not complete, or of a chunked body. */
  tail: string;
  /** What the socket would not take yet. */
  unsent: Uint8Array | undefined;
  bulkLeft: number;
}

interface Stream {
  readonly socket: Socket<Talk>;
  readonly everyMs: number;
  chunksLeft: number;
  dueMs: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");
const SMALL = encoder.encode(
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, world!",
);
const STREAM_HEAD =
  "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
const PIECE = new Uint8Array(256 * 1024).fill(120);
const CHUNKED_END = "0\r\n\r\n";

const streams = new Set<Stream>();
setInterval(turn, 1);

const listener = Bun.listen<Talk>({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    open(socket) {
      socket.data = { bodyLeft: 0, tail: "", unsent: undefined, bulkLeft: 0 };
    },
    data: read,
    drain: flush,
    close: forget,
    error: forget,
  },
});
console.log(listener.port);

function read(socket: Socket<Talk>, bytes: Uint8Array): void {
  const talk = socket.data;
  if (talk.bodyLeft > 0) return readBody(socket, bytes);

  const before = talk.tail.length;
  const text = talk.tail + decoder.decode(bytes);
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) {
    talk.tail = text;
    return;
  }
  talk.tail = "";
  const head = text.slice(0, end);
  if (head.startsWith("GET ")) return answer(socket, head);

  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  talk.bodyLeft = length === undefined ? Infinity : Number(length);
  const rest = bytes.subarray(end + 4 - before);
  if (talk.bodyLeft === 0) write(socket, SMALL);
  else if (rest.length > 0) readBody(socket, rest);
}

function readBody(socket: Socket<Talk>, bytes: Uint8Array): void {
  const talk = socket.data;
  if (talk.bodyLeft !== Infinity) {
    talk.bodyLeft -= bytes.length;
    if (talk.bodyLeft <= 0) {
      talk.bodyLeft = 0;
      write(socket, SMALL);
    }
    return;
  }
  const last = bytes.subarray(Math.max(0, bytes.length - CHUNKED_END.length));
  talk.tail = (talk.tail + decoder.decode(last)).slice(-CHUNKED_END.length);
  // No body of the bench contains this, so a read that ends in it ends the body.
  if (talk.tail !== CHUNKED_END) return;
  talk.bodyLeft = 0;
  talk.tail = "";
  write(socket, SMALL);
}

function answer(socket: Socket<Talk>, head: string): void {
  const target = head.slice(4, head.indexOf(" ", 4));
  const setting = (name: string) => Number(new RegExp(`[?&]${name}=(\\d+)`).exec(target)?.[1]);

  if (target.startsWith("/stream")) {
    write(socket, encoder.encode(STREAM_HEAD));
    const everyMs = setting("every");
    // Streams that begin together must not tick together, or the bench would time its own bursts.
    const dueMs = now() + Math.random() * everyMs;
    streams.add({ socket, everyMs, chunksLeft: setting("chunks"), dueMs });
  } else if (target.startsWith("/idle")) {
    write(socket, encoder.encode(`${STREAM_HEAD}3\r\n{}\n\r\n`));
  } else if (target.startsWith("/bulk")) {
    socket.data.bulkLeft = setting("bytes");
    write(
      socket,
      encoder.encode(`HTTP/1.1 200 OK\r\nContent-Length: ${socket.data.bulkLeft}\r\n\r\n`),
    );
    flush(socket);
  } else {
    write(socket, SMALL);
  }
}

/** Sends the chunks that are due. */
function turn(): void {
  const nowMs = now();
  for (const stream of streams) {
    if (stream.dueMs > nowMs) continue;
    stream.dueMs += stream.everyMs;
    stream.chunksLeft--;
    const line = `{"at":${now().toFixed(3)}}\n`;
    const last = stream.chunksLeft === 0;
    const chunk = `${line.length.toString(16)}\r\n${line}\r\n${last ? CHUNKED_END : ""}`;
    write(stream.socket, encoder.encode(chunk));
    if (last) streams.delete(stream);
  }
}

function write(socket: Socket<Talk>, bytes: Uint8Array): void {
  const talk = socket.data;
  if (talk.unsent !== undefined) {
    talk.unsent = Buffer.concat([talk.unsent, bytes]);
    return;
  }
  const taken = Math.max(0, socket.write(bytes));
  if (taken < bytes.length) talk.unsent = bytes.slice(taken);
}

function flush(socket: Socket<Talk>): void {
  const talk = socket.data;
  if (talk.unsent !== undefined) {
    const bytes = talk.unsent;
    talk.unsent = undefined;
    write(socket, bytes);
  }
  while (talk.unsent === undefined && talk.bulkLeft > 0) {
    const taken = Math.max(0, socket.write(PIECE.subarray(0, talk.bulkLeft)));
    if (taken === 0) return;
    talk.bulkLeft -= taken;
  }
}

function forget(socket: Socket<Talk>): void {
  for (const stream of streams) {
    if (stream.socket === socket) streams.delete(stream);
  }
}
