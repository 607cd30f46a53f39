/** What the peer of an HTTP/2 connection may still send, on a stream or on all of them (RFC 9113 section 5.2). */

export class Credit {
  readonly #sizeBytes: number;
  readonly #leastBytes: number;
  #leftBytes: number;
  #owedBytes = 0;

  /**
   * Half of it is worth a frame; and `leastBytes` are where the peer may send no more than that besides. On a
   * connection the rest may wait for readers who never come, and would keep all others from sending.
   */
  constructor(sizeBytes: number, leastBytes: number = sizeBytes / 2) {
    this.#sizeBytes = sizeBytes;
    this.#leastBytes = leastBytes;
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
    const owed = this.#owedBytes;
    const isWorth = owed >= this.#sizeBytes / 2 ||
      (owed >= this.#leastBytes && owed >= this.#leftBytes);
    if (!isWorth) return 0;
    this.#leftBytes += owed;
    this.#owedBytes = 0;
    return owed;
  }
}
