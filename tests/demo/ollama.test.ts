/** The stand-in's HTTP as bytes and statuses; what its clients make of it is in clients.test.ts. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Body } from "../../src/demo/asked.ts";
import { bench } from "./bench.ts";

const GENERATE = { model: "llama3.2", prompt: "Who are you?" };
const CHAT = { model: "llama3.2", messages: [{ role: "user", content: "Who are you?" }] };

const lines = (text: string): Body[] => text.trimEnd().split("\n").map((line) => JSON.parse(line));

describe("createOllama()", () => {
  it("says that it runs when GET or HEAD asks for /", async () => {
    const { app } = bench();
    const response = await app.request("/");
    assert.equal(await response.text(), "Ollama is running");
    assert.equal(response.headers.get("x-answered-by"), "gpu");
    const head = await app.request("/", { method: "HEAD" });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), "");
  });

  it("streams NDJSON at its pace when a generate request does not say otherwise", async () => {
    const { post, clock } = bench();
    const response = await post("/api/generate", GENERATE);
    assert.equal(response.headers.get("content-type"), "application/x-ndjson");
    assert.equal(response.headers.get("x-answered-by"), "gpu");

    const parts = lines(await response.text());
    assert.equal(
      parts.map((part) => part["response"]).join(""),
      "gpu answers as llama3.2:latest with",
    );
    assert.deepEqual(parts.map((part) => part["done"]), [false, false, false, false, false, true]);
    assert.equal(clock.elapsed(), 100);
    const last = parts.at(-1);
    assert.equal(last?.["eval_count"], 5);
    assert.equal(last?.["eval_duration"], 100_000_000);
    assert.equal(last?.["done_reason"], "stop");
  });

  it("streams server-sent events when an OpenAI request asks for a stream", async () => {
    const { post } = bench();
    const body = { ...CHAT, stream: true, max_tokens: 2, stream_options: { include_usage: true } };
    const response = await post("/v1/chat/completions", body);
    assert.equal(response.headers.get("content-type"), "text/event-stream");

    const events = (await response.text()).split("\n\n");
    assert.equal(events.length, 6);
    assert.ok(events.slice(0, 5).every((event) => event.startsWith("data: ")));
    assert.match(events[2] ?? "", /"finish_reason":"length"/);
    assert.match(events[3] ?? "", /"choices":\[\],"usage":\{.*"completion_tokens":2,/);
    assert.equal(events[4], "data: [DONE]");
    assert.equal(events[5], "");
  });

  const loads: [string, Body][] = [
    ["/api/generate", { model: "llama3.2" }],
    ["/api/chat", { model: "llama3.2", messages: [] }],
  ];
  for (const [path, body] of loads) {
    it(`loads and unloads the model when POST ${path} has no prompt`, async () => {
      const { post, read, clock } = bench({ loadDelayMs: 3000 });
      const load = lines(await (await post(path, body)).text());
      assert.deepEqual(load.map((line) => line["done_reason"]), ["load"]);
      assert.equal(clock.elapsed(), 3000);
      assert.match(JSON.stringify(await read("/api/ps")), /"name":"llama3.2:latest".*"expires_at"/);

      const unload = lines(await (await post(path, { ...body, keep_alive: 0 })).text());
      assert.deepEqual(unload.map((line) => line["done_reason"]), ["unload"]);
      assert.deepEqual(await read("/api/ps"), { models: [] });
    });
  }

  it("reports the load in the first answer and not in the next when a model loads slowly", async () => {
    const { post } = bench({ loadDelayMs: 3000 });
    const durations: unknown[] = [];
    for (const _ of [1, 2]) {
      const [whole] = lines(await (await post("/api/chat", { ...CHAT, stream: false })).text());
      durations.push(whole?.["load_duration"]);
    }
    assert.deepEqual(durations, [3_000_000_000, 0]);
  });

  const refusals: [string, string, string, number, string][] = [
    [
      "/api/generate",
      '{"model":"x","prompt":"a"}',
      "unknown model",
      404,
      `{"error":"model 'x' not found"}`,
    ],
    [
      "/api/chat",
      '{"model":"x","messages":[]}',
      "unknown model",
      404,
      `{"error":"model 'x' not found"}`,
    ],
    ["/api/show", '{"model":"x"}', "unknown model", 404, `{"error":"model 'x' not found"}`],
    ["/api/embed", '{"model":"x"}', "unknown model", 404, `{"error":"model 'x' not found"}`],
    ["/api/embed", '{"input":"a"}', "missing model", 400, '{"error":"model is required"}'],
    ["/api/generate", "", "missing body", 400, '{"error":"missing request body"}'],
    [
      "/api/generate",
      "{nope",
      "bad JSON",
      400,
      '{"error":"request body is not a valid JSON object"}',
    ],
    [
      "/v1/completions",
      '{"model":"x","prompt":"a"}',
      "unknown model",
      404,
      `{"error":{"message":"model 'x' not found","type":"not_found_error","param":null,"code":null}}`,
    ],
    [
      "/v1/chat/completions",
      '{"model":"llama3.2","messages":[]}',
      "empty messages",
      400,
      `{"error":{"message":"[] is too short - 'messages'","type":"invalid_request_error","param":null,"code":null}}`,
    ],
    [
      "/v1/embeddings",
      '{"model":"llama3.2"}',
      "no input",
      400,
      `{"error":{"message":"invalid input","type":"invalid_request_error","param":null,"code":null}}`,
    ],
  ];
  for (const [path, body, what, status, expected] of refusals) {
    it(`answers ${status} when POST ${path} has ${what}`, async () => {
      const response = await bench().app.request(path, { method: "POST", body });
      assert.equal(response.status, status);
      assert.equal(await response.text(), expected);
      assert.equal(response.headers.get("x-answered-by"), "gpu");
    });
  }

  it("answers 404 when it does not know the path", async () => {
    const response = await bench().get("/api/pull");
    assert.equal(response.status, 404);
    assert.equal(await response.text(), "404 page not found");
  });

  it("counts requests by path and tags by generation when asked for its stats", async () => {
    const { get, post, read } = bench();
    await get("/");
    await get("/");
    const tag = { headers: { "x-request-tag": "t1" } };
    for (const _ of [1, 2]) await (await post("/api/generate", GENERATE, tag)).text();
    await post("/api/generate", { model: "x", prompt: "a" }, {
      headers: { "x-request-tag": "t2" },
    });
    assert.deepEqual(await read("/_stand-in/stats"), {
      requests: { "/": 2, "/api/generate": 3 },
      running: 0,
      aborted: 0,
      generated: { t1: 2 },
    });
  });
});

describe("createOllama() when the client leaves", () => {
  async function assertGone(read: (path: string) => Promise<unknown>): Promise<void> {
    const stats = JSON.stringify(await read("/_stand-in/stats"));
    assert.match(stats, /"running":0,"aborted":1/);
  }

  it("stops the generation when the stream is cancelled", async () => {
    const { post, read, clock } = bench({ tokens: 1000 });
    clock.limitMs = 40;
    const reader = (await post("/api/generate", GENERATE)).body?.getReader();
    for (const _ of [1, 2, 3]) await reader?.read();
    assert.match(JSON.stringify(await read("/_stand-in/stats")), /"running":1,"aborted":0/);
    await reader?.cancel();
    await assertGone(read);
  });

  it("stops the generation when the request aborts mid-stream", async () => {
    const { post, read, clock } = bench();
    clock.limitMs = 40;
    const leaving = new AbortController();
    const response = await post("/api/generate", GENERATE, { signal: leaving.signal });
    leaving.abort();
    await assert.rejects(response.text());
    await assertGone(read);
  });

  const early: [string, (clock: { limitMs: number }) => Body][] = [
    ["while the model loads", () => GENERATE],
    ["while a whole answer is being made", (clock) => {
      clock.limitMs = 3040;
      return { ...GENERATE, stream: false };
    }],
  ];
  for (const [when, prepare] of early) {
    it(`counts the abort ${when}`, async () => {
      const { post, read, clock } = bench({ loadDelayMs: 3000 });
      clock.limitMs = 0;
      const body = prepare(clock);
      const leaving = new AbortController();
      const answer = post("/api/generate", body, { signal: leaving.signal });
      await settle();
      leaving.abort();
      assert.equal((await answer).status, 499);
      await assertGone(read);
    });
  }

  it("counts the abort while a fault delays the head", async () => {
    const { app, post, read, clock } = bench();
    await post("/_stand-in/faults", { delayMs: 5000 });
    clock.limitMs = 0;
    const leaving = new AbortController();
    const answer = app.request("/", { signal: leaving.signal });
    await settle();
    leaving.abort();
    assert.equal((await answer).status, 499);
    await assertGone(read);
  });
});

describe("createOllama() with faults", () => {
  it("answers everything with the status when one is set, and is well again after {}", async () => {
    const { get, post } = bench();
    await post("/_stand-in/faults", { status: 503 });
    assert.equal((await get("/")).status, 503);
    const failed = await post("/api/generate", GENERATE);
    assert.equal(failed.status, 503);
    assert.equal(failed.headers.get("x-answered-by"), "gpu");
    await post("/_stand-in/faults", {});
    assert.equal((await get("/")).status, 200);
  });

  it("fails probes alone when probeStatus is set", async () => {
    const { get, post, app } = bench();
    await post("/_stand-in/faults", { probeStatus: 500 });
    assert.equal((await get("/")).status, 500);
    assert.equal((await app.request("/", { method: "HEAD" })).status, 500);
    assert.equal((await get("/api/tags")).status, 200);
  });

  it("breaks the stream when cutAfterTokens is reached", async () => {
    const { post, read } = bench();
    await post("/_stand-in/faults", { cutAfterTokens: 2 });
    const reader = (await post("/api/generate", GENERATE)).body?.getReader();
    for (const _ of [1, 2]) assert.ok((await reader?.read())?.value);
    await assert.rejects(async () => await reader?.read());
    assert.match(JSON.stringify(await read("/_stand-in/stats")), /"running":0,"aborted":0/);
  });

  it("waits before the head when delayMs is set", async () => {
    const { get, post, clock } = bench();
    await post("/_stand-in/faults", { delayMs: 700 });
    await get("/");
    assert.equal(clock.elapsed(), 700);
  });

  const bad: Body[] = [{ status: 99 }, { status: "500" }, { delayMs: -1 }, { sttus: 500 }];
  for (const faults of bad) {
    it(`refuses ${JSON.stringify(faults)} when it is set`, async () => {
      assert.equal((await bench().post("/_stand-in/faults", faults)).status, 400);
    });
  }
});

/** Lets a request without real I/O run up to the point where it sleeps. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
}
