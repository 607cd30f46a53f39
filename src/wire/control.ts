/**
 * Reads the fields that steer a connection out of a section, and judges them: where the body ends
 * (RFC 9112 section 6), whether the connection goes on (section 9), what it may turn into. Whatever
 * two readers could take differently is refused, also where RFC 9112 would let us repair it.
 */
import { HTAB, SP, unpadded } from "./bytes.ts";
import { type ControlName, controlName, NAMES } from "./names.ts";
import { type Refused, refused, type Section } from "./section.ts";

/** What a head declares about its body. */
export type Declared =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly lengthBytes: number }
  | { readonly kind: "chunked" };

/** The control fields of one head, each as its last value and its number. */
export class Control {
  host: string | undefined;
  hosts = 0;
  length: string | undefined;
  lengths = 0;
  coding: string | undefined;
  codings = 0;
  connection: string | undefined;
  expect: string | undefined;
  upgrade: string | undefined;
  upgrades = 0;
  /** A tab beside a framing value, which not everybody trims. */
  tabbed = false;

  /** Forgets the head before; one of these serves all heads of a connection in turn. */
  begin(): this {
    this.host = undefined;
    this.hosts = 0;
    this.length = undefined;
    this.lengths = 0;
    this.coding = undefined;
    this.codings = 0;
    this.connection = undefined;
    this.expect = undefined;
    this.upgrade = undefined;
    this.upgrades = 0;
    this.tabbed = false;
    return this;
  }

  note(name: ControlName, value: string): void {
    switch (name) {
      case "host":
        this.hosts++;
        this.host = value;
        break;
      case "content-length":
        this.lengths++;
        this.length = value;
        break;
      case "transfer-encoding":
        this.codings++;
        this.coding = value;
        break;
      case "connection":
        this.connection = listed(this.connection, value);
        break;
      case "expect":
        this.expect = listed(this.expect, value);
        break;
      case "upgrade":
        this.upgrades++;
        this.upgrade = value;
        break;
    }
  }
}

