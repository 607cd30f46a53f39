/**
 * Bodies on their way out on streams of HTTP/2: two windows and the connection say how much may leave, and
 * where several have something to send, they take turns.
 */
import type { Fields } from "../fields.ts";
import type { ByteSource } from "../model.ts";
import { NOTHING } from "./bytes.ts";
import { WINDOW_MAX } from "./h2_frames.ts";
import type { Gate, InLine } from "./h2_gate.ts";
import { trailersOut } from "./h2_head.ts";
import { dataFrames, headerFrames } from "./h2_make.ts";
import { pack } from "./h2_pack.ts";

/** Bytes that streams without room may have at hand, together; more are not read before there is room. */
const HELD_LIMIT_BYTES = 2 * 1024 * 1024;

/** What an upload needs of its stream and connection. */
export interface Road {
  readonly gate: Gate;
  write(bytes: Uint8Array): void;
  /** Sends a piece of a body. */
  data(stream: number, content: Uint8Array): void;
  /** Begins to measure a wait; the returned function ends that. */
  waits?(): () => void;
}

/** What a body gives next: bytes, or its end. */
type Piece = Uint8Array | undefined;

/** A body on its way to the peer. */
export class Upload implements InLine {
  /** What the peer takes on this stream, in bytes; below zero when its settings shrank. */
  window: number;
  /** Bytes were taken from the source: they cannot be had again here. */
  touched = false;
  sentBytes = 0;
  readonly #id: number;
  readonly #road: Road;
  /** What was read and is to go out. */
  #chunk: Uint8Array = NOTHING;
  #stopped = false;
  /** Ends the wait that is under way. */
  #wake: (() => void) | undefined;
  #stopTimer: (() => void) | undefined;

  constructor(id: number, window: number, road: Road) {
    this.#id = id;
    this.window = window;
    this.#road = road;
  }

  /** What may leave now without taking anybody's turn. */
  get room(): number {
    const { gate } = this.#road;
    return gate.free ? Math.min(gate.room, this.window) : 0;
  }

  /** Counts bytes that others have sent for it. */
  count(bytes: number): void {
    this.touched = true;
    this.sentBytes += bytes;
    this.window -= bytes;
    this.#road.gate.sent(bytes);
  }

  /** Whether a source may be read now: without room for what it gives, that would only pile up. */
  get mayRead(): boolean {
    const { gate } = this.#road;
    return gate.held <= HELD_LIMIT_BYTES || Math.min(gate.room, this.window) > 0;
  }

  /** Sends it all. Rejects when its source breaks; says false when it was stopped. */
  async send(body: ByteSource): Promise<boolean> {
    if (!this.mayRead) await this.#turnCame();
    return this.#stopped ? false : await this.sendOn(body, body.read());
  }

  /** Sends what was read of it already, and the rest. */
  async sendOn(body: ByteSource, first: Piece | Promise<Piece>): Promise<boolean> {
    for (let next = first;; next = body.read()) {
      const chunk = next instanceof Promise ? await next : next;
      if (this.#stopped) return false;
      this.touched = true;
      if (chunk === undefined) {
        this.#end(body.trailers);
        return true;
      }
      this.#chunk = chunk;
      this.#road.gate.held += chunk.length;
      if (this.#road.gate.free) this.#go(chunk.length);
      if (this.#chunk.length > 0 || !this.mayRead) await this.#turnCame();
      if (this.#stopped) return false;
    }
  }

  /** The peer takes more, or less when its settings shrank; says whether it may say so. */
  widen(bytes: number): boolean {
    this.window += bytes;
    this.#lineUp();
    return this.window <= WINDOW_MAX;
  }

  /** Sends so many bytes at most, as its turn has come. */
  turn(bytes: number): void {
    this.#go(bytes);
    if (this.#chunk.length === 0) return this.#rest();
    this.#stopTimer ??= this.#road.waits?.();
    this.#lineUp();
  }

  /** Nobody takes any more. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    // Its place would be kept for as long as the others wait.
    this.#road.gate.leave(this);
    this.#road.gate.held -= this.#chunk.length;
    this.#chunk = NOTHING;
    this.#rest();
  }

  #turnCame(): Promise<void> {
    this.#stopTimer ??= this.#road.waits?.();
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#lineUp();
    });
  }

  #lineUp(): void {
    if (this.#wake === undefined || this.window <= 0) return;
    this.#road.gate.enter(this);
  }

  #rest(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#wake?.();
    this.#wake = undefined;
  }

  #go(bytesMax: number): void {
    const { gate } = this.#road;
    const chunk = this.#chunk;
    const bytes = Math.min(gate.room, this.window, bytesMax, chunk.length);
    if (bytes <= 0) return;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#chunk = chunk.subarray(bytes);
    gate.held -= bytes;
    this.count(bytes);
    this.#road.data(this.#id, chunk.subarray(0, bytes));
  }

  #end(trailers: Fields | undefined): void {
    const packed = trailers === undefined ? [] : trailersOut(trailers);
    this.#road.write(
      packed.length > 0
        ? headerFrames(this.#id, pack(packed), true)
        : dataFrames(this.#id, NOTHING, true),
    );
  }
}

/** A source of which a piece was read already. */
export function readAhead(piece: Uint8Array | Promise<Piece>, body: ByteSource): ByteSource {
  // One that breaks is heard of when it is read; unheard until then, it would end the process.
  if (piece instanceof Promise) piece.catch(() => {});
  let unread: typeof piece | undefined = piece;
  return {
    lengthBytes: body.lengthBytes,
    read() {
      const next = unread ?? body.read();
      unread = undefined;
      return next;
    },
    get trailers() {
      return body.trailers;
    },
    cancel: () => body.cancel(),
  };
}
