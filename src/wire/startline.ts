/**
 * The first line of a message: request line and status line (RFC 9112 sections 3 and 4), resumable at
 * any byte. Single spaces, CRLF, HTTP/1.0 or HTTP/1.1; whatever else older texts allow is refused.
 */
import { CR, LF, METHOD, SP, spells, TARGET, TEXT, VISIBLE } from "./bytes.ts";
import { BARE_CR, type Refused, refused, type Scanned } from "./section.ts";

const BARE_LF = refused(400, "Line feed without carriage return");
const TOO_LONG = refused(414, "Request line too long");
const EMPTY_LINES = refused(400, "Too many empty lines before the request");
const BAD_METHOD = refused(400, "Illegal byte in the method");
const BAD_TARGET = refused(400, "Illegal byte in the request target");
const NO_VERSION = refused(505, "Request line without a version");
const BAD_VERSION = refused(400, "Malformed version");
const OTHER_VERSION = refused(505, "Unsupported version");

/** RFC 9112 section 2.2 asks to skip "at least one"; old clients end a body with one that was not counted. */
const EMPTY_LINES_MAX = 2;

const LEAD = 0;
const LEAD_LF = 1;
const IN_METHOD = 2;
const IN_TARGET = 3;
const IN_VERSION = 4;
const OLD_LF = 5;
const LINE_LF = 6;

export class RequestLine {
  /** Where the line begins, empty lines before it left out. */
  start = 0;
  methodEnd = 0;
  targetEnd = 0;
  minorVersion: 0 | 1 = 1;
  #state = LEAD;
  #at = 0;
  #emptyLines = 0;

  begin(): void {
    this.start = 0;
    this.#state = LEAD;
    this.#at = 0;
    this.#emptyLines = 0;
  }

  /** Returns where the first field line begins. */
  scan(bytes: Uint8Array, end: number, limitBytes: number): Scanned {
    let at = this.#at;
    while (at < end) {
      // One past the limit, where the carriage return of the longest line may stand.
      const stop = Math.min(end, this.start + limitBytes + 1);
      switch (this.#state) {
        case LEAD:
          if (bytes[at] === CR) {
            if (++this.#emptyLines > EMPTY_LINES_MAX) return EMPTY_LINES;
            this.#state = LEAD_LF;
            at++;
            continue;
          }
          this.start = at;
          this.#state = IN_METHOD;
          continue;
        case LEAD_LF:
          if (bytes[at] !== LF) return BARE_CR;
          this.#state = LEAD;
          at++;
          continue;
        case IN_METHOD:
          while (at < stop && METHOD[bytes[at] ?? 0] === 1) at++;
          if (at === stop) break;
          if (bytes[at] !== SP || at === this.start) return BAD_METHOD;
          this.methodEnd = at++;
          this.#state = IN_TARGET;
          continue;
        case IN_TARGET:
          while (at < stop && TARGET[bytes[at] ?? 0] === 1) at++;
          if (at === stop) break;
          if (at === this.methodEnd + 1) return BAD_TARGET;
          if (bytes[at] !== SP && bytes[at] !== CR) return bytes[at] === LF ? BARE_LF : BAD_TARGET;
          // HTTP/0.9 ends its line here; there is no head to read after it.
          this.#state = bytes[at] === SP ? IN_VERSION : OLD_LF;
          this.targetEnd = at++;
          continue;
        case IN_VERSION: {
          while (at < stop && VISIBLE[bytes[at] ?? 0] === 1) at++;
          if (at === stop) break;
          const trouble = this.#version(bytes, at);
          if (trouble !== undefined) return trouble;
          this.#state = LINE_LF;
          at++;
          continue;
        }
        case OLD_LF:
          return bytes[at] === LF ? NO_VERSION : BARE_CR;
        default:
          return bytes[at] === LF ? at + 1 : BARE_CR;
      }
      if (at > this.start + limitBytes) return TOO_LONG;
    }
    this.#at = at;
    return "more";
  }

  blame(fault: Refused): Refused {
    return fault;
  }

  #version(bytes: Uint8Array, at: number): Refused | undefined {
    if (bytes[at] !== CR) return bytes[at] === LF ? BARE_LF : BAD_VERSION;
    const start = this.targetEnd + 1;
    if (at - start !== 8) return BAD_VERSION;
    const minor = minorVersionAt(bytes, start);
    if (minor === undefined) return isVersion(bytes, start) ? OTHER_VERSION : BAD_VERSION;
    this.minorVersion = minor;
    return undefined;
  }
}

const LONG_STATUS = refused(502, "Status line too long");
const BAD_STATUS = refused(502, "Malformed status line");
const BAD_REASON = refused(502, "Illegal byte in the status line");

/** Length of "HTTP/1.1 200", after which only the reason phrase comes. */
const STATUS_END = 12;

export class StatusLine {
  status = 0;
  minorVersion: 0 | 1 = 1;
  /** Start and end of the reason phrase. */
  reasonStart = 0;
  reasonEnd = 0;
  ascii = true;
  #at = 0;
  #complete = false;

  begin(): void {
    this.ascii = true;
    this.#at = 0;
    this.#complete = false;
  }

  /** Returns where the first field line begins. */
  scan(bytes: Uint8Array, end: number, limitBytes: number): Scanned {
    let at = this.#at;
    const stop = Math.min(end, limitBytes + 1);
    while (at < stop && !this.#complete) {
      while (at < stop && TEXT[bytes[at] ?? 0] === 1) at++;
      if (at === stop) break;
      if (TEXT[bytes[at] ?? 0] === 2) {
        this.ascii = false;
      } else {
        if (bytes[at] !== CR) return BAD_REASON;
        if (!this.#read(bytes, at)) return BAD_STATUS;
        this.#complete = true;
      }
      at++;
    }
    if (!this.#complete && at > limitBytes) return LONG_STATUS;
    if (this.#complete && at < end) return bytes[at] === LF ? at + 1 : BAD_REASON;
    this.#at = at;
    return "more";
  }

  /** A client is not told what its upstream did wrong: to it, that is a bad gateway. */
  blame(fault: Refused): Refused {
    return refused(502, fault.reason);
  }

  /** Many upstreams send no reason and some not even the space before it: both are harmless. */
  #read(bytes: Uint8Array, end: number): boolean {
    const minor = minorVersionAt(bytes, 0);
    if (minor === undefined || end < STATUS_END || bytes[8] !== SP) return false;
    if (end > STATUS_END && bytes[STATUS_END] !== SP) return false;
    const hundreds = digitAt(bytes, 9);
    const tens = digitAt(bytes, 10);
    const ones = digitAt(bytes, 11);
    if (hundreds < 1 || tens < 0 || ones < 0) return false;
    this.minorVersion = minor;
    this.status = 100 * hundreds + 10 * tens + ones;
    this.reasonStart = Math.min(STATUS_END + 1, end);
    this.reasonEnd = end;
    return true;
  }
}

function minorVersionAt(bytes: Uint8Array, start: number): 0 | 1 | undefined {
  if (!spells(bytes, start, "HTTP/1.")) return undefined;
  const minor = digitAt(bytes, start + 7);
  return minor === 0 || minor === 1 ? minor : undefined;
}

function isVersion(bytes: Uint8Array, start: number): boolean {
  return spells(bytes, start, "HTTP/") && digitAt(bytes, start + 5) >= 0 &&
    bytes[start + 6] === 0x2e && digitAt(bytes, start + 7) >= 0;
}

/** Value of a decimal digit; -1 for other bytes. */
function digitAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at] ?? 0;
  return byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : -1;
}
