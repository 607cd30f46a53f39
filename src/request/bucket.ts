/**
 * A bucket of tokens, kept as one number: the moment at which it will be full again. Each request
 * moves that moment on by what a token takes to come; one that would move it too far has to wait. Pure.
 */
import type { RateRules } from "../rules.ts";

export interface Taken {
  /** When the bucket will be full again, as `now` counts. */
  readonly fullAt: number;
  /** How long to wait for a token, in milliseconds; 0 when one was taken. */
  readonly waitMs: number;
}

/** Sums of fractions end beside the whole they should make, by far less than this. */
const TOLERANCE_MS = 1e-6;

/** Takes a token at `now`, of a bucket that will be full at `fullAt`. */
export function takeToken(fullAt: number, now: number, rules: RateRules): Taken {
  const { requests, perMs, burst } = rules;
  const tokenMs = perMs / requests;
  const nextFullAt = Math.max(fullAt, now) + tokenMs;
  const waitMs = nextFullAt - now - burst * tokenMs;
  return waitMs > TOLERANCE_MS ? { fullAt, waitMs } : { fullAt: nextFullAt, waitMs: 0 };
}
