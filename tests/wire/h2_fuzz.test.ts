/** An HTTP/2 upstream out of its mind: whatever it says, nothing is thrown and every request is settled. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Deadlines } from "../../src/deadlines.ts";
import { Fields } from "../../src/fields.ts";
import type { Outcome } from "../../src/model.ts";
import { H2Client } from "../../src/wire/h2_client.ts";
import { pack } from "../../src/wire/h2_pack.ts";
import { frame } from "../../src/wire/h2_make.ts";
import { FakeBody } from "../support/fake_bytes.ts";
import { upstream } from "../support/fake_route.ts";
import { ManualClock, settled } from "../support/manual_clock.ts";
import { H2Peer } from "./h2_peer.ts";
import { MemoryNet } from "./memory_net.ts";

const block = fc.constantFrom(
  pack([[":status", "200"]]),
  pack([[":status", "100"]]),
  pack([[":status", "200"], ["content-length", "3"]]),
  pack([["x-t", "1"]]),
  new Uint8Array([0x88]),
);
const payload = fc.oneof(block, fc.uint8Array({ maxLength: 40 }));
const frames = fc.tuple(
  fc.integer({ min: 0, max: 10 }),
  fc.oneof(fc.constantFrom(0, 1, 4, 5, 0xd, 0x2d), fc.integer({ min: 0, max: 255 })),
  fc.constantFrom(0, 1, 3, 5, 7),
  payload,
).map(([type, flags, stream, bytes]) => frame(type, flags, stream, bytes));
const chunks = fc.array(
  fc.oneof({ weight: 9, arbitrary: frames }, fc.uint8Array({ maxLength: 30 })),
  { maxLength: 25 },
);

describe("H2Client", () => {
  it("settles every request and leaves no timer, whatever comes", async () => {
    await fc.assert(
      fc.asyncProperty(chunks, fc.boolean(), async (said, greets) => {
        const clock = new ManualClock();
        const net = new MemoryNet();
        const client = new H2Client({ clock, dial: net.dial, deadlines: new Deadlines(clock) });
        const to = upstream("u", { scheme: "h2c" });
        const leaving = new AbortController();
        const sending = ["GET", "POST", "HEAD"].map((method): Promise<Outcome> =>
          client.send({
            upstream: to,
            method,
            target: "/",
            fields: Fields.from([["Host", "a"]]),
            body: method === "POST" ? new FakeBody(["hi", "ho"]) : undefined,
            upgrade: undefined,
            progress: { sent: false },
            fresh: false,
            dialTimeoutMs: 3_000,
            headersTimeoutMs: 30_000,
            signal: leaving.signal,
          })
        );
        await settled();
        const [connection] = net.dialled;
        assert.ok(connection);
        if (greets) new H2Peer(connection).greet();
        for (const bytes of said) {
          await settled();
          connection.says(bytes);
        }
        await clock.advance(10_000);
        leaving.abort();
        for (const outcome of await Promise.all(sending)) {
          if (outcome.kind === "answered") outcome.response.body?.cancel();
        }
        await clock.advance(120_000);
        assert.equal(clock.pending, 0);
      }),
      { numRuns: 150 },
    );
  });
});
