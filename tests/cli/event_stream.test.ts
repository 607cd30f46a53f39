/** Server-sent events, however they are cut into chunks. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { eventsOf, type ServerEvent } from "../../src/cli/event_stream.ts";

async function read(chunks: readonly Uint8Array[]): Promise<ServerEvent[]> {
  async function* source() {
    yield* chunks;
  }
  const events: ServerEvent[] = [];
  for await (const event of eventsOf(source())) events.push(event);
  return events;
}

const TEXT =
  ': hello\n\nevent: request\ndata: {"a":"ü"}\n\ndata: one\r\ndata: two\r\n\r\ndata: cut';
const EXPECTED: ServerEvent[] = [
  { event: "request", data: '{"a":"ü"}' },
  { event: "message", data: "one\ntwo" },
];

describe("eventsOf()", () => {
  it("reads names and data, leaves comments out, and takes no half event for a whole", async () => {
    assert.deepEqual(await read([new TextEncoder().encode(TEXT)]), EXPECTED);
  });

  it("does not mind where chunks end", async () => {
    const bytes = new TextEncoder().encode(TEXT);
    const cuts = fc.array(fc.nat(bytes.length), { maxLength: 6 });
    await fc.assert(fc.asyncProperty(cuts, async (at) => {
      const borders = [0, ...at.toSorted((one, other) => one - other), bytes.length];
      const chunks = borders.slice(1).map((end, index) => bytes.slice(borders[index], end));
      assert.deepEqual(await read(chunks), EXPECTED);
    }));
  });
});
