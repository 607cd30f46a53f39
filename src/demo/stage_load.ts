/**
 * The demo's own client: asks through the proxy at a steady pace and notes what it saw, which is
 * what the verdict rests on. It knows of the proxy only its address.
 */
import type { Platform } from "../platform/platform.ts";

/** A request, and how to tell a whole answer from a fragment. */
export interface Question {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body: string | undefined;
  /** Stands in every whole answer and, in a stream, nowhere before its end. */
  readonly ending: string;
}

/** What the client saw. Moments are `elapsed` times. */
export interface Answer {
  readonly startedAt: number;
  readonly endedAt: number;
  /** Who signed the answer. */
  readonly by: string | undefined;
  /** Why it does not count as answered; undefined when it does. */
  readonly problem: string | undefined;
}

export interface ClientDeps {
  readonly platform: Pick<Platform, "clock" | "fetch" | "explain">;
  /** The proxy's address. */
  readonly url: string;
  readonly signal: AbortSignal;
  /** How long one whole answer may take. */
  readonly answerLimitMs: number;
}

export const LIST: Question = {
  method: "GET",
  path: "/api/tags",
  body: undefined,
  ending: '"models":[',
};

export const GENERATE: Question = {
  method: "POST",
  path: "/api/generate",
  body: JSON.stringify({ model: "llama3.2", prompt: "Who are you?" }),
  ending: '"done":true',
};

/** Asks once. Never rejects: a failure is what was seen. */
export async function ask(
  question: Question,
  { platform, url, signal, answerLimitMs }: ClientDeps,
): Promise<Answer> {
  const { clock } = platform;
  const startedAt = clock.elapsed();
  const late = new AbortController();
  const stopTimer = clock.after(answerLimitMs, () => late.abort());
  let by: string | undefined;
  let problem: string | undefined;

  try {
    const response = await platform.fetch(`${url}${question.path}`, {
      method: question.method,
      headers: new Headers({ "user-agent": "understudy-demo" }),
      body: question.body === undefined ? undefined : new Blob([question.body]).stream(),
      signal: AbortSignal.any([signal, late.signal]),
      fresh: true,
      unixPath: undefined,
    });
    by = response.headers.get("x-answered-by") ?? undefined;
    const text = await response.text();
    if (response.status !== 200) problem = `status ${response.status}`;
    else if (!text.includes(question.ending)) problem = "an answer without its end";
  } catch (error) {
    problem = late.signal.aborted
      ? `no whole answer in ${answerLimitMs / 1000} s`
      : platform.explain(error).detail;
  } finally {
    stopTimer();
  }
  return { startedAt, endedAt: clock.elapsed(), by, problem };
}

/** Questions under way at once; while so many are, none is added. */
const RUNNING_MAX = 32;

/** One question again and again, at a steady pace however long its answers take. */
export class Beat {
  readonly #question: Question;
  readonly #everyMs: number;
  readonly #deps: ClientDeps;
  readonly #answered: (answer: Answer) => void;
  readonly #running = new Set<Promise<void>>();
  #stopTimer: (() => void) | undefined;

  constructor(
    question: Question,
    everyMs: number,
    deps: ClientDeps,
    answered: (answer: Answer) => void = () => {},
  ) {
    this.#question = question;
    this.#everyMs = everyMs;
    this.#deps = deps;
    this.#answered = answered;
  }

  get going(): boolean {
    return this.#stopTimer !== undefined;
  }

  start(): void {
    if (!this.going) this.#tick();
  }

  /** Asks no more. Running answers go on. */
  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  /** Asks no more and settles when the last answer has ended. */
  async rest(): Promise<void> {
    this.stop();
    await Promise.all(this.#running);
  }

  #tick(): void {
    this.#stopTimer = this.#deps.platform.clock.after(this.#everyMs, () => this.#tick());
    if (this.#running.size >= RUNNING_MAX) return;
    const running = ask(this.#question, this.#deps)
      .then(this.#answered)
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }
}
