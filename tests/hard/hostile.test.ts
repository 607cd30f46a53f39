/**
 * The corpus of hostile requests, through the running proxy by raw sockets to an upstream that writes every byte
 * down: each is refused, or forwarded with its one reading. `SUBJECTS=bun,deno,binary` chooses what is tried;
 * `HOSTILE_TABLE=docs/hostile.md` writes the table.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { type Case, CORPUS } from "../wire/corpus.ts";
import { findNode, readByLlhttp } from "../wire/llhttp.ts";
import { Child, subjects, Understudy } from "../support/processes.ts";
import { RawClient } from "../support/raw_client.ts";
import { type Recorded, RecordingUpstream } from "../support/recording_upstream.ts";
import { note } from "../support/hostile_table.ts";

const HOST = "Host: a.test\r\n";
const NEXT = `GET /next HTTP/1.1\r\n${HOST}\r\n`;
const READ_NEXT = "GET /next a.test";
const get = (fields: string) => `GET / HTTP/1.1\r\n${HOST}${fields}\r\n`;

/** What the parser's own corpus has no need of: sizes, and fields that concern nobody but a neighbour. */
const MORE: readonly Case[] = [
  ...[8, 16, 32, 48].map((size): Case => [
    `head of ${size} KiB`,
    get(`X: ${"y".repeat(size * 1024)}\r\n`) + NEXT,
    ["GET / a.test", READ_NEXT],
  ]),
  ["head of 256 KiB", get(`X: ${"y".repeat(256 * 1024)}\r\n`), 431],
  ...[
    "Keep-Alive: timeout=9",
    "Proxy-Connection: keep-alive",
    "TE: gzip, trailers",
    "TE: gzip",
    "Trailer: X-Sum",
    "Proxy-Authorization: Basic eDp5",
    "Connection: X-Secret, close-not\r\nX-Secret: 1",
    "Connection: cookie\r\nCookie: a=b",
    "Connection: Via, X-Forwarded-For\r\nX-Forwarded-For: 9.9.9.9",
    "Connection: ,,,\t,",
    "Connection: Host",
    "Connection: Transfer-Encoding",
    "HTTP2-Settings: a",
    "Upgrade: websocket",
    "Connection: keep-alive, Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: a",
  ].map((fields): Case => [fields, get(`${fields}\r\n`) + NEXT, ["GET / a.test", READ_NEXT]]),
];

const CASES: readonly Case[] = [...CORPUS, ...MORE];
const LLHTTP_KNOWS = new Set(["GET", "HEAD", "POST", "PUT", "PROPFIND", "M-SEARCH", "OPTIONS"]);
const ENDS = /^(?:closed|upgraded|bad body|\d{3})$/;
const OURS = new Set(["host", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "via"]);
const HOP_BY_HOP = new Set([
  "connection",
  "expect",
  "http2-settings",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "trailer",
  "upgrade",
]);

const LIMIT = { timeout: 120_000 };

interface Sighting {
  readonly heard: readonly number[];
  readonly seen: readonly Recorded[];
}

for (const subject of subjects) {
  describe(`hostile requests (${subject.name})`, () => {
    it(
      `are refused, or forwarded with one reading, in ${CASES.length} cases`,
      { timeout: 120_000 },
      async () => {
        await using upstream = await RecordingUpstream.start();
        await using proxy = await Understudy.start(subject, configFor(upstream), {
          engine: "wire",
        });
        const tally = { cases: 0, refused: 0, forwarded: 0, cut: 0, requests: 0 };
        for (const one of CASES) {
          const before = upstream.requests.length;
          const heard = await converse(one, { upstream, before, port: proxy.port });
          const seen = upstream.requests.slice(before);
          const kind = judge(one, { heard, seen });
          tally.cases++;
          tally[kind]++;
          tally.requests += seen.length;
        }
        assert.equal(upstream.requests.length, tally.requests);
        secondOpinion(upstream);
        assertHealthy(proxy);
        note(`requests, ${subject.name}`, tally);
      },
    );

    const broken = CASES.filter((one) => readings(one).end === "bad body");
    it(`that break amid an upload never look whole, in ${broken.length} cases`, LIMIT, async () => {
      await using upstream = await RecordingUpstream.start();
      await using proxy = await Understudy.start(subject, configFor(upstream), { engine: "wire" });
      for (const [title, raw] of broken) {
        using client = await RawClient.open({ port: proxy.port });
        const body = raw.indexOf("\r\n\r\n") + 4;
        const index = upstream.requests.length;
        client.write(Buffer.from(raw.slice(0, body), "latin1"));
        await upstream.until(() => upstream.requests.length > index);
        client.write(Buffer.from(raw.slice(body), "latin1"));
        assert.equal((await client.hear()).status, 400, title);
        await client.untilEnd();
        await upstream.until(() => upstream.requests[index]?.cut === true);
        assert.equal(upstream.requests[index]?.whole, false, title);
      }
      assertHealthy(proxy);
      const counts = { cases: broken.length, cut: broken.length };
      note(`bodies that break amid an upload, ${subject.name}`, counts);
    });
  });
}

function configFor({ url }: RecordingUpstream): string {
  return `
listen: "127.0.0.1:0"
routes:
  - upstreams: ["${url}"]
`;
}

