/** Moments and spans of time in few characters, for people. Pure. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "12 ms", "3.4 s": how long something took. */
export function spelledMs(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  return ms < MINUTE ? `${(ms / SECOND).toFixed(1)} s` : spelledSpan(ms);
}

/** "4s", "3m 20s", "2h 5m", "6d 1h": how long something has lasted. */
export function spelledSpan(ms: number): string {
  const whole = Math.max(0, ms);
  if (whole < MINUTE) return `${Math.floor(whole / SECOND)}s`;
  if (whole < HOUR) return pair(whole, [MINUTE, "m"], [SECOND, "s"]);
  return whole < DAY
    ? pair(whole, [HOUR, "h"], [MINUTE, "m"])
    : pair(whole, [DAY, "d"], [HOUR, "h"]);
}

type Unit = readonly [ms: number, name: string];

function pair(ms: number, [big, bigName]: Unit, [small, smallName]: Unit): string {
  const rest = Math.floor((ms % big) / small);
  return `${Math.floor(ms / big)}${bigName}${rest === 0 ? "" : ` ${rest}${smallName}`}`;
}

/** A duration as configurations spell it: "250ms", "30s", "1m30s". */
export function configSpan(ms: number): string {
  if (ms < SECOND || ms % SECOND !== 0) return `${ms}ms`;
  const units: readonly Unit[] = [[HOUR, "h"], [MINUTE, "m"], [SECOND, "s"]];
  let rest = ms;
  let text = "";
  for (const [size, name] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${name}`;
  }
  return text;
}
