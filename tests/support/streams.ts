/**
 * Bare sockets on both sides of the proxy: an upstream that streams, stays silent or dies as its
 * path says, and a client that sees every byte, its moment, and whether the end was a true end.
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
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
        () => reject(new Error(`${capMs} ms passed while waiting for ${holds}`)),
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
    for (const look of [...this.#watchers]) look();
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

export interface RequestOptions {
  readonly path?: string;
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Told of each whole line of the body, at the moment it came. */
  readonly onLine?: (line: string) => void;
}

/** One request on a connection of its own, its answer as it comes. */
export class RawRequest {
  readonly socket: Socket;
  /** Settles with the status; with 0 when the connection ends before it. */
  readonly status: Promise<number>;
  /** How the answer ended: `cut` when the connection closed before the end that its framing promised. */
  readonly end: Promise<"whole" | "cut">;
  head = "";
  body = "";
  #held: Buffer = Buffer.alloc(0);
  #framing: "head" | "length" | "chunked" | "done" = "head";
  #leftBytes = 0;
  #partLine = "";
  readonly #onLine: ((line: string) => void) | undefined;
  #gotStatus: (status: number) => void = () => {};
  #ended: (how: "whole" | "cut") => void = () => {};

  constructor(port: number, options: RequestOptions = {}) {
    const { path = "/", method = "GET", body, headers = {}, onLine } = options;
    this.#onLine = onLine;
    this.status = new Promise((resolve) => (this.#gotStatus = resolve));
    this.end = new Promise((resolve) => (this.#ended = resolve));
    const fields = { Host: "localhost", Connection: "close", ...headers };
    const length = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
    const lines = [
      `${method} ${path} HTTP/1.1`,
      ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
      ...length,
    ];
    this.socket = connect({ port, host: "127.0.0.1" });
    this.socket.setNoDelay(true);
    // Kept by the socket until it is connected.
    this.socket.write(`${lines.join("\r\n")}\r\n\r\n${body ?? ""}`);
    this.socket.on("data", (data) => this.#take(Buffer.from(data)));
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.#gotStatus(0);
      this.#ended("cut");
    });
  }

  /** Status and text of the answer. */
  async answer(): Promise<{ status: number; body: string; end: "whole" | "cut" }> {
    const end = await this.end;
    return { status: await this.status, body: this.body, end };
  }

  /** Leaves without a word. */
  abort(): void {
    this.socket.destroy();
  }

  #take(data: Buffer): void {
    this.#held = this.#held.length === 0 ? data : Buffer.concat([this.#held, data]);
    if (this.#framing === "head" && !this.#takeHead()) return;
    if (this.#framing === "length") this.#takeBody(this.#held.length);
    while (this.#framing === "chunked" && this.#takeChunk());
    if (this.#framing !== "done") return;
    this.#ended("whole");
    this.socket.end();
  }

  #takeHead(): boolean {
    const end = this.#held.indexOf("\r\n\r\n");
    if (end < 0) return false;
    this.head = this.#held.subarray(0, end).toString("latin1");
    this.#held = this.#held.subarray(end + 4);
    this.#framing = /^transfer-encoding: *chunked/im.test(this.head) ? "chunked" : "length";
    this.#leftBytes = Number(/^content-length: *(\d+)/im.exec(this.head)?.[1] ?? 0);
    this.#gotStatus(Number(this.head.split(" ", 2)[1]));
    return true;
  }

  #takeBody(bytes: number): void {
    const taken = Math.min(bytes, this.#leftBytes);
    this.#pass(this.#held.subarray(0, taken).toString("utf8"));
    this.#held = this.#held.subarray(taken);
    this.#leftBytes -= taken;
    if (this.#leftBytes === 0) this.#framing = "done";
  }

  /** False when more bytes are needed. */
  #takeChunk(): boolean {
    const end = this.#held.indexOf("\r\n");
    if (end < 0) return false;
    const size = parseInt(this.#held.subarray(0, end).toString("latin1"), 16);
    const after = end + 2 + size + 2;
    if (this.#held.length < after) return false;
    if (size === 0) this.#framing = "done";
    this.#pass(this.#held.subarray(end + 2, end + 2 + size).toString("utf8"));
    this.#held = this.#held.subarray(after);
    return true;
  }

  #pass(text: string): void {
    if (this.#onLine === undefined) {
      this.body += text;
      return;
    }
    const parts = (this.#partLine + text).split("\n");
    this.#partLine = parts.pop() ?? "";
    for (const line of parts) this.#onLine(line);
  }
}

/** Sends one request on a connection of its own and waits for the whole answer. */
export function ask(
  port: number,
  options: RequestOptions | string = {},
): Promise<{ status: number; body: string; end: "whole" | "cut" }> {
  return new RawRequest(port, typeof options === "string" ? { path: options } : options).answer();
}

/** The value below which that share of all values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = addressOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
