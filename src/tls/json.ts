/** Reads what others sent as JSON, where nothing is sure to be there or of its kind. Pure. */

/** Undefined where the text is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A member of an object; undefined where it is none or has none. */
export function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** Empty where it is no text. */
export function textIn(value: unknown, name: string): string {
  return textOf(member(value, name)) ?? "";
}

export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** None where it is no list. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Characters of somebody else's words that we repeat, at most. */
const WORDS_MAX = 400;

/** Somebody else's words, on one line and not too many. */
export function tamed(words: string): string {
  // Line breaks and escape sequences are for terminals, and this is for a log.
  // oxlint-disable-next-line no-control-regex
  const line = words.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").trim();
  return line.length > WORDS_MAX ? `${line.slice(0, WORDS_MAX)}…` : line;
}
