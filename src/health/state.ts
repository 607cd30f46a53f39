/**
 * Folds the verdicts of probes into the phase of an upstream. Pure: the board stores the result.
 * "Consecutive" is meant: a verdict of the other kind ends a streak.
 */
import type { Phase } from "../model.ts";

export interface Health {
  readonly phase: Phase;
  /** Verdicts in a row that contradict the phase. */
  readonly streak: number;
}

export interface Thresholds {
  readonly rise: number;
  readonly fall: number;
}

/** Folds one verdict into the health of an upstream. The first verdict of all decides alone. */
export function observe(health: Health, passed: boolean, { rise, fall }: Thresholds): Health {
  const implied: Phase = passed ? "up" : "down";
  if (health.phase === implied) return health.streak === 0 ? health : { ...health, streak: 0 };

  const streak = health.streak + 1;
  const needed = health.phase === "unknown" ? 1 : passed ? rise : fall;
  return streak < needed ? { ...health, streak } : { phase: implied, streak: 0 };
}
