/** Header blocks of a connection: put together from their frames, unpacked in the order they came. */
import { BrokenConnection, CODE, content, FLAG, FRAME, type Frame, together } from "./h2_frames.ts";
import { type Packed, Unpacker } from "./h2_hpack.ts";

/** Frames of one block at most. */
const FRAMES_MAX = 1_000;

export interface Block {
  readonly stream: number;
  /** Undefined when they are more than is allowed. */
  readonly fields: readonly Packed[] | undefined;
  /** Nothing follows on its stream. */
  readonly end: boolean;
}

export class Blocks {
  readonly #unpacker = new Unpacker();
  readonly #limitBytes: number;
  #first: Frame | undefined;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Whether a block is still coming, which nothing else may interrupt. */
  get open(): boolean {
    return this.#first !== undefined;
  }

  /** Takes HEADERS or CONTINUATION; returns the block once it is whole. Throws where it cannot be one. */
  push(frame: Frame): Block | undefined {
    const first = frame.type === FRAME.headers ? frame : this.#first;
    if (first?.stream !== frame.stream) throw new BrokenConnection("Nothing to continue");
    const part = frame.type === FRAME.headers ? content(frame) : frame.payload;
    this.#parts.push(part);
    this.#bytes += part.length;
    // What is packed is seldom larger than what it unpacks to, and never by much.
    if (this.#bytes > 2 * this.#limitBytes || this.#parts.length > FRAMES_MAX) {
      throw new BrokenConnection("A header block is too large", CODE.enhanceYourCalm);
    }
    if ((frame.flags & FLAG.endHeaders) === 0) {
      this.#first = first;
      return undefined;
    }
    const whole = together(this.#parts);
    this.#first = undefined;
    this.#parts = [];
    this.#bytes = 0;
    const fields = this.#unpacker.unpack(whole, this.#limitBytes);
    return { stream: first.stream, fields, end: (first.flags & FLAG.endStream) !== 0 };
  }
}
