/**
 * Where heads are written, piece by piece, to leave as bytes in one copy: joining them as text first would
 * make each of them three times. Its buffer serves all connections in turn, so what is begun is taken
 * before anybody waits.
 */
import type { Fields } from "../fields.ts";

const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;
const SP = 0x20;
const FIRST_BYTES = 16 * 1024;

export class Writer {
  #bytes = new Uint8Array(FIRST_BYTES);
  #end = 0;

  begin(): this {
    this.#end = 0;
    return this;
  }

  /** Bytes written since `begin`. */
  get size(): number {
    return this.#end;
  }

  byte(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#end++] = value;
    return this;
  }

  /** Leaves room for bytes that are known later, which the taker writes. */
  room(bytes: number): this {
    this.#reserve(bytes);
    this.#end += bytes;
    return this;
  }

  /** Text of one byte a character, as `latin1` makes it. */
  text(text: string): this {
    const { length } = text;
    this.#reserve(length);
    const bytes = this.#bytes;
    const end = this.#end;
    for (let at = 0; at < length; at++) bytes[end + at] = text.charCodeAt(at);
    this.#end = end + length;
    return this;
  }

  /** Field lines, each with its line end. */
  fields(fields: Fields): this {
    const { flat } = fields;
    for (let at = 0; at < flat.length; at += 2) this.field(flat[at] ?? "", flat[at + 1] ?? "");
    return this;
  }

  field(name: string, value: string): this {
    this.text(name);
    this.#reserve(2);
    this.#bytes[this.#end++] = COLON;
    this.#bytes[this.#end++] = SP;
    return this.text(value).lineEnd();
  }

  lineEnd(): this {
    this.#reserve(2);
    this.#bytes[this.#end++] = CR;
    this.#bytes[this.#end++] = LF;
    return this;
  }

  data(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
    return this;
  }

  /** A copy of what was written, the taker's to keep. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.#end);
  }

  #reserve(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = grown;
  }
}

/** The one that all use, as nobody waits between `begin` and `take`. */
export const WRITER = new Writer();
