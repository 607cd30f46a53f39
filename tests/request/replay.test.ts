/** A body that can be sent again, whatever was read of it before, and never looks whole when it is not. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Fields } from "../../src/fields.ts";
import type { ByteSource } from "../../src/model.ts";
import { bounded } from "../../src/request/body.ts";
import { ReplayBody } from "../../src/request/replay.ts";
import { FakeBody, readText, textOf } from "../support/fake_bytes.ts";
import { settled } from "../support/manual_clock.ts";

/** Also where a read fails without a promise. */
const rejects = (source: ByteSource) => assert.rejects(async () => await source.read());

describe("ReplayBody", () => {
  it("brings the trailers of its source, also through a bound, once its end was read", async () => {
    const source = Object.assign(new FakeBody(["x"]), { trailers: Fields.from([["X-Sum", "1"]]) });
    const body = new ReplayBody(bounded(source, 10), 1_000).open();
    await readText(body);
    assert.deepEqual([...body.trailers ?? []], [["X-Sum", "1"]]);
  });

  it("gives the whole body from its first byte, however often and wherever it is reopened", async () => {
    const chunks = fc.array(fc.string({ minLength: 1, maxLength: 4, unit: "grapheme-ascii" }), {
      maxLength: 8,
    });
    const reads = fc.array(fc.nat({ max: 9 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(chunks, reads, async (parts, earlier) => {
        const body = new ReplayBody(new FakeBody(parts), 1_000);
        for (const count of earlier) {
          const reader = body.open();
          for (let at = 0; at < count; at++) await reader.read();
        }
        assert.equal(body.replayable, true);
        assert.equal(await readText(body.open()), parts.join(""));
        assert.equal(body.replayable, true);
      }),
    );
  });

  it("streams all of a body over the limit and only loses the replay", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat({ max: 20 }), async (parts, limitBytes) => {
        const texts = parts.map((length, at) => String(at % 10).repeat(length));
        const whole = texts.join("");
        const body = new ReplayBody(new FakeBody(texts), limitBytes);
        assert.equal(await readText(body.open()), whole);
        assert.equal(body.replayable, whole.length <= limitBytes);
      }),
    );
  });

  it("takes the body from whoever had it: an old reader rejects and never ends cleanly", async () => {
    const body = new ReplayBody(new FakeBody(["one", "two"], { end: "hangs" }), 100);
    const old = body.open();
    await old.read();
    await old.read();
    const waiting = rejects(old);
    const source = body.open();
    await settled();
    assert.equal(textOf([await source.read() ?? new Uint8Array()]), "one");
    await rejects(old);
    body.cancel();
    await waiting;
  });

  it("lets an old reader's pull under way serve the new one: no chunk is lost", async () => {
    let release: (chunk: Uint8Array) => void = () => {};
    const chunk = new Promise<Uint8Array>((resolve) => (release = resolve));
    const rest = new FakeBody(["two"]);
    let first = true;
    const body = new ReplayBody({
      lengthBytes: undefined,
      read: () => first ? (first = false, chunk) : rest.read(),
      cancel: () => {},
    }, 100);
    const old = rejects(body.open());
    const whole = readText(body.open());
    release(new TextEncoder().encode("one"));
    assert.equal(await whole, "onetwo");
    await old;
  });

  it("stays broken for every reader once its sender died, and never ends cleanly", async () => {
    const dying = new FakeBody(["one"], { end: "dies" });
    // As careless as a stream may be: after its error it looks finished.
    const read = () => dying.reads > 1 ? Promise.resolve(undefined) : dying.read();
    const body = new ReplayBody({ lengthBytes: undefined, read, cancel: () => {} }, 100);
    await assert.rejects(readText(body.open()));
    assert.equal(body.broken, true);
    const again = body.open();
    assert.equal(textOf([await again.read() ?? new Uint8Array()]), "one");
    await rejects(again);
    await rejects(again);
  });

  it("forgets what was read when it is released, and reads on", async () => {
    const body = new ReplayBody(new FakeBody(["one", "two", "three"]), 100);
    const reader = body.open();
    await reader.read();
    await reader.read();
    assert.equal(body.keptBytes, 6);
    body.release();
    assert.equal(body.keptBytes, 0);
    assert.equal(body.replayable, false);
    assert.equal(await readText(reader), "three");
    assert.equal(body.keptBytes, 0);
  });

  it("keeps no more than its limit and one chunk", async () => {
    const parts = Array.from({ length: 50 }, () => "0123456789");
    const body = new ReplayBody(new FakeBody(parts), 45);
    const reader = body.open();
    for (let chunk = await reader.read(); chunk; chunk = await reader.read()) {
      assert.ok(body.keptBytes <= 55);
    }
    assert.equal(body.keptBytes, 0);
  });

  it("throws when it is reopened though its beginning is gone", async () => {
    const body = new ReplayBody(new FakeBody(["one", "two"]), 0);
    await body.open().read();
    assert.equal(body.replayable, false);
    assert.throws(() => body.open());
  });

  it("stops the client only when it is cancelled as a whole", () => {
    const source = new FakeBody(["one"]);
    const body = new ReplayBody(source, 100);
    body.open().cancel();
    assert.equal(source.cancelled, false);
    body.cancel();
    assert.equal(source.cancelled, true);
  });

  it("passes the declared length on", () => {
    assert.equal(new ReplayBody(new FakeBody([], { lengthBytes: 7 }), 1).open().lengthBytes, 7);
  });
});

describe("bounded()", () => {
  it("passes a body of exactly the limit", async () => {
    const body = bounded(new FakeBody(["123", "45"]), 5);
    assert.equal(await readText(body), "12345");
    assert.deepEqual([body.exceeded, body.readBytes], [false, 5]);
  });

  it("rejects, again and again, from the byte over the limit on", async () => {
    const body = bounded(new FakeBody(["123", "456", "7"]), 5);
    await body.read();
    await rejects(body);
    await rejects(body);
    assert.equal(body.exceeded, true);
  });

  it("passes cancelling on", () => {
    const source = new FakeBody(["1"]);
    bounded(source, 5).cancel();
    assert.equal(source.cancelled, true);
  });
});
