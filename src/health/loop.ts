/**
 * Probes one upstream for as long as it is configured: start to start, never overlapping, sooner
 * when in doubt and seldom when nobody asks for it. Decides when, never what a probe means.
 */
import type { Verdict } from "../model.ts";
import type { HealthRules } from "../rules.ts";
import type { Clock } from "../platform/platform.ts";
import type { Entry } from "./entry.ts";

export interface LoopDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** Least time from one asked-for probe to the next, so that failing traffic cannot become a storm of probes. */
const ASKED_SPACING_MS = 100;
/** Share of the interval by which a probe comes earlier or later, so that many proxies do not march in step. */
const JITTER = 0.05;

/** Probes until `signal` aborts. `probe` never rejects. */
export async function watch(
  entry: Entry,
  rules: HealthRules,
  probe: () => Promise<Verdict>,
  { clock, random, signal }: LoopDeps,
): Promise<void> {
  while (!signal.aborted) {
    const startedAt = clock.elapsed();
    entry.probeAsked = false;
    const verdict = await probe();
    if (signal.aborted) return;
    entry.judge(verdict, startedAt);

    const spread = 1 + JITTER * (2 * random() - 1);
    const restMs = () => startedAt + interval(entry, rules, startedAt, spread) - clock.elapsed();
    await rest(restMs, entry, { clock, signal });
  }
}

/** Start-to-start time that the state of the entry asks for now, in milliseconds. */
function interval(
  entry: Entry,
  rules: HealthRules,
  startedAt: number,
  spread: number,
): number {
  const { intervalMs, fastIntervalMs, idleIntervalMs } = rules;
  if (entry.probeAsked) return Math.min(ASKED_SPACING_MS, fastIntervalMs);
  if (entry.streak > 0) return fastIntervalMs * spread;
  // As long ago as `Entry.wanted` takes for idle, which then nudges: else requests that come more
  // often than probes would let the loop sleep on.
  const idle = idleIntervalMs !== undefined && entry.lastWantedAt < startedAt - intervalMs;
  return (idle ? Math.max(idleIntervalMs, intervalMs) : intervalMs) * spread;
}

/** Sleeps until `restMs()` is used up; every nudge of the entry makes it ask again. */
async function rest(
  restMs: () => number,
  entry: Entry,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<void> {
  for (let ms = restMs(); ms > 0 && !signal.aborted; ms = restMs()) {
    await new Promise<void>((resolve) => {
      const wake = () => {
        stopTimer();
        signal.removeEventListener("abort", wake);
        entry.nudge = () => {};
        resolve();
      };
      const stopTimer = clock.after(ms, wake);
      signal.addEventListener("abort", wake, { once: true });
      entry.nudge = wake;
    });
  }
}
