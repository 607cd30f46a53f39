/** Calculates with durations that were read already. Pure. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  "µs": 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds of a duration that was read already. */
export function msOf(duration: string): number {
  let ms = 0;
  for (const [, number, unit = ""] of duration.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h|d)/g)) {
    ms += Number(number) * (UNIT_MS[unit] ?? 0);
  }
  return Math.ceil(ms);
}

/** Whether it is none at all. */
export function isZero(duration: string): boolean {
  return !/[1-9]/.test(duration);
}

/** Milliseconds as a person writes them. */
export function spellMs(ms: number): string {
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`;
}
