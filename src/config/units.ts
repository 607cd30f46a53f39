/**
 * Reads durations ("1m30s") and sizes ("64KiB"). Pure. A bare number is refused: nobody
 * can tell seconds from milliseconds by looking at it. Zero alone needs no unit.
 */
import { read, type Reading, refuse } from "./reading.ts";

const MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  "µs": 1e-3,
  "μs": 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const BYTES: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

// Timers of both runtimes count in 32 bits and fire at once beyond 24.8 days.
const DURATION_MAX_DAYS = 24;
const DAY_MS = 86_400_000;
const DURATION_PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d)/y;
const SIZE = /^(\d+(?:\.\d+)?)\s*([a-z]{1,3})$/i;
const A_DURATION = 'a duration such as "5s"';
const A_SIZE = 'a size such as "10MB"';

/** Reads a duration in whole milliseconds, rounded up, so that a tiny one does not become none. */
export function readDuration(
  written: unknown,
  leastMs = 0,
  mostDays = DURATION_MAX_DAYS,
): Reading<number> {
  const ms = typeof written === "string" ? sumOfParts(written) : written === 0 ? 0 : undefined;
  if (ms === undefined) return refuse(A_DURATION, withoutUnit(written));
  if (ms < leastMs) return refuse(`a duration of at least ${leastMs}ms`);
  if (ms > mostDays * DAY_MS) return refuse(`a duration of at most ${mostDays}d`);
  return read(Math.ceil(ms));
}

/** Reads a size in bytes; `unlimited`, where allowed, is Infinity. */
export function readSize(written: unknown, mayBeUnlimited: boolean): Reading<number> {
  if (mayBeUnlimited && written === "unlimited") return read(Number.POSITIVE_INFINITY);
  const expected = mayBeUnlimited ? `${A_SIZE} or "unlimited"` : A_SIZE;
  if (typeof written !== "string") return refuse(expected, withoutUnit(written));

  const match = SIZE.exec(written);
  const unit = BYTES[match?.[2]?.toLowerCase() ?? ""];
  if (unit === undefined) return refuse(expected, withoutUnit(written));

  const bytes = Math.ceil(Number(match?.[1]) * unit);
  return Number.isSafeInteger(bytes) ? read(bytes) : refuse('a size of at most "9000TB"');
}

function sumOfParts(text: string): number | undefined {
  if (text === "0") return 0;
  let ms = 0;
  let at = 0;
  while (at < text.length) {
    DURATION_PART.lastIndex = at;
    const part = DURATION_PART.exec(text);
    if (part === null) return undefined;
    ms += Number(part[1]) * (MS[part[2] ?? ""] ?? 0);
    at = DURATION_PART.lastIndex;
  }
  return at === 0 ? undefined : ms;
}

function withoutUnit(written: unknown): string | undefined {
  const bare = typeof written === "number" ||
    (typeof written === "string" && /^\d+$/.test(written));
  return bare ? `${written}, a number without a unit` : undefined;
}
