/**
 * One generated answer as it comes into being: token after token at the machine's pace, given out
 * as a stream or gathered into one text. It stops when its client leaves.
 */
import type { Clock } from "../platform/platform.ts";
import type { Cost, Dialect } from "./dialects.ts";
import type { Visit } from "./ledger.ts";
import { tokenAt } from "./words.ts";

export interface Speech {
  readonly speaker: string;
  readonly model: string;
  readonly tokens: number;
  readonly tokenEveryMs: number;
  /** Breaks off after so many tokens. */
  readonly cutAfterTokens: number | undefined;
  /** What of the cost is known before the first token. */
  readonly cost: Omit<Cost, "tokens" | "evalMs">;
}

/** Yields the tokens and returns what they cost; throws when cut or when `signal` aborts. */
export async function* speak(
  speech: Speech,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): AsyncGenerator<string, Cost> {
  const { speaker, model, tokens, tokenEveryMs, cutAfterTokens, cost } = speech;
  const startedAt = clock.elapsed();
  for (let said = 0;; said++) {
    // Dates from the start instead of pauses in between: a late timer does not slow the pace.
    const restMs = startedAt + said * tokenEveryMs - clock.elapsed();
    if (restMs > 0) await clock.sleep(restMs, signal);

    if (said === cutAfterTokens) throw new Error(`Cut after ${said} tokens, as its faults demand`);
    if (said === tokens) return { ...cost, tokens, evalMs: clock.elapsed() - startedAt };
    yield tokenAt(speaker, model, said);
  }
}

/** Gathers the whole answer. */
export async function gather(
  words: AsyncGenerator<string, Cost>,
): Promise<{ text: string; cost: Cost }> {
  let text = "";
  for (;;) {
    const step = await words.next();
    if (step.done) return { text, cost: step.value };
    text += step.value;
  }
}

/** Gives the answer out as it comes. Pulled, so that a client that reads slowly slows the machine. */
export function stream(
  words: AsyncGenerator<string, Cost>,
  dialect: Dialect,
  visit: Visit,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const step = await words.next();
        const text = step.done ? dialect.end(step.value) : dialect.piece(step.value);
        controller.enqueue(encoder.encode(text));
        if (!step.done) return;
        visit.done();
        controller.close();
      } catch (error) {
        // A cancelled stream takes no more chunks and says so by throwing; that client is counted already.
        visit.done();
        controller.error(error);
      }
    },
    cancel() {
      visit.leave();
    },
  });
}
