/**
 * What a stand-in remembers of its visitors: how many came, how many left early, which tagged
 * requests it was made to answer. Tests read duplicates and aborts from it.
 */

/** What GET `/_stand-in/stats` tells. */
export interface Stats {
  readonly requests: Readonly<Record<string, number>>;
  /** Requests being answered now. */
  readonly running: number;
  /** Requests whose client left before the answer was whole. */
  readonly aborted: number;
  /** Tags of the requests accepted for generation, and how often each came. */
  readonly generated: Readonly<Record<string, number>>;
}

/** One request while it is being answered. */
export interface Visit {
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
  /** Says that the answer is whole, or that the machine itself gave up. Idempotent. */
  done(): void;
  /** Says that the client left, where the runtime tells it by other means than the signal. Idempotent. */
  leave(): void;
}

export class Ledger {
  readonly #requests = new Tally();
  readonly #generated = new Tally();
  #running = 0;
  #aborted = 0;

  countRequest(path: string): void {
    this.#requests.add(path);
  }

  countGeneration(tag: string | null): void {
    if (tag !== null) this.#generated.add(tag);
  }

  /** Notes a request as being answered until its visit is done or its client leaves; calls `ended` then. */
  enter(client: AbortSignal, ended: () => void): Visit {
    const leaving = new AbortController();
    let open = true;
    this.#running++;

    const end = (left: boolean) => {
      // Deno aborts a request's signal also after a whole answer: only the first word counts.
      if (!open) return;
      open = false;
      this.#running--;
      client.removeEventListener("abort", leave);
      ended();
      if (!left) return;
      this.#aborted++;
      leaving.abort();
    };
    const leave = () => end(true);

    if (client.aborted) leave();
    client.addEventListener("abort", leave);
    return { signal: leaving.signal, done: () => end(false), leave };
  }

  stats(): Stats {
    return {
      requests: this.#requests.counts(),
      running: this.#running,
      aborted: this.#aborted,
      generated: this.#generated.counts(),
    };
  }
}

/** Counts by key. Clients choose the keys, so their number is bound; keys beyond it go uncounted. */
class Tally {
  static readonly keysMax = 100_000;
  readonly #counts = new Map<string, number>();

  add(key: string): void {
    const count = this.#counts.get(key);
    if (count === undefined && this.#counts.size >= Tally.keysMax) return;
    this.#counts.set(key, (count ?? 0) + 1);
  }

  counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
