/**
 * Finds the field lines of a head or of trailers, and nothing but their borders: RFC 9112 section 5,
 * without its leniencies. Stops at any byte and goes on with the next chunk where it stopped.
 */
import { COLON, CR, HTAB, LF, SP, TEXT, TOKEN } from "./bytes.ts";

/** Why bytes are no message, with the status that says so to a client. */
export interface Refused {
  readonly kind: "refused";
  readonly status: number;
  readonly reason: string;
}

/** Where the scanned part ends, or that it goes on, or that it is none. */
export type Scanned = number | "more" | Refused;

export function refused(status: number, reason: string): Refused {
  return { kind: "refused", status, reason };
}

const FIELDS_MAX = refused(431, "Too many fields");
export const BARE_CR = refused(400, "Carriage return without line feed");
const BARE_LF = refused(400, "Line feed without carriage return");
const NO_NAME = refused(400, "Field without a name");
const NO_COLON = refused(400, "Field line without a colon");
const FOLDED = refused(400, "Folded field line or space before a name");
const SPACE_BEFORE_COLON = refused(400, "Space between field name and colon");
const BAD_NAME = refused(400, "Illegal byte in a field name");
const BAD_VALUE = refused(400, "Illegal byte in a field value");

const LINE = 0;
const NAME = 1;
const PAD = 2;
const VALUE = 3;
const LINE_LF = 4;
const LAST_LF = 5;

export class Section {
  /** Start and end of the name, start and end of the value of each field. */
  readonly marks: number[] = [];
  /** Whether every byte so far is ASCII. */
  ascii = true;
  #state = LINE;
  #at = 0;
  #nameStart = 0;

  /** Begins a new section whose first byte will be at `at`. */
  begin(at: number): void {
    this.marks.length = 0;
    this.ascii = true;
    this.#state = LINE;
    this.#at = at;
  }

  /** Goes on up to `end` or to the end of the section, whichever comes first. */
  scan(bytes: Uint8Array, end: number, fieldsMax: number): Scanned {
    // In locals, as this loop is most of what a small request costs.
    const { marks } = this;
    let state = this.#state;
    let at = this.#at;
    while (at < end) {
      switch (state) {
        case LINE:
          if (bytes[at] === CR) {
            state = LAST_LF;
            at++;
            continue;
          }
          if (marks.length >= 4 * fieldsMax) return FIELDS_MAX;
          this.#nameStart = at;
          state = NAME;
          continue;
        case NAME:
          while (at < end && TOKEN[bytes[at] ?? 0] === 1) at++;
          if (at === end) continue;
          if (bytes[at] !== COLON || at === this.#nameStart) return this.#noName(bytes, at);
          marks.push(this.#nameStart, at++);
          state = PAD;
          continue;
        case PAD:
          while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at++;
          if (at === end) continue;
          marks.push(at);
          state = VALUE;
          continue;
        case VALUE:
          while (at < end && TEXT[bytes[at] ?? 0] === 1) at++;
          if (at === end) continue;
          if (TEXT[bytes[at] ?? 0] === 2) {
            this.ascii = false;
            at++;
            continue;
          }
          if (bytes[at] !== CR) return bytes[at] === LF ? BARE_LF : BAD_VALUE;
          marks.push(trimmedEnd(bytes, marks[marks.length - 1] ?? 0, at++));
          state = LINE_LF;
          continue;
        case LINE_LF:
          if (bytes[at++] !== LF) return BARE_CR;
          state = LINE;
          continue;
        default:
          return bytes[at] === LF ? at + 1 : BARE_CR;
      }
    }
    this.#state = state;
    this.#at = at;
    return "more";
  }

  #noName(bytes: Uint8Array, at: number): Refused {
    const byte = bytes[at];
    const first = at === this.#nameStart;
    if (byte === COLON) return NO_NAME;
    if (byte === SP || byte === HTAB) return first ? FOLDED : SPACE_BEFORE_COLON;
    if (byte === LF) return BARE_LF;
    return byte === CR ? NO_COLON : BAD_NAME;
  }
}

function trimmedEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && (bytes[at - 1] === SP || bytes[at - 1] === HTAB)) at--;
  return at;
}
