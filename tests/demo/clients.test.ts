/** The npm clients of Ollama and OpenAI against the stand-in: they must not notice the difference. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { type Bench, bench } from "./bench.ts";

const SAID = "gpu answers as llama3.2:latest with";
const MESSAGES = [{ role: "user" as const, content: "Who are you?" }];

/** Calls the app without a network. Bun's `fetch` has a method more, which both clients' types ask for. */
function fetchOf({ app }: Bench): typeof fetch {
  const call = async (input: RequestInfo | URL, init?: RequestInit) =>
    await app.request(new Request(input, init));
  return Object.assign(call, { preconnect: () => {} });
}

function ollama(stage: Bench): Ollama {
  return new Ollama({ host: "http://stand-in:80", fetch: fetchOf(stage) });
}

function openai(stage: Bench): OpenAI {
  return new OpenAI({
    baseURL: "http://stand-in/v1",
    apiKey: "none",
    maxRetries: 0,
    fetch: fetchOf(stage),
  });
}

describe("the ollama client", () => {
  it("lists, shows and tells the version when asked", async () => {
    const client = ollama(bench());
    const { models } = await client.list();
    assert.deepEqual(models.map(({ name }) => name), ["llama3.2:latest", "all-minilm:33m"]);
    const { details } = await client.show({ model: "llama3.2" });
    assert.equal(details.format, "gguf");
    assert.match((await client.version()).version, /^\d+\.\d+\.\d+$/);
  });

  it("gets the whole text when it generates without a stream", async () => {
    const answer = await ollama(bench()).generate({ model: "llama3.2", prompt: "Who are you?" });
    assert.equal(answer.response, SAID);
    assert.equal(answer.model, "llama3.2");
    assert.equal(answer.eval_count, 5);
  });

  it("gets token after token when it generates with a stream", async () => {
    const client = ollama(bench());
    const request = { model: "llama3.2", prompt: "a", options: { num_predict: 12 } };
    const parts: string[] = [];
    let reason = "";
    for await (const part of await client.generate({ ...request, stream: true })) {
      parts.push(part.response ?? "");
      reason = part.done_reason;
    }
    assert.equal(parts.length, 13);
    assert.equal(reason, "length");
  });

  it("gets the same words when it chats with and without a stream", async () => {
    const client = ollama(bench());
    const whole = await client.chat({ model: "llama3.2", messages: MESSAGES });
    let text = "";
    for await (
      const part of await client.chat({ model: "llama3.2", messages: MESSAGES, stream: true })
    ) text += part.message.content;
    assert.equal(whole.message.content, SAID);
    assert.equal(text, SAID);
  });

  it("sees a model in ps() when it is loaded", async () => {
    const client = ollama(bench());
    assert.deepEqual((await client.ps()).models, []);
    await client.generate({ model: "llama3.2", prompt: "" });
    assert.deepEqual((await client.ps()).models.map(({ name }) => name), ["llama3.2:latest"]);
    await client.generate({ model: "llama3.2", prompt: "", keep_alive: 0 });
    assert.deepEqual((await client.ps()).models, []);
  });

  it("gets repeatable vectors when it embeds", async () => {
    const client = ollama(bench());
    const { embeddings } = await client.embed({ model: "all-minilm:33m", input: ["a", "b"] });
    assert.equal(embeddings.length, 2);
    const { embedding } = await client.embeddings({ model: "all-minilm:33m", prompt: "b" });
    assert.deepEqual(embedding, embeddings[1]);
  });

  it("throws Ollama's words when the model is unknown", async () => {
    const answer = ollama(bench()).generate({ model: "x", prompt: "a" });
    await assert.rejects(answer, { message: "model 'x' not found", status_code: 404 });
  });

  it("stops the machine when it aborts a stream", async () => {
    const on = bench({ tokens: 1000 });
    const client = ollama(on);
    const stream = await client.chat({ model: "llama3.2", messages: MESSAGES, stream: true });
    const reading = (async () => {
      let parts = 0;
      for await (const _ of stream) if (++parts === 3) stream.abort();
    })();
    await assert.rejects(reading);
    assert.match(JSON.stringify(await on.read("/_stand-in/stats")), /"running":0,"aborted":1/);
  });
});

describe("the openai client", () => {
  it("lists and retrieves models when asked", async () => {
    const client = openai(bench());
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);
    assert.deepEqual(ids, ["llama3.2:latest", "all-minilm:33m"]);
    assert.equal((await client.models.retrieve("llama3.2:latest")).owned_by, "library");
  });

  it("gets the same words when it chats with and without a stream", async () => {
    const client = openai(bench());
    const request = { model: "llama3.2", messages: MESSAGES };
    const whole = await client.chat.completions.create(request);
    assert.equal(whole.choices[0]?.message.content, SAID);
    assert.equal(whole.usage?.completion_tokens, 5);

    let text = "";
    let tokens = 0;
    for await (
      const chunk of await client.chat.completions.create({
        ...request,
        stream: true,
        stream_options: { include_usage: true },
      })
    ) {
      text += chunk.choices[0]?.delta.content ?? "";
      tokens = chunk.usage?.completion_tokens ?? tokens;
    }
    assert.equal(text, SAID);
    assert.equal(tokens, 5);
  });

  it("gets as many tokens as it asked for when it completes a text", async () => {
    const client = openai(bench());
    const request = { model: "llama3.2", prompt: "a", max_tokens: 2 };
    const whole = await client.completions.create(request);
    assert.equal(whole.choices[0]?.text, "gpu answers");
    assert.equal(whole.choices[0]?.finish_reason, "length");
    let text = "";
    for await (const chunk of await client.completions.create({ ...request, stream: true })) {
      text += chunk.choices[0]?.text ?? "";
    }
    assert.equal(text, "gpu answers");
  });

  it("gets equal vectors when it embeds as base64 and as numbers", async () => {
    const client = openai(bench());
    const request = { model: "all-minilm:33m", input: "a" };
    const base64 = await client.embeddings.create(request);
    const numbers = await client.embeddings.create({ ...request, encoding_format: "float" });
    assert.equal(base64.data[0]?.embedding.length, 384);
    assert.deepEqual(base64.data[0]?.embedding, numbers.data[0]?.embedding);
  });

  it("throws NotFoundError when the model is unknown", async () => {
    const answer = openai(bench()).chat.completions.create({ model: "x", messages: MESSAGES });
    await assert.rejects(answer, OpenAI.NotFoundError);
  });

  it("stops the machine when it aborts a stream", async () => {
    const on = bench({ tokens: 1000 });
    const chunks = await openai(on).chat.completions.create({
      model: "llama3.2",
      messages: MESSAGES,
      stream: true,
    });
    let parts = 0;
    for await (const _ of chunks) if (++parts === 3) break;
    assert.match(JSON.stringify(await on.read("/_stand-in/stats")), /"running":0,"aborted":1/);
  });
});
