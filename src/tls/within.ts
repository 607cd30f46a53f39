/** Waits with an end. */
import type { Clock } from "../platform/platform.ts";

/** Settles with the promise, at the latest after so many milliseconds. It must not reject. */
export function within(
  ms: number,
  promise: Promise<void>,
  clock: Pick<Clock, "after">,
): Promise<void> {
  return new Promise((resolve) => {
    const stopTimer = clock.after(ms, resolve);
    void promise.then(() => {
      stopTimer();
      resolve();
    });
  });
}
