/**
 * A request body that can be sent again: keeps the bytes it handed out, up to a limit, until an
 * upstream has answered. A larger body streams on and loses only the right to a replay.
 */
import type { ByteSource } from "../model.ts";

export class ReplayBody {
  readonly #source: ByteSource;
  readonly #limitBytes: number;
  readonly #chunks: Uint8Array[] = [];
  #keptBytes = 0;
  /** Chunks dropped from the front, once nothing is kept any more. */
  #dropped = 0;
  #keeping = true;
  #ended = false;
  #broken = false;
  /** Shared, as a reader that was given up may have left it under way. */
  #pulling: Promise<void> | undefined;
  #reader = 0;

  constructor(source: ByteSource, limitBytes: number) {
    this.#source = source;
    this.#limitBytes = limitBytes;
  }

  /** True while a further `open` gives the body from its first byte. */
  get replayable(): boolean {
    return this.#keeping || this.#dropped + this.#chunks.length === 0;
  }

  /** The client's bytes ended before they were whole, or went over their limit: no upstream is to blame. */
  get broken(): boolean {
    return this.#broken;
  }

  /** The body from its first byte. Takes it away from whoever had it open before. */
  open(): ByteSource {
    const reader = ++this.#reader;
    let at = 0;
    return {
      lengthBytes: this.#source.lengthBytes,
      read: async () => {
        while (true) {
          // Not an end: an end here would make an upstream take a fragment for the whole body.
          if (reader !== this.#reader) throw new Error("This body was taken back");
          const chunk = this.#chunks[at - this.#dropped];
          if (chunk !== undefined) {
            at++;
            this.#forget(at);
            return chunk;
          }
          if (this.#ended) return undefined;
          await (this.#pulling ??= this.#pull());
        }
      },
      // The bytes are the client's: only the request as a whole may stop reading them.
      cancel: () => {},
    };
  }

  /** An upstream has answered: nothing needs to be kept. */
  release(): void {
    this.#keeping = false;
  }

  /** Stops reading the client. */
  cancel(): void {
    this.#reader++;
    this.#source.cancel();
  }

  async #pull(): Promise<void> {
    try {
      const chunk = await this.#source.read();
      if (chunk === undefined) {
        this.#ended = true;
        return;
      }
      this.#chunks.push(chunk);
      this.#keptBytes += chunk.length;
      if (this.#keptBytes > this.#limitBytes) this.#keeping = false;
    } catch (error) {
      this.#broken = true;
      throw error;
    } finally {
      this.#pulling = undefined;
    }
  }

  #forget(before: number): void {
    if (this.#keeping) return;
    this.#chunks.splice(0, before - this.#dropped);
    this.#dropped = before;
  }
}
