/**
 * How many streams a client of HTTP/2 may have open while others have theirs. Each may cost an upstream's
 * connection: few clients with all their streams would else use up what the process has for everybody.
 */

/** Streams that a client may have open at once. */
export const STREAMS_MAX = 250;

export class StreamShare {
  readonly #streamsMax: number;
  /** Streams open now. */
  open = 0;

  /** Streams of all clients together, but for the one that each may always have. */
  constructor(streamsMax: number) {
    this.#streamsMax = streamsMax;
  }

  opened(): void {
    this.open++;
  }

  closed(): void {
    this.open--;
  }

  /** Streams that one client may have open now: all of them until half are in use, and then fewer and fewer. */
  get each(): number {
    const left = 1 - this.open / this.#streamsMax;
    return Math.max(1, Math.min(STREAMS_MAX, Math.floor(2 * left * STREAMS_MAX)));
  }
}
