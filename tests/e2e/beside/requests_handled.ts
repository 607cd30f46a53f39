/** Requests about what a Caddyfile does with them: edits, steps, matchers, guards, errors, retries. */
import type { Ask } from "../../support/raw_client.ts";
import { about, type Question } from "./question.ts";

const EDITS: readonly Question[] = [
  about("fields", "fields", "header_up and header_down", {
    target: "/x?y=1",
    headers: [
      ["X-Set", "old"],
      ["X-Many", "first"],
      ["X-Gone", "1"],
      ["X-Gone-Too", "1"],
      ["X-Text", "caaat"],
      ["X-Source", "there"],
    ],
  }),
  about("fields", "name", "header_up where nothing is to edit"),
  about("fields", "name", "header_up with what would break lines", {
    target: "/x?q=%C4%8D%C4%8AX-Evil:%20yes%0D%0AX-Evil:%20too",
    headers: [["X-Source", "caf\u00e9"]],
  }),
  about("host", "name", "header_up Host"),
  about("upstreamhost", "name", "header_up Host {upstream_hostport}"),
  about("trusting", "name", "forwarding fields of a trusted peer", {
    headers: [["X-Forwarded-For", "1.2.3.4"], ["X-Forwarded-Proto", "https"], [
      "X-Forwarded-Host",
      "a.test",
    ]],
  }),
  about("trusting", "name", "no forwarding fields of a trusted peer"),
  about("rewritten", "name", "method and rewrite", { target: "/x?y=1" }),
];

const STEPS: readonly Question[] = [
  about("steps", "name", "handle_path and handle within", { target: "/api/v1/things?x=1" }),
  about("steps", "name", "handle_path and rewrite", { target: "/api/else?x=1" }),
  about("steps", "name", "handle_path in another case", { target: "/API/v1/things" }),
  about("steps", "name", "uri in three ways", { target: "/edit///a//b.html?x=//" }),
  about("steps", "name", "rewrite with a query", { target: "/page?a=1" }),
  about("steps", "name", "rewrite without one", { target: "/page" }),
  about("steps", "", "respond with text", { target: "/say/text" }),
  about("steps", "", "respond with JSON", { target: "/say/json" }),
  about("steps", "", "respond with a status", { target: "/say/nothing" }),
  about("steps", "", "respond with text and status", { target: "/say/teapot" }),
  about("steps", "", "respond and close", { target: "/say/closing" }),
  about("steps", "", "respond to HEAD", { target: "/say/text", method: "HEAD" }),
  about("steps", "", "respond to POST", { target: "/say/text", method: "POST", body: "unread" }),
  about("steps", "", "respond with query and cookie", {
    target: "/say/x?word=it",
    headers: [["Cookie", "other=1; name=value"]],
  }),
  about("steps", "", "respond at an encoded path", { target: "/say/%74ext?a=%20" }),
  about("steps", "", "respond with a decoded path", {
    target: "/say/an%20odd%2Fp%C3%A4th?word=%C3%A4",
    headers: [["Cookie", "name=value"]],
  }),
  about("steps", "", "respond with what was asked", {
    target: "/who",
    headers: [["Host", "Steps.Test"]],
  }),
  about("steps", "", "respond with the port asked for", {
    target: "/who",
    headers: [["Host", "steps.test:PORT"]],
  }),
  about("steps", "", "respond with a field that is UTF-8", {
    target: "/who",
    headers: [["X-Name", "caf\u00c3\u00a9"]],
  }),
  about("steps", "", "redir with a path", { target: "/path/a%20b/c" }),
  about("steps", "", "redir", { target: "/old" }),
  about("steps", "", "redir permanent with placeholders", { target: "/moved?x=1" }),
  about("steps", "", "redir with a status", { target: "/kept", method: "POST", body: "x" }),
  about("steps", "", "header and vars", { target: "/marked" }),
  about("steps", "", "what no handle takes", { target: "/nowhere" }),
];

const match = (title: string, more: Ask): Question =>
  about("matching", "", `matcher: ${title}`, more);

