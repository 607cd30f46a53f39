/** Requests about forwarding alone: methods, targets, fields, and what upstreams answer. */
import { about, type Question } from "./question.ts";

const plain = (title: string, more: Omit<Question, "title" | "site"> = {}): Question => ({
  site: "plain",
  title,
  ...more,
});
const chunked = (body: string) => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
const CHUNKED = ["Transfer-Encoding", "chunked"] as const;

const METHODS: readonly Question[] = [
  plain("GET"),
  plain("HEAD", { method: "HEAD" }),
  plain("HEAD of something long", { method: "HEAD", say: "long" }),
  plain("POST with a sized body", { method: "POST", body: "some words" }),
  plain("POST with an empty body", { method: "POST", body: "" }),
  plain("POST without any body", { method: "POST" }),
  plain("POST with a chunked body", {
    method: "POST",
    headers: [CHUNKED],
    raw: chunked("in chunks"),
  }),
  plain("POST with trailers", {
    method: "POST",
    headers: [CHUNKED, ["Trailer", "X-Sum"]],
    raw: "4\r\nbody\r\n0\r\nX-Sum: 4\r\n\r\n",
  }),
  plain("POST of 200 KB", { method: "POST", body: "0123456789".repeat(20_000) }),
  plain("POST of bytes", { method: "POST", body: new Uint8Array([0, 1, 13, 10, 255, 128]) }),
  plain("PUT", { method: "PUT", body: "put" }),
  plain("PATCH", { method: "PATCH", body: "patch" }),
  plain("DELETE", { method: "DELETE" }),
  plain("DELETE with a body", { method: "DELETE", body: "all of it" }),
  plain("OPTIONS", { method: "OPTIONS" }),
  plain("GET with a body", { method: "GET", body: "query in a body" }),
  plain("a method of WebDAV", { method: "PROPFIND", headers: [["Depth", "1"]] }),
  plain("a made-up method", { method: "BREW" }),
  plain("TRACE", { method: "TRACE" }),
  plain("Expect: 100-continue by a client that does not wait", {
    method: "POST",
    headers: [["Expect", "100-continue"]],
    body: "at once",
  }),
  plain("Expect: 100-continue by a client that waits", {
    method: "POST",
    headers: [["Expect", "100-continue"], ["Content-Length", "12"]],
    raw: "after asking",
    waits: true,
  }),
];

const TARGETS: readonly Question[] = [
  plain("a query", { target: "/q?a=1&b=2&a=3" }),
  plain("an empty query", { target: "/q?" }),
  plain("a query with odd characters", { target: "/q?x=%20+%2B&y=%C3%A4&z=[1]" }),
  plain("a query with a semicolon", { target: "/q?a=1;b=2" }),
  plain("percent-encoded characters", { target: "/a%20b/%E2%82%AC/%41" }),
  plain("an encoded slash", { target: "/a%2Fb/c" }),
  plain("double slashes", { target: "//a//b" }),
  plain("dot segments", { target: "/a/../b/./c" }),
  plain("characters that are seldom encoded", { target: "/a(b)'c*;d=e,f!$&@:" }),
  plain("characters that should be encoded", { target: '/a|b^c"<d>`e{f}' }),
  plain("a backslash", { target: "/a\\b" }),
  plain("a malformed escape", { target: "/a%zz" }),
  plain("an absolute target", { target: "http://plain.test/absolute?x=1" }),
  plain("a long path", { target: `/${"long/".repeat(400)}` }),
];

const FIELDS: readonly Question[] = [
  plain("nothing but Host", { bare: true }),
  plain("repeated fields", { headers: [["X-A", "1"], ["X-B", "2"], ["X-A", "3"]] }),
  plain("fields in odd case", { headers: [["x-lower", "a"], ["X-UPPER", "b"], ["x-MiXeD", "c"]] }),
  plain("an empty field", { headers: [["X-Empty", ""]] }),
  plain("a field with inner spaces", { headers: [["X-Spaced", "a  b\tc"]] }),
  plain("a field with bytes beyond ASCII", { headers: [["X-Latin", "caf\u00e9"]] }),
  plain("a field with an underscore", { headers: [["X_Under", "score"]] }),
  plain("a large field", { headers: [["X-Large", "x".repeat(6000)]] }),
  plain("two cookies", { headers: [["Cookie", "a=1"], ["Cookie", "b=2"]] }),
  plain("fields of the hop", {
    headers: [
      ["Connection", "X-Hop, keep-alive"],
      ["X-Hop", "ends here"],
      ["Keep-Alive", "timeout=5"],
      ["Proxy-Authorization", "Basic eA=="],
      ["Proxy-Connection", "keep-alive"],
    ],
  }),
  plain("TE: trailers", { headers: [["TE", "trailers, deflate"], ["Connection", "TE"]] }),
  plain("forged forwarding fields", {
    headers: [
      ["X-Forwarded-For", "6.6.6.6"],
      ["X-Forwarded-Proto", "https"],
      ["X-Forwarded-Host", "evil.test"],
    ],
  }),
  plain("a Via of somebody else", { headers: [["Via", "1.1 before"]] }),
  plain("a range", { say: "partial", headers: [["Range", "bytes=2-3"]] }),
  plain("a condition", { say: "unchanged", headers: [["If-None-Match", '"x"']] }),
  plain("an upgrade to what nobody speaks", {
    headers: [["Connection", "Upgrade"], ["Upgrade", "h2c"], ["HTTP2-Settings", "AAMAAABk"]],
  }),
  plain("Host with a port", { headers: [["Host", "plain.test:PORT"]] }),
  plain("Host in upper case", { headers: [["Host", "PLAIN.TEST"]] }),
  plain("a host by a wildcard", { headers: [["Host", "some.wild.test"]] }),
  plain("a host that nobody serves", { headers: [["Host", "stranger.test"]] }),
  plain("two labels where a wildcard has one", { headers: [["Host", "a.b.wild.test"]] }),
];

const ANSWERS: readonly Question[] = [
  ...([
    ["fields", "repeated and odd fields of an answer"],
    ["chunked", "a chunked answer"],
    ["trailers", "an answer with trailers"],
    ["untilClose", "an answer that ends with the connection"],
    ["untyped", "an answer without a type"],
    ["created", "201"],
    ["odd", "a status nobody knows"],
    ["nothing", "204"],
    ["unchanged", "304"],
    ["reset", "205"],
    ["empty", "an empty answer"],
    ["moved", "a redirect of the upstream"],
    ["unauthorized", "401 of the upstream"],
    ["missing", "404 of the upstream"],
    ["busy", "429 of the upstream"],
    ["broken", "500 of the upstream"],
    ["away", "503 of the upstream"],
    ["long", "a long answer"],
    ["gzipped", "an answer that is compressed"],
    ["events", "server-sent events"],
    ["hint", "early hints"],
    ["slow", "a slow answer"],
    ["cut", "an answer that is cut"],
    ["hangUp", "a connection closed before the answer"],
    ["garbage", "an answer that is none"],
  ] as const).map(([say, title]) => about("plain", say, title)),
  about("plain", "gzipped", "a compressed answer for those who take it", {
    headers: [["Accept-Encoding", "gzip"]],
  }),
];

export const FORWARDED: readonly Question[] = [...METHODS, ...TARGETS, ...FIELDS, ...ANSWERS];
