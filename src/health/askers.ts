/** Those who asked for a probe and wait for what it finds: a verdict that was begun before they asked says nothing to them. */
import type { Verdict } from "../model.ts";

interface Asker {
  /** An `elapsed` time. */
  readonly askedAt: number;
  readonly tell: (verdict: Verdict | undefined) => void;
}

export class Askers {
  #waiting: readonly Asker[] = [];

  /** Settles with the verdict of the first probe that begins from now on; undefined when there is none to come. */
  ask(askedAt: number): Promise<Verdict | undefined> {
    return new Promise((tell) => (this.#waiting = [...this.#waiting, { askedAt, tell }]));
  }

  /** Takes what a probe found that began at that time. */
  answer(verdict: Verdict, startedAt: number): void {
    if (this.#waiting.length > 0) this.#tell(verdict, startedAt);
  }

  /** No verdict will come any more. */
  dismiss(): void {
    this.#tell(undefined, Infinity);
  }

  #tell(verdict: Verdict | undefined, startedAt: number): void {
    const told = this.#waiting.filter(({ askedAt }) => askedAt <= startedAt);
    this.#waiting = this.#waiting.filter(({ askedAt }) => askedAt > startedAt);
    for (const { tell } of told) tell(verdict);
  }
}
