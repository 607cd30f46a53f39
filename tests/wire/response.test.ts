/** Response heads of upstreams, well-behaved and not; refusals blame the gateway's far side. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HEAD_LIMITS, type ResponseHead, responseHeads } from "../../src/wire/head.ts";
import { disagreement, findNode, readByLlhttp } from "./llhttp.ts";
import { bytesOf, transcribe } from "./transcript.ts";

const ACCEPTED: [string, string, Partial<ResponseHead>][] = [
  ["a plain head", "HTTP/1.1 200 OK\r\n\r\n", { status: 200, reason: "OK", keepAlive: true }],
  ["no reason", "HTTP/1.1 200 \r\n\r\n", { status: 200, reason: "" }],
  ["no reason and no space", "HTTP/1.1 200\r\n\r\n", { status: 200, reason: "" }],
  ["a long reason", "HTTP/1.1 404 Is not  here!\t(yet)\r\n\r\n", {
    reason: "Is not  here!\t(yet)",
  }],
  ["a reason in latin1", "HTTP/1.1 404 Pas trouv\xe9\r\n\r\n", { reason: "Pas trouv\xe9" }],
  ["a reason in UTF-8", "HTTP/1.1 404 \xc3\xa9\x80\r\n\r\n", { reason: "\xc3\xa9\x80" }],
  ["a status of its own", "HTTP/1.1 799 X\r\n\r\n", { status: 799 }],
  ["HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n", { minorVersion: 0, keepAlive: false }],
  ["HTTP/1.0 kept alive", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", { keepAlive: true }],
  ["close", "HTTP/1.1 200 OK\r\nConnection: close, X\r\n\r\n", {
    keepAlive: false,
    nominated: ["close", "x"],
  }],
  ["a length", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", {
    declared: { kind: "length", lengthBytes: 7 },
  }],
  ["chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", {
    declared: { kind: "chunked" },
  }],
  ["a 304 with a length", "HTTP/1.1 304 X\r\nContent-Length: 7\r\n\r\n", { status: 304 }],
  ["a 204 with a coding", "HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n", { status: 204 }],
  ["a 100 with an empty length", "HTTP/1.1 100 X\r\nContent-Length: 0\r\n\r\n", { status: 100 }],
  ["an upgrade", "HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n", {
    upgrade: "websocket",
  }],
  ["two Hosts", "HTTP/1.1 200 OK\r\nHost: a b\r\nHost: c\r\n\r\n", { status: 200 }],
];

const REFUSED: [string, string][] = [
  ["an empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n"],
  ["a space first", " HTTP/1.1 200 OK\r\n\r\n"],
  ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n"],
  ["an answer in HTTP/0.9", "<html>hello</html>\r\n"],
  ["a request", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["ICY", "ICY 200 OK\r\n\r\n"],
  ["HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n"],
  ["HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n"],
  ["HTTP/0.9", "HTTP/0.9 200 OK\r\n\r\n"],
  ["http/1.1", "http/1.1 200 OK\r\n\r\n"],
  ["HTTP/1.1 alone", "HTTP/1.1\r\n\r\n"],
  ["no status", "HTTP/1.1 \r\n\r\n"],
  ["two spaces before the status", "HTTP/1.1  200 OK\r\n\r\n"],
  ["a tab before the status", "HTTP/1.1\t200 OK\r\n\r\n"],
  ["a tab after the status", "HTTP/1.1 200\tOK\r\n\r\n"],
  ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"],
  ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"],
  ["a status below 100", "HTTP/1.1 099 OK\r\n\r\n"],
  ["a signed status", "HTTP/1.1 +20 OK\r\n\r\n"],
  ["a status in hexadecimal", "HTTP/1.1 2f0 OK\r\n\r\n"],
  ["a negative status", "HTTP/1.1 -20 OK\r\n\r\n"],
  ["NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n"],
  ["a bell in the reason", "HTTP/1.1 200 O\x07K\r\n\r\n"],
  ["bare LF after the status line", "HTTP/1.1 200 OK\n\r\n"],
  ["bare CR after the status line", "HTTP/1.1 200 OK\rX: y\r\n\r\n"],
  ["bare LF after a field", "HTTP/1.1 200 OK\r\nX: y\n\r\n"],
  ["bare CR in a field", "HTTP/1.1 200 OK\r\nX: y\rz\r\n\r\n"],
  ["NUL in a field", "HTTP/1.1 200 OK\r\nX: y\0\r\n\r\n"],
  ["a folded field", "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n"],
  ["a space before a colon", "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n"],
  ["a field without a name", "HTTP/1.1 200 OK\r\n: y\r\n\r\n"],
  ["a field without a colon", "HTTP/1.1 200 OK\r\nX\r\n\r\n"],
  ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"],
  ["two equal lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"],
  ["a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n"],
  ["a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"],
  ["a huge length", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n"],
  ["a length that is no number", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"],
  [
    "length and coding",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
  ],
  [
    "two codings",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
  ],
  ["a coding nobody knows", "HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\n\r\n"],
  ["gzip under chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"],
  ["a coding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["a 100 with a length", "HTTP/1.1 100 X\r\nContent-Length: 5\r\n\r\n"],
  ["a 103 with a coding", "HTTP/1.1 103 X\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["a status line of 17 KiB", `HTTP/1.1 200 ${"x".repeat(17 * 1024)}\r\n\r\n`],
  ["a head of 1 MiB", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(1 << 20)}\r\n\r\n`],
  ["201 fields", `HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(201)}\r\n`],
];

const SEQUENCES: [string, string, readonly string[]][] = [
  [
    "1xx before the answer",
    "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    [
      "100 ",
      "103 ",
      "200 hi",
    ],
  ],
  ["an answer that ends with its connection", "HTTP/1.1 200 OK\r\n\r\nuntil\r\n\r\nthe end", [
    "200 until\r\n\r\nthe end",
  ]],
  ["bytes after the end", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi!", ["200 hi"]],
  ["a length cut short", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", ["200 hi…"]],
  ["chunks cut short", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", [
    "200 hi…",
  ]],
  [
    "chunks cut before their last line end",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n",
    [
      "200 hi…",
    ],
  ],
  [
    "frames after a 101",
    "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\0",
    ["101 "],
  ],
];

describe("responseHeads()", () => {
  for (const [title, text, expected] of ACCEPTED) {
    it(`reads the head when sent ${title}`, () => {
      const result = responseHeads(HEAD_LIMITS).push(bytesOf(text));
      assert.ok(result.kind === "head", JSON.stringify(result));
      assert.deepEqual({ ...result.head, ...expected }, result.head);
    });
  }

  for (const [title, text] of REFUSED) {
    it(`refuses when sent ${title}`, () => {
      const result = responseHeads(HEAD_LIMITS).push(bytesOf(text));
      assert.ok(result.kind === "refused", JSON.stringify(result));
      assert.equal(result.status, 502);
    });
  }

  for (const [title, text, expected] of SEQUENCES) {
    it(`and bodyDecoder() find the borders when sent ${title}`, () => {
      const { messages } = transcribe("responses", [bytesOf(text)]);
      assert.deepEqual(
        messages.map(({ status, body, whole }) => `${status} ${body}${whole ? "" : "…"}`),
        expected,
      );
    });
  }

  it("reads the same when cut at every byte", () => {
    for (const [title, text] of [...ACCEPTED, ...REFUSED, ...SEQUENCES]) {
      if (text.length > 1000) continue;
      const bytes = bytesOf(text);
      const whole = { ...transcribe("responses", [bytes]), consumed: 0 };
      for (let at = 1; at < bytes.length; at++) {
        const halves = [bytes.subarray(0, at), bytes.subarray(at)];
        assert.deepEqual(
          { ...transcribe("responses", halves), consumed: 0 },
          whole,
          `${title}, ${at}`,
        );
      }
    }
  });

  const node = findNode();
  const skip = node === undefined && "needs Node, whose parser is the other opinion";
  it("accepts nothing that llhttp refuses or reads otherwise", { skip }, () => {
    const cases = [...ACCEPTED, ...REFUSED, ...SEQUENCES];
    const inputs = cases.map(([, text]) => ({ kind: "responses", bytes: bytesOf(text) } as const));
    for (const [index, reading] of readByLlhttp(node ?? "", inputs).entries()) {
      const input = inputs[index];
      assert.ok(input !== undefined);
      const ours = transcribe("responses", [input.bytes]);
      assert.equal(disagreement(input, ours, reading), undefined, cases[index]?.[0]);
    }
  });
});
