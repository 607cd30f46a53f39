/**
 * Silence is not death: a model may load and think for minutes before its first byte, and pause
 * between two. `SILENT_SECONDS=430` outlasts every limit that the runtimes are known to have.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { type Subject, subjects, Understudy } from "../support/processes.ts";
import { StreamUpstream } from "../support/stream_upstream.ts";
import { ask, RawRequest } from "../support/streams.ts";

// Longer than the 10 seconds after which Bun's server cuts a connection that it was not told to keep.
const SILENT_SECONDS = Number(process.env["SILENT_SECONDS"] ?? 15);
const SILENT_MS = SILENT_SECONDS * 1000;

/** A POST whose body pauses in its middle. */
async function uploadWithPause(port: number): Promise<string> {
  const upload = new RawRequest(port, {
    method: "POST",
    headers: { "Content-Length": "10" },
  });
  upload.socket.write("12345");
  const timer = setTimeout(() => upload.socket.write("67890"), SILENT_MS);
  const { status, end } = await upload.answer();
  clearTimeout(timer);
  return `${status} ${end}`;
}

async function outlast({ name, command }: Subject): Promise<void> {
  await using upstream = await StreamUpstream.open();
  await using proxy = await Understudy.start(
    { name, command },
    `
listen: 127.0.0.1:0
routes:
  - upstreams: ["${upstream.url}"]
    health: { uri: /, interval: 1s, timeout: 5s }
    passive: { fail_duration: 10s }
`,
  );
  const [get, post, pause, upload] = await Promise.all([
    ask(proxy.port, `/silent?ms=${SILENT_MS}`),
    ask(proxy.port, { path: `/silent?ms=${SILENT_MS}`, method: "POST", body: "{}" }),
    ask(proxy.port, `/pause?ms=${SILENT_MS}`),
    uploadWithPause(proxy.port),
  ]);
  assert.deepEqual(get, { status: 200, body: "raw", end: "whole" });
  assert.deepEqual(post, { status: 200, body: "raw", end: "whole" });
  assert.equal(pause.end, "whole");
  assert.match(pause.body, /before\n.* after\n$/);
  assert.equal(upload, "200 whole");
  const silent = upstream.calls.filter(({ target }) => target.startsWith("/silent"));
  assert.equal(silent.length, 2, "A silent request was sent again");
}

describe("streams through understudy", () => {
  it(`outlast ${SILENT_SECONDS} s of silence before the head, in the answer and in an upload`, {
    timeout: SILENT_MS + 60_000,
  }, async () => {
    await Promise.all(subjects.map(outlast));
  });
});
