/**
 * Slow clients by the thousand: heads and bodies that drip, answers that are not read. They may wait; whoever is
 * not slow may not. Fewer of them where the system allows fewer descriptors.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { note } from "../support/hostile_table.ts";
import { subjects, Understudy } from "../support/processes.ts";
import { ask, RawClient } from "../support/raw_client.ts";
import { RawUpstream } from "../support/raw_upstream.ts";

const ROUNDS = 21;
const LIMIT_MS = 100;
/** More than the system takes off our hands for a client that does not read. */
const BIG = new Uint8Array(12 << 20).fill(0x78);

/** Every slow client takes up to three descriptors here, and two in the proxy. */
function clientsMax(): number {
  const limit = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return Math.min(2000, Math.floor((Number(limit ?? 1024) - 200) / 4));
}

for (const subject of subjects) {
  describe(`slow clients (${subject.name})`, () => {
    const count = clientsMax();
    it(`do not keep others waiting, though they are ${count}`, { timeout: 120_000 }, async () => {
      await using upstream = await RawUpstream.start((call) => {
        if (call.target === "/big") {
          call.say(`HTTP/1.1 200 OK\r\nContent-Length: ${BIG.length}\r\n\r\n`);
          call.say(BIG);
        } else if (call.method === "GET") call.answer("ok");
      });
      await using proxy = await Understudy.start(subject, configFor(upstream), { engine: "wire" });
      const slow: RawClient[] = [];
      try {
        const dripping = await dripped(count, proxy.port, slow);
        const uploads = Math.ceil(count * 0.48);
        await upstream.call(uploads - 1, 60_000);

        // The first megabytes for those who do not read pass through this very process, which is busy meanwhile.
        assert.equal((await ask({ port: proxy.port })).status, 200);
        const times: number[] = [];
        for (let round = 0; round < ROUNDS; round++) {
          for (const client of dripping) client.write("y");
          const began = performance.now();
          const { status } = await ask({ port: proxy.port });
          times.push(performance.now() - began);
          assert.equal(status, 200);
        }
        times.sort((one, other) => one - other);
        const median = times[Math.floor(ROUNDS / 2)] ?? Infinity;
        assert.ok(median < LIMIT_MS, `${times.map(Math.round)}`);
        note(`slow clients, ${subject.name}`, {
          "at a time": count,
          "ms at the median for another client": Math.round(median),
          "ms at most": Math.round(times.at(-1) ?? 0),
        });
      } finally {
        for (const client of slow) client.destroy();
      }
    });
  });
}

/** Opens all of them; returns those that go on by a byte now and then. */
async function dripped(count: number, port: number, slow: RawClient[]): Promise<RawClient[]> {
  const dripping: RawClient[] = [];
  for (let at = 0; at < count; at++) {
    const client = await RawClient.open({ port });
    slow.push(client);
    const part = at / count;
    if (part < 0.48) client.write("GET / HTTP/1.1\r\nHost: a\r\nX: ");
    else if (part < 0.96) {
      client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    } else client.write("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    if (part < 0.96) dripping.push(client);
    else client.pause();
  }
  return dripping;
}

function configFor({ url }: RawUpstream): string {
  return `
listen: "127.0.0.1:0"
routes:
  - upstreams: ["${url}"]
`;
}
