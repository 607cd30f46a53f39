/** A response's body that breaks when its upstream stays silent for too long while somebody reads. */
import type { Deadlines, Waiting } from "../deadlines.ts";
import type { ByteSource, Outcome } from "../model.ts";

/** The outcome with the body that an answer has watched. */
export function withReadTimeout(outcome: Outcome, ms: number, deadlines: Deadlines): Outcome {
  if (outcome.kind !== "answered" || outcome.response.body === undefined) return outcome;
  const body = new TimedBody(outcome.response.body, ms, deadlines);
  return { kind: "answered", response: { ...outcome.response, body } };
}

class TimedBody implements ByteSource, Waiting {
  place = -1;
  deadline = Infinity;
  readonly #source: ByteSource;
  readonly #ms: number;
  readonly #deadlines: Deadlines;

  constructor(source: ByteSource, ms: number, deadlines: Deadlines) {
    this.#source = source;
    this.#ms = ms;
    this.#deadlines = deadlines;
  }

  get lengthBytes(): number | undefined {
    return this.#source.lengthBytes;
  }

  get trailers(): ByteSource["trailers"] {
    return this.#source.trailers;
  }

  read(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const next = this.#source.read();
    if (!(next instanceof Promise)) return next;
    this.deadline = this.#deadlines.after(this.#ms);
    this.#deadlines.add(this);
    return next.finally(() => this.#rest());
  }

  cancel(): void {
    this.#rest();
    this.#source.cancel();
  }

  /** A source that is cancelled rejects whoever waits for it, so nobody takes the fragment for the whole. */
  expire(): void {
    this.cancel();
  }

  #rest(): void {
    this.deadline = Infinity;
    this.#deadlines.drop(this);
  }
}
