/** What the peer of an HTTP/2 connection may still send, on a stream or on all of them (RFC 9113 section 5.2). */

export class Credit {
  readonly #sizeBytes: number;
  #leftBytes: number;
  #owedBytes = 0;

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
    this.#leftBytes = sizeBytes;
  }

  /** Bytes have come; says whether they were allowed to. */
  spend(bytes: number): boolean {
    this.#leftBytes -= bytes;
    return this.#leftBytes >= 0;
  }

  /** Bytes are out of the way. Returns how many more the peer may be told to send; zero until that is worth a frame. */
  earn(bytes: number): number {
    this.#owedBytes += bytes;
    if (this.#owedBytes < this.#sizeBytes / 2) return 0;
    const more = this.#owedBytes;
    this.#leftBytes += more;
    this.#owedBytes = 0;
    return more;
  }
}
