/**
 * A client on a bare socket, that sees every byte of an answer, its moment, and whether the end was
 * a true end; and what tests of streams need besides.
 */
import { connect, createServer, type Socket } from "node:net";

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
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
