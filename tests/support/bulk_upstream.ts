/**
 * An upstream for large bodies, run by Bun as a process of its own: `/down?bytes=N` sends N bytes,
 * `/up` counts a body, `/up?rate=N` reads N bytes a second. Prints its port.
 */
import { type AddressInfo, createServer, type Socket } from "node:net";
import process from "node:process";

const BLOCK = Buffer.alloc(64 * 1024, "x");
const SLICE_MS = 50;

const server = createServer((socket) => {
  socket.on("error", () => {});
  let held = Buffer.alloc(0);
  const onHead = (data: Buffer) => {
    held = Buffer.concat([held, data]);
    const end = held.indexOf("\r\n\r\n");
    if (end < 0) return;
    socket.off("data", onHead);
    const head = held.subarray(0, end).toString("latin1");
    const target = new URL(head.split(" ", 2)[1] ?? "/", "http://upstream");
    if (target.pathname === "/down") return send(socket, Number(target.searchParams.get("bytes")));
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? -1);
    take(
      socket,
      held.subarray(end + 4),
      length,
      Number(target.searchParams.get("rate") ?? "Infinity"),
    );
  };
  socket.on("data", onHead);
});
server.listen(0, "127.0.0.1", () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
});
process.on("SIGTERM", () => process.exit(0));

function send(socket: Socket, bytes: number): void {
  let left = bytes;
  const more = () => {
    while (left > 0) {
      const block = left >= BLOCK.length ? BLOCK : BLOCK.subarray(0, left);
      left -= block.length;
      if (!socket.write(block)) return void socket.once("drain", more);
    }
    socket.end();
  };
  socket.write(
    `HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ${bytes}\r\n\r\n`,
  );
  more();
}

/** Counts a body, framing left out, and answers with the count. A negative length means chunks. */
function take(socket: Socket, early: Buffer, length: number, rate: number): void {
  const chunks = new ChunkCounter();
  let taken = 0;
  let allowance = rate * (SLICE_MS / 1000);
  const refill = rate === Infinity ? undefined : setInterval(() => {
    allowance = rate * (SLICE_MS / 1000);
    socket.resume();
  }, SLICE_MS);
  const read = (data: Buffer) => {
    allowance -= data.length;
    if (allowance <= 0) socket.pause();
    taken += length < 0 ? chunks.take(data) : data.length;
    if (length < 0 ? !chunks.ended : taken < length) return;
    clearInterval(refill);
    const text = String(taken);
    socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
  };
  socket.on("close", () => clearInterval(refill));
  socket.on("data", read);
  read(early);
}

/** Tells payload from framing. */
class ChunkCounter {
  ended = false;
  #left = 0;
  #line = "";

  /** Bytes of payload in `data`. */
  take(data: Buffer): number {
    let payload = 0;
    let at = 0;
    while (at < data.length && !this.ended) {
      if (this.#left > 0) {
        const part = Math.min(this.#left, data.length - at);
        this.#left -= part;
        payload += part;
        at += part;
        continue;
      }
      const end = data.indexOf(10, at);
      this.#line += data.subarray(at, end < 0 ? data.length : end).toString("latin1").trim();
      if (end < 0) break;
      at = end + 1;
      // Empty: the line break after a chunk.
      if (this.#line === "") continue;
      this.#left = parseInt(this.#line, 16);
      this.ended = this.#left === 0;
      this.#line = "";
    }
    return payload;
  }
}
