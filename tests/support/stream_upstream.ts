/**
 * An upstream on a bare socket: it streams, stays silent, lies or dies as the path says, and keeps
 * what it was asked and when its connections closed.
 */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { performance } from "node:perf_hooks";

/** One request as an upstream saw it. */
export interface Call {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly query: URLSearchParams;
  readonly head: string;
  readonly socket: Socket;
}

/**
 * An upstream on a raw socket. Paths: `/ticks?every=100&count=20` streams lines that begin with the
 * moment they were written; `/silent?ms=15000` is silent before its head, `/pause?ms=15000` between
 * two lines; `/hang` never answers; `/socket` upgrades and says nothing; anything else is "ok".
 */
export class StreamUpstream implements AsyncDisposable {
  readonly calls: Call[] = [];
  /** Moments at which connections closed, by the target of their last request. */
  readonly closedAt = new Map<string, number>();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #watchers = new Set<() => void>();

  private constructor(name: string) {
    this.#server = createServer((socket) => this.#accept(socket, name));
  }

  static async open(name = "raw", port = 0): Promise<StreamUpstream> {
    const upstream = new StreamUpstream(name);
    await new Promise<void>((resolve, reject) => {
      upstream.#server.once("error", reject);
      upstream.#server.listen({ port, host: "127.0.0.1", backlog: 2048 }, resolve);
    });
    return upstream;
  }

  get port(): number {
    return addressOf(this.#server).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Settles once `holds`, asked whenever a request comes or a connection closes. */
  async until(holds: () => boolean, capMs = 10_000): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${capMs} ms passed while waiting for ${String(holds)}`)),
        capMs,
      );
      const look = () => {
        if (!holds()) return;
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket, name: string): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    let target = "";
    let held: Buffer = Buffer.alloc(0);
    socket.on("data", (data) => {
      held = Buffer.concat([held, Buffer.from(data)]);
      for (;;) {
        const request = wholeRequest(held);
        if (request === undefined) return;
        held = held.subarray(request.length);
        const call = { ...request.call, socket };
        target = call.target;
        this.calls.push(call);
        answer(call, name);
        this.#wake();
      }
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#sockets.delete(socket);
      if (target !== "") this.closedAt.set(target, performance.now());
      this.#wake();
    });
  }

  #wake(): void {
    for (const look of this.#watchers) look();
  }
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Server is not listening");
  return address;
}

/** A request with all of its body, once it is there. */
function wholeRequest(
  held: Buffer,
): { length: number; call: Omit<Call, "socket"> } | undefined {
  const end = held.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const head = held.subarray(0, end).toString("latin1");
  const [method = "", target = ""] = head.split(" ", 2);
  const query = new URL(target, "http://upstream").searchParams;
  const call = { method, target, query, head };
  if (/^transfer-encoding:/im.test(head)) {
    const last = held.indexOf("0\r\n\r\n", end + 4);
    return last < 0 ? undefined : { length: last + 5, call };
  }
  const length = end + 4 + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  return held.length < length ? undefined : { length, call };
}

const STREAM_HEAD =
  "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";

function answer(call: Call, name: string): void {
  const { socket, query, target } = call;
  const [path] = target.split("?");
  switch (path) {
    case "/ticks":
      return tick(socket, Number(query.get("every")), Number(query.get("count")));
    case "/silent":
      setTimeout(() => plain(socket, name), Number(query.get("ms")));
      return;
    case "/pause":
      socket.write(STREAM_HEAD + chunk(stamped("before")));
      setTimeout(
        () => socket.write(`${chunk(stamped("after"))}0\r\n\r\n`),
        Number(query.get("ms")),
      );
      return;
    case "/hang":
      return;
    case "/garbage":
      socket.end(Buffer.from(GARBAGE[Number(query.get("kind"))] ?? "", "latin1"));
      return;
    case "/die":
      socket.write(STREAM_HEAD + chunk(stamped("last words")));
      setTimeout(() => socket.destroy(), 20);
      return;
    default:
      plain(socket, name);
  }
}

/** What upstreams answer that speak no HTTP, or lie. They hang up after it. */
export const GARBAGE: readonly string[] = [
  "",
  "\0\xff\xfe\r\n\r\n",
  "SSH-2.0-OpenSSH_9.2\r\n",
  "HTTP/1.1\r\n\r\n",
  "HTTP/9.9 200 OK\r\n\r\n",
  "HTTP/1.1 20 OK\r\n\r\n",
  "HTTP/1.1 1200 OK\r\n\r\n",
  "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nabc",
  "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
  "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
];

function plain(socket: Socket, text: string): void {
  if (socket.destroyed) return;
  socket.write(
    `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Upstream: ${text}\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
  );
}

function tick(socket: Socket, everyMs: number, count: number): void {
  let sent = 0;
  const next = () => {
    if (socket.destroyed) return clearInterval(timer);
    sent++;
    socket.write(chunk(stamped(String(sent))));
    if (sent < count) return;
    clearInterval(timer);
    socket.write("0\r\n\r\n");
  };
  socket.write(STREAM_HEAD);
  const timer = setInterval(next, everyMs);
  next();
}

function stamped(text: string): string {
  return `${performance.now().toFixed(3)} ${text}\n`;
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}
