/** Bodies for tests: chunks from a list, with an end that is clean, broken or never comes. */
import type { ByteSource } from "../../src/model.ts";

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (chunks: readonly Uint8Array[]): string =>
  new TextDecoder().decode(joined(chunks));

export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** Reads a source to its end. */
export async function readAll(source: ByteSource): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (let chunk = await source.read(); chunk; chunk = await source.read()) chunks.push(chunk);
  return joined(chunks);
}

export async function readText(source: ByteSource): Promise<string> {
  return new TextDecoder().decode(await readAll(source));
}

export class FakeBody implements ByteSource {
  cancelled = false;
  reads = 0;
  readonly #chunks: Uint8Array[];
  readonly #end: "clean" | "dies" | "hangs";
  readonly lengthBytes: number | undefined;
  #release: () => void = () => {};
  readonly #released = new Promise<void>((resolve) => (this.#release = resolve));

  constructor(
    chunks: readonly (string | Uint8Array)[],
    { end = "clean", lengthBytes }: {
      end?: "clean" | "dies" | "hangs";
      lengthBytes?: number | undefined;
    } = {},
  ) {
    this.#chunks = chunks.map((chunk) => typeof chunk === "string" ? bytes(chunk) : chunk);
    this.#end = end;
    this.lengthBytes = lengthBytes;
  }

  async read(): Promise<Uint8Array | undefined> {
    this.reads++;
    const chunk = this.cancelled ? undefined : this.#chunks.shift();
    if (chunk !== undefined) return chunk;
    if (this.#end === "dies") throw new Error("Sender died");
    if (this.#end === "hangs") await this.#released;
    // As real ones do: whoever still reads would take a fragment for the whole.
    if (this.cancelled) throw new Error("Body was given up");
    return undefined;
  }

  /** Ends one that hangs, cleanly. */
  finish(): void {
    this.#release();
  }

  cancel(): void {
    this.cancelled = true;
    this.#release();
  }
}
