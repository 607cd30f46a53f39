/**
 * Ends what waits too long. One timer for all that wait, as a timer for every request would cost
 * more than the waiting; so a deadline is met up to one tick late, never early.
 */
import type { Clock } from "../platform/platform.ts";

/** Something that may wait too long. */
export interface Waiting {
  /** `elapsed` time after which it has waited too long; Infinity while it does not wait. */
  readonly deadline: number;
  expire(): void;
}

const TICK_MS = 250;

export class Deadlines {
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiting>();
  #ticking = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Watches until `drop`; the deadline may move meanwhile. */
  add(waiting: Waiting): void {
    this.#waiting.add(waiting);
    if (!this.#ticking) this.#tick();
  }

  drop(waiting: Waiting): void {
    this.#waiting.delete(waiting);
  }

  #tick(): void {
    this.#ticking = this.#waiting.size > 0;
    if (!this.#ticking) return;
    this.#clock.after(TICK_MS, () => {
      const now = this.#clock.elapsed();
      for (const waiting of this.#waiting) if (waiting.deadline <= now) waiting.expire();
      this.#tick();
    });
  }
}
