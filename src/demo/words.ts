/**
 * What a stand-in says: words that name the machine, digests and embeddings. Pure and repeatable,
 * so that the same question to the same machine gives the same bytes.
 */

/** The token at `index` of an endless answer; joined, they read as sentences that name `speaker`. */
export function tokenAt(speaker: string, model: string, index: number): string {
  const words = [
    speaker,
    "answers",
    "as",
    model,
    "with",
    "one",
    "plain",
    "word",
    "at",
    "a",
    "time.",
  ];
  const word = words[index % words.length] ?? "";
  return index === 0 ? word : ` ${word}`;
}

/** Tokens a prompt comes to, at the usual four characters each. */
export function countTokens(prompt: string): number {
  return Math.ceil(prompt.length / 4);
}

/** A unit vector that depends on model and input alone: two machines with one model agree. */
export function embeddingOf(model: string, input: string, dimensions: number): number[] {
  const next = numbersFrom(`${model}\n${input}`);
  const raw = Array.from({ length: dimensions }, () => next() - 0.5);
  const length = Math.hypot(...raw) || 1;
  // Real vectors are 32-bit; rounding here keeps JSON and base64 forms equal.
  return raw.map((value) => Math.fround(value / length));
}

/** 64 hexadecimal digits that look like a SHA-256 and are none. */
export function digestOf(model: string): string {
  const next = numbersFrom(model);
  return Array.from({ length: 64 }, () => Math.floor(next() * 16).toString(16)).join("");
}

/** Bytes of 32-bit floats, little-endian, as the OpenAI clients ask for by default. */
export function base64Of(vector: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(vector.length * 4));
  vector.forEach((value, at) => view.setFloat32(at * 4, value, true));
  let binary = "";
  for (const byte of new Uint8Array(view.buffer)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Numbers from 0 to 1 in a sequence that `seed` alone decides (FNV-1a into an xorshift). */
function numbersFrom(seed: string): () => number {
  let state = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(seed)) state = Math.imul(state ^ byte, 0x01000193);
  // An xorshift never leaves zero.
  state ||= 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
