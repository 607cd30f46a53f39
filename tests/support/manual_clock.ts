/**
 * A clock that stands still until a test moves it. Timers fire in the order of their moments, and
 * between two of them every promise that can settle does. Nothing ever waits in real time.
 */
import type { Clock } from "../../src/platform/platform.ts";

const EPOCH = Date.parse("2026-11-22T12:00:00Z");
/** Promise jobs that one step of the code under test may need in a row. */
const SETTLING_TURNS = 200;

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export class ManualClock implements Clock {
  /** Wall clock at its beginning. */
  static readonly EPOCH = EPOCH;
  #elapsedMs = 0;
  readonly #timers = new Set<Timer>();
  readonly #settle: () => Promise<void>;

  /** `settle` waits for what may happen without time passing; by default only for promises. */
  constructor(settle: () => Promise<void> = settled) {
    this.#settle = settle;
  }

  now(): number {
    return EPOCH + this.#elapsedMs;
  }

  elapsed(): number {
    return this.#elapsedMs;
  }

  /** Timers that have neither fired nor been stopped. */
  get pending(): number {
    return this.#timers.size;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#elapsedMs + Math.max(0, ms), callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** A promise is as soon as it gets here. */
  soon(callback: () => void): void {
    void Promise.resolve().then(callback);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = this.after(ms, () => {
        signal?.removeEventListener("abort", give);
        resolve();
      });
      const give = () => {
        stop();
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", give, { once: true });
    });
  }

  /** Lets `ms` pass. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsedMs + ms;
    await this.#settle();
    for (let due = this.#earliest(end); due !== undefined; due = this.#earliest(end)) {
      this.#elapsedMs = due.at;
      this.#timers.delete(due);
      due.callback();
      await this.#settle();
    }
    this.#elapsedMs = end;
    await this.#settle();
  }

  #earliest(end: number): Timer | undefined {
    let earliest: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= end && (earliest === undefined || timer.at < earliest.at)) earliest = timer;
    }
    return earliest;
  }
}

/** Lets every promise settle that waits for nothing but other promises. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < SETTLING_TURNS; turn++) await Promise.resolve();
}
