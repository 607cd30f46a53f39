/** The npm clients of Ollama and OpenAI through the proxy: they must not notice it. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { StandIn, subjects, Understudy } from "../support/processes.ts";

const MODEL = "llama3.2";
const EMBEDDER = "all-minilm:33m";
const MESSAGES = [{ role: "user" as const, content: "Who are you?" }];
const SAID = "gpu answers as llama3.2:latest with";
/** However slow the machine, the stand-in must hear of an abort by then. */
const ABORT_CAP_MS = 2000;

for (const subject of subjects) {
  describe(`clients through the proxy (${subject.name})`, () => {
    let standIn: StandIn;
    let proxy: Understudy;
    let ollama: Ollama;
    let openai: OpenAI;
    before(async () => {
      standIn = await StandIn.start("gpu", [
        ...["--models", `${MODEL},${EMBEDDER}`],
        ...["--tokens", "5", "--token-every", "5ms"],
      ]);
      proxy = await Understudy.start(
        subject,
        `
listen: "127.0.0.1:0"
routes:
  - upstreams: ["${standIn.url}"]
    health: { uri: /, interval: 1s }
    passive: { fail_duration: 30s }
`,
      );
      ollama = new Ollama({ host: proxy.url });
      openai = new OpenAI({ baseURL: `${proxy.url}/v1`, apiKey: "none", maxRetries: 0 });
    });
    after(async () => {
      await proxy[Symbol.asyncDispose]();
      await standIn[Symbol.asyncDispose]();
    });

    it("ollama lists and shows", async () => {
      const { models } = await ollama.list();
      assert.deepEqual(models.map(({ name }) => name), [`${MODEL}:latest`, EMBEDDER]);
      assert.equal((await ollama.show({ model: MODEL })).details.format, "gguf");
    });

    it("ollama chats with and without a stream", async () => {
      const whole = await ollama.chat({ model: MODEL, messages: MESSAGES });
      assert.equal(whole.message.content, SAID);
      const pieces: string[] = [];
      let done = false;
      for await (
        const part of await ollama.chat({ model: MODEL, messages: MESSAGES, stream: true })
      ) {
        pieces.push(part.message.content);
        done = part.done;
      }
      assert.equal(pieces.join(""), SAID);
      assert.equal(pieces.length, 6);
      assert.equal(done, true);
    });

    it("ollama generates and embeds", async () => {
      assert.equal((await ollama.generate({ model: MODEL, prompt: "a" })).response, SAID);
      const { embeddings } = await ollama.embed({ model: EMBEDDER, input: ["a", "b"] });
      assert.deepEqual(embeddings.map(({ length }) => length), [384, 384]);
    });

    it("ollama throws the upstream's words for an unknown model", async () => {
      await assert.rejects(ollama.generate({ model: "x", prompt: "a" }), {
        message: "model 'x' not found",
        status_code: 404,
      });
    });

    it("ollama's abort reaches the machine", async () => {
      const earlier = await aborted(standIn);
      const long = { model: MODEL, messages: MESSAGES, options: { num_predict: 100_000 } };
      const stream = await ollama.chat({ ...long, stream: true });
      let pieces = 0;
      await assert.rejects(async () => {
        for await (const _ of stream) if (++pieces === 3) stream.abort();
      });
      await untilAborted(standIn, earlier + 1);
    });

    it("openai lists, chats with and without a stream, completes and embeds", async () => {
      const ids: string[] = [];
      for await (const model of openai.models.list()) ids.push(model.id);
      assert.deepEqual(ids, [`${MODEL}:latest`, EMBEDDER]);

      const request = { model: MODEL, messages: MESSAGES };
      const whole = await openai.chat.completions.create(request);
      assert.equal(whole.choices[0]?.message.content, SAID);
      let text = "";
      for await (const part of await openai.chat.completions.create({ ...request, stream: true })) {
        text += part.choices[0]?.delta.content ?? "";
      }
      assert.equal(text, SAID);

      const completion = await openai.completions.create({
        model: MODEL,
        prompt: "a",
        max_tokens: 2,
      });
      assert.equal(completion.choices[0]?.text, "gpu answers");
      const { data } = await openai.embeddings.create({ model: EMBEDDER, input: "a" });
      assert.equal(data[0]?.embedding.length, 384);
    });

    it("openai throws NotFoundError for an unknown model", async () => {
      const answer = openai.chat.completions.create({ model: "x", messages: MESSAGES });
      await assert.rejects(answer, OpenAI.NotFoundError);
    });

    it("openai's abort reaches the machine", async () => {
      const earlier = await aborted(standIn);
      const stream = await openai.chat.completions.create({
        model: MODEL,
        messages: MESSAGES,
        max_tokens: 100_000,
        stream: true,
      });
      let pieces = 0;
      for await (const _ of stream) if (++pieces === 3) break;
      await untilAborted(standIn, earlier + 1);
    });
  });
}

async function aborted(standIn: StandIn): Promise<number> {
  return Number((await standIn.stats())["aborted"]);
}

/** Asks the stand-in again and again until it has counted so many aborts and runs nothing. */
async function untilAborted(standIn: StandIn, count: number): Promise<void> {
  const began = performance.now();
  for (;;) {
    const stats = await standIn.stats();
    if (stats["aborted"] === count && stats["running"] === 0) return;
    if (performance.now() - began > ABORT_CAP_MS) assert.fail(JSON.stringify(stats));
  }
}
