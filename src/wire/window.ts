/**
 * The bytes a scanner looks at: the chunk itself as long as a head lies in one, else a copy that
 * grows with the chunks. Keeps nothing between heads, so that an idle connection costs no buffer.
 */

import { NOTHING } from "./bytes.ts";

const FIRST_BYTES = 1024;

export class Window {
  bytes: Uint8Array = NOTHING;
  /** Where the known bytes end; `bytes` may be longer. */
  end = 0;
  #owned = false;

  /** Adds a chunk, up to `limitBytes` in all. Returns how many bytes were there before. */
  take(chunk: Uint8Array, limitBytes: number): number {
    if (!this.#owned) {
      this.bytes = chunk;
      this.end = Math.min(chunk.length, limitBytes);
      return 0;
    }
    const before = this.end;
    const added = Math.min(chunk.length, limitBytes - before);
    this.#reserve(before + added);
    this.bytes.set(added === chunk.length ? chunk : chunk.subarray(0, added), before);
    this.end = before + added;
    return before;
  }

  /** Copies what belongs to somebody else's chunk, which may be reused once the caller returns. */
  keep(): void {
    if (this.#owned || this.end === 0) return;
    const copy = new Uint8Array(Math.max(this.end, FIRST_BYTES));
    copy.set(this.bytes.subarray(0, this.end));
    this.bytes = copy;
    this.#owned = true;
  }

  clear(): void {
    this.bytes = NOTHING;
    this.end = 0;
    this.#owned = false;
  }

  /** Doubles, so that a head that drips in costs a constant number of copies a byte. */
  #reserve(size: number): void {
    if (size <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(size, 2 * this.bytes.length));
    grown.set(this.bytes.subarray(0, this.end));
    this.bytes = grown;
  }
}
