/**
 * Where all streams of an HTTP/2 connection pass on their way out: its window and the system say how much, and
 * turns say who. Knows nothing of what is sent.
 */
import type { Clock } from "../platform/platform.ts";
import { WINDOW_MAX } from "./h2_frames.ts";

/** Bytes of one stream in a turn, while others wait for theirs. */
const TURN_BYTES = 64 * 1024;
/** Bytes of all streams together before other connections have their turn: a millisecond or two, with TLS. */
const RUN_BYTES = 256 * 1024;

/** Whoever has something to send, and waits for his turn. */
export interface InLine {
  /** Sends so many bytes at most. */
  turn(bytes: number): void;
}

/** What a connection takes from its streams, and the line of those that have something to send. */
export class Gate {
  /** Bytes of content that the peer takes on all streams together. */
  window: number;
  /** The system takes no more for the moment. */
  blocked = false;
  /** Read from a source and not sent yet, in bytes. */
  held = 0;
  readonly #clock: Pick<Clock, "soon">;
  /** Sent since others had their turn. */
  #runBytes = 0;
  /** In the order they came. */
  readonly #line = new Set<InLine>();
  /** Calls to be made when it opens, in the order they came. */
  readonly #waiting = new Set<() => void>();
  readonly #goOn = () => {
    this.#runBytes = 0;
    this.serve();
  };

  constructor(window: number, clock: Pick<Clock, "soon">) {
    this.window = window;
    this.#clock = clock;
  }

  block(): void {
    this.blocked = true;
  }

  /** The system takes more, or the connection is over. Heads go first, as they are small. */
  open(): void {
    this.blocked = false;
    for (const call of this.#waiting) {
      if (this.blocked) break;
      this.#waiting.delete(call);
      call();
    }
    this.serve();
  }

  /** Calls when it opens. */
  whenOpen(call: () => void): void {
    this.#waiting.add(call);
  }

  /** Makes no such call any more. */
  forget(call: () => void): void {
    this.#waiting.delete(call);
  }

  get room(): number {
    return this.blocked ? 0 : Math.min(this.window, RUN_BYTES - this.#runBytes);
  }

  /** Bytes of content were sent. */
  sent(bytes: number): void {
    this.window -= bytes;
    const before = this.#runBytes;
    this.#runBytes += bytes;
    if (before < RUN_BYTES && this.#runBytes >= RUN_BYTES) this.#clock.soon(this.#goOn);
  }

  /** The peer takes more; says whether it may say so. */
  widen(bytes: number): boolean {
    this.window += bytes;
    return this.window <= WINDOW_MAX;
  }

  /** Whether nobody stands in line. */
  get free(): boolean {
    return this.#line.size === 0;
  }

  enter(one: InLine): void {
    this.#line.add(one);
  }

  /** Has nothing to send any more. */
  leave(one: InLine): void {
    this.#line.delete(one);
  }

  /** Lets those in line send, a turn each, as long as there is room. */
  serve(): void {
    while (this.room > 0) {
      const [next] = this.#line;
      if (next === undefined) return;
      this.#line.delete(next);
      next.turn(TURN_BYTES);
    }
  }
}
