/** Answers that are not passed on as they are; and that each is given back once, whatever happens. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Action, ErrorRule, ResponseMatcher, ResponseRule, Step } from "../../src/rules.ts";
import { FakeBody } from "../support/fake_bytes.ts";
import { RelayBench } from "../support/fake_relay.ts";
import { text } from "../support/fake_route.ts";
import {
  fail,
  headers,
  onError,
  poolOf,
  proxyTo,
  respond,
  rewriteRules,
  set,
  steps,
  stepsRoute,
} from "../support/fake_steps.ts";
import { answer, echo, notSent, type Step as Play } from "../support/fake_transport.ts";

const ANY: ResponseMatcher = { status: [], headers: [] };
const status = (from: number): ResponseMatcher => ({ ...ANY, status: [{ from, to: from }] });
const COPY: Action = { kind: "copy_response", status: undefined };
const copyFields = (include: string[], exclude: string[] = []): Action => ({
  kind: "copy_response_headers",
  include,
  exclude,
});

const by = (match: ResponseMatcher, ...all: (Action | Step)[]): ResponseRule => ({
  match,
  action: { kind: "steps", steps: steps(...all) },
});
const as = (match: ResponseMatcher, ...template: string[]): ResponseRule => ({
  match,
  action: { kind: "status", status: template },
});

interface Row {
  readonly rules: readonly ResponseRule[];
  readonly errors?: readonly ErrorRule[];
  readonly b?: Play;
  readonly status: number;
  readonly body: string;
  readonly fields?: Readonly<Record<string, string | undefined>>;
  readonly asked?: readonly string[];
}

/** Upstream "a" answers 404 "not here" with `X-A: 1`, every time. */
const rows: Record<string, Row> = {
  "passes on what no rule matches": {
    rules: [as(status(500), "200")],
    status: 404,
    body: "not here",
  },
  "replaces a status and nothing else": {
    rules: [as(status(404), "410"), as(ANY, "500")],
    status: 410,
    body: "not here",
    fields: { "x-a": "1", via: "1.1 understudy" },
  },
  "answers instead, and knows what was answered": {
    rules: [by(ANY, respond(["was ", { name: "status" }, " ", { name: "response", of: "X-A" }]))],
    status: 200,
    body: "was 404 1",
    fields: { "x-a": undefined },
  },
  "copies the response": {
    rules: [by(ANY, COPY)],
    status: 404,
    body: "not here",
    fields: { "x-a": "1" },
  },
  "copies the response under another status": {
    rules: [by(ANY, { kind: "copy_response", status: ["403"] })],
    status: 403,
    body: "not here",
  },
  "copies the response with edits": {
    rules: [by(ANY, headers({}, set("X-B", { name: "status_text" })), COPY)],
    status: 404,
    body: "not here",
    fields: { "x-a": "1", "x-b": "Not Found" },
  },
  "copies some fields onto an answer of its own": {
    rules: [by(ANY, copyFields(["x-a", "x-none"]), respond("mine"))],
    status: 200,
    body: "mine",
    fields: { "x-a": "1", "x-c": undefined, "content-length": "4" },
  },
  "copies all fields but some": {
    rules: [by(ANY, copyFields([], ["X-A"]), respond("mine"))],
    status: 200,
    body: "mine",
    fields: { "x-a": undefined, "x-c": "2, 3", "content-length": "4", connection: undefined },
  },
  "answers 200 without a word when the steps answer nothing": {
    rules: [by(ANY, copyFields(["X-A"]))],
    status: 200,
    body: "",
    fields: { "x-a": "1" },
  },
  "goes to another pool": {
    rules: [by(ANY, proxyTo("b"))],
    b: echo(),
    status: 200,
    body: "b:body",
    asked: ["a", "b"],
  },
  "goes to the error steps": {
    rules: [by(ANY, fail(502, "bad"))],
    errors: [onError(502, respond([{ name: "error_text" }, " ", { name: "status" }]))],
    status: 502,
    body: "bad 404",
  },
  "has no response to copy left in the error steps": {
    rules: [by(ANY, fail(502))],
    errors: [onError(502, COPY, respond("own"))],
    status: 502,
    body: "own",
  },
  "answers with an error when the other pool has none": {
    rules: [by(ANY, proxyTo("b"))],
    b: notSent(),
    status: 502,
    body: "",
    asked: ["a", "b"],
  },
};

