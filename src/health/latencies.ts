/**
 * The last latencies of an upstream, for whoever wants to see them in a row. Made once and written
 * over, as every request leaves one.
 */

/** Latencies kept at most. */
const KEPT = 60;
const FAILED = -1;

export class Latencies {
  readonly #ring = new Float64Array(KEPT);
  #count = 0;

  /** Takes the next one in milliseconds; undefined is one that failed. */
  push(ms: number | undefined): void {
    this.#ring[this.#count % KEPT] = ms ?? FAILED;
    this.#count++;
  }

  /** Oldest first, in tenths of a millisecond; null failed. */
  list(): (number | null)[] {
    const kept = Math.min(this.#count, KEPT);
    return Array.from({ length: kept }, (_, at) => this.#at(this.#count - kept + at));
  }

  /** The newest; undefined when there is none yet. */
  get last(): number | null | undefined {
    return this.#count === 0 ? undefined : this.#at(this.#count - 1);
  }

  #at(index: number): number | null {
    const ms = this.#ring[index % KEPT] ?? FAILED;
    return ms === FAILED ? null : Math.round(ms * 10) / 10;
  }
}
