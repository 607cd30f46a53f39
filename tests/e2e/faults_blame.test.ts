/**
 * Requests that are odd, ambiguous or plain wrong: whatever a client sends, the upstream keeps its
 * good name, as a penalty would shut out everybody else.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { subjects, Understudy } from "../support/processes.ts";
import { ask, RawClient } from "../support/raw_client.ts";
import { RawUpstream } from "../support/raw_upstream.ts";

const HOST = "Host: app.test\r\n";
const SOCKET = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
const KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/** Requests as bytes, by what is odd about them. */
const ODD: Readonly<Record<string, string>> = {
  "an unknown method": `FOO / HTTP/1.1\r\n${HOST}\r\n`,
  "a lower-case method": `get / HTTP/1.1\r\n${HOST}\r\n`,
  "TRACK": `TRACK / HTTP/1.1\r\n${HOST}\r\n`,
  "TRACE": `TRACE / HTTP/1.1\r\n${HOST}\r\n`,
  "CONNECT": `CONNECT app.test:80 HTTP/1.1\r\n${HOST}\r\n`,
  "OPTIONS *": `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`,
  "PROPFIND with a body": `PROPFIND / HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc`,
  "GET with a body": `GET / HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc`,
  "GET with a chunked body":
    `GET / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
  "HEAD with a body": `HEAD / HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc`,
  "DELETE with a body": `DELETE / HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc`,
  "POST of length 0": `POST / HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n`,
  "POST without a length": `POST / HTTP/1.1\r\n${HOST}\r\n`,
  "an empty chunked POST": `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  "a chunk that is none":
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n`,
  "a chunk without its end":
    `PUT / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef0\r\n\r\n`,
  "gzip, chunked": `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  "both lengths":
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  "Expect": `POST / HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc`,
  "trailers":
    `POST / HTTP/1.1\r\n${HOST}TE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-T: 1\r\n\r\n`,
  "a percent sign alone": `GET /%zz%?a=%&b[]=^|{}"<> HTTP/1.1\r\n${HOST}\r\n`,
  "many slashes": `GET ///a/../..//b HTTP/1.1\r\n${HOST}\r\n`,
  "a back slash": `GET /a\\b HTTP/1.1\r\n${HOST}\r\n`,
  "bytes over 127 in the path": `GET /caf\xe9 HTTP/1.1\r\n${HOST}\r\n`,
  "an absolute target": `GET http://app.test/x HTTP/1.1\r\n${HOST}\r\n`,
  "an absolute target elsewhere": `GET http://other.test:1/x HTTP/1.1\r\n${HOST}\r\n`,
  "a target that looks like a host": `GET //other.test:99999/x HTTP/1.1\r\n${HOST}\r\n`,
  "a long target": `GET /${"a".repeat(7000)} HTTP/1.1\r\n${HOST}\r\n`,
  "an odd host": "GET / HTTP/1.1\r\nHost: a_b.test:080\r\n\r\n",
  "a host with a path": "GET / HTTP/1.1\r\nHost: app.test/b@c\r\n\r\n",
  "an IPv6 host": "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
  "a huge port": "GET / HTTP/1.1\r\nHost: app.test:99999\r\n\r\n",
  "an empty host": "GET / HTTP/1.1\r\nHost:\r\n\r\n",
  "no host": "GET / HTTP/1.1\r\n\r\n",
  "HTTP/1.0": `GET / HTTP/1.0\r\n${HOST}\r\n`,
  "bytes over 127 in a field": `GET / HTTP/1.1\r\n${HOST}X-Name: caf\xe9 \xc3\xa9\r\n\r\n`,
  "an empty field": `GET / HTTP/1.1\r\n${HOST}X-Empty:\r\n\r\n`,
  "two Content-Types":
    `POST / HTTP/1.1\r\n${HOST}Content-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 1\r\n\r\na`,
  "junk in Connection":
    `GET / HTTP/1.1\r\n${HOST}Connection: close, x y, @, host, content-length\r\n\r\n`,
  "Connection naming Content-Length":
    `POST / HTTP/1.1\r\n${HOST}Connection: content-length\r\nContent-Length: 3\r\n\r\nabc`,
  "a request for brotli": `GET / HTTP/1.1\r\n${HOST}Accept-Encoding: br, x;q=9\r\n\r\n`,
  "Upgrade to h2c":
    `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n\r\n`,
  "Upgrade without Connection": `GET / HTTP/1.1\r\n${HOST}Upgrade: websocket\r\n\r\n`,
  "a WebSocket": `GET / HTTP/1.1\r\n${HOST}${SOCKET}${KEY}\r\n`,
  "a WebSocket without a key": `GET / HTTP/1.1\r\n${HOST}${SOCKET}\r\n`,
  "a WebSocket by POST": `POST / HTTP/1.1\r\n${HOST}${SOCKET}${KEY}Content-Length: 3\r\n\r\nabc`,
  "a WebSocket with a protocol twice":
    `GET / HTTP/1.1\r\n${HOST}${SOCKET}${KEY}Sec-WebSocket-Protocol: a, a\r\n\r\n`,
  "a WebSocket with an impossible protocol":
    `GET / HTTP/1.1\r\n${HOST}${SOCKET}${KEY}Sec-WebSocket-Protocol: a b, {}\r\n\r\n`,
};

for (const subject of subjects) {
  describe(`an upstream is not blamed (${subject.name})`, () => {
    let upstream: RawUpstream;
    let proxy: Understudy;
    before(async () => {
      upstream = await RawUpstream.start((call) => {
        if (call.target.startsWith("/fine")) return call.answer("fine");
        call.answer("there");
      });
      proxy = await Understudy.start(
        subject,
        `
listen: "127.0.0.1:0"
routes:
  - upstreams: ["${upstream.url}"]
    # Forgotten at once, so that one failing case does not fail the next.
    passive: { fail_duration: 1ms }
`,
      );
    });
    after(async () => {
      await proxy[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    });

    for (const [title, bytes] of Object.entries(ODD)) {
      it(`for ${title}`, { timeout: 10_000 }, async () => {
        const before = proxy.lines.length;
        using client = await RawClient.open({ port: proxy.port });
        client.write(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
        const method = bytes.split(" ", 1)[0] ?? "";
        const { status, end } = await client.hear({ method });
        assert.ok(end !== "cut");
        assert.ok(![500, 503, 504].includes(status), `answered ${status}`);
        // Lines come in order: once this one is there, those of the odd request are.
        const uri = `/fine?${encodeURIComponent(title)}`;
        const fine = await ask({ port: proxy.port }, { target: uri });
        await proxy.line((line) => JSON.stringify(line).includes(JSON.stringify(uri)));
        const blame = proxy.lines.slice(before).filter((line) =>
          line["msg"] === "upstream.penalised" || line["failures"] !== undefined
        );
        assert.deepEqual(blame, []);
        assert.deepEqual([fine.status, fine.body.toString()], [200, "fine"]);
      });
    }
  });
}
