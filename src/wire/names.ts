/**
 * Field names that matter to a connection, and those that every message has. Common names are found
 * by their bytes and share one string each, which also makes comparing them later a matter of pointers.
 */
import { Words } from "./bytes.ts";

/** Fields that decide where a message goes, where it ends and what becomes of its connection. */
export type ControlName =
  | "host"
  | "content-length"
  | "transfer-encoding"
  | "connection"
  | "expect"
  | "upgrade";

const CONTROL_NAMES: ReadonlyMap<string, ControlName> = new Map<string, ControlName>([
  ["host", "host"],
  ["content-length", "content-length"],
  ["transfer-encoding", "transfer-encoding"],
  ["connection", "connection"],
  ["expect", "expect"],
  ["upgrade", "upgrade"],
]);

/** Bit n is set when a control name has n letters, which spares other names a lower-case copy. */
const CONTROL_LENGTHS = [...CONTROL_NAMES.keys()].reduce(
  (bits, { length }) => bits | 1 << length,
  0,
);

/** Which control field that is, if any, however it is written. */
export function controlName(name: string): ControlName | undefined {
  if (name.length > 31 || (CONTROL_LENGTHS & 1 << name.length) === 0) return undefined;
  return CONTROL_NAMES.get(name.toLowerCase());
}

const COMMON_NAMES = [
  "Host",
  "Content-Length",
  "Transfer-Encoding",
  "Connection",
  "Expect",
  "Upgrade",
  "Accept",
  "Accept-Charset",
  "Accept-Encoding",
  "Accept-Language",
  "Accept-Ranges",
  "Access-Control-Allow-Credentials",
  "Access-Control-Allow-Headers",
  "Access-Control-Allow-Methods",
  "Access-Control-Allow-Origin",
  "Age",
  "Authorization",
  "Cache-Control",
  "Content-Disposition",
  "Content-Encoding",
  "Content-Language",
  "Content-Range",
  "Content-Type",
  "Cookie",
  "DNT",
  "Date",
  "ETag",
  "Expires",
  "Forwarded",
  "If-Modified-Since",
  "If-None-Match",
  "Keep-Alive",
  "Last-Modified",
  "Link",
  "Location",
  "Origin",
  "Pragma",
  "Priority",
  "Range",
  "Referer",
  "Retry-After",
  "Sec-Fetch-Dest",
  "Sec-Fetch-Mode",
  "Sec-Fetch-Site",
  "Sec-Fetch-User",
  "Sec-WebSocket-Accept",
  "Sec-WebSocket-Extensions",
  "Sec-WebSocket-Key",
  "Sec-WebSocket-Protocol",
  "Sec-WebSocket-Version",
  "Server",
  "Set-Cookie",
  "Strict-Transport-Security",
  "TE",
  "Trailer",
  "Upgrade-Insecure-Requests",
  "User-Agent",
  "Vary",
  "Via",
  "WWW-Authenticate",
  "X-Content-Type-Options",
  "X-Forwarded-For",
  "X-Forwarded-Host",
  "X-Forwarded-Proto",
  "X-Frame-Options",
  "X-Real-IP",
  "X-Request-ID",
  "X-Requested-With",
];

export const NAMES = new Words(
  [...COMMON_NAMES, ...COMMON_NAMES.map((name) => name.toLowerCase())]
    .map((name): [string, ControlName | undefined] => [name, controlName(name)]),
);

export const METHODS = new Words(
  ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].map((
    name,
  ): [string, string] => [name, name]),
);

/** Belong to one connection of HTTP/1.1 and have no place in HTTP/2 (RFC 9113 section 8.2.2). */
export const OF_CONNECTIONS: ReadonlySet<string> = new Set([
  "connection",
  "proxy-connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Fields that a trailer may not bring: framing, routing, authentication, conditions and content
 * (RFC 9110 section 6.5.1). A peer that merges trailers into the head would act on them unseen.
 */
const NEVER_TRAILERS: ReadonlySet<string> = new Set([
  "age",
  "authorization",
  "cache-control",
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "cookie",
  "date",
  "expect",
  "expires",
  "forwarded",
  "host",
  "http2-settings",
  "keep-alive",
  "location",
  "max-forwards",
  "pragma",
  "range",
  "retry-after",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "vary",
  "via",
  "www-authenticate",
]);

/** Prefixes of further names no trailer may bring. */
const NEVER_TRAILER_PREFIXES = ["if-", "proxy-", "sec-", "x-forwarded-"];

export function mayBeTrailer(name: string): boolean {
  const lower = name.toLowerCase();
  return !NEVER_TRAILERS.has(lower) &&
    !NEVER_TRAILER_PREFIXES.some((prefix) => lower.startsWith(prefix));
}
