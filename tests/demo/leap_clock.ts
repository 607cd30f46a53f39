/**
 * A clock for the stand-in's tests: a sleep moves the time on at once, so nothing waits; what
 * would sleep past `limitMs` hangs there until its signal aborts it, as a running answer does.
 */
import type { Clock } from "../../src/platform/platform.ts";

const EPOCH = Date.parse("2026-11-22T12:00:00Z");

export class LeapClock implements Clock {
  limitMs = Infinity;
  #elapsedMs = 0;

  now(): number {
    return EPOCH + this.#elapsedMs;
  }

  elapsed(): number {
    return this.#elapsedMs;
  }

  advance(ms: number): void {
    this.#elapsedMs += ms;
  }

  after(ms: number, callback: () => void): () => void {
    const stop = new AbortController();
    this.sleep(ms, stop.signal).then(callback, () => {});
    return () => stop.abort();
  }

  soon(callback: () => void): void {
    void Promise.resolve().then(callback);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#elapsedMs + ms <= this.limitMs) {
      this.#elapsedMs += ms;
      return Promise.resolve();
    }
    return new Promise((_, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }
}
