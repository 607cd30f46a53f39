/** Header blocks of a connection: put together from their frames, unpacked in the order they came. */
import { BrokenConnection, CODE, content, FLAG, FRAME, type Frame } from "./h2_frames.ts";
import { type Packed, Unpacker } from "./h2_hpack.ts";
import { NOTHING } from "./bytes.ts";

/** Frames of one block at most, empty ones included: against CONTINUATION without an end (CVE-2024-27316). */
const FRAMES_MAX = 128;

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
  #first: Pick<Frame, "stream" | "flags"> | undefined;
  #frames = 0;
  /** What came of a block in several frames; longer than what is known. */
  #bytes = NOTHING;
  #end = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Whether a block is still coming, which nothing else may interrupt. */
  get open(): boolean {
    return this.#first !== undefined;
  }

  /** Takes HEADERS or CONTINUATION; returns the block once it is whole. Throws where it cannot be one. */
  push(frame: Frame): Block | undefined {
    const { stream, flags } = frame;
    const first = frame.type === FRAME.headers ? { stream, flags } : this.#first;
    if (first?.stream !== stream) throw new BrokenConnection("Nothing to continue");
    const part = frame.type === FRAME.headers ? content(frame) : frame.payload;
    const last = (flags & FLAG.endHeaders) !== 0;
    if (last && first !== this.#first) return this.#whole(first, part);

    this.#keep(part);
    this.#first = last ? undefined : first;
    if (!last) return undefined;
    const bytes = this.#bytes.subarray(0, this.#end);
    this.#bytes = NOTHING;
    this.#end = 0;
    this.#frames = 0;
    return this.#whole(first, bytes);
  }

  #whole({ stream, flags }: Pick<Frame, "stream" | "flags">, bytes: Uint8Array): Block {
    const fields = this.#unpacker.unpack(bytes, this.#limitBytes);
    return { stream, fields, end: (flags & FLAG.endStream) !== 0 };
  }

  /** Copies, as views would keep much larger pieces alive. */
  #keep(part: Uint8Array): void {
    const size = this.#end + part.length;
    // What is packed is seldom larger than what it unpacks to, and never by much.
    if (size > 2 * this.#limitBytes || ++this.#frames > FRAMES_MAX) {
      throw new BrokenConnection("A header block is too large", CODE.enhanceYourCalm);
    }
    if (size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(size, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, this.#end));
      this.#bytes = grown;
    }
    this.#bytes.set(part, this.#end);
    this.#end = size;
  }
}
