/** How long to wait between two looks at what takes an authority its time. Pure. */

/** In milliseconds; the last one again and again. */
const PAUSES_MS: readonly number[] = [250, 500, 1_000, 2_000];
const LAST_MS = 3_000;
/** Of what an authority asks for, in milliseconds. */
const ASKED_MIN_MS = 100;
const ASKED_MAX_MS = 30_000;

/** After so many looks; `askedMs` is what the authority said of waiting. */
export function pauseMs(looks: number, askedMs: number | undefined): number {
  if (askedMs === undefined) return PAUSES_MS[looks - 1] ?? LAST_MS;
  return Math.min(Math.max(askedMs, ASKED_MIN_MS), ASKED_MAX_MS);
}
