/**
 * Bodies on a stream of HTTP/2. Coming in, their frames tell the end and a declared length must agree
 * (RFC 9113 section 8.1.1); going out, two windows and the connection say how much may leave.
 */
import type { Fields } from "../fields.ts";
import type { ByteSource } from "../model.ts";
import type { BodyDecoder, BodyState } from "./body.ts";
import { FLAG, FRAME, frame, FRAME_LIMIT_BYTES, headerFrames } from "./h2_frames.ts";
import { requestTrailers } from "./h2_head.ts";
import { pack } from "./h2_hpack.ts";

export class StreamBody implements BodyDecoder {
  state: BodyState = { kind: "open" };
  consumed = 0;
  #leftBytes: number | undefined;

  constructor(lengthBytes: number | undefined) {
    this.#leftBytes = lengthBytes;
  }

  push(bytes: Uint8Array): readonly Uint8Array[] {
    this.consumed = bytes.length;
    if (bytes.length === 0 || this.state.kind !== "open") return [];
    if (this.#leftBytes !== undefined) this.#leftBytes -= bytes.length;
    if ((this.#leftBytes ?? 0) < 0) {
      this.state = { kind: "refused", reason: "Body is longer than told" };
      return [];
    }
    return [bytes];
  }

  /** All has come; says whether that is all that was declared. */
  finish(trailers: Fields | undefined): boolean {
    const whole = (this.#leftBytes ?? 0) === 0;
    this.state = whole
      ? { kind: "done", trailers }
      : { kind: "refused", reason: "Body is shorter than told" };
    return whole;
  }

  /** A connection's end never ends a body here. */
  end(): void {}
}

/** What a connection takes from its streams, and who waits for it to take more. */
export class Gate {
  /** Bytes of content that the upstream takes on all streams together. */
  window: number;
  #blocked = false;
  #waiting: (() => void)[] = [];

  constructor(window: number) {
    this.window = window;
  }

  /** The system takes no more for the moment; `open` says that it does. */
  block(): void {
    this.#blocked = true;
  }

  open(): void {
    this.#blocked = false;
    this.changed();
  }

  get room(): number {
    return this.#blocked ? 0 : this.window;
  }

  /** Settles when something may have changed. */
  change(): Promise<void> {
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }

  changed(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** What an upload needs of its stream and connection. */
export interface Road {
  readonly gate: Gate;
  write(bytes: Uint8Array): void;
  /** Begins to measure a wait; the returned function ends that. */
  waits(): () => void;
}

/** A body on its way to the upstream. */
export class Upload {
  /** What the upstream takes on this stream, in bytes; below zero when its settings shrank. */
  window: number;
  /** Bytes were taken from the source: they cannot be had again here. */
  touched = false;
  readonly #id: number;
  readonly #road: Road;
  #stopped = false;

  constructor(id: number, window: number, road: Road) {
    this.#id = id;
    this.window = window;
    this.#road = road;
  }

  /** Sends it all. Rejects when its source breaks; says false when it was stopped. */
  async send(body: ByteSource): Promise<boolean> {
    while (!this.#stopped) {
      const chunk = await body.read();
      if (this.#stopped) return false;
      this.touched = true;
      if (chunk === undefined) {
        this.#end(body.trailers);
        return true;
      }
      await this.#pass(chunk);
    }
    return false;
  }

  /** Nobody takes any more. */
  stop(): void {
    this.#stopped = true;
    this.#road.gate.changed();
  }

  async #pass(chunk: Uint8Array): Promise<void> {
    let stopTimer: (() => void) | undefined;
    for (let at = 0; at < chunk.length && !this.#stopped;) {
      const { gate } = this.#road;
      const room = Math.min(gate.room, this.window, FRAME_LIMIT_BYTES);
      if (room <= 0) {
        // What wakes us may be meant for others: the wait goes on until bytes are taken.
        stopTimer ??= this.#road.waits();
        await gate.change();
        continue;
      }
      stopTimer?.();
      stopTimer = undefined;
      const piece = chunk.subarray(at, at + room);
      this.window -= piece.length;
      gate.window -= piece.length;
      this.#road.write(frame(FRAME.data, 0, this.#id, piece));
      at += piece.length;
    }
    stopTimer?.();
  }

  #end(trailers: Fields | undefined): void {
    const packed = trailers === undefined ? [] : requestTrailers(trailers);
    this.#road.write(
      packed.length > 0
        ? headerFrames(this.#id, pack(packed), true)
        : frame(FRAME.data, FLAG.endStream, this.#id, new Uint8Array(0)),
    );
  }
}
