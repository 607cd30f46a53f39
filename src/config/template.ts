/**
 * Reads header names, header values and texts with {placeholders}. Pure. What goes into a head can be
 * put on the wire as it is: no control bytes, nothing that Latin-1 cannot hold.
 */
import { FRAMING_FIELDS } from "../fields.ts";
import {
  KEYED_PLACEHOLDERS,
  type Placeholder,
  PLAIN_PLACEHOLDERS,
  type Template,
} from "../rules.ts";
import { read, type Reading, refuse, show } from "./reading.ts";
import { didYouMean } from "./suggest.ts";

// RFC 9110 section 5.6.2.
export const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Reads a header name that may be written to a message. */
export function readFieldName(written: unknown): Reading<string> {
  const token = readToken(written);
  if (token.kind === "refused") return token;
  return FRAMING_FIELDS.has(token.value.toLowerCase())
    ? refuse("a header that understudy does not manage itself")
    : token;
}

/** Reads a header name to look for, which may be any. */
export function readToken(written: unknown): Reading<string> {
  return typeof written === "string" && TOKEN.test(written)
    ? read(written)
    : refuse('a header name such as "X-Origin"');
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
  return value.kind === "read" ? split(value.value) : value;
}

/** Reads any text with placeholders: a body, a variable. */
export function readTextTemplate(written: unknown): Reading<Template> {
  return typeof written === "string" ? split(written) : refuse("a text, in quotes,");
}

/** Reads a path, a query or both, with placeholders. */
export function readUriTemplate(written: unknown): Reading<Template> {
  const fits = typeof written === "string" && /^[/?{][\x21-\x22\x24-\x7e]*$/.test(written);
  return fits ? split(written) : refuse('a path and query such as "/new{uri}"');
}

/** Reads a status that ends an exchange, or one placeholder for it. */
export function readStatusTemplate(written: unknown): Reading<Template> {
  const text = typeof written === "number" ? String(written) : written;
  const expected = 'a status from 200 to 599, or a placeholder such as "{error_status}",';
  if (typeof text !== "string") return refuse(expected);
  if (/^[2-5]\d\d$/.test(text)) return read([text]);
  return /^\{[^{}]+\}$/.test(text) ? split(text) : refuse(expected);
}

function split(text: string): Reading<Template> {
  const parts: (string | Placeholder)[] = [];
  let literal = "";
  for (const [piece] of text.matchAll(/\{\{|\{[^{}]*\}?|[^{]+/g)) {
    if (!piece.startsWith("{") || piece === "{{") {
      literal += piece === "{{" ? "{" : piece;
      continue;
    }
    const reading = readPlaceholder(piece);
    if (reading.kind === "refused") return reading;
    if (literal !== "") parts.push(literal);
    literal = "";
    parts.push(reading.value);
  }
  if (literal !== "") parts.push(literal);
  return read(parts);
}

/** What may follow the dot of a placeholder, and how to teach it. */
const ARGUMENTS: Readonly<Record<typeof KEYED_PLACEHOLDERS[number], readonly [RegExp, string]>> = {
  header: [TOKEN, "{header.User-Agent}"],
  query: [/^[^\p{C}]{1,100}$/u, "{query.id}"],
  cookie: [TOKEN, "{cookie.session}"],
  segment: [/^\d{1,3}$/, "{segment.0}"],
  label: [/^\d{1,3}$/, "{label.0}"],
  re: [/^(?:[A-Za-z_][\w-]*\.)?\w{1,64}$/, "{re.name.1}"],
  var: [/^[\w.-]{1,64}$/, "{var.name}"],
  response: [TOKEN, "{response.Content-Type}"],
};

function readPlaceholder(piece: string): Reading<Placeholder> {
  const word = piece.slice(1).replace(/\}$/, "");
  const plain = PLAIN_PLACEHOLDERS.find((known) => `{${known}}` === piece);
  if (plain !== undefined) return read({ name: plain });

  const dot = word.indexOf(".");
  const before = dot < 0 ? word : word.slice(0, dot);
  const name = KEYED_PLACEHOLDERS.find((known) => known === before);
  // `{query}` is plain and closed above; an unclosed one is most likely meant like that too.
  if (name === undefined || !piece.endsWith("}")) {
    const known = dot < 0 ? PLAIN_PLACEHOLDERS : KEYED_PLACEHOLDERS;
    return refuse(
      'a known placeholder ("{{" is a plain brace)',
      `${show(piece)}${didYouMean(before, known)}`,
    );
  }
  const [pattern, example] = ARGUMENTS[name];
  const of = word.slice(dot + 1);
  return dot > 0 && pattern.test(of)
    ? read({ name, of })
    : refuse(`a placeholder such as "${example}"`, show(piece));
}