function readings([, raw, expected]: Case): { messages: readonly string[]; end: string } {
  if (typeof expected === "number") return { messages: [], end: String(expected) };
  const last = expected.at(-1) ?? "";
  if (last === "upgraded") {
    // The upgrade is not passed on, or this upstream ignores it: HTTP/1.1 goes on.
    const messages = expected.slice(0, -1);
    if (raw.endsWith(NEXT)) return { messages: [...messages, READ_NEXT], end: "open" };
    return { messages, end: raw.endsWith("\r\n\r\n") ? "open" : "400" };
  }
  return ENDS.test(last)
    ? { messages: expected.slice(0, -1), end: last }
    : { messages: expected, end: "open" };
}

/** Says all of the case at once and listens until every answer that is due has come, or the end. */
async function converse(
  one: Case,
  { upstream, before, port }: { upstream: RecordingUpstream; before: number; port: number },
): Promise<number[]> {
  const { messages, end } = readings(one);
  const unfinished = messages.at(-1)?.endsWith("…") === true;
  const due = messages.length - (unfinished ? 1 : 0);
  using client = await RawClient.open({ port });
  const heard: number[] = [];
  const hang = setTimeout(() => client.destroy(), 10_000);
  client.write(Buffer.from(one[1], "latin1"));
  while (end !== "open" || heard.length < due) {
    const method = messages[heard.length]?.split(" ", 1)[0] ?? "GET";
    const { status } = await client.hear({ method });
    if (status === 0) break;
    heard.push(status);
  }
  clearTimeout(hang);
  if (unfinished && heard.length === due) {
    await upstream.until(() => upstream.requests.length > before + due);
  }
  client.destroy();
  // Whatever was not whole must be cut now, or an upstream would wait for it for ever.
  await upstream.until(() => upstream.requests.every(({ whole, cut }) => whole || cut));
  return heard;
}

function judge(one: Case, { heard, seen }: Sighting): "refused" | "forwarded" | "cut" {
  const [title] = one;
  const { messages, end } = readings(one);
  const told = () => `${title}: heard ${heard}, seen ${JSON.stringify(seen.map(summary))}`;
  const refusals = heard.filter((status) => status >= 400);
  assert.ok(refusals.length <= 1, told());

  const wholes = seen.filter(({ whole }) => whole);
  assert.deepEqual(wholes.map(summary), messages.slice(0, wholes.length).map(forwardedAs), told());
  for (const request of seen) {
    assert.equal(request.fault, undefined, told());
    assertClean(request, one, told());
  }
  // Either everything that could be read arrived, or the client was told where it stopped.
  const complete = messages.filter((message) => !message.endsWith("…"));
  if (wholes.length < complete.length) assert.equal(refusals.length, 1, told());
  if (end !== "open" && end !== "closed") {
    assert.deepEqual(refusals, [end === "bad body" ? 400 : Number(end)], told());
  }
  assert.equal(heard.length - refusals.length, wholes.length, told());
  if (seen.length > wholes.length) {
    assert.ok(seen.length === wholes.length + 1 && seen.at(-1)?.cut === true, told());
    return "cut";
  }
  return wholes.length > 0 ? "forwarded" : "refused";
}

function summary(request: Recorded): string {
  const words = [request.method, request.target, request.all("host").join()];
  if (request.body.length > 0) words.push(request.body.toString("latin1"));
  return words.join(" ");
}

/** A reading of the corpus as it must reach the upstream: an absolute target in origin form, else byte for byte. */
function forwardedAs(reading: string): string {
  const [method, target = "", ...rest] = reading.split(" ");
  const absolute = /^https?:\/\/[^/?]*(.*)$/i.exec(target);
  if (absolute === null) return reading;
  const path = absolute[1] ?? "";
  return [method, path.startsWith("/") ? path : `/${path}`, ...rest].join(" ");
}

/** No field of the client's own hop, none that it named in Connection, and every other one as sent. */
function assertClean(request: Recorded, [, raw]: Case, told: string): void {
  for (const [name, value] of request.fields) {
    const lower = name.toLowerCase();
    // The one upgrade of the corpus that is passed on, in our own words.
    const asked = (lower === "connection" && value === "Upgrade") ||
      (lower === "upgrade" && value === "websocket");
    assert.ok(!HOP_BY_HOP.has(lower) || asked, `${name}: ${told}`);
    if (lower === "te") assert.equal(value, "trailers", told);
    assert.ok(OURS.has(lower) || lower !== "x-secret" && lower !== "cookie", `${name}: ${told}`);
    if (!OURS.has(lower) && lower !== "te" && lower !== "transfer-encoding") {
      assert.ok(raw.toLowerCase().includes(`${lower}:`), `${name}: ${told}`);
    }
  }
  assert.ok(!request.all("x-forwarded-for").includes("9.9.9.9"), told);
}

/** llhttp must find the same requests in what the upstream was sent. */
function secondOpinion({ streams }: RecordingUpstream): void {
  const node = findNode();
  if (node === undefined) return;
  const known = streams.filter(({ requests }) =>
    requests.length > 0 && requests.every(({ method }) => LLHTTP_KNOWS.has(method))
  );
  const inputs = known.map(({ chunks }) => (
    { kind: "requests", bytes: Buffer.concat(chunks) } as const
  ));
  for (const [index, { messages, error }] of readByLlhttp(node, inputs).entries()) {
    const requests = known[index]?.requests ?? [];
    const told = requests.map(({ head }) => head).join("\n\n");
    assert.equal(error, null, told);
    assert.deepEqual(
      messages.map(({ method, target, whole }) => [method, target, whole]),
      requests.map(({ method, target, whole }) => [method, target, whole]),
      told,
    );
  }
}

function assertHealthy(proxy: Child): void {
  assert.equal(proxy.process.exitCode, null);
  assert.doesNotMatch(proxy.stdout + proxy.stderr, /bug\.caught|unhandled|Error:/i);
}
