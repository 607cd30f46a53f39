/**
 * What a stream may expect of the proxy while many run: every chunk passed on at once, and a
 * client's leaving told to the upstream at once. Times are measured against the same sockets without a proxy.
 */
import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { describe, it } from "node:test";
import { isWire } from "../support/engine.ts";
import { subjects, Understudy } from "../support/processes.ts";
import { StreamUpstream } from "../support/stream_upstream.ts";
import { percentile, RawRequest } from "../support/streams.ts";

const STREAMS = 100;
const EVERY_MS = 100;
const CHUNKS = 40;
const PASSING_MAX_MS = 20;
const ABORT_MAX_MS = 100;

function configFor(...urls: string[]): string {
  return `
listen: 127.0.0.1:0
routes:
  - upstreams: [${urls.join(", ")}]
`;
}

/** Milliseconds from writing to arrival, of every chunk of all streams. */
async function passingTimes(port: number): Promise<number[]> {
  const times: number[] = [];
  const onLine = (line: string) => times.push(performance.now() - Number.parseFloat(line));
  const path = `/ticks?every=${EVERY_MS}&count=${CHUNKS}`;
  const requests: RawRequest[] = [];
  for (let count = 0; count < STREAMS; count++) {
    requests.push(new RawRequest(port, { path, onLine }));
    // One after the other, so that they do not all tick in the same millisecond.
    await requests.at(-1)?.status;
  }
  const ends = await Promise.all(requests.map(({ end }) => end));
  assert.deepEqual(ends.filter((end) => end !== "whole"), []);
  assert.equal(times.length, STREAMS * CHUNKS);
  return times;
}

for (const subject of subjects) {
  describe(`streams through understudy (${subject.name})`, () => {
    it("passes chunks on within 20 ms at the 99th percentile when 100 streams run", {
      timeout: 60_000,
    }, async () => {
      await using upstream = await StreamUpstream.open();
      await using proxy = await Understudy.start(subject, configFor(upstream.url));
      const bare = percentile(await passingTimes(upstream.port), 0.99);
      const passed = percentile(await passingTimes(proxy.port), 0.99);
      console.log(
        `${subject.name}: p99 ${passed.toFixed(1)} ms through it, ${bare.toFixed(1)} ms without`,
      );
      assert.ok(passed - bare < PASSING_MAX_MS, `p99 ${passed} ms, without it ${bare} ms`);
    });

    const aborts: { title: string; path: string; body?: string; unseen?: string }[] = [
      { title: "100 GETs mid-stream", path: "/ticks?every=100&count=1000" },
      { title: "100 GETs before a head", path: "/hang?" },
      { title: "100 short POSTs before a head", path: "/hang?", body: "{}" },
      {
        title: "100 longer POSTs before a head",
        path: "/hang?",
        body: "x".repeat(64 * 1024),
        unseen: "Deno.serve does not see these clients leave (docs/limits.md)",
      },
      {
        title: "100 longer POSTs mid-stream",
        path: "/ticks?every=100&count=1000",
        body: "x".repeat(64 * 1024),
      },
    ];
    for (const { title, path, body, unseen } of aborts) {
      const skip = subject.name === "deno" && !isWire && unseen !== undefined ? unseen : false;
      it(`aborts upstream within 100 ms when clients leave ${title}`, {
        timeout: 30_000,
        skip,
      }, async () => {
        await using upstream = await StreamUpstream.open();
        await using proxy = await Understudy.start(subject, configFor(upstream.url));
        const options = body === undefined ? {} : { method: "POST", body };
        const targets = Array.from({ length: STREAMS }, (_, index) => `${path}&id=${index}`);
        const requests = targets.map((target) =>
          new RawRequest(proxy.port, { ...options, path: target })
        );
        await upstream.until(() => upstream.calls.length === STREAMS);
        // Mid-stream is when the first chunk has reached the client.
        if (path.startsWith("/ticks")) await Promise.all(requests.map(({ status }) => status));

        const leftAt = new Map<string, number>();
        for (const [index, request] of requests.entries()) {
          leftAt.set(targets[index] ?? "", performance.now());
          request.abort();
        }
        await upstream.until(() => upstream.closedAt.size === STREAMS);
        const delays = targets.map((target) =>
          (upstream.closedAt.get(target) ?? Infinity) - (leftAt.get(target) ?? 0)
        );
        assert.ok(Math.max(...delays) < ABORT_MAX_MS, `slowest ${Math.max(...delays)} ms`);
      });
    }
  });
}
