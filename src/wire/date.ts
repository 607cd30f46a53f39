/**
 * The time as `Date` spells it (RFC 9110 section 5.6.7), for answers that come without: whoever passes
 * one on must say when it came (section 6.6.1). Spelled once a second.
 */

let second = -1;
let spelled = "";

/** `Sun, 06 Nov 1994 08:49:37 GMT` of a wall clock in milliseconds. */
export function httpDate(nowMs: number): string {
  const now = Math.floor(nowMs / 1000);
  if (now !== second) {
    second = now;
    spelled = new Date(now * 1000).toUTCString();
  }
  return spelled;
}
