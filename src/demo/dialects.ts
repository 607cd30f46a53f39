/**
 * The four ways in which Ollama spells one answer: its own generate and chat, and OpenAI's chat and
 * text completions; streamed or whole. Shapes only, no time and no text of its own.
 */

/** What an answer cost. */
export interface Cost {
  readonly loadMs: number;
  readonly promptTokens: number;
  readonly tokens: number;
  readonly evalMs: number;
  /** Why it ended: at its own end, or at the number of tokens asked for. */
  readonly reason: "stop" | "length";
}

/** How one answer is written. */
export interface Dialect {
  readonly streamType: "application/x-ndjson" | "text/event-stream";
  /** One token of a stream. */
  piece(text: string): string;
  /** The end of a stream. */
  end(cost: Cost): string;
  /** The answer in one piece, as a value for JSON. */
  whole(text: string, cost: Cost): object;
}

/** What the dialects need to know of an answer before it begins. */
export interface Heading {
  readonly model: string;
  /** Tells answers apart where the shape has an id. */
  readonly serial: number;
  readonly includeUsage: boolean;
  /** Wall clock, in milliseconds. */
  readonly now: () => number;
}

export type DialectName = "generate" | "chat" | "chat.completion" | "text_completion";

export function dialect(name: DialectName, heading: Heading): Dialect {
  switch (name) {
    case "generate":
      return native(heading, (response) => ({ response }));
    case "chat":
      return native(heading, (content) => ({ message: { role: "assistant", content } }));
    case "chat.completion":
      return openai(heading, {
        prefix: "chatcmpl",
        object: name,
        chunkObject: "chat.completion.chunk",
        piece: (content) => ({ delta: { role: "assistant", content } }),
        whole: (content) => ({ message: { role: "assistant", content } }),
      });
    case "text_completion":
      return openai(heading, {
        prefix: "cmpl",
        object: name,
        chunkObject: name,
        piece: (text) => ({ text }),
        whole: (text) => ({ text }),
      });
  }
}

/** The answer to a request without prompt, which only loads or unloads. */
export function silence(
  name: "generate" | "chat",
  heading: Heading,
  reason: "load" | "unload",
): object {
  const said = name === "generate"
    ? { response: "" }
    : { message: { role: "assistant", content: "" } };
  return { ...opening(heading), ...said, done: true, done_reason: reason };
}

function native(heading: Heading, say: (text: string) => object): Dialect {
  const whole = (text: string, cost: Cost) => ({
    ...opening(heading),
    ...say(text),
    done: true,
    done_reason: cost.reason,
    ...metrics(cost),
  });
  return {
    streamType: "application/x-ndjson",
    piece: (text) => `${JSON.stringify({ ...opening(heading), ...say(text), done: false })}\n`,
    end: (cost) => `${JSON.stringify(whole("", cost))}\n`,
    whole,
  };
}

function opening({ model, now }: Heading): object {
  return { model, created_at: new Date(now()).toISOString() };
}

/** Ollama's figures, in nanoseconds. Reading the prompt is given a tenth of a millisecond per token. */
function metrics({ loadMs, promptTokens, tokens, evalMs }: Cost): object {
  const loadNs = Math.round(loadMs * 1e6);
  const promptNs = promptTokens * 100_000;
  const evalNs = Math.round(evalMs * 1e6);
  return {
    total_duration: loadNs + promptNs + evalNs,
    load_duration: loadNs,
    prompt_eval_count: promptTokens,
    prompt_eval_duration: promptNs,
    eval_count: tokens,
    eval_duration: evalNs,
  };
}

interface Shape {
  readonly prefix: string;
  readonly object: string;
  readonly chunkObject: string;
  piece(text: string): object;
  whole(text: string): object;
}

function openai({ model, serial, includeUsage, now }: Heading, shape: Shape): Dialect {
  const created = Math.floor(now() / 1000);
  const body = (object: string, choices: readonly object[]) => ({
    id: `${shape.prefix}-${serial}`,
    object,
    created,
    model,
    system_fingerprint: "fp_ollama",
    choices,
  });
  const event = (value: object) => `data: ${JSON.stringify(value)}\n\n`;
  const chunk = (text: string, reason: Cost["reason"] | null) =>
    event(
      body(shape.chunkObject, [{ index: 0, ...shape.piece(text), finish_reason: reason }]),
    );

  return {
    streamType: "text/event-stream",
    piece: (text) => chunk(text, null),
    end: (cost) => {
      const usageEvent = includeUsage
        ? event({ ...body(shape.chunkObject, []), usage: usage(cost) })
        : "";
      return `${chunk("", cost.reason)}${usageEvent}data: [DONE]\n\n`;
    },
    whole: (text, cost) => ({
      ...body(shape.object, [{ index: 0, ...shape.whole(text), finish_reason: cost.reason }]),
      usage: usage(cost),
    }),
  };
}

function usage({ promptTokens, tokens }: Cost): object {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: tokens,
    total_tokens: promptTokens + tokens,
  };
}
