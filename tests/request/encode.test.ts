/** Which answers are compressed, how, and what their heads say then. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { Fields } from "../../src/fields.ts";
import type { Reply } from "../../src/model.ts";
import { encoded, preferred } from "../../src/request/encode.ts";
import type { Action } from "../../src/rules.ts";
import { FakeBody, readAll } from "../support/fake_bytes.ts";
import { RelayBench } from "../support/fake_relay.ts";
import { fail, proxyTo, respond, stepsRoute } from "../support/fake_steps.ts";
import { answer } from "../support/fake_transport.ts";
import { visit, type VisitChanges } from "../support/fake_visit.ts";
import { WORLD } from "../support/fake_world.ts";

type Encode = Extract<Action, { kind: "encode" }>;

const ENCODE: Encode = {
  kind: "encode",
  formats: ["zstd", "gzip"],
  leastBytes: 0,
  match: { status: [], headers: [] },
};
const GZIP: VisitChanges = { fields: [["Accept-Encoding", "gzip"]] };

function reply(fields: [string, string][] = [], changes: Partial<Reply> = {}): Reply {
  return {
    status: 200,
    reason: "",
    fields: Fields.from(fields),
    body: new FakeBody(["hello ", "world"]),
    tunnel: undefined,
    ...changes,
  };
}

describe("preferred()", () => {
  const cases: [string, string, ReturnType<typeof preferred>][] = [
    ["the operator's first among equals", "gzip, zstd", "zstd"],
    ["the client's favourite", "gzip;q=1.0, zstd;q=0.5", "gzip"],
    ["whatever is left", "br, gzip", "gzip"],
    ["nothing that is not named", "br", undefined],
    ["nothing when nothing is asked", "", undefined],
    ["nothing that is refused", "gzip;q=0", undefined],
    ["anything by a star", "*", "zstd"],
    ["nothing refused by name, in spite of a star", "zstd;q=0, *", "gzip"],
    ["nothing when plain is liked better", "gzip;q=0.5, identity", undefined],
    ["the old name of gzip", "x-gzip", "gzip"],
    ["names in any case, with room between", " GZIP ; q=0.3 ", "gzip"],
    ["no nonsense for a weight", "gzip;q=x", undefined],
  ];
  for (const [title, accepted, expected] of cases) {
    it(`takes ${title}`, () => assert.equal(preferred(accepted, ["zstd", "gzip"]), expected));
  }
});

describe("encoded()", () => {
  const decoders = { gzip: gunzipSync, zstd: zstdDecompressSync } as const;
  for (const format of ["gzip", "zstd"] as const) {
    it(`makes ${format} of a body and says so`, async () => {
      const asked = visit({ fields: [["Accept-Encoding", format]] });
      const made = encoded(
        reply([["Content-Length", "11"], ["ETag", '"x"'], ["Accept-Ranges", "bytes"]]),
        ENCODE,
        asked,
        WORLD,
      );
      assert.deepEqual([...made.fields], [
        ["ETag", 'W/"x"'],
        ["Vary", "Accept-Encoding"],
        ["Content-Encoding", format],
      ]);
      assert.ok(made.body);
      assert.equal(made.body.lengthBytes, undefined);
      const bytes = await readAll(made.body);
      assert.equal(new TextDecoder().decode(decoders[format](bytes)), "hello world");
      assert.equal(await made.body.read(), undefined);
    });
  }

  it("says to HEAD what it would say to GET", () => {
    const before = reply([["Content-Length", "2000"]], { body: undefined });
    const made = encoded(before, ENCODE, visit({ ...GZIP, method: "HEAD" }), WORLD);
    assert.deepEqual([...made.fields], [["Vary", "Accept-Encoding"], ["Content-Encoding", "gzip"]]);
    assert.equal(made.body, undefined);
  });

  const untouched: [string, Reply, VisitChanges, Partial<Encode>][] = [
    ["what is encoded already", reply([["Content-Encoding", "br"]]), GZIP, {}],
    ["a stream of events", reply([["Content-Type", "text/event-stream; charset=x"]]), GZIP, {}],
    ["lines of JSON", reply([["Content-Type", "application/x-ndjson"]]), GZIP, {}],
    ["what must not be transformed", reply([["Cache-Control", "a, no-transform"]]), GZIP, {}],
    ["a part", reply([], { status: 206 }), GZIP, {}],
    ["204", reply([], { status: 204 }), GZIP, {}],
    ["304", reply([], { status: 304 }), GZIP, {}],
    [
      "a small answer to HEAD",
      reply([["Content-Length", "5"]], { body: undefined }),
      { ...GZIP, method: "HEAD" },
      { leastBytes: 6 },
    ],
    ["an upgrade", reply([], { status: 101, tunnel: { goAway() {} } }), GZIP, {}],
    ["what has no body", reply([], { body: undefined }), GZIP, {}],
    [
      "what is known to be small",
      reply([], { body: new FakeBody(["hello"], { lengthBytes: 5 }) }),
      GZIP,
      { leastBytes: 6 },
    ],
    ["what the operator does not match", reply(), GZIP, {
      match: { status: [], headers: [{ name: "Content-Type", values: ["text/*"] }] },
    }],
  ];
  for (const [title, before, asked, rules] of untouched) {
    it(`leaves ${title} alone`, () => {
      const fields = [...before.fields];
      const made = encoded(before, { ...ENCODE, ...rules }, visit(asked), WORLD);
      assert.equal(made, before);
      assert.deepEqual([...made.fields], fields);
    });
  }

  it("compresses what may be large", () => {
    const made = encoded(reply(), { ...ENCODE, leastBytes: 1000 }, visit(GZIP), WORLD);
    assert.equal(made.fields.get("content-encoding"), "gzip");
    made.body?.cancel();
  });

  it("tells caches that it varies though this client gets it plain, once", () => {
    const plain = encoded(reply([["Vary", "Origin, accept-encoding"]]), ENCODE, visit(), WORLD);
    assert.deepEqual([...plain.fields], [["Vary", "Origin, accept-encoding"]]);
    const told = encoded(reply(), ENCODE, visit(), WORLD);
    assert.deepEqual([...told.fields], [["Vary", "Accept-Encoding"]]);
    assert.ok(told.body instanceof FakeBody);
  });

  it("holds no chunk back", async () => {
    const body = new FakeBody(["one"], { end: "hangs" });
    const made = encoded(reply([], { body }), ENCODE, visit(GZIP), WORLD);
    const chunk = await made.body?.read();
    assert.ok(chunk !== undefined && chunk.length > 0);
    assert.equal(body.reads, 1);
    made.body?.cancel();
    assert.equal(body.cancelled, true);
  });

  it("breaks where the upstream's body breaks, for every later reader", async () => {
    const body = new FakeBody(["one"], { end: "dies" });
    const made = encoded(reply([], { body }), ENCODE, visit(GZIP), WORLD);
    assert.ok(made.body);
    await made.body.read();
    await assert.rejects(async () => await made.body?.read(), /died/);
    await assert.rejects(async () => await made.body?.read());
  });
});

describe("createRelay() with encode", () => {
  const asked = { fields: [["Accept-Encoding", "gzip"]] as const };

  it("compresses whoever answers", async () => {
    for (const action of [proxyTo("a"), respond("hello")]) {
      const bench = new RelayBench(stepsRoute([ENCODE, action]));
      bench.transport.on("a", answer(200, { body: "hello" }));
      const { exchange, account } = await bench.ask(asked);
      assert.equal(exchange.reply?.fields.get("content-encoding"), "gzip");
      assert.deepEqual([account.outcome, bench.inFlight], ["answered", 0]);
    }
  });

  it("has nothing to do for an empty error", async () => {
    const { exchange } = await new RelayBench(stepsRoute([ENCODE, fail(404)])).ask(asked);
    assert.equal(exchange.reply?.fields.has("content-encoding"), false);
  });

  it("shows a client that its answer was cut", async () => {
    const bench = new RelayBench(stepsRoute([ENCODE, proxyTo("a")]));
    bench.transport.on("a", answer(200, { body: new FakeBody(["part"], { end: "dies" }) }));
    const { account } = await bench.ask(asked);
    assert.deepEqual([account.outcome, bench.inFlight], ["truncated", 0]);
  });

  it("lets go of everything when its client leaves", async () => {
    const body = new FakeBody(["part"], { end: "hangs" });
    const bench = new RelayBench(stepsRoute([ENCODE, proxyTo("a")]));
    bench.transport.on("a", answer(200, { body }));
    const { exchange, done } = bench.start(asked);
    await bench.clock.advance(100);
    exchange.leave();
    assert.equal((await done).outcome, "abandoned");
    assert.deepEqual([body.cancelled, bench.inFlight], [true, 0]);
  });
});
