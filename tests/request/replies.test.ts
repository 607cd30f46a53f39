/** The answers of our own: a status, an id, and no word more than a client needs. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { emptyReply, type Refusal } from "../../src/request/replies.ts";

describe("emptyReply()", () => {
  const cases: [string, Omit<Refusal, "requestId">, [string, string][]][] = [
    ["says only the id when there is nothing to add", {}, []],
    ["ends the connection when asked to", { close: true }, [["Connection", "close"]]],
    ["rounds a wait up to seconds", { retryAfterMs: 1_001 }, [["Retry-After", "2"]]],
    ["never says that one may come back at once", { retryAfterMs: 0 }, [["Retry-After", "1"]]],
    ["leaves an unknown wait out", { retryAfterMs: undefined }, []],
    ["lists what is allowed", { allow: "GET" }, [["Allow", "GET"]]],
  ];
  for (const [title, refusal, more] of cases) {
    it(title, () => {
      const { status, fields, body } = emptyReply(503, { requestId: "x-1", ...refusal });
      const expected = [["Content-Length", "0"], ["X-Request-Id", "x-1"], ...more];
      assert.deepEqual([status, [...fields], body], [503, expected, undefined]);
    });
  }
});
