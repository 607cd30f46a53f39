/**
 * Bytes as HTTP sees them: which may stand where, and how they become text and back. Everything
 * below decides by table lookup, one step a byte. Knows nothing of messages.
 */

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;

/** Marks of the tables: 0 may not stand here, 1 may, 2 may and is not ASCII. */
type Table = Uint8Array;

const ALPHA = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGIT = "0123456789";
const TOKEN_MARKS = "!#$%&'*+-.^_`|~";

/** Bytes of a token: field names, codings (RFC 9110 section 5.6.2). */
export const TOKEN: Table = tableOf(ALPHA + DIGIT + TOKEN_MARKS);

/** Bytes of a field name in HTTP/2 (RFC 9113 section 8.2.1). */
export const LOWER_TOKEN: Table = tableOf(ALPHA.slice(0, 26) + DIGIT + TOKEN_MARKS);

/**
 * Bytes of a method. Lower case is left out: methods are case-sensitive, so `head` is nobody's method, but
 * an upstream that takes it for HEAD would frame its answer otherwise than we expect.
 */
export const METHOD: Table = tableOf(ALPHA.slice(26) + DIGIT + TOKEN_MARKS);

/**
 * Bytes of a request target: all visible ASCII but `#`. Wider than RFC 3986, as browsers send `|`, `{`
 * or `"` in queries; a fragment has no place on the wire, and peers differ on whether the path ends there.
 */
export const TARGET: Table = visible("#");

/** Visible ASCII. */
export const VISIBLE: Table = visible("");

/** Bytes of a field value or reason phrase (RFC 9110 section 5.5), obs-text marked 2. */
export const TEXT: Table = textTable();

/** Bytes of a host name. Underscores are no DNS but common inside of networks. */
export const HOST: Table = tableOf(ALPHA + DIGIT + "-_");

/** Value of a hexadecimal digit; 255 for other bytes. */
export const HEX: Uint8Array = hexTable();

function tableOf(characters: string): Table {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}

function visible(except: string): Table {
  const table = new Uint8Array(256).fill(1, 0x21, 0x7f);
  for (const character of except) table[character.charCodeAt(0)] = 0;
  return table;
}

function textTable(): Table {
  const table = new Uint8Array(256).fill(1, SP, 0x7f).fill(2, 0x80);
  table[HTAB] = 1;
  return table;
}

function hexTable(): Uint8Array {
  const table = new Uint8Array(256).fill(255);
  for (let value = 0; value < 16; value++) {
    const digit = value.toString(16);
    table[digit.charCodeAt(0)] = value;
    table[digit.toUpperCase().charCodeAt(0)] = value;
  }
  return table;
}

const ASCII_DECODER = new TextDecoder();
/** Arguments of one call, far below what engines allow. */
const CALL_LIMIT = 4096;

/**
 * Bytes as text, one character a byte. `ascii` promises that no byte is above 0x7f, which the tables have
 * found out by then. `TextDecoder("latin1")` is no help for the others: it means windows-1252.
 */
export function latin1(bytes: Uint8Array, ascii: boolean): string {
  if (ascii) return ASCII_DECODER.decode(bytes);
  let text = "";
  for (let at = 0; at < bytes.length; at += CALL_LIMIT) {
    text += Reflect.apply(String.fromCharCode, undefined, bytes.subarray(at, at + CALL_LIMIT));
  }
  return text;
}

/** Bytes of a body that came along and are read as text too, as that costs less than leaving them out. */
const SURPLUS_LIMIT_BYTES = 256;

/** Text of the first `end` bytes, and maybe of some more. */
export function leadingText(bytes: Uint8Array, end: number, ascii: boolean): string {
  const surplus = bytes.length - end;
  return latin1(ascii && surplus <= SURPLUS_LIMIT_BYTES ? bytes : bytes.subarray(0, end), ascii);
}

/** Text made by `latin1` as the bytes it came from. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

export const NOTHING = new Uint8Array(0);

/** What follows the first `consumed` bytes; mostly nothing, and then without a view made for it. */
export function restOf(bytes: Uint8Array, consumed: number): Uint8Array {
  return consumed === bytes.length ? NOTHING : bytes.subarray(consumed);
}

/** Tells whether the bytes from `start` spell that text. */
export function spells(bytes: Uint8Array, start: number, text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    if (bytes[start + at] !== text.charCodeAt(at)) return false;
  }
  return true;
}

/** Tells whether the table allows every character of a text made by `latin1`. */
export function holds(text: string, table: Table): boolean {
  for (let at = 0; at < text.length; at++) {
    if ((table[text.charCodeAt(at)] ?? 0) === 0) return false;
  }
  return true;
}

function isPadding(code: number): boolean {
  return code === SP || code === HTAB;
}

/** Whether spaces or tabs stand around a text. */
export function isPadded(text: string): boolean {
  return isPadding(text.charCodeAt(0)) || isPadding(text.charCodeAt(text.length - 1));
}

/**
 * Text without the spaces and tabs around it. `trim` would not do: it also takes away bytes such as 0xa0, which
 * makes another text of it. Nor would a regular expression, which needs time in the square of the spaces.
 */
export function unpadded(text: string): string {
  if (!isPadded(text)) return text;
  let start = 0;
  let end = text.length;
  while (start < end && isPadding(text.charCodeAt(start))) start++;
  while (end > start && isPadding(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** A fixed set of words that are found by their bytes, so that no text is made for what comes in every message. */
export class Words<Meaning> {
  readonly #buckets: Word<Meaning>[][] = Array.from({ length: 512 }, () => []);

  constructor(words: Iterable<readonly [string, Meaning]>) {
    for (const [text, meaning] of words) {
      const codes = latin1Bytes(text);
      this.#buckets[bucketOf(codes, 0, codes.length)]?.push({ text, codes, meaning });
    }
  }

  find(bytes: Uint8Array, start: number, end: number): Word<Meaning> | undefined {
    const bucket = this.#buckets[bucketOf(bytes, start, end)];
    if (bucket === undefined) return undefined;
    for (let at = 0; at < bucket.length; at++) {
      const word = bucket[at];
      if (word !== undefined && isWord(word.codes, bytes, start, end)) return word;
    }
    return undefined;
  }
}

export interface Word<Meaning> {
  readonly text: string;
  readonly codes: Uint8Array;
  readonly meaning: Meaning;
}

function isWord(codes: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (codes.length !== end - start) return false;
  for (let at = 0; at < codes.length; at++) if (bytes[start + at] !== codes[at]) return false;
  return true;
}

function bucketOf(bytes: Uint8Array, start: number, end: number): number {
  return ((end - start) * 31 + (bytes[start] ?? 0) * 7 + (bytes[end - 1] ?? 0)) & 511;
}
