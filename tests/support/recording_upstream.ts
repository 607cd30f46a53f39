/**
 * An upstream that writes down every byte it is sent and reads it by the strictest rules there are,
 * so that anything two readers could take differently shows as a fault of whoever sent it.
 */
import { Buffer } from "node:buffer";
import { createServer, type Server, type Socket } from "node:net";

/** A request as it came. */
export class Recorded {
  /** Request line and fields, as received. */
  readonly head: string;
  readonly method: string;
  readonly target: string;
  /** Names and values, exactly. */
  readonly fields: readonly (readonly [string, string])[];
  body: Buffer = Buffer.alloc(0);
  trailer = "";
  /** It came to its end. */
  whole = false;
  /** The connection ended before it did. */
  cut = false;
  /** What is wrong with it. */
  fault: string | undefined;

  constructor(head: string) {
    this.head = head;
    const [line = "", ...lines] = head.split("\r\n");
    const match = /^([!-~]+) ([!-~]+) HTTP\/1\.1$/.exec(line);
    if (match === null) this.fault = `request line ${JSON.stringify(line)}`;
    this.method = match?.[1] ?? "";
    this.target = match?.[2] ?? "";
    this.fields = lines.map((text) => {
      // deno-lint-ignore no-control-regex
      const field = /^([!#$%&'*+\-.^_`|~\w]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(text);
      if (field === null) this.fault = `field line ${JSON.stringify(text)}`;
      return [field?.[1] ?? "", field?.[2] ?? ""] as const;
    });
    this.fault ??= this.#framingFault();
  }

  all(name: string): string[] {
    return this.fields.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
  }

  get lengthBytes(): number | undefined {
    const [length] = this.all("content-length");
    return length === undefined ? undefined : Number(length);
  }

  get chunked(): boolean {
    return this.all("transfer-encoding").length > 0;
  }

  #framingFault(): string | undefined {
    const [lengths, codings] = [this.all("content-length"), this.all("transfer-encoding")];
    if (lengths.length + codings.length > 1) return "two ways to frame it";
    if (lengths[0] !== undefined && !/^\d+$/.test(lengths[0])) return `length ${lengths[0]}`;
    if (codings[0] !== undefined && codings[0] !== "chunked") return `coding ${codings[0]}`;
    return this.all("host").length === 1 ? undefined : "not one Host";
  }
}

export class RecordingUpstream implements AsyncDisposable {
  readonly requests: Recorded[] = [];
  /** All that came on each connection, as bytes and as requests. */
  readonly streams: { readonly chunks: Buffer[]; readonly requests: Recorded[] }[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #watchers = new Set<() => void>();

  private constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  static async start(): Promise<RecordingUpstream> {
    const upstream = new RecordingUpstream();
    await new Promise<void>((resolve) => upstream.#server.listen(0, "127.0.0.1", resolve));
    return upstream;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  /** Waits until `holds`, asked whenever something came; fails after `capMs`. */
  async until(holds: () => boolean, capMs = 5000): Promise<void> {
    if (holds()) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`Waited ${capMs} ms for ${holds}`)), capMs);
      const look = () => {
        if (!holds()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
    }).finally(() => clearTimeout(timer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    let pending: Buffer = Buffer.alloc(0);
    let current: Recorded | undefined;
    const stream = { chunks: new Array<Buffer>(), requests: new Array<Recorded>() };
    this.streams.push(stream);
    const over = () => {
      if (current !== undefined && !current.whole) current.cut = true;
      this.#sockets.delete(socket);
      for (const look of this.#watchers) look();
    };
    socket.on("error", over);
    socket.on("close", over);
    socket.on("data", (data: Buffer) => {
      stream.chunks.push(Buffer.from(data));
      pending = Buffer.concat([pending, data]);
      for (;;) {
        if (current === undefined || current.whole) {
          const end = pending.indexOf("\r\n\r\n");
          if (end < 0) break;
          current = new Recorded(pending.toString("latin1", 0, end));
          pending = pending.subarray(end + 4);
          this.requests.push(current);
          stream.requests.push(current);
        }
        pending = bodyFrom(pending, current);
        if (!current.whole) break;
        const body = current.method === "HEAD" ? "" : "ok";
        if (!socket.destroyed) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${body}`);
      }
      for (const look of this.#watchers) look();
    });
  }
}

/** Takes what belongs to the body; returns the rest. */
function bodyFrom(bytes: Buffer, request: Recorded): Buffer {
  if (!request.chunked) {
    const wanted = (request.lengthBytes ?? 0) - request.body.length;
    request.body = Buffer.concat([request.body, bytes.subarray(0, wanted)]);
    request.whole = request.body.length === (request.lengthBytes ?? 0);
    return bytes.subarray(wanted);
  }
  let rest = bytes;
  for (;;) {
    const end = rest.indexOf("\r\n");
    if (end < 0) return rest;
    const line = rest.toString("latin1", 0, end);
    if (!/^[\da-f]+$/.test(line)) request.fault = `chunk size ${JSON.stringify(line)}`;
    const size = Number.parseInt(line, 16);
    if (size === 0) return trailerFrom(rest, end, request);
    const after = end + 2 + size;
    if (!(rest.length >= after + 2)) return rest;
    if (rest.toString("latin1", after, after + 2) !== "\r\n") request.fault = "chunk overrun";
    request.body = Buffer.concat([request.body, rest.subarray(end + 2, after)]);
    rest = rest.subarray(after + 2);
  }
}

function trailerFrom(rest: Buffer, lastChunkEnd: number, request: Recorded): Buffer {
  const end = rest.indexOf("\r\n\r\n", lastChunkEnd);
  if (end < 0) return rest;
  request.trailer = rest.toString("latin1", lastChunkEnd + 2, Math.max(end, lastChunkEnd + 2));
  request.whole = true;
  return rest.subarray(end + 4);
}
