/**
 * Sends letters to one receiver, one after the other. Tries again for a while where that may help,
 * and gives up without anyone waiting for it. Its bag is bounded: the oldest letter goes first.
 */
import type { Letter } from "./letter.ts";

export interface PostDeps {
  readonly clock: {
    now(): number;
    after(ms: number, callback: () => void): () => void;
    sleep(ms: number, signal?: AbortSignal): Promise<void>;
  };
  /** Resolves with the status of the answer; rejects where none came. */
  readonly post: (letter: Letter, signal: AbortSignal) => Promise<number>;
  /** Tells the operator what was not delivered. */
  readonly warn: (
    event: string,
    fields: Readonly<Record<string, string | number | undefined>>,
  ) => void;
}

/** Letters that wait at most. */
const BAG_MAX = 50;
/** For one try, in milliseconds. */
const TRY_TIMEOUT_MS = 10_000;
/** Pauses between tries, in milliseconds; there is one more try than pauses. */
const PAUSES_MS = [1_000, 5_000, 30_000, 120_000];

export class Postman {
  readonly #deps: PostDeps;
  readonly #bag: Letter[] = [];
  readonly #end = new AbortController();
  #walking = false;

  constructor(deps: PostDeps) {
    this.#deps = deps;
  }

  /** Takes a letter along and returns at once. */
  take(letter: Letter): void {
    if (this.#end.signal.aborted) return;
    if (this.#bag.length >= BAG_MAX) {
      this.#bag.shift();
      this.#deps.warn("notify.dropped", { to: receiver(letter), reason: "too many wait" });
    }
    this.#bag.push(letter);
    if (!this.#walking) void this.#walk();
  }

  /** Sends nothing more. */
  close(): void {
    this.#end.abort();
    this.#bag.length = 0;
  }

  async #walk(): Promise<void> {
    this.#walking = true;
    try {
      for (let letter = this.#bag.shift(); letter !== undefined; letter = this.#bag.shift()) {
        await this.#deliver(letter);
      }
    } finally {
      this.#walking = false;
    }
  }

  async #deliver(letter: Letter): Promise<void> {
    let reason = "";
    for (const pauseMs of [...PAUSES_MS, undefined]) {
      const answer = await this.#try(letter);
      if (answer === undefined || this.#end.signal.aborted) return;
      reason = answer.reason;
      if (!answer.mayHelp || pauseMs === undefined) break;
      try {
        await this.#deps.clock.sleep(pauseMs, this.#end.signal);
      } catch {
        return;
      }
    }
    this.#deps.warn("notify.failed", { to: receiver(letter), reason });
  }

  /** Undefined when it was delivered; else why not, and whether another try may help. */
  async #try(letter: Letter): Promise<{ reason: string; mayHelp: boolean } | undefined> {
    const limit = new AbortController();
    const stopTimer = this.#deps.clock.after(TRY_TIMEOUT_MS, () => limit.abort());
    const abort = () => limit.abort();
    this.#end.signal.addEventListener("abort", abort, { once: true });
    try {
      const status = await this.#deps.post(letter, limit.signal);
      if (status >= 200 && status < 300) return undefined;
      const mayHelp = status >= 500 || [408, 425, 429].includes(status);
      return { reason: `status ${status}`, mayHelp };
    } catch (error) {
      if (limit.signal.aborted) return { reason: "no answer in time", mayHelp: true };
      return { reason: error instanceof Error ? error.message : String(error), mayHelp: true };
    } finally {
      stopTimer();
      this.#end.signal.removeEventListener("abort", abort);
    }
  }
}

/** Its host alone: paths of webhooks are secrets. */
function receiver({ url }: Letter): string {
  return new URL(url).host;
}