const MATCHERS: readonly Question[] = [
  match("method", { method: "DELETE", target: "/z" }),
  match("header", { headers: [["X-Kind", "wanted indeed"]] }),
  match("header of another value", { headers: [["X-Kind", "other"]], target: "/x" }),
  match("header that is absent", { target: "/nofield" }),
  match("header_regexp", { headers: [["X-Word", "abc-12"], ["X-Kind", "y"]] }),
  match("query", { target: "/?kind=fish&colour=red" }),
  match("query with another value", { target: "/q?kind=fowl&colour=red" }),
  match("path_regexp", { target: "/n/42/rest/of" }),
  match("path_regexp that does not match", { target: "/n/x/rest" }),
  match("remote_ip", { target: "/peer" }),
  match("not", { target: "/zzz" }),
  match("two together", { target: "/both/ways", method: "POST" }),
  match("one of two", { target: "/both/ways" }),
  match("expression", { target: "/any", method: "PATCH" }),
  match("expression with a matcher", { target: "/xpress" }),
  match("path by its end", { target: "/n/index.php" }),
  match("path by a star within", { target: "/foo/deep/er" }),
  match("path in another case", { target: "/N/INDEX.PHP" }),
  match("protocol", { target: "/proto" }),
  match("none", { target: "/a" }),
];

const auth = (word: string) => [["Authorization", `Basic ${btoa(word)}`]] as const;

const GUARDS: readonly Question[] = [
  about("auth", "name", "basic_auth without a password", { target: "/private/x" }),
  about("auth", "name", "basic_auth with the right one", {
    target: "/private/x",
    headers: auth("bob:secret"),
  }),
  about("auth", "name", "basic_auth with a wrong one", {
    target: "/private/x",
    headers: auth("bob:guess"),
  }),
  about("auth", "name", "basic_auth elsewhere", { target: "/public" }),
  { ...about("guarded", "name", "forward_auth that lets in"), sayB: "welcome" },
  {
    ...about("guarded", "name", "forward_auth of a POST", {
      method: "POST",
      target: "/x?y=1",
      body: "kept for later",
      headers: [["Remote-User", "forged"]],
    }),
    sayB: "welcome",
  },
  { ...about("guarded", "name", "forward_auth that does not"), sayB: "unwelcome" },
  about("limited", "name", "request_body that fits", { method: "POST", body: "0123456789" }),
  about("limited", "name", "request_body that does not", { method: "POST", body: "0123456789a" }),
];

const GZIP = { headers: [["Accept-Encoding", "gzip"]] } as const;

const ENCODINGS: readonly Question[] = [
  about("small", "long", "encode for those who take it", GZIP),
  about("small", "long", "encode for those who do not"),
  about("small", "name", "encode of something short", GZIP),
  about("small", "image", "encode of an image", GZIP),
  about("small", "gzipped", "encode of what is compressed already", GZIP),
  about("small", "long", "encode for HEAD", { ...GZIP, method: "HEAD" }),
  about("small", "unchanged", "encode of 304", GZIP),
];

const ERRORS: readonly Question[] = [
  about("errors", "", "handle_errors of an upstream that is gone", { target: "/gone" }),
  about("errors", "", "handle_errors of error with a message", { target: "/failing" }),
  about("errors", "", "handle_errors of error with a status", { target: "/missing" }),
  about("errors", "missing", "handle_errors and an upstream's own error", { target: "/other" }),
  about("edited", "name", "header and an answer", { target: "/there" }),
  about("edited", "fields", "header and an answer with many fields", { target: "/there" }),
  about("edited", "", "header and an error", { target: "/gone" }),
  about("edited", "", "header and an error with handle_errors", { target: "/failing" }),
  about("handled", "missing", "handle_response"),
  about("handled", "broken", "handle_response that copies"),
  about("handled", "away", "handle_response that copies another"),
  about("handled", "swap", "replace_status"),
  about("handled", "name", "handle_response of none"),
  about("gone", "", "an upstream that is gone"),
  about("gone", "", "a POST to an upstream that is gone", { method: "POST", body: "lost" }),
  about("slow", "late", "response_header_timeout"),
];

const RETRIES: readonly Question[] = [
  about("pair", "name", "lb_policy first"),
  about("pair", "broken", "lb_policy first and an error"),
  about("half", "name", "an upstream that is gone before one that is not"),
  about("half", "name", "a POST there", { method: "POST", body: "kept" }),
  about("patient", "name", "lb_try_duration"),
  about("patient", "name", "lb_try_duration and a POST", { method: "POST", body: "kept" }),
  { ...about("matched", "hangUp", "a GET that was lost"), sayB: "name" },
  {
    ...about("matched", "hangUp", "a POST that was lost", { method: "POST", body: "kept" }),
    sayB: "name",
  },
  {
    ...about("matched", "hangUp", "a lost POST that lb_retry_match names", {
      method: "POST",
      target: "/again/x",
    }),
    sayB: "name",
  },
  { ...about("judged", "broken", "unhealthy_status"), sayB: "name", times: 2 },
];

export const HANDLED: readonly Question[] = [
  ...EDITS,
  ...STEPS,
  ...MATCHERS,
  ...GUARDS,
  ...ENCODINGS,
  ...ERRORS,
  ...RETRIES,
];
