/**
 * Server-sent events to whoever listens (HTML section 9.2). A reader that is slower than what there
 * is to tell misses some of it and is told how much: nobody who watches may cost us memory.
 */

/** Readers of one feed at most. */
export const READERS_MAX = 64;
/** What waits for one reader at most. */
export const WAITING_MAX_CHARS = 256 * 1024;

/** Spells one event. */
export function eventText(name: string, json: string): string {
  return `event: ${name}\ndata: ${json}\n\n`;
}

export class Feed {
  readonly #readers = new Set<Reader>();

  get size(): number {
    return this.#readers.size;
  }

  /** Whether there is room for one more reader. */
  get hasRoom(): boolean {
    return this.#readers.size < READERS_MAX;
  }

  /** A stream of what is sent from now on, after `first`. Ends by its `cancel`, or when the signal aborts. */
  open(first: string, signal: AbortSignal): ReadableStream<Uint8Array> {
    const reader = new Reader(first);
    const leave = () => {
      this.#readers.delete(reader);
      signal.removeEventListener("abort", leave);
      reader.end();
    };
    this.#readers.add(reader);
    signal.addEventListener("abort", leave);
    if (signal.aborted) leave();

    const encoder = new TextEncoder();
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        const text = await reader.next();
        if (text !== undefined) return controller.enqueue(encoder.encode(text));
        if (!reader.cancelled) controller.close();
      },
      cancel() {
        reader.cancelled = true;
        leave();
      },
    }, { highWaterMark: 0 });
  }

  /** Tells all readers. Costs nothing while there are none. */
  send(name: string, data: unknown): void {
    if (this.#readers.size > 0) this.sendText(eventText(name, JSON.stringify(data)));
  }

  /** Tells all readers what is spelled already. */
  sendText(text: string): void {
    for (const reader of this.#readers) reader.put(text);
  }

  /** Ends every stream once its reader has what was sent. */
  close(): void {
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }
}

class Reader {
  cancelled = false;
  #waiting: string;
  #missed = 0;
  #ended = false;
  #wake: () => void = () => {};

  constructor(first: string) {
    this.#waiting = first;
  }

  put(text: string): void {
    if (this.#waiting.length + text.length > WAITING_MAX_CHARS) this.#missed++;
    else this.#waiting += text;
    this.#wake();
  }

  /** All that waits, as soon as something does; undefined at the end. */
  async next(): Promise<string | undefined> {
    if (this.#waiting === "" && !this.#ended) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    if (this.cancelled || this.#waiting === "") return undefined;
    const missed = this.#missed;
    const text = this.#waiting;
    this.#waiting = "";
    this.#missed = 0;
    return missed === 0 ? text : text + eventText("dropped", JSON.stringify({ count: missed }));
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }
}