function listed(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before},${value}`;
}

/** Names and values of a section in turn, as text; notes control fields on the way. */
export function readFields(
  bytes: Uint8Array,
  text: string,
  { marks }: Section,
  control: Control,
): string[] {
  const flat: string[] = [];
  for (let at = 0; at + 3 < marks.length; at += 4) {
    const nameStart = marks[at] ?? 0;
    const nameEnd = marks[at + 1] ?? 0;
    const valueStart = marks[at + 2] ?? 0;
    const valueEnd = marks[at + 3] ?? 0;
    const known = NAMES.find(bytes, nameStart, nameEnd);
    const name = known === undefined ? text.slice(nameStart, nameEnd) : known.text;
    const value = text.slice(valueStart, valueEnd);
    flat.push(name, value);

    const controlled = known === undefined ? controlName(name) : known.meaning;
    if (controlled === undefined) continue;
    control.note(controlled, value);
    if (controlled === "content-length" || controlled === "transfer-encoding") {
      control.tabbed ||= hasTab(bytes, nameEnd + 1, valueStart) || hasTab(bytes, valueEnd);
    }
  }
  return flat;
}

/** Looks through the padding from `at` on. */
function hasTab(bytes: Uint8Array, at: number, end = bytes.length): boolean {
  while (at < end && bytes[at] === SP) at++;
  return at < end && bytes[at] === HTAB;
}

const NONE: Declared = { kind: "none" };
const CHUNKED: Declared = { kind: "chunked" };
const EMPTY: Declared = { kind: "length", lengthBytes: 0 };

const OLD_CODING = refused(400, "Transfer-Encoding in HTTP/1.0");
const BOTH = refused(400, "Both Transfer-Encoding and Content-Length");
const CODINGS = refused(400, "More than one Transfer-Encoding field");
const LENGTHS = refused(400, "More than one Content-Length field");
const TABBED = refused(400, "Tab beside a framing value");
const BAD_LENGTH = refused(400, "Content-Length is not a number");
const LONG_LENGTH = refused(400, "Content-Length is too large");
const BAD_CODING = refused(400, "Malformed Transfer-Encoding");
const MISPLACED_CHUNKED = refused(400, "Coding chunked is not the last and only");
const OTHER_CODING = refused(501, "Transfer coding other than chunked");

const DIGITS = /^[0-9]+$/;
/** Digits of the largest exact number, leading zeros counted. */
const DIGITS_MAX = 16;

/** Where the body ends, as the head says it. */
export function declaredFraming(control: Control, minorVersion: 0 | 1): Declared | Refused {
  if (control.codings === 0 && control.lengths === 0) return NONE;
  if (control.codings > 0 && minorVersion === 0) return OLD_CODING;
  if (control.codings > 0 && control.lengths > 0) return BOTH;
  if (control.codings > 1) return CODINGS;
  if (control.lengths > 1) return LENGTHS;
  if (control.tabbed) return TABBED;
  if (control.coding !== undefined) return declaredCoding(control.coding);
  return declaredLength(control.length ?? "");
}

function declaredLength(value: string): Declared | Refused {
  if (value === "0") return EMPTY;
  if (!DIGITS.test(value)) return BAD_LENGTH;
  const lengthBytes = Number(value);
  if (value.length > DIGITS_MAX || lengthBytes > Number.MAX_SAFE_INTEGER) return LONG_LENGTH;
  return { kind: "length", lengthBytes };
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Tells a coding we do not know, which is honest, from a disguise of chunked, which is not. */
function declaredCoding(value: string): Declared | Refused {
  if (value === "chunked" || value.toLowerCase() === "chunked") return CHUNKED;
  const codings = membersOf(value);
  if (!codings.every((coding) => TOKEN.test(coding))) return BAD_CODING;
  const first = codings.indexOf("chunked");
  return first >= 0 && first < codings.length - 1 ? MISPLACED_CHUNKED : OTHER_CODING;
}

/** What is left of a connection after this message. */
export interface Persistence {
  readonly keepAlive: boolean;
  /** Names listed in `Connection`, lower case: fields of this hop only, and options such as `close`. */
  readonly nominated: readonly string[];
}

const GOES_ON: Persistence = { keepAlive: true, nominated: [] };
const GOES_ON_BY_NAME: Persistence = { keepAlive: true, nominated: ["keep-alive"] };
const ENDS: Persistence = { keepAlive: false, nominated: [] };

/** Nobody may have these removed on the way: without them a message means something else. */
const INDISPENSABLE: ReadonlySet<string> = new Set(["host", "content-length", "transfer-encoding"]);

export function readPersistence(control: Control, minorVersion: 0 | 1): Persistence {
  const { connection } = control;
  if (connection === undefined) return minorVersion === 1 ? GOES_ON : ENDS;
  if (connection === "keep-alive") return GOES_ON_BY_NAME;
  const nominated = tokensOf(connection).filter((name) => !INDISPENSABLE.has(name));
  const keepAlive = !nominated.includes("close") &&
    (minorVersion === 1 || nominated.includes("keep-alive"));
  return { keepAlive, nominated };
}

/** HTTP/1.0 knows no interim answers, so its `Expect` is not heeded (RFC 9110 section 10.1.1). */
export function expectsContinue(control: Control, minorVersion: 0 | 1): boolean {
  if (control.expect === undefined || minorVersion === 0) return false;
  return tokensOf(control.expect).includes("100-continue");
}

const PROTOCOL = /^[!#$%&'*+\-.^_`|~0-9a-z]+(?:\/[!#$%&'*+\-.^_`|~0-9a-z]+)?$/;

/**
 * The protocol to change to, lower case. A list of several is taken for none: which of them the peer
 * picks would be known too late, and whoever offers an upgrade must cope with being ignored.
 */
export function readUpgrade(
  control: Control,
  { nominated }: Persistence,
  minorVersion: 0 | 1,
): string | undefined {
  if (control.upgrade === undefined || control.upgrades > 1 || minorVersion === 0) return undefined;
  const protocol = control.upgrade.toLowerCase();
  return nominated.includes("upgrade") && PROTOCOL.test(protocol) ? protocol : undefined;
}

/** Lower-case members of a list; peers send junk here, and what is no token names nothing. */
function tokensOf(list: string): string[] {
  return membersOf(list).filter((name) => TOKEN.test(name));
}

function membersOf(list: string): string[] {
  return list.toLowerCase().split(",").map(unpadded);
}
