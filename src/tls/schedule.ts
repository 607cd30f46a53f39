/** When a certificate is renewed, and when a failure is tried again. Pure: time and chance are arguments. */
import type { Span } from "./issuer.ts";

/** What of a certificate's life may pass before it is renewed, unless its authority says otherwise. */
const RENEW_AFTER = 2 / 3;
/** Renewals are spread over this part of the life, so that certificates made together are not renewed so. */
const SPREAD = 1 / 20;
/** Before this part of its life no certificate is renewed, lest an authority that errs have us order for ever. */
const LEAST_AGE = 1 / 100;
/** Pauses after failures in turn, in milliseconds; the last one holds from then on. */
const PAUSES_MS = [
  ...[30_000, 60_000, 120_000, 300_000, 600_000, 1_200_000, 1_800_000, 3_600_000],
  6 * 3_600_000,
];
/** A pause takes up to that much longer or shorter. */
const JITTER = 0.1;

/** A certificate's life: wall clock, in milliseconds. */
export interface Life {
  readonly validFrom: number;
  readonly validTo: number;
}

/**
 * Wall clock at which to renew, `random` from 0 to 1. A window that the authority suggests is met at a
 * random moment (RFC 9773 section 4.2), unless the certificate would not live to see it.
 */
export function renewalAt(life: Life, window: Span | undefined, random: number): number {
  const { validFrom, validTo } = life;
  const lifeMs = validTo - validFrom;
  if (window === undefined || window.to <= window.from) {
    return Math.round(validFrom + lifeMs * (RENEW_AFTER - SPREAD * random));
  }
  const earliest = validFrom + lifeMs * LEAST_AGE;
  const latest = validTo - lifeMs * SPREAD;
  const suggested = window.from + (window.to - window.from) * random;
  return Math.round(Math.max(earliest, Math.min(suggested, latest)));
}

/** Whether it is time for the next one, whatever an authority advises. `now` is wall clock. */
export function isSpent(life: Life, now: number): boolean {
  return now >= renewalAt(life, undefined, 0);
}

/** How long to wait after so many failures in a row, in milliseconds; no less than the authority asks for. */
export function pauseMs(failures: number, random: number, askedMs = 0): number {
  const usual = PAUSES_MS[Math.min(failures, PAUSES_MS.length) - 1] ?? 0;
  return Math.max(usual * (1 + JITTER * (2 * random - 1)), askedMs);
}
