/** Streams of events: what each reader gets, and what one that is too slow costs. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { eventText, Feed, READERS_MAX, WAITING_MAX_CHARS } from "../../src/ops/feed.ts";

const never = new AbortController().signal;

async function next(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string | undefined> {
  const { value } = await reader.read();
  return value && new TextDecoder().decode(value);
}

describe("Feed", () => {
  it("tells every reader, first what each begins with", async () => {
    const feed = new Feed();
    const one = feed.open("first\n\n", never).getReader();
    const other = feed.open("", never).getReader();
    feed.send("x", { a: 1 });
    assert.equal(await next(one), 'first\n\nevent: x\ndata: {"a":1}\n\n');
    assert.equal(await next(other), eventText("x", '{"a":1}'));
  });

  it("hands on what comes while a reader waits", async () => {
    const feed = new Feed();
    const waiting = next(feed.open("", never).getReader());
    feed.send("x", 1);
    assert.equal(await waiting, eventText("x", "1"));
  });

  it("drops what a reader is too slow for, says how much, and goes on", async () => {
    const feed = new Feed();
    const reader = feed.open("", never).getReader();
    const long = "l".repeat(WAITING_MAX_CHARS / 2);
    for (let count = 0; count < 4; count++) feed.send("x", long);
    const got = await next(reader);
    assert.ok(got !== undefined && got.endsWith(eventText("dropped", '{"count":3}')));
    assert.ok(got.length < WAITING_MAX_CHARS + 100);
    feed.send("x", 2);
    assert.equal(await next(reader), eventText("x", "2"));
  });

  it("forgets a reader that cancels", async () => {
    const feed = new Feed();
    const reader = feed.open("", never).getReader();
    const waiting = next(reader);
    await reader.cancel();
    assert.equal(feed.size, 0);
    assert.equal(await waiting, undefined);
  });

  it("forgets a reader whose connection is gone", async () => {
    const feed = new Feed();
    const leaving = new AbortController();
    const reader = feed.open("", leaving.signal).getReader();
    leaving.abort();
    assert.equal(feed.size, 0);
    assert.equal(await next(reader), undefined);
  });

  it("ends all streams once they have what was sent", async () => {
    const feed = new Feed();
    const reader = feed.open("", never).getReader();
    feed.send("x", 1);
    feed.close();
    assert.equal(await next(reader), eventText("x", "1"));
    assert.equal(await next(reader), undefined);
    assert.equal(feed.size, 0);
  });

  it("has room for so many readers", () => {
    const feed = new Feed();
    for (let count = 0; count < READERS_MAX; count++) feed.open("", never);
    assert.equal(feed.hasRoom, false);
  });
});
