/**
 * Takes the chunked coding off a body (RFC 9112 section 7.1), resumable at any byte and without copying
 * what it carries. Extensions are read and dropped; trailers are kept where a trailer may be believed.
 */
import { Fields } from "../fields.ts";
import type { BodyDecoder, BodyLimits, BodyState } from "./body.ts";
import { CR, HEX, LF, TEXT, TOKEN } from "./bytes.ts";
import { latin1 } from "./bytes.ts";
import { Control, readFields } from "./control.ts";
import { mayBeTrailer } from "./names.ts";
import { Section } from "./section.ts";
import { Window } from "./window.ts";

const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Digits of the largest exact number, leading zeros counted. */
const DIGITS_MAX = 14;

type Phase =
  | "size"
  | "extension-name"
  | "extension-value"
  | "token"
  | "quoted"
  | "escaped"
  | "after-quoted"
  | "size-lf"
  | "data"
  | "data-cr"
  | "data-lf"
  | "trailers";

export class ChunkedBody implements BodyDecoder {
  state: BodyState = { kind: "open" };
  consumed = 0;
  readonly #limits: BodyLimits;
  #phase: Phase = "size";
  /** Bytes still to come of the chunk, or its size as read so far. */
  #left = 0;
  #digits = 0;
  /** Whether the present name or value has a byte yet. */
  #begun = false;
  #extensionBytes = 0;
  readonly #trailers = new Section();
  readonly #window = new Window();

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  push(bytes: Uint8Array): readonly Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let at = 0;
    while (at < bytes.length && this.state.kind === "open") {
      if (this.#phase === "data") {
        const end = Math.min(bytes.length, at + this.#left);
        pieces.push(bytes.subarray(at, end));
        this.#left -= end - at;
        at = end;
        if (this.#left === 0) this.#phase = "data-cr";
        continue;
      }
      if (this.#phase === "trailers") {
        at += this.#readTrailers(bytes.subarray(at));
        continue;
      }
      this.#step(bytes[at] ?? 0);
      at++;
    }
    this.consumed = at;
    return pieces;
  }

  end(): void {
    if (this.state.kind === "open") this.#refuse("Connection ended inside of a chunked body");
  }

  /** One byte of what stands between data. */
  #step(byte: number): void {
    switch (this.#phase) {
      case "size":
        return this.#size(byte);
      case "size-lf":
        if (byte !== LF) return this.#refuse("Carriage return without line feed in a chunk size");
        return this.#beginData();
      case "data-cr":
        if (byte !== CR) return this.#refuse("Chunk is longer than its size");
        this.#phase = "data-lf";
        return;
      case "data-lf":
        if (byte !== LF) return this.#refuse("Carriage return without line feed after a chunk");
        this.#phase = "size";
        this.#digits = 0;
        return;
      default:
        return this.#extension(byte);
    }
  }

  #size(byte: number): void {
    const digit = HEX[byte] ?? 255;
    if (digit < 16) {
      this.#left = 16 * (this.#digits === 0 ? 0 : this.#left) + digit;
      this.#digits++;
      const fits = this.#digits <= DIGITS_MAX && this.#left <= Number.MAX_SAFE_INTEGER;
      return fits ? undefined : this.#refuse("Chunk size is too large");
    }
    if (this.#digits === 0) return this.#refuse("Chunk without a size");
    if (byte !== CR && byte !== SEMICOLON) return this.#refuse("Illegal byte in a chunk size");
    this.#enter(byte === CR ? "size-lf" : "extension-name");
  }

  /**
   * `;name`, `;name=token` or `;name="quoted"`, and nothing between them. That much care for what is dropped, as
   * parsers that skip up to some line end disagree on which it is.
   */
  #extension(byte: number): void {
    if (++this.#extensionBytes > this.#limits.extensionLimitBytes) {
      return this.#refuse("Chunk extensions are too long");
    }
    if (this.#phase === "quoted" || this.#phase === "escaped") return this.#quoted(byte);

    const inWord = this.#phase !== "after-quoted";
    if (inWord && TOKEN[byte] === 1) {
      this.#begun = true;
      if (this.#phase === "extension-value") this.#phase = "token";
      return;
    }
    if (this.#phase === "extension-value" && byte === QUOTE) return this.#enter("quoted");
    if (inWord && !this.#begun) return this.#refuse("Malformed chunk extension");
    if (this.#phase === "extension-name" && byte === EQUALS) return this.#enter("extension-value");
    if (byte === SEMICOLON) return this.#enter("extension-name");
    if (byte === CR) return this.#enter("size-lf");
    this.#refuse("Malformed chunk extension");
  }

  #quoted(byte: number): void {
    if ((TEXT[byte] ?? 0) === 0) return this.#refuse("Illegal byte in a chunk extension");
    if (this.#phase === "escaped") return this.#enter("quoted");
    if (byte === QUOTE) this.#enter("after-quoted");
    if (byte === BACKSLASH) this.#enter("escaped");
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#begun = false;
  }

  #beginData(): void {
    this.#phase = this.#left === 0 ? "trailers" : "data";
    if (this.#phase === "trailers") this.#trailers.begin(0);
  }

  /** Returns how many of the bytes belong to the trailers. */
  #readTrailers(bytes: Uint8Array): number {
    const window = this.#window;
    const { trailerLimitBytes, trailersMax } = this.#limits;
    const before = window.take(bytes, trailerLimitBytes);
    const scanned = this.#trailers.scan(window.bytes, window.end, trailersMax);
    if (scanned === "more") {
      if (window.end >= trailerLimitBytes) this.#refuse("Trailers too long");
      window.keep();
      return bytes.length;
    }
    if (typeof scanned !== "number") {
      this.#refuse(scanned.reason);
      return bytes.length;
    }
    this.state = { kind: "done", trailers: this.#believed(window.bytes, scanned) };
    window.clear();
    return scanned - before;
  }

  #believed(bytes: Uint8Array, end: number): Fields | undefined {
    if (this.#trailers.marks.length === 0) return undefined;
    const text = latin1(bytes.subarray(0, end), this.#trailers.ascii);
    const fields = Fields.fromFlat(readFields(bytes, text, this.#trailers, new Control()));
    fields.deleteWhere((name) => !mayBeTrailer(name));
    return fields.size === 0 ? undefined : fields;
  }

  #refuse(reason: string): void {
    this.state = { kind: "refused", reason };
  }
}
