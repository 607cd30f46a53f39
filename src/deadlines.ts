/**
 * Ends what waits too long. One timer for all that wait, as a timer for every request would cost
 * more than the waiting; so a deadline is met up to two ticks late, never early.
 */
import type { Clock } from "./platform/platform.ts";
import { type Enrolled, Roll } from "./roll.ts";

/** Something that may wait too long. `place` is -1 at first. */
export interface Waiting extends Enrolled {
  /** `elapsed` time after which it has waited too long; Infinity while it does not wait. */
  readonly deadline: number;
  expire(): void;
}

const TICK_MS = 250;

export class Deadlines {
  readonly #clock: Clock;
  readonly #waiting = new Roll<Waiting>();
  #stopTimer: (() => void) | undefined;
  #now = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `elapsed` time as of the last tick: up to one behind, and free. Right only while something waits. */
  get now(): number {
    return this.#now;
  }

  /** The deadline of a wait that begins now and may last that long. */
  after(ms: number): number {
    if (this.#stopTimer === undefined) this.#now = this.#clock.elapsed();
    return this.#now + TICK_MS + ms;
  }

  /** Watches until `drop`; the deadline may move meanwhile. */
  add(waiting: Waiting): void {
    this.#waiting.add(waiting);
    if (this.#stopTimer === undefined) this.#tick();
  }

  drop(waiting: Waiting): void {
    this.#waiting.delete(waiting);
  }

  /** Leaves no timer behind, when nothing will wait any more. */
  close(): void {
    this.#waiting.clear();
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  #tick(): void {
    this.#now = this.#clock.elapsed();
    this.#stopTimer = this.#waiting.size === 0 ? undefined : this.#clock.after(TICK_MS, () => {
      const now = this.#clock.elapsed();
      this.#waiting.each((waiting) => {
        if (waiting.deadline <= now) waiting.expire();
      });
      this.#tick();
    });
  }
}
