/**
 * Where understudy answers otherwise than Debian's Caddy 2.6.2, facet by facet, and why. Sections are
 * those of the contract that the README tells in short, its section 9 being where Caddy is left on purpose.
 */

export const REASONS = {
  failsOver: "section 9: dial failures fail over by default, where Caddy's first client gets 502",
  asSent: "section 6: method, target and framing reach the upstream as they were sent",
  nothingInvented:
    "section 6: no field is invented, such as Accept-Encoding, Content-Type or Server",
  trailers: "section 6 and RFC 9110 section 6.5: trailers pass; Trailer ends at the hop",
  tooLarge: "section 6: a body over the limit is answered with 413, and nobody is asked",
  stream:
    "section 6: every chunk is passed on at once, so the compressed length is not known before",
  unrouted: "section 1: no route is 404 with an empty body",
  host: "section 1: hosts are compared, and known to {host}, in lower case; {port} is then our own",
  unknown: "docs/config.md: a placeholder of which nothing is known is empty",
  edits: "docs/from-caddy.md, header: edits are made as a response leaves, whoever gave it",
  location: "RFC 9110 section 10.2.2: a Location is a URI, so the path in it stays encoded",
  lineBreaks: "RFC 9110 section 5.5: line breaks are taken out of a value, not put to the upstream",
  expect: "RFC 9110 section 10.1.1: who has the body already is told nothing; our hop has no wait",
  te: "RFC 9110 section 10.1.4: trailers is the one part of TE that an intermediary passes on",
  trace: "RFC 9110 section 9.3.8: what TRACE would reflect is not for others; answered with 405",
  h2c: "docs/limits.md: Upgrade: h2c is ignored, as requests behind it would pass unseen",
  charset: "RFC 7617 section 2.1: the challenge says that names and passwords are UTF-8",
  vary: "RFC 9110 section 12.5.5: what depends on Accept-Encoding says so, whoever gets it",
  head: "RFC 9110 section 9.3.2: HEAD has no Content-Length that GET would not have",
  once: "each field is copied once, also by copy_response_headers before copy_response",
  newer: "caddy #6054 of 2024: newer Caddy, the reference, wants every key of a query matcher",
} as const;

export type Reason = keyof typeof REASONS;

/** Facet, Caddy's value, ours. */
export type Listed = readonly [facet: string, caddy: string, ours: string];

export interface Known {
  readonly why: Reason;
  readonly facets: readonly Listed[];
  /** Facets that are a matter of chance: Caddy's upstream may hear of a request after its client was answered. */
  readonly loose?: readonly string[];
}

/** Those that many requests have. Each must occur at least once. */
export const EVERYWHERE: readonly { readonly facet: RegExp; readonly why: string }[] = [
  { facet: /^client server$/, why: REASONS.nothingInvented },
  { facet: /^client date$/, why: "what breaks the rules of HTTP is refused without a Date" },
  { facet: /^client via$/, why: "section 6: Via both ways, as newer Caddy has it" },
  {
    facet: /^upstream(?: \d+)? via$/,
    why: "section 6: Via both ways, as newer Caddy has it",
  },
  { facet: /^client x-request-id$/, why: "answers of our own have the id that the log has" },
];

const of = (why: Reason, facets: readonly Listed[]): Known => ({ why, facets });

