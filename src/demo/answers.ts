/**
 * Answers the requests that take a model: generated text in every dialect, and embeddings. Decides
 * whether there is an answer at all; `speech.ts` gives it its pace and `dialects.ts` its shape.
 */
import {
  type Body,
  inputsOf,
  keepAliveOf,
  modelOf,
  numberAt,
  questionOf,
  readBody,
  type Refusal,
  refuse,
} from "./asked.ts";
import { dialect, type DialectName, type Heading, silence } from "./dialects.ts";
import type { Visit } from "./ledger.ts";
import type { Machine } from "./machine.ts";
import type { Hold } from "./models.ts";
import { gather, speak, type Speech, stream } from "./speech.ts";
import { base64Of, countTokens, embeddingOf } from "./words.ts";

/** However many tokens a request asks for, it gets no more. */
const TOKENS_MAX = 1_000_000;
/** Length of the vectors of Ollama's smallest embedding model. */
const DIMENSIONS = 384;
const DIMENSIONS_MAX = 8192;

export type EmbeddingApi = "embed" | "embeddings" | "openai";

/** Answers with text: POST generate, chat, chat/completions, completions. */
export async function answerText(
  machine: Machine,
  name: DialectName,
  request: Request,
): Promise<Response> {
  const openai = name === "chat.completion" || name === "text_completion";
  const read = await readBody(request);
  if (read.kind === "refused") return refused(read, openai);
  const question = questionOf(read.body, !openai);
  const { model, keepAliveMs, includeUsage } = question;
  const owned = findModel(machine, model);
  if (owned.kind === "refused") return refused(owned, openai);
  if (name === "chat.completion" && question.empty) {
    return refused(refuse(400, "[] is too short - 'messages'"), openai);
  }

  const now = () => machine.clock.now();
  const heading: Heading = { model, serial: machine.nextSerial(), includeUsage, now };
  if (question.empty && keepAliveMs === 0 && (name === "generate" || name === "chat")) {
    machine.models.unload(owned.name);
    return Response.json(silence(name, heading, "unload"));
  }

  const { hold, visit } = begin(machine, request, owned.name, keepAliveMs);
  try {
    await hold.ready(visit.signal);
    if (question.empty && (name === "generate" || name === "chat")) {
      visit.done();
      return Response.json(silence(name, heading, "load"));
    }

    const spelling = dialect(name, heading);
    const speech = speechOf(machine, owned.name, question, hold.loadMs);
    const words = speak(speech, { clock: machine.clock, signal: visit.signal });
    if (question.stream) {
      const headers = { "content-type": spelling.streamType };
      return new Response(stream(words, spelling, visit), { headers });
    }

    const { text, cost } = await gather(words);
    visit.done();
    return Response.json(spelling.whole(text, cost));
  } catch (error) {
    if (visit.signal.aborted) return nobody();
    visit.done();
    throw error;
  }
}

/** Answers with vectors: POST embed, embeddings, and OpenAI's embeddings. */
export async function answerEmbedding(
  machine: Machine,
  api: EmbeddingApi,
  request: Request,
): Promise<Response> {
  const read = await readBody(request);
  if (read.kind === "refused") return refused(read, api === "openai");
  const model = modelOf(read.body);
  const owned = findModel(machine, model);
  if (owned.kind === "refused") return refused(owned, api === "openai");
  // Without input Ollama's own API loads the model; OpenAI's has no such use.
  if (api === "openai" && inputsOf(read.body).length === 0) {
    return refused(refuse(400, "invalid input"), true);
  }

  const { hold, visit } = begin(machine, request, owned.name, keepAliveOf(read.body));
  try {
    await hold.ready(visit.signal);
    visit.done();
    return Response.json(vectorsFor(api, { model, owned: owned.name }, read.body, hold.loadMs));
  } catch (error) {
    if (visit.signal.aborted) return nobody();
    visit.done();
    throw error;
  }
}

/** An error as the API in question spells it. */
export function refused({ status, message }: Refusal, openai: boolean): Response {
  if (!openai) return Response.json({ error: message }, { status });
  const type = status === 404 ? "not_found_error" : "invalid_request_error";
  const error = { message, type, param: null, code: null };
  return Response.json({ error }, { status });
}

/** What is returned when the client left before its response head: nobody reads it. */
export function nobody(): Response {
  return new Response(null, { status: 499 });
}

export function findModel(
  machine: Machine,
  asked: string,
): { readonly kind: "found"; readonly name: string } | Refusal {
  if (asked === "") return refuse(400, "model is required");
  const name = machine.models.find(asked);
  return name === undefined ? refuse(404, `model '${asked}' not found`) : { kind: "found", name };
}

/** Takes the model into use for as long as the request is being answered. */
function begin(
  { models, ledger }: Machine,
  request: Request,
  model: string,
  keepAliveMs: number | undefined,
): { hold: Hold; visit: Visit } {
  ledger.countGeneration(request.headers.get("x-request-tag"));
  const hold = models.hold(model, keepAliveMs);
  return { hold, visit: ledger.enter(request.signal, () => hold.release()) };
}

function speechOf(
  { options, faults }: Machine,
  model: string,
  question: { readonly prompt: string; readonly tokensMax: number | undefined },
  loadMs: number,
): Speech {
  return {
    speaker: options.name,
    model,
    tokens: Math.min(question.tokensMax ?? options.tokens, TOKENS_MAX),
    tokenEveryMs: options.tokenEveryMs,
    cutAfterTokens: faults.cutAfterTokens,
    cost: {
      loadMs,
      promptTokens: countTokens(question.prompt),
      reason: question.tokensMax === undefined ? "stop" : "length",
    },
  };
}

function vectorsFor(
  api: EmbeddingApi,
  { model, owned }: { model: string; owned: string },
  body: Body,
  loadMs: number,
): object {
  const asked = Math.floor(numberAt(body, "dimensions") ?? DIMENSIONS);
  const dimensions = Math.min(Math.max(1, asked), DIMENSIONS_MAX);
  const inputs = inputsOf(body);
  const vectors = inputs.map((input) => embeddingOf(owned, input, dimensions));
  const tokens = inputs.reduce((sum, input) => sum + countTokens(input), 0);

  switch (api) {
    case "embed": {
      const loadNs = Math.round(loadMs * 1e6);
      return {
        model,
        embeddings: vectors,
        total_duration: loadNs + tokens * 100_000,
        load_duration: loadNs,
        prompt_eval_count: tokens,
      };
    }
    case "embeddings":
      return { embedding: vectors[0] ?? [] };
    case "openai": {
      const base64 = body["encoding_format"] === "base64";
      const data = vectors.map((vector, index) => ({
        object: "embedding",
        embedding: base64 ? base64Of(vector) : vector,
        index,
      }));
      return {
        object: "list",
        data,
        model,
        usage: { prompt_tokens: tokens, total_tokens: tokens },
      };
    }
  }
}
