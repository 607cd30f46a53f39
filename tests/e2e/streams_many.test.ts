/**
 * A thousand streams at once, none of which may wait or be cut: Bun alone would let 256 requests
 * out at a time. `STREAM_SECONDS=60` keeps them up for a minute.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { subjects, Understudy } from "../support/processes.ts";
import { StreamUpstream } from "../support/stream_upstream.ts";
import { RawRequest } from "../support/streams.ts";

const STREAMS = 1000;
const STREAM_SECONDS = Number(process.env["STREAM_SECONDS"] ?? 5);
const EVERY_MS = 500;
const CHUNKS = (STREAM_SECONDS * 1000) / EVERY_MS + 1;

describe("streams through understudy", () => {
  for (const subject of subjects) {
    it(`all end whole when ${STREAMS} run for ${STREAM_SECONDS} s (${subject.name})`, {
      timeout: STREAM_SECONDS * 1000 + 60_000,
    }, async () => {
      await using upstream = await StreamUpstream.open();
      await using proxy = await Understudy.start(
        subject,
        `
listen: 127.0.0.1:0
routes: [{ upstreams: ["${upstream.url}"] }]
`,
      );
      let lines = 0;
      let ended = 0;
      const path = `/ticks?every=${EVERY_MS}&count=${CHUNKS}`;
      const requests = Array.from(
        { length: STREAMS },
        () => new RawRequest(proxy.port, { path, onLine: () => lines++ }),
      );
      for (const request of requests) void request.end.then(() => ended++);
      await upstream.until(() => upstream.calls.length === STREAMS, 30_000);
      assert.equal(ended, 0, "Streams were not all under way at once");

      const ends = await Promise.all(requests.map(({ end }) => end));
      assert.equal(ends.filter((end) => end !== "whole").length, 0);
      assert.equal(lines, STREAMS * CHUNKS);
      const resident = (await proxy.residentBytes()) / 1024 ** 2;
      console.log(`${subject.name}: ${STREAMS} streams, ${resident.toFixed(0)} MiB resident`);
    });
  }
});
