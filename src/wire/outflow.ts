/**
 * Writes messages to a connection: heads as text, bodies in the framing that was chosen, no faster
 * than the peer reads. A small body leaves in one piece with its head.
 */
import type { Fields } from "../fields.ts";
import type { ByteSource } from "../model.ts";
import type { Connection } from "../platform/platform.ts";
import { lastChunk, wholeChunk } from "./framing.ts";
import type { Writer } from "./writer.ts";

/** How a body that we send ends. */
export type OutFraming = "none" | "length" | "chunked" | "close";

/** How sending a body ended: `cut` when its source broke, `left` when the peer is gone. */
export type Sent = { readonly end: "whole" | "cut" | "left"; readonly bodyBytes: number };

/** What a body gives next: bytes, or its end. */
type Piece = Uint8Array | undefined;

/** A first piece of at most this size is copied next to the head, to save a write. */
const JOINED_LIMIT_BYTES = 16 * 1024;

/** The sending side of a connection. */
export class Outflow {
  readonly #connection: Connection;
  #gone = false;
  #waiting: (() => void) | undefined;
  /** What is being sent. */
  #body: ByteSource | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The peer has taken what waited. */
  drained(): void {
    this.#waiting?.();
    this.#waiting = undefined;
  }

  /** Nobody takes any more. Gives up the body that is being sent, even if its source is silent. */
  gone(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.drained();
    this.#body?.cancel();
  }

  write(bytes: Uint8Array): boolean {
    return this.#connection.write(bytes);
  }

  /** Sends a head, taken from its writer at once, and its body. Never rejects; what can be sent at once, is. */
  send(head: Writer, body: ByteSource | undefined, framing: OutFraming): Sent | Promise<Sent> {
    if (body === undefined || framing === "none") {
      this.write(head.take());
      return { end: this.#gone ? "left" : "whole", bodyBytes: 0 };
    }
    const first = this.#next(body);
    const isWhole = first instanceof Uint8Array && framing === "length" &&
      first.length === body.lengthBytes && first.length <= JOINED_LIMIT_BYTES;
    if (isWhole && this.write(head.data(first).take())) {
      return { end: "whole", bodyBytes: first.length };
    }
    if (isWhole) return this.#wholeLater(first.length);
    return this.#stream(head.take(), body, framing, first);
  }

  async #stream(
    headBytes: Uint8Array,
    body: ByteSource,
    framing: OutFraming,
    first: Piece | Promise<Piece>,
  ): Promise<Sent> {
    let unsent: Uint8Array | undefined = headBytes;
    let bodyBytes = 0;
    let next = first;
    this.#body = body;
    try {
      for (; !this.#gone; next = this.#next(body)) {
        if (next instanceof Promise) {
          // The head must not wait for a body that comes later.
          const passing = unsent === undefined ? undefined : this.#pass(unsent);
          unsent = undefined;
          if (passing !== undefined) {
            // A body that breaks meanwhile is heard of below; unheard, it would end the process.
            next.catch(() => {});
            await passing;
          }
          next = await next;
        }
        // Its end included: to one who took a fragment, an end would make a whole of it.
        if (this.#gone) break;
        if (next === undefined) {
          const end = framing === "chunked" ? lastChunk(body.trailers) : undefined;
          const rest = end === undefined ? unsent : joined(unsent, end);
          if (rest !== undefined) this.write(rest);
          return { end: "whole", bodyBytes };
        }
        bodyBytes += next.length;
        const framed = framing === "chunked" ? wholeChunk(next) : next;
        const bytes = joined(unsent, framed);
        unsent = undefined;
        if (bytes === undefined) {
          await this.#pass(headBytes);
          await this.#pass(framed);
          continue;
        }
        // The last bytes of a known length may be followed by nothing, so their end comes at once.
        await this.#pass(bytes);
      }
    } catch {
      return { end: this.#gone ? "left" : "cut", bodyBytes };
    } finally {
      this.#body = undefined;
    }
    return { end: "left", bodyBytes };
  }

  /** Nothing of a body that was given up: nobody would hear it refuse, which would end the process. */
  #next(body: ByteSource): Piece | Promise<Piece> {
    return this.#gone ? undefined : body.read();
  }

  /** Writes, and waits where the peer is slower than we are. */
  #pass(bytes: Uint8Array): Promise<void> | undefined {
    return this.#gone || this.write(bytes) ? undefined : this.#taken();
  }

  async #wholeLater(bodyBytes: number): Promise<Sent> {
    await this.#taken();
    return { end: this.#gone ? "left" : "whole", bodyBytes };
  }

  #taken(): Promise<void> {
    return new Promise((resolve) => (this.#waiting = resolve));
  }
}

/** Both in one; undefined where the copy would cost more than a second write. */
function joined(first: Uint8Array | undefined, second: Uint8Array): Uint8Array | undefined {
  if (first === undefined) return second;
  if (second.length > JOINED_LIMIT_BYTES) return undefined;
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

/** Makes a head declare the length that its body has, whatever edits have left of it; none when undefined. */
export function declareLength(fields: Fields, lengthBytes: number | undefined): void {
  const declared = fields.joined("content-length");
  if (lengthBytes === undefined) {
    if (declared !== undefined) fields.delete("content-length");
  } else if (declared === undefined || Number(declared) !== lengthBytes) {
    fields.set("Content-Length", String(lengthBytes));
  }
}
