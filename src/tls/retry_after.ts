/** How long a server wants to be left alone (RFC 9110 section 10.2.3). Pure. */

/** In milliseconds from `now`, never negative; undefined where it says nothing that can be read. */
export function retryAfterMs(headers: Headers, now: number): number | undefined {
  const value = headers.get("retry-after")?.trim() ?? "";
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  // A date begins with the day of the week; runtimes make dates of much else.
  const at = /^[A-Z]/i.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
