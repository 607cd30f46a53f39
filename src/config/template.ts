/**
 * Reads header names, header values and values with {placeholders}. Pure. Whatever passes here can be
 * put on the wire as it is: no control bytes, nothing that Latin-1 cannot hold.
 */
import type { PlaceholderName, Template } from "../rules.ts";
import { read, type Reading, refuse } from "./reading.ts";
import { didYouMean } from "./suggest.ts";

export const PLACEHOLDERS: readonly PlaceholderName[] = [
  "client_ip",
  "host",
  "upstream",
  "upstream_host",
  "scheme",
  "method",
  "uri",
  "request_id",
];

// RFC 9110 section 5.6.2.
export const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Fields that belong to one connection or to the framing, which are not the operator's to write. */
const MANAGED = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Reads a header name that may be written to a message. */
export function readFieldName(written: unknown): Reading<string> {
  if (typeof written !== "string" || !TOKEN.test(written)) {
    return refuse('a header name such as "X-Origin"');
  }
  return MANAGED.has(written.toLowerCase())
    ? refuse("a header that understudy does not manage itself")
    : read(written);
}

/** Reads the name of a field that may be written to a request. */
export function readRequestFieldName(written: unknown): Reading<string> {
  const isHost = typeof written === "string" && written.toLowerCase() === "host";
  return isHost ? refuse("host_header of an upstream, for this header,") : readFieldName(written);
}

/** Reads a header value. Never shows it: credentials are written here. */
export function readFieldValue(written: unknown): Reading<string> {
  if (typeof written !== "string") return refuse("a text, in quotes,");
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(written)
    ? read(written)
    : refuse("a header value", "one with a line break or another character no header can hold");
}

/** Reads a header value with placeholders; `{{` is a literal brace. */
export function readTemplate(written: unknown): Reading<Template> {
  const value = readFieldValue(written);
  if (value.kind === "refused") return value;

  const parts: (string | { readonly name: PlaceholderName })[] = [];
  let literal = "";
  for (const [piece] of value.value.matchAll(/\{\{|\{[^{}]*\}?|[^{]+/g)) {
    if (!piece.startsWith("{") || piece === "{{") {
      literal += piece === "{{" ? "{" : piece;
      continue;
    }
    const name = PLACEHOLDERS.find((known) => `{${known}}` === piece);
    if (name === undefined) {
      const word = piece.slice(1).replace(/\}$/, "");
      return refuse(
        'a known placeholder ("{{" is a plain brace)',
        `"${piece}"${didYouMean(word, PLACEHOLDERS)}`,
      );
    }
    if (literal !== "") parts.push(literal);
    literal = "";
    parts.push({ name });
  }
  if (literal !== "") parts.push(literal);
  return read(parts);
}
