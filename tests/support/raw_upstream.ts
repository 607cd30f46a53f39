/**
 * An upstream that misbehaves on purpose: says exactly the bytes it is told, when it is told, and
 * remembers what it was asked and when it was left. Knocks, which ask nothing, are counted apart.
 */
import { Buffer } from "node:buffer";
import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { fieldOf } from "./raw_client.ts";

export type Behaviour = (call: Call) => void | Promise<void>;

/** What becomes of a connection before anything is asked on it. */
export type Greeting = "listen" | "close" | "reset";

/** What nobody has taken for so long, nobody takes. */
const UNTAKEN_MS = 200;

/** A request that reached the upstream. */
export class Call {
  /** Request line and fields, as received. */
  readonly head: string;
  /** Number of requests on this connection before this one. */
  readonly earlier: number;
  /** Settles with `performance.now()` when the proxy closes or resets the connection. */
  readonly left: Promise<number>;
  /** Bytes of the body received so far, framing included. */
  raw: Buffer = Buffer.alloc(0);
  readonly #socket: Socket;

  constructor(head: string, socket: Socket, earlier: number) {
    this.head = head;
    this.#socket = socket;
    this.earlier = earlier;
    this.left = new Promise((resolve) => {
      const now = () => resolve(performance.now());
      for (const event of ["end", "close", "error"]) socket.once(event, now);
    });
  }

  get method(): string {
    return this.head.split(" ", 1)[0] ?? "";
  }

  get target(): string {
    return this.head.split(" ", 2)[1] ?? "";
  }

  field(name: string): string | undefined {
    return fieldOf(this, name);
  }

  /** Sends bytes as they are. */
  say(bytes: string | Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  /** Says the same without end; settles once nobody has taken any for a while. */
  flood(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const more = (error?: Error | null) => {
        clearTimeout(timer);
        if (error || this.#socket.destroyed) return resolve();
        timer = setTimeout(resolve, UNTAKEN_MS);
        this.#socket.write(bytes, more);
      };
      more();
    });
  }

  /** Answers whole. */
  answer(body: string, status = "200 OK", fields = ""): void {
    this.say(`HTTP/1.1 ${status}\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`);
  }

  /** Closes after what was said. */
  close(): void {
    this.#socket.end();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Reads nothing more. */
  pause(): void {
    this.#socket.pause();
  }

  /** Waits until the raw body holds a text: the end of a chunked body, say. */
  async until(text: string): Promise<void> {
    while (!this.raw.includes(text)) await this.#more();
  }

  /** Waits until the body is there, framing included, or nothing more can come of it. */
  async whole(): Promise<void> {
    while (!bodyEnded(this) && !this.#socket.readableEnded && !this.#socket.destroyed) {
      await this.#more();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      const events = ["data", "end", "close"];
      const done = () => {
        for (const event of events) this.#socket.off(event, done);
        resolve();
      };
      for (const event of events) this.#socket.on(event, done);
    });
  }
}

export class RawUpstream implements AsyncDisposable {
  readonly calls: Call[] = [];
  /** Connections on which nothing was asked. */
  knocks = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #watchers = new Set<() => void>();
  greeting: Greeting = "listen";
  #behave: Behaviour;

  private constructor(behave: Behaviour) {
    this.#behave = behave;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  /** Listens on loopback. `behave` is called once a request's head is there. A port is that of one that died. */
  static async start(behave: Behaviour, port = 0): Promise<RawUpstream> {
    const upstream = new RawUpstream(behave);
    await new Promise<void>((resolve, reject) => {
      upstream.#server.once("error", reject);
      upstream.#server.listen(port, "127.0.0.1", resolve);
    });
    return upstream;
  }

  get port(): number {
    const address = this.#server.address();
    return isInfo(address) ? address.port : 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  behave(behave: Behaviour): void {
    this.#behave = behave;
  }

  /** The call at that place in order, when it has come; fails after `capMs`. */
  async call(index = 0, capMs = 5000): Promise<Call> {
    const there = this.calls[index];
    if (there !== undefined) return there;
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`Call ${index} did not come`)), capMs);
      const look = () => {
        const call = this.calls[index];
        if (call === undefined) return;
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve(call);
      };
      this.#watchers.add(look);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    // Every call listens for the end, and a connection that is kept has many.
    socket.setMaxListeners(0);
    let pending = Buffer.alloc(0);
    let asked = 0;
    let current: Call | undefined;
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#sockets.delete(socket);
      if (asked === 0) this.knocks++;
    });
    if (this.greeting === "close") socket.end();
    if (this.greeting === "reset") socket.resetAndDestroy();
    socket.on("data", (data: Buffer) => {
      // A new request begins where the last one had no body or has had all of it.
      if (current !== undefined && !bodyEnded(current)) {
        current.raw = Buffer.concat([current.raw, data]);
        return;
      }
      pending = Buffer.concat([pending, data]);
      const end = pending.indexOf("\r\n\r\n");
      if (end < 0) return;
      current = new Call(pending.toString("latin1", 0, end), socket, asked++);
      current.raw = pending.subarray(end + 4);
      pending = Buffer.alloc(0);
      this.calls.push(current);
      void this.#behave(current);
      for (const look of this.#watchers) look();
    });
  }
}

/** With trailers or without. */
const LAST_CHUNK = /(?:^|\r\n)0\r\n(?:[^\r\n]+\r\n)*\r\n$/;

function bodyEnded(call: Call): boolean {
  if (call.field("transfer-encoding") !== undefined) {
    return LAST_CHUNK.test(call.raw.toString("latin1"));
  }
  return call.raw.length >= Number(call.field("content-length") ?? 0);
}

function isInfo(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === "object" && address !== null;
}
