/**
 * A client that hides nothing: writes what it is told and reads HTTP/1.1 by its own rules, so that
 * a body that ends early can never pass for a whole one. One request after another on a connection.
 */
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";

/** Where to connect to. */
export type Place = { readonly port: number } | { readonly path: string };

export interface Ask {
  readonly method?: string;
  readonly target?: string;
  /** Beside `Host` and, with a body, `Content-Length`. */
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string | Uint8Array;
}

/** A response as it came. */
export interface Heard {
  /** 0 when the connection ended before a whole head. */
  readonly status: number;
  /** Status line and fields, as sent. */
  readonly head: string;
  readonly body: Buffer;
  /** Bytes after the last chunk. */
  readonly trailer: string;
  /** `cut`: the connection ended or broke the framing before the body was whole. */
  readonly end: "whole" | "cut" | "nothing";
  /** From the call of `hear` to the head and to the end, in milliseconds. */
  readonly headMs: number;
  readonly endMs: number;
}

export interface HearOptions {
  /** Method of the request, as HEAD has an answer without a body. */
  readonly method?: string;
  /** Called with every piece of the body as it comes. */
  readonly piece?: (bytes: Buffer) => void;
  /** Called with the head as it comes. */
  readonly headCame?: (head: string) => void;
  /** Called with the head of every 1xx answer. */
  readonly interim?: (head: string) => void;
}

/** Asks once on a connection of its own. */
export async function ask(place: Place, what: Ask = {}, options: HearOptions = {}): Promise<Heard> {
  const client = await RawClient.open(place);
  try {
    client.send(what);
    return await client.hear({ method: what.method ?? "GET", ...options });
  } finally {
    client.destroy();
  }
}

/** First field of that name in a head. */
export function fieldOf({ head }: Pick<Heard, "head">, name: string): string | undefined {
  return fieldsOf({ head }, name)[0];
}

/** All fields of that name in a head. */
export function fieldsOf({ head }: Pick<Heard, "head">, name: string): string[] {
  const lines = head.split("\r\n").slice(1).map((line) => line.split(/:\s*(.*)/s));
  return lines.filter(([key]) => key?.toLowerCase() === name.toLowerCase())
    .map(([, value = ""]) => value);
}

