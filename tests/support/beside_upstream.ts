/** Upstreams of the comparison with Caddy: what they say is named by the request's `X-Say`. */
import { gzipSync } from "node:zlib";
import type { Behaviour, Call } from "./raw_upstream.ts";

const TEXT = "Content-Type: text/plain\r\n";

/** A text that is worth compressing. */
export const LONG = "the same words again and again, ".repeat(64);

type Sayings = Readonly<Record<string, (call: Call, name: string) => void>>;

const SAYINGS: Sayings = {
  name: (call, name) => call.answer(name, "200 OK", TEXT),
  fields: (call) =>
    call.answer(
      "fields",
      "200 OK",
      `${TEXT}X-Repeated: a\r\nX-Repeated: b\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2; Path=/\r\n` +
        "X-Secret: hidden\r\nX-Word: understudy\r\nx-lower: case\r\nX-Empty:\r\n" +
        "Connection: X-Nominated\r\nX-Nominated: gone\r\nKeep-Alive: timeout=5\r\n" +
        'Alt-Svc: h3=":443"\r\nServer: upstream\r\nETag: "x"\r\n',
    ),
  chunked: (call) =>
    call.say(
      `HTTP/1.1 200 OK\r\n${TEXT}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n7\r\n second\r\n0\r\n\r\n`,
    ),
  trailers: (call) =>
    call.say(
      `HTTP/1.1 200 OK\r\n${TEXT}Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n` +
        "4\r\nbody\r\n0\r\nX-Sum: 4\r\n\r\n",
    ),
  untilClose: (call) => {
    call.say(`HTTP/1.1 200 OK\r\n${TEXT}Connection: close\r\n\r\nuntil the end`);
    call.close();
  },
  untyped: (call) => call.answer("<html>who knows</html>"),
  created: (call) => call.answer("made", "201 Created", `${TEXT}Location: /made/1\r\n`),
  odd: (call) => call.answer("odd", "299 Quite Fine", TEXT),
  nothing: (call) => call.say("HTTP/1.1 204 No Content\r\nX-Kept: yes\r\n\r\n"),
  unchanged: (call) => call.say('HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n'),
  reset: (call) => call.say("HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n"),
  empty: (call) => call.answer("", "200 OK", TEXT),
  moved: (call) =>
    call.answer("moved", "301 Moved Permanently", `${TEXT}Location: http://other.test/x\r\n`),
  partial: (call) =>
    call.answer(
      "cd",
      "206 Partial Content",
      `${TEXT}Content-Range: bytes 2-3/6\r\nAccept-Ranges: bytes\r\n`,
    ),
  unauthorized: (call) =>
    call.answer("who", "401 Unauthorized", `${TEXT}WWW-Authenticate: Basic realm="up"\r\n`),
  missing: (call) => call.answer("not here", "404 Not Found", TEXT),
  busy: (call) => call.answer("busy", "429 Too Many Requests", `${TEXT}Retry-After: 7\r\n`),
  broken: (call) =>
    call.answer("broken", "500 Internal Server Error", `${TEXT}X-Reason: bad day\r\n`),
  away: (call) => call.answer("away", "503 Service Unavailable", `${TEXT}Retry-After: 3\r\n`),
  swap: (call) => call.answer("swapped", "200 OK", `${TEXT}X-Swap: yes\r\n`),
  long: (call) => call.answer(LONG, "200 OK", TEXT),
  image: (call) => call.answer(LONG, "200 OK", "Content-Type: image/png\r\n"),
  gzipped: (call) => {
    const bytes = gzipSync(LONG);
    call.say(
      `HTTP/1.1 200 OK\r\n${TEXT}Content-Encoding: gzip\r\nContent-Length: ${bytes.length}\r\n\r\n`,
    );
    call.say(bytes);
  },
  events: (call) =>
    call.say(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" +
        "9\r\ndata: a\n\n\r\n9\r\ndata: b\n\n\r\n0\r\n\r\n",
    ),
  hint: (call) => {
    call.say("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n");
    call.answer("hinted", "200 OK", TEXT);
  },
  slow: (call) => void setTimeout(() => call.answer("slow", "200 OK", TEXT), 150),
  late: (call) => void setTimeout(() => call.answer("late", "200 OK", TEXT), 1000),
  cut: (call) => {
    call.say(`HTTP/1.1 200 OK\r\n${TEXT}Content-Length: 100\r\n\r\nhalf of it`);
    call.close();
  },
  hangUp: (call) => call.close(),
  garbage: (call) => {
    call.say("NONSENSE\r\n\r\n");
    call.close();
  },
  welcome: (call) =>
    call.answer(
      "in",
      "200 OK",
      `${TEXT}Remote-User: bob\r\nX-Kept: kept\r\nX-Other: not copied\r\n`,
    ),
  unwelcome: (call) =>
    call.answer("go to /login", "302 Found", `${TEXT}Location: /login\r\nSet-Cookie: s=1\r\n`),
};

/** What probes ask for. */
export const HEALTHY = "/healthy";

/** As `X-Say` says, or `X-Say-B` to upstream b alone. Echoes nothing, so that nothing hides. */
export function talking(name: string, { isSick }: { readonly isSick: () => boolean }): Behaviour {
  return async (call) => {
    if (call.target === HEALTHY) {
      return call.answer("", isSick() ? "503 Service Unavailable" : "200 OK");
    }
    const word = call.field(`x-say-${name}`) ?? call.field("x-say") ?? "name";
    const saying = Object.hasOwn(SAYINGS, word) ? SAYINGS[word] : undefined;
    await call.whole();
    if (saying === undefined) call.answer(`no saying "${word}"`, "500 Internal Server Error");
    else saying(call, name);
  };
}
