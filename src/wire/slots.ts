/** Places for the connections of an upstream that takes only so many, and the line of those who wait for one. */

export class Slots {
  #free: number;
  #waiting: (() => void)[] = [];

  constructor(max: number) {
    this.#free = max;
  }

  /** Takes a place where there is one. */
  take(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  release(): void {
    this.#free++;
    this.turn();
  }

  /** Whether somebody waits. */
  get wanted(): boolean {
    return this.#waiting.length > 0;
  }

  /** Something may have become free: lets the first in line look. */
  turn(): void {
    this.#waiting.shift()?.();
  }

  /** Waits for a turn; the returned function leaves the line, and passes on a turn that came unheeded. */
  wait(called: () => void): () => void {
    let over = false;
    const wake = () => {
      over = true;
      called();
    };
    this.#waiting.push(wake);
    return () => {
      const at = this.#waiting.indexOf(wake);
      if (at >= 0) this.#waiting.splice(at, 1);
      else if (over) this.turn();
    };
  }
}