/** By the title of the request. */
export const DIFFERENCES: Readonly<Record<string, Known>> = {
  "POST without any body": of("asSent", [
    ["upstream content-length", "0", "–"],
  ]),
  "POST with trailers": of("trailers", [
    ["upstream body", "body", "body then X-Sum: 4"],
    ["upstream trailer", "X-Sum", "–"],
  ]),
  "TRACE": of("trace", [
    ["asked", "A", ""],
    ["client body", "a", ""],
    ["client connection", "–", "close"],
    ["client content-length", "1", "0"],
    ["client content-type", "text/plain", "–"],
    ["client status", "200", "405"],
  ]),
  "Expect: 100-continue by a client that does not wait": of("expect", [
    ["client interim", "HTTP/1.1 100 Continue", ""],
    ["upstream expect", "100-continue", "–"],
  ]),
  "Expect: 100-continue by a client that waits": of("expect", [
    ["upstream expect", "100-continue", "–"],
  ]),
  "characters that should be encoded": of("asSent", [
    [
      "upstream line",
      "GET /a%7Cb%5Ec%22%3Cd%3E%60e%7Bf%7D HTTP/1.1",
      'GET /a|b^c"<d>`e{f} HTTP/1.1',
    ],
  ]),
  "a backslash": of("asSent", [
    ["upstream line", "GET /a%5Cb HTTP/1.1", "GET /a\\b HTTP/1.1"],
  ]),
  "a malformed escape": of("asSent", [
    ["asked", "", "A"],
    ["client body", "400 Bad Request", "a"],
    ["client connection", "close", "–"],
    ["client content-length", "–", "1"],
    ["client content-type", "text/plain; charset=utf-8", "text/plain"],
    ["client status", "400", "200"],
  ]),
  "nothing but Host": of("nothingInvented", [
    ["upstream accept-encoding", "gzip", "–"],
  ]),
  "TE: trailers": of("te", [
    ["upstream te", "–", "trailers"],
  ]),
  "an upgrade to what nobody speaks": of("h2c", [
    ["upstream connection", "Upgrade", "–"],
    ["upstream http2-settings", "AAMAAABk", "–"],
    ["upstream upgrade", "h2c", "–"],
  ]),
  "a host that nobody serves": of("unrouted", [
    ["client status", "200", "404"],
  ]),
  "two labels where a wildcard has one": of("unrouted", [
    ["client status", "200", "404"],
  ]),
  "an answer with trailers": of("trailers", [
    ["client trailer", "X-Sum", "–"],
  ]),
  "an answer without a type": of("nothingInvented", [
    ["client content-type", "text/html; charset=utf-8", "–"],
  ]),
  "early hints": of("nothingInvented", [
    [
      "client interim",
      "HTTP/1.1 103 Early Hints Link: </a.css>; rel=preload Server: Caddy",
      "HTTP/1.1 103 Early Hints Link: </a.css>; rel=preload",
    ],
  ]),
  "header_up with what would break lines": of("lineBreaks", [
    ["asked", "", "A"],
    ["client body", "", "a"],
    ["client content-length", "0", "1"],
    ["client content-type", "–", "text/plain"],
    ["client status", "502", "200"],
    ["client x-down", "–", "from A"],
    ["client x-repeated", "–", "c"],
  ]),
  "method and rewrite": of("asSent", [
    ["upstream content-length", "0", "–"],
  ]),
  "respond with what was asked": of("host", [
    ["client body", "Steps.Test Steps.Test  ", "steps.test Steps.Test PORT "],
    ["client content-length", "23", "28"],
  ]),
  "respond with a field that is UTF-8": of("host", [
    ["client body", "28 bytes, 116324", "32 bytes, 995183"],
    ["client content-length", "28", "33"],
  ]),
  "redir with a path": of("location", [
    ["client location", "/see/path/a b/c", "/see/path/a%20b/c"],
  ]),
  "matcher: query with another value": of("newer", [
    ["client body", "query", "not"],
    ["client content-length", "5", "3"],
  ]),
  "basic_auth without a password": of("charset", [
    [
      "client www-authenticate",
      'Basic realm="restricted"',
      'Basic realm="restricted", charset="UTF-8"',
    ],
  ]),
  "basic_auth with a wrong one": of("charset", [
    [
      "client www-authenticate",
      'Basic realm="restricted"',
      'Basic realm="restricted", charset="UTF-8"',
    ],
  ]),
  "basic_auth elsewhere": of("unknown", [
    ["upstream x-user", "{http.auth.user.id}", ""],
  ]),
  "request_body that does not": {
    ...of("tooLarge", [["client status", "502", "413"]]),
    loose: ["asked"],
  },
  "encode for those who take it": of("stream", [
    ["client content-length", "65", "–"],
    ["client transfer-encoding", "–", "chunked"],
  ]),
  "encode for those who do not": of("vary", [
    ["client vary", "–", "Accept-Encoding"],
  ]),
  "encode for HEAD": of("head", [
    ["client content-length", "20", "–"],
  ]),
  "header and an answer with many fields": of("edits", [
    ["client x-default", "–", "new"],
    ["client x-word", "understudy", "<n>derst<d>y"],
  ]),
  "header and an error": of("edits", [
    ["client etag", "–", "ours"],
    ["client x-default", "–", "new"],
    ["client x-own", "–", "yes"],
  ]),
  "header and an error with handle_errors": of("edits", [
    ["client etag", "–", "ours"],
    ["client x-default", "–", "new"],
    ["client x-own", "–", "yes"],
  ]),
  "handle_response that copies": of("once", [
    ["client x-reason", "bad day ¶ bad day", "bad day"],
  ]),
  "an upstream that is gone before one that is not": of("failsOver", [
    ["asked", "", "A"],
    ["client body", "", "a"],
    ["client content-length", "0", "1"],
    ["client content-type", "–", "text/plain"],
    ["client status", "502", "200"],
  ]),
  "a POST there": of("failsOver", [
    ["asked", "", "A"],
    ["client body", "", "a"],
    ["client content-length", "0", "1"],
    ["client content-type", "–", "text/plain"],
    ["client status", "502", "200"],
  ]),
  "a lost POST that lb_retry_match names": of("asSent", [
    ["upstream content-length", "0", "–"],
  ]),
};