export class RawClient implements Disposable {
  readonly #socket: Socket;
  #pending: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (data: Buffer) => {
      this.#pending = this.#pending.length === 0 ? data : Buffer.concat([this.#pending, data]);
      this.#wake();
    });
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    socket.on("end", end);
    socket.on("error", end);
    socket.on("close", end);
  }

  /** On a connection that is there already, such as one of TLS. */
  static over(socket: Socket): RawClient {
    return new RawClient(socket);
  }

  /** Settles when connected, or refused: then nothing will be heard. */
  static open(place: Place): Promise<RawClient> {
    return new Promise((resolve) => {
      const socket = "port" in place
        ? connect({ host: "127.0.0.1", port: place.port })
        : connect({ path: place.path });
      const client = new RawClient(socket);
      socket.once("connect", () => resolve(client));
      socket.once("close", () => resolve(client));
    });
  }

  /** True once the peer has closed or reset the connection. */
  get ended(): boolean {
    return this.#ended;
  }

  write(bytes: string | Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  send({ method = "GET", target = "/", headers = [], body }: Ask): void {
    const fields = headers.some(([name]) => name.toLowerCase() === "host")
      ? [...headers]
      : [["Host", "app.test"] as const, ...headers];
    const bytes = body === undefined ? undefined : Buffer.from(body);
    if (bytes !== undefined) fields.push(["Content-Length", String(bytes.length)]);
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines}\r\n`, "latin1");
    this.write(bytes === undefined ? head : Buffer.concat([head, bytes]));
  }

  /** Writes, and settles when the system has taken it. */
  written(bytes: string): Promise<void> {
    return new Promise((resolve) => this.#socket.write(bytes, () => resolve()));
  }

  /** The next line; undefined when the connection ends before. */
  line(): Promise<string | undefined> {
    return this.#until("\r\n");
  }

  /** So many bytes, or those that came before the end. */
  async bytes(count: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    await this.#take(count, (piece) => pieces.push(piece));
    return Buffer.concat(pieces);
  }

  /** Reads nothing more. */
  pause(): void {
    this.#socket.pause();
  }

  /** Leaves at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  /** Waits until the peer ends the connection. */
  async untilEnd(): Promise<void> {
    while (!this.#ended) await this.#more();
  }

  /** Reads the next response. Never rejects. */
  async hear({ method = "GET", piece, headCame, interim }: HearOptions = {}): Promise<Heard> {
    const began = performance.now();
    const since = () => performance.now() - began;
    let head = await this.#until("\r\n\r\n");
    while (head !== undefined && /^\S+ 1(?!01)\d\d/.test(head)) {
      interim?.(head);
      head = await this.#until("\r\n\r\n");
    }
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head ?? "")?.[1] ?? 0);
    const headMs = since();
    if (head === undefined || status === 0) {
      const nothing = { status: 0, head: head ?? "", body: Buffer.alloc(0), trailer: "" };
      return { ...nothing, end: "nothing", headMs, endMs: since() };
    }
    headCame?.(head);
    const pieces: Buffer[] = [];
    const take = (bytes: Buffer) => {
      pieces.push(bytes);
      piece?.(bytes);
    };
    const bodiless = method === "HEAD" || status === 204 || status === 304;
    const ending = bodiless ? { whole: true, trailer: "" } : await this.#body(head, take);
    const end = ending.whole ? "whole" : "cut";
    const body = Buffer.concat(pieces);
    return { status, head, body, trailer: ending.trailer, end, headMs, endMs: since() };
  }

  async #body(
    head: string,
    take: (bytes: Buffer) => void,
  ): Promise<{ whole: boolean; trailer: string }> {
    const length = fieldOf({ head }, "content-length");
    if (/chunked/i.test(fieldOf({ head }, "transfer-encoding") ?? "")) return this.#chunks(take);
    if (length !== undefined) return { whole: await this.#take(Number(length), take), trailer: "" };
    // Nothing but the end of the connection ends such a body: whether it is whole nobody can tell.
    await this.#take(Infinity, take);
    return { whole: true, trailer: "" };
  }

  async #chunks(take: (bytes: Buffer) => void): Promise<{ whole: boolean; trailer: string }> {
    const cut = { whole: false, trailer: "" };
    for (;;) {
      const line = await this.#until("\r\n");
      if (line === undefined || !/^[\da-f]+$/i.test(line)) return cut;
      const size = Number.parseInt(line, 16);
      if (size === 0) break;
      if (!(await this.#take(size, take))) return cut;
      if ((await this.#until("\r\n")) !== "") return cut;
    }
    let trailer = "";
    for (;;) {
      const line = await this.#until("\r\n");
      if (line === undefined) return cut;
      if (line === "") return { whole: true, trailer };
      trailer += `${line}\r\n`;
    }
  }

  /** Text up to a mark, which is taken away; undefined when the connection ends before. */
  async #until(mark: string): Promise<string | undefined> {
    for (;;) {
      const at = this.#pending.indexOf(mark);
      if (at >= 0) {
        const text = this.#pending.toString("latin1", 0, at);
        this.#pending = this.#pending.subarray(at + mark.length);
        return text;
      }
      if (this.#ended) return undefined;
      await this.#more();
    }
  }

  /** Hands on so many bytes; false when the connection ends before. */
  async #take(count: number, take: (bytes: Buffer) => void): Promise<boolean> {
    for (let left = count; left > 0;) {
      if (this.#pending.length === 0) {
        if (this.#ended) return false;
        await this.#more();
        continue;
      }
      const bytes = this.#pending.subarray(0, left);
      this.#pending = this.#pending.subarray(bytes.length);
      left -= bytes.length;
      take(bytes);
    }
    return true;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }
}
