/**
 * Upstreams that misbehave, as bytes: the client sees a refusal or a visible cut, never a fragment that looks
 * whole and never another request's answer; and what is asked next works.
 */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { describe, it } from "node:test";
import { subjects, Understudy } from "../support/processes.ts";
import { ask, type Heard, RawClient } from "../support/raw_client.ts";
import { type Call, RawUpstream } from "../support/raw_upstream.ts";
import { note } from "../support/hostile_table.ts";

/** Title, bytes said as an answer, what becomes of the connection then, and what the client may see. */
type Case = readonly [
  title: string,
  bytes: string,
  then: "keeps" | "closes" | "resets" | "drips",
  seen: readonly string[],
];

const OK = "HTTP/1.1 200 OK\r\n";
const HI = `${OK}Content-Length: 2\r\n\r\nhi`;
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
const INTERIM = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
const BAD = ["502"];
const WHOLE = ["200 whole hi"];
const CUT = ["200 cut"];
const LOST = ["200 cut", "502"];

const CASES: readonly Case[] = [
  ["closes at once", "", "closes", BAD],
  ["resets at once", "", "resets", BAD],
  ["speaks SSH", "SSH-2.0-OpenSSH_9.2\r\n", "keeps", BAD],
  ["answers in HTTP/0.9", "<html>hi</html>\r\n", "closes", BAD],
  ["answers with a request", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "keeps", BAD],
  ["answers with an empty line first", `\r\n${HI}`, "keeps", BAD],
  ["speaks HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", "keeps", BAD],
  ["has a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "keeps", BAD],
  ["has a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", "keeps", BAD],
  ["has a status of 000", "HTTP/1.1 000 OK\r\n\r\n", "keeps", BAD],
  ["has NUL in its reason", "HTTP/1.1 200 O\0K\r\n\r\n", "keeps", BAD],
  ["ends lines in LF", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", "keeps", BAD],
  ["folds a field", `${OK}X: a\r\n b\r\nContent-Length: 2\r\n\r\nhi`, "keeps", BAD],
  ["has a space before a colon", `${OK}Content-Length : 2\r\n\r\nhi`, "keeps", BAD],
  ["has NUL in a field", `${OK}X: a\0\r\n\r\n`, "keeps", BAD],
  ["splits its answer by a bare CR", `${OK}X: a\rSet-Cookie: b\r\n\r\n`, "keeps", BAD],
  ["has two lengths", `${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi!`, "keeps", BAD],
  ["has two equal lengths", `${OK}Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi`, "keeps", BAD],
  ["has a negative length", `${OK}Content-Length: -2\r\n\r\nhi`, "keeps", BAD],
  ["has a huge length", `${OK}Content-Length: 99999999999999999999\r\n\r\nhi`, "keeps", BAD],
  [
    "has a length and a coding",
    `${OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    "keeps",
    BAD,
  ],
  ["has a coding we do not know", `${OK}Transfer-Encoding: gzip\r\n\r\nhi`, "closes", BAD],
  ["is chunked in HTTP/1.0", CHUNKED.replace("1.1", "1.0"), "keeps", BAD],
  ["has a head of 1 MiB", `${OK}X: ${"y".repeat(1 << 20)}\r\n\r\n`, "keeps", BAD],
  ["has a status line of 1 MiB", `HTTP/1.1 200 ${"y".repeat(1 << 20)}`, "keeps", BAD],
  ["has 1,000 fields", `${OK}${"X: y\r\n".repeat(1000)}\r\n`, "keeps", BAD],
  ["closes within its head", `${OK}Content-Le`, "closes", BAD],
  ["changes protocols unasked", "HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n", "keeps", BAD],
  [
    "gives a body to an interim answer",
    `HTTP/1.1 103 X\r\nContent-Length: 2\r\n\r\nhi${HI}`,
    "keeps",
    BAD,
  ],
  ["floods with interim answers", INTERIM.repeat(100), "keeps", BAD],
  ["sends interim answers and then none", INTERIM, "closes", BAD],
  ["sends a few interim answers first", INTERIM.repeat(9) + HI, "keeps", WHOLE],
  ["closes within a body of known length", `${OK}Content-Length: 9\r\n\r\nhi`, "closes", CUT],
  ["resets within a body of known length", `${OK}Content-Length: 9\r\n\r\nhi`, "resets", LOST],
  ["closes within a chunk", `${CHUNKED}9\r\nhi`, "closes", CUT],
  ["closes between chunks", `${CHUNKED}2\r\nhi\r\n`, "closes", CUT],
  ["closes within its last chunk", `${CHUNKED}2\r\nhi\r\n0\r\n`, "closes", CUT],
  ["closes within its trailers", `${CHUNKED}2\r\nhi\r\n0\r\nX-Sum: 1`, "closes", CUT],
  ["overruns a chunk", `${CHUNKED}2\r\nhi!\r\n0\r\n\r\n`, "keeps", CUT],
  ["has a chunk size that is none", `${CHUNKED}2\r\nhi\r\nx\r\n`, "keeps", CUT],
  ["has a negative chunk size", `${CHUNKED}-2\r\nhi\r\n0\r\n\r\n`, "keeps", CUT],
  ["has a chunk size over 2^53", `${CHUNKED}20000000000000\r\nhi`, "keeps", CUT],
  ["ends chunks in LF", `${CHUNKED}2\nhi\n0\n\n`, "keeps", CUT],
  ["has trailers of 1 MiB", `${CHUNKED}2\r\nhi\r\n0\r\nX: ${"y".repeat(1 << 20)}`, "keeps", CUT],
  [
    "has chunk extensions of 1 MiB",
    `${CHUNKED}2;${"y".repeat(1 << 20)}\r\nhi\r\n0\r\n\r\n`,
    "keeps",
    CUT,
  ],
  ["has chunk extensions", `${CHUNKED}2;x="y;z"\r\nhi\r\n0;q\r\n\r\n`, "keeps", WHOLE],
  ["goes on after its answer", `${HI}${HI.replace("hi", "no")}`, "keeps", WHOLE],
  [
    "goes on after its last chunk",
    `${CHUNKED}2\r\nhi\r\n0\r\n\r\n${HI.replace("hi", "no")}`,
    "keeps",
    WHOLE,
  ],
  ["gives a body to a 204", "HTTP/1.1 204 X\r\nContent-Length: 2\r\n\r\nno", "keeps", [
    "204 whole",
  ]],
  [
    "gives chunks to a 304",
    "HTTP/1.1 304 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
    "keeps",
    ["304 whole"],
  ],
  ["answers in HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", "keeps", WHOLE],
  ["answers in HTTP/1.0 until it closes", "HTTP/1.0 200 OK\r\n\r\nhi", "closes", WHOLE],
  ["answers until it closes", `${OK}\r\nhi`, "closes", WHOLE],
  ["answers until it resets", `${OK}\r\nhi`, "resets", LOST],
  [
    "says close and does not",
    `${OK}Connection: close\r\nContent-Length: 2\r\n\r\nhi`,
    "keeps",
    WHOLE,
  ],
  [
    "says keep-alive and closes",
    `${OK}Connection: keep-alive\r\nContent-Length: 2\r\n\r\nhi`,
    "closes",
    WHOLE,
  ],
  ["drips its answer", HI, "drips", WHOLE],
  ["drips chunks of one byte", `${CHUNKED}1\r\nh\r\n1\r\ni\r\n0\r\n\r\n`, "drips", WHOLE],
  [
    "sends chunks of one byte by the thousand",
    `${CHUNKED}${"1\r\nx\r\n".repeat(20_000)}0\r\n\r\n`,
    "keeps",
    [
      `200 whole ${"x".repeat(20_000)}`,
    ],
  ],
  [
    "names length and host in Connection",
    `${OK}Connection: Content-Length, X\r\nX: no\r\nContent-Length: 2\r\n\r\nhi`,
    "keeps",
    WHOLE,
  ],
];

async function play(call: Call, [, bytes, then]: Case): Promise<void> {
  if (then === "drips") {
    for (const byte of bytes) {
      call.say(byte);
      await setImmediate();
    }
    return;
  }
  if (bytes !== "") call.say(new TextEncoder().encode(bytes));
  if (then === "closes") call.close();
  if (then === "resets") call.reset();
}

const healthy = (call: Call) => call.answer(call.target);

for (const subject of subjects) {
  describe(`misbehaving upstreams (${subject.name})`, () => {
    it(`show as refusals or cuts in ${CASES.length} cases, and spoil nothing`, {
      timeout: 120_000,
    }, async () => {
      await using bad = await RawUpstream.start(healthy);
      await using good = await RawUpstream.start(healthy);
      await using proxy = await Understudy.start(subject, configFor(bad, good), { engine: "wire" });
      const tally = { cases: 0, refused: 0, cut: 0, whole: 0 };
      using neighbour = await RawClient.open({ port: proxy.port });
      for (const one of CASES) {
        bad.behave((call) => play(call, one));
        const heard = await within(one[0], ask({ port: proxy.port }, { target: "/bad" }));
        assert.ok(one[3].includes(inWords(heard)), `${one[0]}: ${inWords(heard)}`);
        assert.doesNotMatch(heard.head, /^(?:connection: content-length|x: no)/im);

        bad.behave(healthy);
        for (const target of ["/bad/1", "/good"]) {
          neighbour.send({ target });
          const next = await within(`${one[0]}, then ${target}`, neighbour.hear());
          assert.equal(inWords(next), `200 whole ${target}`, one[0]);
        }
        tally.cases++;
        tally[heard.status === 502 ? "refused" : heard.end === "cut" ? "cut" : "whole"]++;
      }
      assert.doesNotMatch(proxy.stdout + proxy.stderr, /bug\.caught|unhandled|Error:/i);
      note(`answers, ${subject.name}`, tally);
    });

    it("are left alone with an upload they do not read, once they have answered", async () => {
      await using hasty = await RawUpstream.start((call) => {
        call.pause();
        call.answer("enough", "413 Content Too Large");
      });
      await using proxy = await Understudy.start(subject, configFor(hasty, hasty), {
        engine: "wire",
      });
      using client = await RawClient.open({ port: proxy.port });
      client.write("POST /bad HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
      client.write(new Uint8Array(8 << 20));
      const heard = await client.hear();
      assert.equal(inWords(heard), "413 whole enough");
      assert.match(heard.head, /connection: close/i);
      await client.untilEnd();
    });
  });
}

function configFor(bad: RawUpstream, good: RawUpstream): string {
  return `
listen: "127.0.0.1:0"
routes:
  - path: /bad
    upstreams: ["${bad.url}"]
  - path: /
    upstreams: ["${good.url}"]
`;
}

function inWords({ status, end, body }: Heard): string {
  if (status === 502) return "502";
  if (end === "cut") return `${status} cut`;
  return [status, end, ...(body.length > 0 ? [body.toString()] : [])].join(" ");
}

async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Hung: ${what}`)), 5000);
  });
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
