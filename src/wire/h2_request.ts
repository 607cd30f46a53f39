/**
 * A request as a client of HTTP/2 tells it (RFC 9113 section 8), judged as strictly as one of HTTP/1.1,
 * which will be made of it. Decides what it is or why it is none; knows no streams.
 */
import { Fields } from "../fields.ts";
import { isAuthority } from "./authority.ts";
import { COLON, holds, isPadded, LOWER_TOKEN, METHOD, TARGET, TEXT } from "./bytes.ts";
import { Control, declaredFraming, expectsContinue } from "./control.ts";
import type { HeadLimits } from "./head.ts";
import type { Packed } from "./h2_hpack.ts";
import { controlName, OF_CONNECTIONS } from "./names.ts";
import { type Refused, refused } from "./section.ts";

export interface H2Head {
  readonly method: string;
  /** Path and query as sent, or `*`. */
  readonly path: string;
  /** As sent, but for `Host`, which stands first and is what the authority says, and cookies, which are one. */
  readonly fields: Fields;
  /** Undefined when none is declared. */
  readonly lengthBytes: number | undefined;
  readonly expectContinue: boolean;
}

/** 400 stands for what is malformed, and may end its stream without an answer; others are told to the client. */
const LONG_HEAD = refused(431, "Head too long");
const FIELDS_MAX = refused(431, "Too many fields");
const LONG_PATH = refused(414, "Path too long");
const NOT_ALLOWED = refused(405, "Method not allowed");
const BAD_NAME = refused(400, "Illegal byte in a field name");
const BAD_VALUE = refused(400, "Illegal byte in a field value");
const PADDED = refused(400, "Space around a field value");
const OTHER_PSEUDO = refused(400, "Unknown pseudo-field");
const TWO_PSEUDO = refused(400, "Pseudo-field said twice");
const LATE_PSEUDO = refused(400, "Pseudo-field behind a field");
const NO_PSEUDO = refused(400, "Pseudo-field is missing");
const OF_HTTP1 = refused(400, "Field of HTTP/1.1 connections");
const OTHER_TE = refused(400, "TE other than trailers");
const BAD_METHOD = refused(400, "Illegal byte in the method");
const BAD_SCHEME = refused(400, "Scheme other than http and https");
const BAD_PATH = refused(400, "Path has no allowed form");
const HOSTS = refused(400, "More than one Host field");
const NO_HOST = refused(400, "Neither authority nor Host");
const BAD_HOST = refused(400, "Malformed authority");
const TWO_HOSTS = refused(400, "Authority and Host differ");
const SHORT = refused(400, "Body is shorter than told");

/** One for all heads, as each is read in one go. */
const CONTROL = new Control();

/** Places of the pseudo-fields in what is read of them. */
const PSEUDO = new Map([[":method", 0], [":scheme", 1], [":authority", 2], [":path", 3]]);

/** `ends`: no body follows. Fields are undefined where they were more than is allowed. */
export function readH2Request(
  packed: readonly Packed[] | undefined,
  ends: boolean,
  limits: HeadLimits,
): H2Head | Refused {
  if (packed === undefined) return LONG_HEAD;
  const control = CONTROL.begin();
  const pseudo: (string | undefined)[] = [undefined, undefined, undefined, undefined];
  // `Host` goes first, as RFC 9110 section 7.2 asks for.
  const flat = ["Host", ""];
  const fault = readPseudo(packed, pseudo) ?? readFields(packed, flat, control);
  if (fault !== undefined) return fault;

  const [method, scheme, authority, path] = pseudo;
  if (method === undefined) return NO_PSEUDO;
  if (method === "" || !holds(method, METHOD)) return BAD_METHOD;
  const host = readHost(authority, control);
  if (typeof host !== "string") return host;
  if (method === "CONNECT") return isConnect(pseudo) ? NOT_ALLOWED : NO_PSEUDO;
  if (scheme === undefined || path === undefined) return NO_PSEUDO;
  if (scheme !== "http" && scheme !== "https") return BAD_SCHEME;
  if (!isPath(method, path)) return BAD_PATH;
  const framing = declaredFraming(control, 1);
  if (framing.kind === "refused") return framing;
  const lengthBytes = framing.kind === "length" ? framing.lengthBytes : undefined;
  if (ends && (lengthBytes ?? 0) > 0) return SHORT;

  // Both make a proxy do what this one never does: dial anywhere, or echo what only we should see.
  if (method === "TRACE") return NOT_ALLOWED;
  if (path.length > limits.lineLimitBytes) return LONG_PATH;
  if (flat.length > 2 * limits.fieldsMax) return FIELDS_MAX;
  flat[1] = host;
  const fields = Fields.fromFlat(flat);
  return { method, path, fields, lengthBytes, expectContinue: expectsContinue(control, 1) };
}

function readPseudo(
  packed: readonly Packed[],
  pseudo: (string | undefined)[],
): Refused | undefined {
  let late = false;
  for (const [name, value] of packed) {
    if (name.charCodeAt(0) !== COLON) {
      late = true;
      continue;
    }
    if (late) return LATE_PSEUDO;
    const place = PSEUDO.get(name);
    if (place === undefined) return OTHER_PSEUDO;
    if (pseudo[place] !== undefined) return TWO_PSEUDO;
    pseudo[place] = value;
  }
  return undefined;
}

function readFields(
  packed: readonly Packed[],
  flat: string[],
  control: Control,
): Refused | undefined {
  let cookieAt = 0;
  for (const [name, value] of packed) {
    if (name.charCodeAt(0) === COLON) continue;
    if (name === "" || !holds(name, LOWER_TOKEN)) return BAD_NAME;
    if (!holds(value, TEXT)) return BAD_VALUE;
    if (isPadded(value)) return PADDED;
    if (OF_CONNECTIONS.has(name)) return OF_HTTP1;
    if (name === "te" && value.toLowerCase() !== "trailers") return OTHER_TE;

    const controlled = controlName(name);
    if (controlled !== undefined) control.note(controlled, value);
    if (controlled === "host") continue;
    if (name !== "cookie" || value === "") {
      flat.push(name, value);
    } else if (cookieAt > 0) {
      // RFC 9113 section 8.2.3: crumbs of what is one field elsewhere.
      flat[cookieAt] += `; ${value}`;
    } else {
      cookieAt = flat.push(name, value) - 1;
    }
  }
  return undefined;
}

/** What the request is for, said by one of two or by both alike (RFC 9113 section 8.3.1). */
function readHost(authority: string | undefined, control: Control): string | Refused {
  if (control.hosts > 1) return HOSTS;
  const host = authority ?? control.host;
  if (host === undefined) return NO_HOST;
  if (!isAuthority(host)) return BAD_HOST;
  const other = control.host ?? host;
  return host === other || host.toLowerCase() === other.toLowerCase() ? host : TWO_HOSTS;
}

/** RFC 9113 section 8.5. */
function isConnect([, scheme, authority, path]: readonly (string | undefined)[]): boolean {
  return scheme === undefined && path === undefined && authority !== undefined;
}

function isPath(method: string, path: string): boolean {
  if (path === "*") return method === "OPTIONS";
  return path.startsWith("/") && holds(path, TARGET);
}
