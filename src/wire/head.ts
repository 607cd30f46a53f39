/**
 * Bytes become heads here: strict, bounded, resumable at any byte, and without a copy where a head lies
 * in one chunk (RFC 9110, RFC 9112). Decides what a message is and where its body ends; what is ambiguous
 * is refused, never repaired. Does no I/O, and nothing about routes.
 */
import { Fields } from "../fields.ts";
import { isAuthority, readTarget } from "./authority.ts";
import { leadingText } from "./bytes.ts";
import {
  Control,
  type Declared,
  declaredFraming,
  expectsContinue,
  readFields,
  readPersistence,
  readUpgrade,
} from "./control.ts";
import { METHODS } from "./names.ts";
import { type Refused, refused, type Scanned, Section } from "./section.ts";
import { RequestLine, StatusLine } from "./startline.ts";
import { Window } from "./window.ts";

export type { Refused } from "./section.ts";
export type { Declared } from "./control.ts";

export interface HeadLimits {
  /** First line without its line end, in bytes. */
  readonly lineLimitBytes: number;
  /** Whole head with its last empty line, in bytes. */
  readonly headLimitBytes: number;
  readonly fieldsMax: number;
}

export const HEAD_LIMITS: HeadLimits = {
  lineLimitBytes: 16 * 1024,
  headLimitBytes: 64 * 1024,
  fieldsMax: 200,
};

export interface RequestHead {
  readonly method: string;
  /** Exactly as sent. */
  readonly target: string;
  /** Origin form of the target: path and query as sent, or `*`. */
  readonly path: string;
  readonly minorVersion: 0 | 1;
  /** As sent, but for `Host`, which the authority of an absolute-form target replaces. */
  readonly fields: Fields;
  /** As sent, checked; undefined only in HTTP/1.0. */
  readonly host: string | undefined;
  readonly framing: Declared;
  readonly keepAlive: boolean;
  readonly expectContinue: boolean;
  /** Protocol asked for, lower case. */
  readonly upgrade: string | undefined;
  /** Names and options listed in `Connection`, lower case. */
  readonly nominated: readonly string[];
}

export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly minorVersion: 0 | 1;
  readonly fields: Fields;
  /** What the head says of its body; `responseFraming` knows whether there is one. */
  readonly declared: Declared;
  readonly keepAlive: boolean;
  /** Protocol changed to or offered, lower case. */
  readonly upgrade: string | undefined;
  readonly nominated: readonly string[];
}

/** What came of a chunk. `consumed` counts bytes of that chunk; the rest belongs to what follows the head. */
export type HeadResult<Head> =
  | { readonly kind: "more" }
  | { readonly kind: "head"; readonly head: Head; readonly consumed: number }
  | Refused;

const MORE = { kind: "more" } as const;
const LONG_HEAD = refused(431, "Head too long");
const NO_HOST = refused(400, "No Host field");
const HOSTS = refused(400, "More than one Host field");
const BAD_HOST = refused(400, "Malformed Host");
const BAD_TARGET = refused(400, "Request target has no allowed form");
const INTERIM_BODY = refused(502, "Interim response with a body");
const BAD_METHOD = refused(405, "Method not allowed");

/** One for all heads, as each is read in one go. */
const CONTROL = new Control();

/** The part of a message before its fields. */
interface StartLine {
  begin(): void;
  scan(bytes: Uint8Array, end: number, limitBytes: number): Scanned;
  /** Status that tells the client whose fault it was. */
  blame(fault: Refused): Refused;
}

/** Reads the heads of one connection, one after the other. Of no use after a refusal. */
export class Heads<Head> {
  readonly #limits: HeadLimits;
  readonly #line: StartLine;
  readonly #read: (bytes: Uint8Array, end: number, section: Section) => Head | Refused;
  readonly #window = new Window();
  readonly #section = new Section();
  #inSection = false;

  constructor(
    limits: HeadLimits,
    line: StartLine,
    read: (bytes: Uint8Array, end: number, section: Section) => Head | Refused,
  ) {
    this.#limits = limits;
    this.#line = line;
    this.#read = read;
  }

  /** Whether some bytes of the next head have come. */
  get begun(): boolean {
    return this.#window.end > 0;
  }

