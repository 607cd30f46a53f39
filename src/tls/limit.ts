/** A signal that aborts with another, or when something takes too long. */
import type { Clock } from "../platform/platform.ts";

/** Why work was given up. */
export class TookTooLong extends Error {
  override readonly name = "TookTooLong";
}

/** `end` leaves no timer behind; it is to be called on every path. */
export function limited(
  ms: number,
  clock: Clock,
  signal?: AbortSignal,
): { readonly signal: AbortSignal; readonly end: () => void } {
  const limit = new AbortController();
  const leave = (): void => limit.abort(signal?.reason);
  const stopTimer = clock.after(ms, () => {
    limit.abort(new TookTooLong(`no end after ${Math.round(ms / 1000)} s`));
  });
  if (signal?.aborted) leave();
  else signal?.addEventListener("abort", leave, { once: true });
  return {
    signal: limit.signal,
    end: () => {
      stopTimer();
      signal?.removeEventListener("abort", leave);
    },
  };
}
