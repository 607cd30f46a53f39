/**
 * Pieces of a body that wait for their reader, small ones joined: each would else cost a hundred times what it
 * holds, and a peer could fill the memory with what it hardly sent.
 */
import { NOTHING } from "./bytes.ts";

/** Smaller pieces are joined, in buffers that grow up to that. */
const JOINED_BYTES = 8 * 1024;
const FIRST_BYTES = 512;
/** A piece this many times smaller than the chunk it came in is copied, rather than keep that chunk in memory. */
const SLIVER = 32;

export class Pieces {
  /** Bytes that wait. */
  bytes = 0;
  /** All but the last. */
  readonly #before: Uint8Array[] = [];
  #last: Uint8Array = NOTHING;
  /** Bytes of the last that are in use; there is room behind them where it is ours. */
  #lastBytes = 0;
  #ours = false;

  /** Takes a piece, which is not empty. */
  push(piece: Uint8Array): void {
    this.bytes += piece.length;
    const together = this.#lastBytes + piece.length;
    if (this.#lastBytes === 0 || together > JOINED_BYTES) {
      if (this.#lastBytes > 0) this.#before.push(this.#whole());
      this.#last = kept(piece);
      this.#lastBytes = piece.length;
      this.#ours = false;
      return;
    }
    if (!this.#ours || together > this.#last.length) {
      const sizeBytes = Math.max(FIRST_BYTES, Math.min(2 * together, JOINED_BYTES));
      const grown = new Uint8Array(sizeBytes);
      grown.set(this.#whole());
      this.#last = grown;
      this.#ours = true;
    }
    this.#last.set(piece, this.#lastBytes);
    this.#lastBytes = together;
  }

  /** The first of them, which is the taker's; undefined when there is none. */
  shift(): Uint8Array | undefined {
    const piece = this.#before.shift() ?? (this.#lastBytes > 0 ? this.#takeLast() : undefined);
    this.bytes -= piece?.length ?? 0;
    return piece;
  }

  /** Drops them all. */
  clear(): void {
    this.#before.length = 0;
    this.#takeLast();
    this.bytes = 0;
  }

  #takeLast(): Uint8Array {
    const last = this.#whole();
    this.#last = NOTHING;
    this.#lastBytes = 0;
    return last;
  }

  #whole(): Uint8Array {
    return this.#ours ? this.#last.subarray(0, this.#lastBytes) : this.#last;
  }
}

/** The piece, but for slivers of much larger chunks. */
export function kept(piece: Uint8Array): Uint8Array {
  return piece.length * SLIVER < piece.buffer.byteLength ? piece.slice() : piece;
}
