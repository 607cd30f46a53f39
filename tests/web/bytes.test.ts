/** Pull sources and Web streams, both ways: what ends, what breaks, what is let go. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Delivery } from "../../src/model.ts";
import { CutError, deliveryOf, sourceOf, streamOf } from "../../src/web/bytes.ts";
import { bytes, FakeBody, readText } from "../support/fake_bytes.ts";
import { settled } from "../support/manual_clock.ts";

/** A stream that gives chunks, then ends, breaks or stalls. */
function streamed(chunks: string[], end: "close" | "error" | "stall" = "close") {
  const cancelled: unknown[] = [];
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(bytes(chunk));
      if (end === "close") controller.close();
    },
    pull(controller) {
      if (end === "error") controller.error(new Error("peer died"));
      return end === "stall" ? new Promise<void>(() => {}) : undefined;
    },
    cancel: (reason) => void cancelled.push(reason),
  });
  return { stream, cancelled };
}

function delivery(body: FakeBody, signal = new AbortController().signal) {
  const told: Delivery[] = [];
  return {
    told,
    stream: deliveryOf(body, signal, { delivered: (how) => void told.push(how), stalls: false }),
  };
}

describe("sourceOf()", () => {
  it("gives the stream's bytes without empty chunks, and a clean end that lasts", async () => {
    const { stream } = streamed(["a", "", "b"]);
    const source = sourceOf(stream, 2, () => assert.fail("cancelled"));
    assert.equal(source.lengthBytes, 2);
    assert.equal(await readText(source), "ab");
    assert.equal(await source.read(), undefined);
  });

  it("rejects when the stream breaks, and goes on rejecting", async () => {
    const source = sourceOf(streamed([], "error").stream, undefined, () => {});
    await assert.rejects(async () => await source.read(), CutError);
    await assert.rejects(async () => await source.read(), CutError);
  });

  it("cancels the stream once, and says so once", async () => {
    let told = 0;
    const { stream, cancelled } = streamed(["a"], "stall");
    const source = sourceOf(stream, undefined, () => told++);
    source.cancel();
    source.cancel();
    await settled();
    assert.deepEqual([told, cancelled.length], [1, 1]);
  });

  it("cancels nothing when the end has come already", async () => {
    const source = sourceOf(streamed(["a"]).stream, undefined, () => assert.fail("cancelled"));
    await readText(source);
    source.cancel();
  });
});

describe("streamOf()", () => {
  it("pulls no further than it is asked, and ends with its source", async () => {
    const body = new FakeBody(["a", "b"]);
    const reader = streamOf(body).getReader();
    await settled();
    assert.equal(body.reads, 0);
    assert.equal((await reader.read()).value?.length, 1);
    await settled();
    assert.equal(body.reads, 1);
    await reader.read();
    assert.equal((await reader.read()).done, true);
  });

  it("errors when its source dies, so that a fragment never looks whole", async () => {
    const stream = streamOf(new FakeBody(["a"], { end: "dies" }));
    await assert.rejects(new Response(stream).text());
  });

  it("passes cancelling on", async () => {
    const body = new FakeBody(["a"]);
    await streamOf(body).cancel();
    assert.equal(body.cancelled, true);
  });
});

describe("deliveryOf()", () => {
  it("is whole when the source ended cleanly", async () => {
    const { told, stream } = delivery(new FakeBody(["ab", "c"]));
    assert.equal(await new Response(stream).text(), "abc");
    assert.deepEqual(told, [{ end: "whole", bodyBytes: 3 }]);
  });

  it("is cut, and the stream errors without a word, when the source died", async () => {
    const { told, stream } = delivery(new FakeBody(["ab"], { end: "dies" }));
    const reader = stream.getReader();
    await reader.read();
    const error = await reader.read().then(() => "ended", (reason: unknown) => reason);
    assert.equal(error, undefined);
    assert.deepEqual(told, [{ end: "cut", bodyBytes: 2 }]);
  });

  it("is left, and the source let go, when the client aborts amid a wait", async () => {
    const leaving = new AbortController();
    const body = new FakeBody(["ab"], { end: "hangs" });
    const { told, stream } = delivery(body, leaving.signal);
    const reader = stream.getReader();
    await reader.read();
    leaving.abort();
    assert.deepEqual(told, [{ end: "left", bodyBytes: 2 }]);
    assert.equal(body.cancelled, true);
    await settled();
    assert.equal(told.length, 1);
  });

  it("is left when the runtime cancels the stream", async () => {
    const body = new FakeBody(["ab"]);
    const { told, stream } = delivery(body);
    await stream.cancel();
    assert.deepEqual([told, body.cancelled], [[{ end: "left", bodyBytes: 0 }], true]);
  });

  it("is left at once when the client has gone before", () => {
    const body = new FakeBody(["ab"]);
    const { told } = delivery(body, AbortSignal.abort());
    assert.deepEqual([told, body.cancelled], [[{ end: "left", bodyBytes: 0 }], true]);
  });

  it("stays whole when the signal aborts after the end, as some servers' signals do", async () => {
    const leaving = new AbortController();
    const { told, stream } = delivery(new FakeBody(["a"]), leaving.signal);
    await new Response(stream).text();
    leaving.abort();
    assert.deepEqual(told, [{ end: "whole", bodyBytes: 1 }]);
  });

  it("pulls no further than the client reads", async () => {
    const body = new FakeBody(["a", "b", "c"]);
    const reader = delivery(body).stream.getReader();
    await reader.read();
    await settled();
    assert.equal(body.reads, 1);
  });
});