  /** The chunk may be reused by its owner afterwards. */
  push(chunk: Uint8Array): HeadResult<Head> {
    const window = this.#window;
    const before = window.take(chunk, this.#limits.headLimitBytes);
    const scanned = this.#scan(window.bytes, window.end);
    if (scanned === "more") {
      if (window.end >= this.#limits.headLimitBytes) return this.#line.blame(LONG_HEAD);
      window.keep();
      return MORE;
    }
    if (typeof scanned !== "number") return this.#line.blame(scanned);

    const head = this.#read(window.bytes, scanned, this.#section);
    window.clear();
    this.#line.begin();
    this.#inSection = false;
    return isRefused(head)
      ? this.#line.blame(head)
      : { kind: "head", head, consumed: scanned - before };
  }

  #scan(bytes: Uint8Array, end: number): Scanned {
    if (!this.#inSection) {
      const scanned = this.#line.scan(bytes, end, this.#limits.lineLimitBytes);
      if (typeof scanned !== "number") return scanned;
      this.#inSection = true;
      this.#section.begin(scanned);
    }
    return this.#section.scan(bytes, end, this.#limits.fieldsMax);
  }
}

function isRefused<Head>(head: Head | Refused): head is Refused {
  return typeof head === "object" && head !== null && "kind" in head && head.kind === "refused";
}

/** Heads that clients send. */
export function requestHeads(limits: HeadLimits): Heads<RequestHead> {
  const line = new RequestLine();
  return new Heads(limits, line, (bytes, end, section) => readRequest(bytes, end, line, section));
}

/** Heads that upstreams send; refusals carry 502. */
export function responseHeads(limits: HeadLimits): Heads<ResponseHead> {
  const line = new StatusLine();
  return new Heads(limits, line, (bytes, end, section) => readResponse(bytes, end, line, section));
}

function readRequest(
  bytes: Uint8Array,
  end: number,
  line: RequestLine,
  section: Section,
): RequestHead | Refused {
  const { start, methodEnd, targetEnd, minorVersion } = line;
  const text = leadingText(bytes, end, section.ascii);
  const method = METHODS.find(bytes, start, methodEnd)?.text ?? text.slice(start, methodEnd);
  // Both make a proxy do what this one never does: dial anywhere, or echo what only we should see.
  if (method === "CONNECT" || method === "TRACE") return BAD_METHOD;

  const control = CONTROL.begin();
  const flat = readFields(bytes, text, section, control);
  if (control.hosts > 1) return HOSTS;
  if (control.hosts === 0 && minorVersion === 1) return NO_HOST;
  if (control.host !== undefined && !isAuthority(control.host)) return BAD_HOST;

  const target = text.slice(methodEnd + 1, targetEnd);
  const asked = readTarget(method, target);
  if (asked === undefined) return BAD_TARGET;
  const framing = declaredFraming(control, minorVersion);
  if (framing.kind === "refused") return framing;

  const fields = Fields.fromFlat(flat);
  if (asked.authority !== undefined) fields.set("Host", asked.authority);
  const persistence = readPersistence(control, minorVersion);
  return {
    method,
    target,
    path: asked.path,
    minorVersion,
    fields,
    host: asked.authority ?? control.host,
    framing,
    keepAlive: persistence.keepAlive,
    expectContinue: expectsContinue(control, minorVersion),
    upgrade: readUpgrade(control, persistence, minorVersion),
    nominated: persistence.nominated,
  };
}

function readResponse(
  bytes: Uint8Array,
  end: number,
  line: StatusLine,
  section: Section,
): ResponseHead | Refused {
  const { status, minorVersion, reasonStart, reasonEnd } = line;
  const text = leadingText(bytes, end, section.ascii && line.ascii);
  const control = CONTROL.begin();
  const fields = Fields.fromFlat(readFields(bytes, text, section, control));
  const declared = declaredFraming(control, minorVersion);
  if (declared.kind === "refused") return declared;
  if (status < 200 && promisesBody(declared)) return INTERIM_BODY;

  const persistence = readPersistence(control, minorVersion);
  return {
    status,
    reason: text.slice(reasonStart, reasonEnd),
    minorVersion,
    fields,
    declared,
    keepAlive: persistence.keepAlive,
    upgrade: readUpgrade(control, persistence, minorVersion),
    nominated: persistence.nominated,
  };
}

/** Interim responses have no body (RFC 9112 section 6.3), yet some readers look for one that is declared. */
function promisesBody(declared: Declared): boolean {
  return declared.kind === "chunked" || declared.kind === "length" && declared.lengthBytes > 0;
}
