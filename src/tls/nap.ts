/** Waits that may end early: a sleep that somebody calls from, a promise that is not waited for for ever. */
import type { Clock } from "../platform/platform.ts";

/** A sleeper that can be called. One sleep at a time. */
export class Nap {
  readonly #clock: Pick<Clock, "sleep">;
  readonly #end: AbortSignal;
  #wake: () => void = () => {};

  /** Sleeps no more once the signal aborts. */
  constructor(clock: Pick<Clock, "sleep">, end: AbortSignal) {
    this.#clock = clock;
    this.#end = end;
  }

  /** Settles after `ms`, or when it is woken. */
  async sleep(ms: number): Promise<void> {
    if (this.#end.aborted) return;
    const nap = new AbortController();
    const wake = () => nap.abort();
    this.#wake = wake;
    this.#end.addEventListener("abort", wake, { once: true });
    // Ended early is how it hears that it is called.
    await this.#clock.sleep(ms, nap.signal).catch(() => {});
    this.#end.removeEventListener("abort", wake);
  }

  wake(): void {
    this.#wake();
  }
}

/** Settles with the promise, or after `ms` without it. */
export function within(
  clock: Pick<Clock, "after">,
  ms: number,
  promise: Promise<void>,
): Promise<void> {
  return new Promise((resolve) => {
    const stopTimer = clock.after(ms, resolve);
    void promise.then(() => {
      stopTimer();
      resolve();
    });
  });
}
