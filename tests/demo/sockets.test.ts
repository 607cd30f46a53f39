/**
 * The stand-in on a real socket: what only shows there, that is aborts, cut connections, pace, and
 * the clients' own way of speaking HTTP.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { platform } from "#platform";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { runStandIn } from "../../src/demo/stand_in.ts";
import type { HttpServer } from "../../src/platform/platform.ts";
import { OPTIONS } from "./bench.ts";

const GENERATE = { model: "llama3.2", prompt: "Who are you?" };
const MESSAGES = [{ role: "user" as const, content: "Who are you?" }];

describe("runStandIn()", () => {
  let server: HttpServer | undefined;
  let base = "";

  before(async () => {
    const address = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
    const stdout = { isTerminal: false, write: (line: string) => void (base = urlIn(line)) };
    server = await runStandIn(
      { clock: platform.clock, serve: platform.serve.bind(platform), stdout },
      { ...OPTIONS, address, tokens: 10, tokenEveryMs: 5 },
    );
  });
  after(async () => {
    server?.abort();
    await server?.close();
  });

  it("answers probes when asked over its printed address", async () => {
    const response = await fetch(base);
    assert.equal(response.headers.get("x-answered-by"), "gpu");
    assert.equal(await response.text(), "Ollama is running");
  });

  it("serves the ollama client when it lists, shows, generates, chats and embeds", async () => {
    const client = new Ollama({ host: base });
    assert.equal((await client.list()).models.length, 2);
    assert.equal((await client.show({ model: "llama3.2" })).details.family, "llama");
    assert.match((await client.generate(GENERATE)).response ?? "", /^gpu answers as/);
    let text = "";
    const chat = { model: "llama3.2", messages: MESSAGES, stream: true } as const;
    for await (const part of await client.chat(chat)) text += part.message.content;
    assert.match(text, /^gpu answers as/);
    assert.equal((await client.embed({ model: "llama3.2", input: "a" })).embeddings.length, 1);
  });

  it("serves the openai client when it lists, chats and embeds", async () => {
    const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: "none", maxRetries: 0 });
    assert.equal((await client.models.list()).data.length, 2);
    let text = "";
    const request = { model: "llama3.2", messages: MESSAGES, stream: true } as const;
    for await (const chunk of await client.chat.completions.create(request)) {
      text += chunk.choices[0]?.delta.content ?? "";
    }
    assert.match(text, /^gpu answers as/);
    const { data } = await client.embeddings.create({ model: "llama3.2", input: "a" });
    assert.equal(data[0]?.embedding.length, 384);
  });

  it("sends each token as it comes when it streams", async () => {
    const startedAt = platform.clock.elapsed();
    const client = new Ollama({ host: base });
    const arrivals: number[] = [];
    const request = { ...GENERATE, stream: true, options: { num_predict: 20 } } as const;
    for await (const _ of await client.generate(request)) {
      arrivals.push(platform.clock.elapsed() - startedAt);
    }
    assert.equal(arrivals.length, 21);
    const spanMs = (arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0);
    assert.ok(spanMs > 50, `20 tokens of 5 ms came within ${spanMs} ms`);
  });

  it("stops when the ollama client aborts mid-stream", async () => {
    const aborted = (await stats(base)).aborted;
    const client = new Ollama({ host: base });
    const request = { ...GENERATE, stream: true, options: { num_predict: 100_000 } } as const;
    const stream = await client.generate(request);
    let parts = 0;
    await assert.rejects(async () => {
      for await (const _ of stream) if (++parts === 3) stream.abort();
    });
    await until(base, (now) => now.running === 0 && now.aborted === aborted + 1);
  });

  it("stops when a client leaves before the head of a whole answer", async () => {
    const aborted = (await stats(base)).aborted;
    const leaving = new AbortController();
    const body = JSON.stringify({ ...GENERATE, stream: false, options: { num_predict: 1000 } });
    const answer = fetch(`${base}/api/generate`, { method: "POST", body, signal: leaving.signal });
    await until(base, (now) => now.running === 1);
    leaving.abort();
    await assert.rejects(answer);
    await until(base, (now) => now.running === 0 && now.aborted === aborted + 1);
  });

  it("cuts the connection when cutAfterTokens is set", async () => {
    await post(base, { cutAfterTokens: 3 });
    const client = new Ollama({ host: base });
    let parts = 0;
    await assert.rejects(async () => {
      for await (const _ of await client.generate({ ...GENERATE, stream: true })) parts++;
    });
    assert.equal(parts, 3);
    await post(base, {});
  });
});

async function post(base: string, faults: object): Promise<void> {
  const body = JSON.stringify(faults);
  const response = await fetch(`${base}/_stand-in/faults`, { method: "POST", body });
  await response.text();
}

async function stats(base: string): Promise<{ running: number; aborted: number }> {
  return await (await fetch(`${base}/_stand-in/stats`)).json();
}

/** Asks again and again, at most 5 s, until the stand-in's counts are as they should be. */
async function until(
  base: string,
  reached: (now: { running: number; aborted: number }) => boolean,
): Promise<void> {
  const startedAt = platform.clock.elapsed();
  for (;;) {
    const now = await stats(base);
    if (reached(now)) return;
    const waitedMs = platform.clock.elapsed() - startedAt;
    assert.ok(waitedMs < 5000, `Counts stayed at ${JSON.stringify(now)}`);
  }
}

function urlIn(line: string): string {
  return /http:\S+/.exec(line)?.[0] ?? "";
}
