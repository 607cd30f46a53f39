/** Lets so many work at once, in the order of their coming. */

export class Turns {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(max: number) {
    this.#free = max;
  }

  /** Works when it is its turn. Rejects with the signal's reason where that aborts before; no work is done then. */
  async take<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#comes(signal);
    try {
      return await work();
    } finally {
      this.#pass();
    }
  }

  #comes(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const come = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.delete(come);
        reject(signal.reason);
      };
      this.#waiting.add(come);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  /** Handed on, so that nobody who comes later steps in between. */
  #pass(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
