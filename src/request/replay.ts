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
  /** Chunks handed to the present reader. */
  #at = 0;
  #keeping = true;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  /** Shared, as a reader that was given up may have left it under way. */
  #pulling: Promise<void> | undefined;
  #reader = 0;

  constructor(source: ByteSource, limitBytes: number) {
    this.#source = source;
    this.#limitBytes = limitBytes;
  }

  /** True while a further `open` gives the body from its first byte. */
  get replayable(): boolean {
    return this.#dropped === 0;
  }

  /** The client failed to send it whole: whatever an exchange ended with, that is why. */
  get broken(): boolean {
    return this.#failure !== undefined;
  }

  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** The body from its first byte. Takes it away from whoever had it open before. */
  open(): ByteSource {
    if (!this.replayable) throw new Error("Cannot open a body whose beginning is gone");
    const reader = ++this.#reader;
    const source = this.#source;
    this.#at = 0;
    return {
      lengthBytes: source.lengthBytes,
      get trailers() {
        return source.trailers;
      },
      read: () => this.#read(reader),
      // The bytes are the client's: only the request as a whole may stop reading them.
      cancel: () => {},
    };
  }

  /** An upstream has answered: nothing needs to be kept. */
  release(): void {
    this.#keeping = false;
    this.#forget();
  }

  /** Stops reading the client. */
  cancel(): void {
    this.#reader++;
    this.#source.cancel();
  }

  async #read(reader: number): Promise<Uint8Array | undefined> {
    while (true) {
      // Not an end: an end here would make an upstream take a fragment for the whole body.
      if (reader !== this.#reader) throw new Error("This body was taken back");
      const chunk = this.#chunks[this.#at - this.#dropped];
      if (chunk !== undefined) {
        this.#at++;
        this.#forget();
        return chunk;
      }
      // Remembered for the same reason: asked again, a source that failed may look finished.
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#ended) return undefined;
      await (this.#pulling ??= this.#pull());
    }
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
      this.#failure = { error };
    } finally {
      this.#pulling = undefined;
    }
  }

  /** Drops what the present reader has had, unless it may be wanted again. */
  #forget(): void {
    if (this.#keeping) return;
    for (const chunk of this.#chunks.splice(0, this.#at - this.#dropped)) {
      this.#keptBytes -= chunk.length;
    }
    this.#dropped = this.#at;
  }
}
