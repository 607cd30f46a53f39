/** The streams that a client has opened on its connection: those that run, and what is known of the others. */
import { BrokenConnection, CODE } from "./h2_frames.ts";
import type { H2Exchange } from "./h2_exchange.ts";

/** Streams remembered as broken off at most; of older ones nothing can be told any more. */
const BROKEN_MAX = 512;
/** Gaps in the numbers of streams remembered at most; most clients leave none. */
const GAPS_MAX = 16;

export class Streams {
  /** The highest that was heard of. */
  lastId = 0;
  readonly #running = new Map<number, H2Exchange>();
  /** Those we broke off, the oldest first. */
  readonly #broken = new Set<number>();
  #forgottenId = 0;
  /** Numbers that were left out: from one, up to the next. */
  readonly #gaps: (readonly [from: number, to: number])[] = [];

  get size(): number {
    return this.#running.size;
  }

  get(id: number): H2Exchange | undefined {
    return this.#running.get(id);
  }

  all(): Iterable<H2Exchange> {
    return [...this.#running.values()];
  }

  add(exchange: H2Exchange): void {
    this.#running.set(exchange.id, exchange);
  }

  delete(id: number): void {
    this.#running.delete(id);
  }

  /** We broke it off: frames of it may still be on their way. */
  brokeOff(id: number): void {
    this.#broken.add(id);
    if (this.#broken.size <= BROKEN_MAX) return;
    const [oldest = 0] = this.#broken;
    this.#broken.delete(oldest);
    this.#forgottenId = Math.max(this.#forgottenId, oldest);
  }

  /** Whether a block on it begins a new stream. Throws where it may begin none (RFC 9113 section 5.1.1). */
  opens(id: number): boolean {
    if (this.#running.has(id)) return false;
    if (id % 2 === 0) throw new BrokenConnection("A stream that only a server may open");
    if (id <= this.lastId) {
      this.mayBring(id);
      return false;
    }
    const next = this.lastId === 0 ? 1 : this.lastId + 2;
    if (id > next && this.#gaps.length < GAPS_MAX) this.#gaps.push([next, id]);
    this.lastId = id;
    return true;
  }

  /** Throws where a stream was never opened, and can be no more where it was left out (RFC 9113 section 5.1). */
  known(id: number): void {
    const leftOut = this.#gaps.some(([from, to]) => id >= from && id < to);
    if (id > this.lastId || id % 2 === 0 || leftOut) {
      throw new BrokenConnection("A stream that nobody has opened");
    }
  }

  /** Throws where a stream that is over can bring nothing more: its client ended it, and not we. */
  mayBring(id: number): void {
    this.known(id);
    if (this.#broken.has(id) || id <= this.#forgottenId) return;
    throw new BrokenConnection("A stream that is over", CODE.streamClosed);
  }
}
