/**
 * What a client asks of a stand-in: untyped JSON in, a question or a refusal out. Reads as
 * leniently as Ollama does and knows nothing of the answer.
 */
import { durationMs } from "./duration.ts";

export type Body = Readonly<Record<string, unknown>>;

/** Why a question gets no answer, in Ollama's words. */
export interface Refusal {
  readonly kind: "refused";
  readonly status: 400 | 404;
  readonly message: string;
}

/** A request for generated text, whichever API it came through. */
export interface Question {
  /** As the client spelt it; answers repeat it so. */
  readonly model: string;
  readonly prompt: string;
  /** True when there is no prompt at all, which only loads the model. */
  readonly empty: boolean;
  readonly stream: boolean;
  /** Undefined leaves the length of the answer to the machine. */
  readonly tokensMax: number | undefined;
  /** Undefined leaves it to Ollama's default; Infinity is for ever. */
  readonly keepAliveMs: number | undefined;
  /** OpenAI's wish for a last chunk with the token counts. */
  readonly includeUsage: boolean;
}

export function refuse(status: 400 | 404, message: string): Refusal {
  return { kind: "refused", status, message };
}

/** Reads a request's body as a JSON object. */
export async function readBody(request: Request): Promise<
  { readonly kind: "read"; readonly body: Body } | Refusal
> {
  const text = await request.text();
  if (text === "") return refuse(400, "missing request body");
  const body = parse(text);
  return isRecord(body)
    ? { kind: "read", body }
    : refuse(400, "request body is not a valid JSON object");
}

export function questionOf(body: Body, streamsUnlessTold: boolean): Question {
  const options = recordAt(body, "options");
  const messages = body["messages"];
  const prompt = textOf(messages ?? body["prompt"]);
  const tokensMax = numberAt(options, "num_predict") ?? numberAt(body, "max_tokens") ??
    numberAt(body, "max_completion_tokens");
  return {
    model: modelOf(body),
    prompt,
    empty: Array.isArray(messages) ? messages.length === 0 : prompt === "",
    stream: typeof body["stream"] === "boolean" ? body["stream"] : streamsUnlessTold,
    // Zero and less mean "no limit" to Ollama.
    tokensMax: tokensMax !== undefined && tokensMax > 0 ? Math.floor(tokensMax) : undefined,
    keepAliveMs: keepAliveOf(body),
    includeUsage: recordAt(body, "stream_options")["include_usage"] === true,
  };
}

/** `name` is the older spelling of `model`. */
export function modelOf(body: Body): string {
  const model = body["model"] ?? body["name"];
  return typeof model === "string" ? model : "";
}

/** Texts to embed: one, several, or none when the request only loads the model. */
export function inputsOf(body: Body): string[] {
  const input = body["input"] ?? body["prompt"];
  if (Array.isArray(input)) return input.map((item) => textOf(item));
  return typeof input === "string" && input !== "" ? [input] : [];
}

/** A bare number is in seconds, as is usual with Ollama; less than zero means for ever. */
export function keepAliveOf(body: Body): number | undefined {
  const value = body["keep_alive"];
  const ms = typeof value === "number"
    ? value * 1000
    : typeof value === "string"
    ? durationMs(value)
    : undefined;
  return ms !== undefined && ms < 0 ? Infinity : ms;
}

export function numberAt(body: Body, key: string): number | undefined {
  const value = body[key];
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** Text of a prompt, of messages, or of messages whose content comes in parts. */
function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map((item) => textOf(item)).join("\n");
  return isRecord(value) ? textOf(value["content"] ?? value["text"]) : "";
}

function recordAt(body: Body, key: string): Body {
  const value = body[key];
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Body {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
