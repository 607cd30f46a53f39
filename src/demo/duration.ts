/**
 * Reads durations as the stand-in meets them: on its command line and in `keep_alive`. The
 * configuration has its own, stricter reader; the demo does not depend on it.
 */
const UNIT_MS = new Map([["ms", 1], ["s", 1000], ["m", 60_000], ["h", 3_600_000]]);

/** Reads "20ms", "2s", "1m30s" or "-1m" into milliseconds; undefined for anything else. */
export function durationMs(text: string): number | undefined {
  // Go's reader, which `keep_alive` goes through, takes a zero without unit and nothing else bare.
  if (text === "0") return 0;
  if (!/^-?(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;

  let totalMs = 0;
  for (const [, amount = "", unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    totalMs += Number(amount) * (UNIT_MS.get(unit) ?? 0);
  }
  return text.startsWith("-") ? -totalMs : totalMs;
}
