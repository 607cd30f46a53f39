/**
 * Judges live traffic: what counts as a failure, and how long failures bar an upstream.
 * Pure; a client that goes away never comes here.
 */
import type { Sighting } from "../model.ts";
import { isWithin } from "../reasons.ts";
import type { PassiveRules } from "../rules.ts";
import { failureInWords } from "./words.ts";

/** Moments at which remembered failures are forgotten, earliest first. */
export type Penalties = readonly number[];

/** Says in words why a sighting counts as a failure; undefined when it does not. */
export function countsAs(sighting: Sighting, rules: PassiveRules): string | undefined {
  switch (sighting.kind) {
    case "failed":
      return failureInWords(sighting.reason);
    case "truncated":
      return "died in the middle of a response";
    case "answered":
      if (isWithin(sighting.status, rules.unhealthyStatus)) return `answered ${sighting.status}`;
      if (
        rules.unhealthyLatencyMs !== undefined && sighting.latencyMs >= rules.unhealthyLatencyMs
      ) {
        return `took ${Math.round(sighting.latencyMs)} ms to answer`;
      }
      return undefined;
  }
}

/** Remembers one more failure. Keeps no more than can matter. */
export function penalise(penalties: Penalties, now: number, rules: PassiveRules): Penalties {
  if (rules.failDurationMs === 0) return penalties;
  const remembered = penalties.filter((lapsesAt) => lapsesAt > now);
  // Sorted, as a reload may have shortened `fail_duration` meanwhile.
  const all = [...remembered, now + rules.failDurationMs].sort((one, other) => one - other);
  return all.slice(-rules.failsMax);
}

/** Moment at which fewer than `failsMax` failures are remembered; undefined when that is now. */
export function barredUntil(
  penalties: Penalties,
  now: number,
  failsMax: number,
): number | undefined {
  const deciding = penalties[penalties.length - failsMax];
  return deciding !== undefined && deciding > now ? deciding : undefined;
}
