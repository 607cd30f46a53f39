/** How long servers want to be left alone. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { retryAfterMs } from "../../src/tls/retry_after.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");

describe("retryAfterMs()", () => {
  const cases: [string, string | undefined, number | undefined][] = [
    ["seconds", "120", 120_000],
    ["no time at all", "0", 0],
    ["a moment to come", "Sun, 22 Nov 2026 12:01:00 GMT", 60_000],
    ["a moment that has passed", "Sun, 22 Nov 2026 11:00:00 GMT", 0],
    ["what cannot be read", "soon", undefined],
    ["less than nothing", "-5", undefined],
    ["nothing", undefined, undefined],
  ];
  for (const [title, value, expected] of cases) {
    it(`retryAfterMs() reads ${title}`, () => {
      const headers = new Headers(value === undefined ? {} : { "retry-after": value });
      assert.equal(retryAfterMs(headers, NOW), expected);
    });
  }
});