describe("createRelay() with responses", () => {
  for (const [title, row] of Object.entries(rows)) {
    it(title, async () => {
      const pool = poolOf(["a"], { responses: row.rules });
      const errors = row.errors ?? [];
      const bench = new RelayBench(stepsRoute([{ kind: "proxy", pool }], { errors }));
      const given = new FakeBody(["not here"], { lengthBytes: 8 });
      const fields = [
        ["X-A", "1"],
        ["X-C", "2"],
        ["X-C", "3"],
        ["Content-Length", "8"],
        ["Connection", "close"],
      ] as const;
      bench.transport.on("a", answer(404, { body: given, fields }));
      if (row.b !== undefined) bench.transport.on("b", row.b);

      const { exchange } = await bench.ask({ method: "PUT", body: "body" });
      assert.deepEqual(bench.bugs, []);
      assert.deepEqual([exchange.reply?.status, exchange.received], [row.status, row.body]);
      for (const [name, value] of Object.entries(row.fields ?? {})) {
        assert.equal(exchange.reply?.fields.joined(name), value, name);
      }
      if (row.asked !== undefined) assert.deepEqual(bench.transport.asked, row.asked);
      // Neither kept nor given back twice.
      for (const { members } of bench.pools) {
        for (const { standing } of members) assert.equal(standing.inFlight, 0);
      }
      assert.equal(given.cancelled || given.reads === 2, true);
    });
  }

  it("keeps to the inner response in steps within steps", async () => {
    const inner = poolOf(["b"], { responses: [by(ANY, COPY)] });
    const outer = poolOf(["a"], { responses: [by(ANY, { kind: "proxy", pool: inner })] });
    const bench = new RelayBench(stepsRoute([{ kind: "proxy", pool: outer }]));
    const unread = new FakeBody(["outer"]);
    bench.transport.on("a", answer(404, { body: unread })).on("b", answer(201, { body: "inner" }));
    const { exchange, account } = await bench.ask();
    assert.deepEqual([exchange.reply?.status, exchange.received], [201, "inner"]);
    assert.deepEqual([unread.cancelled, bench.inFlight, account.upstream], [true, 0, "b"]);
  });

  it("gives the response back when a step breaks", async () => {
    const pool = poolOf(["a"], { responses: [by(ANY, proxyTo("b"))] });
    const bench = new RelayBench(stepsRoute([{ kind: "proxy", pool }]));
    const unread = new FakeBody(["x"]);
    bench.transport.on("a", answer(404, { body: unread })).on("b", () => {
      throw new Error("Transport is broken");
    });
    assert.equal((await bench.ask()).account.status, 500);
    assert.deepEqual([bench.bugs.length, unread.cancelled, bench.inFlight], [1, true, 0]);
  });

  it("gives the response back when its client leaves amid the steps", async () => {
    const pool = poolOf(["a"], { responses: [by(ANY, proxyTo("b"))] });
    const bench = new RelayBench(stepsRoute([{ kind: "proxy", pool }]));
    const unread = new FakeBody(["x"]);
    bench.transport.on("a", answer(404, { body: unread })).on(
      "b",
      (attempt) =>
        new Promise((resolve) => {
          attempt.signal.addEventListener("abort", () => resolve({ kind: "abandoned" }));
        }),
    );
    const { exchange, done } = bench.start();
    await bench.clock.advance(1);
    exchange.leave();
    assert.equal((await done).status, 499);
    assert.deepEqual([unread.cancelled, bench.inFlight], [true, 0]);
  });

  it("gives the answer back when its last edit breaks", async () => {
    const rule = {
      get name(): string {
        throw new Error("Rules are broken");
      },
      search: /x/,
      with: text("y"),
    };
    const bench = new RelayBench(stepsRoute([headers({}, { replace: [rule] }), proxyTo("a")]));
    const unread = new FakeBody(["x"]);
    bench.transport.on("a", answer(200, { body: unread }));
    assert.equal((await bench.ask()).account.status, 500);
    assert.deepEqual([bench.bugs.length, unread.cancelled, bench.inFlight], [1, true, 0]);
  });

  it("asks for a page by another method and path, without the body", async () => {
    const page = poolOf(["b"], {
      rewrite: rewriteRules({ method: text("GET"), uri: text("/404.html") }),
    });
    const pool = poolOf(["a"], { responses: [by(status(404), { kind: "proxy", pool: page })] });
    const bench = new RelayBench(stepsRoute([{ kind: "proxy", pool }]));
    bench.transport.on("a", answer(404));
    const body = new FakeBody(["body"], { lengthBytes: 4 });
    await bench.ask({ method: "POST", body, fields: [["Content-Length", "4"]] });
    const asked = bench.transport.attempts[1];
    assert.deepEqual([asked?.method, asked?.target, asked?.body], ["GET", "/404.html", undefined]);
    assert.equal(asked?.fields.has("content-length"), false);
  });
});
