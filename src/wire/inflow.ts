/**
 * A body as it comes off a connection, and the pull source that it is to everybody else. Stops the
 * sender when nobody reads, and tells a cut body from a whole one.
 */
import type { Fields } from "../fields.ts";
import type { ByteSource } from "../model.ts";
import type { Connection } from "../platform/platform.ts";
import type { BodyDecoder } from "./body.ts";
import { kept, Pieces } from "./pieces.ts";

/** Bytes that may wait for a reader before their sender is stopped. */
const WAITING_LIMIT_BYTES = 64 * 1024;

/** The sender's body ended before it was whole, or broke its own framing. */
export class BrokenBody extends Error {
  override readonly name = "BrokenBody";
}

/** Pieces smaller than that on average are worth a copy. */
const PIECE_BYTES = 4 * 1024;

export interface InflowEvents {
  /** The body is whole, or broken; said once, when its last byte has come and not when it is read. */
  ended(whole: boolean): void;
  /** Nobody wants the rest. Said at most once, and never after `ended`. */
  cancelled(): void;
  /** Somebody waits for bytes, for the first time. */
  wanted?(): void;
  /** So many bytes wait here no longer: a reader has them, or nobody ever will. */
  taken?(bytes: number): void;
}

interface Reader {
  resolve(bytes: Uint8Array | undefined): void;
  reject(error: Error): void;
}

/** In place of a connection to stop, where windows stop the sender. */
export const WINDOWED = { pause() {}, resume() {} };

export class Inflow implements ByteSource {
  readonly lengthBytes: number | undefined;
  trailers: Fields | undefined;
  readonly #decoder: BodyDecoder;
  readonly #connection: Pick<Connection, "pause" | "resume">;
  readonly #events: InflowEvents;
  readonly #queue = new Pieces();
  #paused = false;
  #wanted = false;
  #cancelled = false;
  #broken: BrokenBody | undefined;
  #reader: Reader | undefined;

  constructor(
    decoder: BodyDecoder,
    lengthBytes: number | undefined,
    connection: Pick<Connection, "pause" | "resume">,
    events: InflowEvents,
  ) {
    this.#decoder = decoder;
    this.lengthBytes = lengthBytes;
    this.#connection = connection;
    this.#events = events;
  }

  /** No more bytes of this body will come. */
  get ended(): boolean {
    return this.#decoder.state.kind !== "open" || this.#broken !== undefined;
  }

  /** Takes bytes off the connection. Returns how many were not part of the body, at the end of them. */
  feed(bytes: Uint8Array): number {
    for (const piece of gathered(this.#decoder.push(bytes))) this.#offer(piece);
    const consumed = this.#decoder.consumed;
    this.#settle();
    if (this.#queue.bytes > WAITING_LIMIT_BYTES && !this.ended) this.#pause();
    return bytes.length - consumed;
  }

  /** The connection has ended, which some bodies end with and others are cut by. */
  connectionEnded(clean: boolean): void {
    if (this.ended || this.#cancelled) return;
    if (clean) this.#decoder.end();
    if (this.#decoder.state.kind === "open") this.#break("Connection broke before the body ended");
    else this.#settle();
  }

  read(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const bytes = this.#queue.shift();
    if (bytes !== undefined) {
      if (this.#queue.bytes === 0) this.#resume();
      this.#events.taken?.(bytes.length);
      return bytes;
    }
    // Not an end: whoever still reads would pass a fragment off as the whole.
    if (this.#cancelled) return Promise.reject(new BrokenBody("Body was given up"));
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    if (this.ended) return undefined;
    if (!this.#wanted) {
      this.#wanted = true;
      this.#events.wanted?.();
    }
    return this.#wait();
  }

  #wait(): Promise<Uint8Array | undefined> {
    const reader = Promise.withResolvers<Uint8Array | undefined>();
    this.#reader = reader;
    return reader.promise;
  }

  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    const dropped = this.#queue.bytes;
    this.#queue.clear();
    this.#resume();
    this.#reader?.reject(new BrokenBody("Body was given up"));
    this.#reader = undefined;
    if (!this.ended) this.#events.cancelled();
    this.#events.taken?.(dropped);
  }

  #offer(piece: Uint8Array): void {
    const reader = this.#reader;
    if (this.#cancelled || reader !== undefined) {
      this.#reader = undefined;
      reader?.resolve(kept(piece));
      this.#events.taken?.(piece.length);
      return;
    }
    this.#queue.push(piece);
  }

  #settle(): void {
    const { state } = this.#decoder;
    if (state.kind === "open" || this.#broken !== undefined) return;
    if (state.kind === "refused") return this.#break(state.reason);
    this.trailers = state.trailers;
    // What comes next is another message's, and must not wait for a slow reader of this one.
    this.#resume();
    this.#reader?.resolve(undefined);
    this.#reader = undefined;
    this.#events.ended(true);
  }

  #break(reason: string): void {
    this.#broken = new BrokenBody(reason);
    this.#reader?.reject(this.#broken);
    this.#reader = undefined;
    this.#events.ended(false);
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#connection.pause();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#connection.resume();
  }
}

/** Small chunks that came together go on together: one write for each would let a peer buy work cheaply. */
function gathered(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  if (pieces.length < 2) return pieces;
  const sizeBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (sizeBytes > pieces.length * PIECE_BYTES) return pieces;
  const whole = new Uint8Array(sizeBytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return [whole];
}
