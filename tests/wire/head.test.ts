/** What a request head says beyond its borders; borders and refusals are the corpus's part. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { HEAD_LIMITS, type RequestHead, requestHeads } from "../../src/wire/head.ts";
import { bytesOf, transcribe } from "./transcript.ts";

function read(text: string): RequestHead {
  const result = requestHeads(HEAD_LIMITS).push(bytesOf(text));
  assert.equal(result.kind, "head", JSON.stringify(result));
  assert.ok(result.kind === "head");
  assert.equal(result.consumed, text.length);
  return result.head;
}

function withFields(fields: string, version = "HTTP/1.1"): RequestHead {
  return read(`POST /p HTTP/1.1\r\nHost: a.test\r\n${fields}\r\n`.replace("HTTP/1.1", version));
}

describe("requestHeads()", () => {
  it("keeps order, case, repetition and bytes of fields when they are odd", () => {
    const { fields } = withFields(
      "x-B: 2\r\nX-b:  \xe9\x80 \t\r\nCOOKIE: a\r\ncookie: b\r\nE:\r\n",
    );
    assert.deepEqual([...fields], [
      ["Host", "a.test"],
      ["x-B", "2"],
      ["X-b", "\xe9\x80"],
      ["COOKIE", "a"],
      ["cookie", "b"],
      ["E", ""],
    ]);
  });

  it("lets the authority of the target replace Host when the target is absolute", () => {
    const head = read("GET HTTP://B.test:81?q HTTP/1.1\r\nA: b\r\nhost: a.test\r\nC: d\r\n\r\n");
    assert.equal(head.host, "B.test:81");
    assert.equal(head.target, "HTTP://B.test:81?q");
    assert.equal(head.path, "/?q");
    assert.deepEqual([...head.fields], [["A", "b"], ["host", "B.test:81"], ["C", "d"]]);
  });

  const paths: [string, string, string][] = [
    ["GET", "/a/../b?c", "/a/../b?c"],
    ["GET", "//b.test/", "//b.test/"],
    ["OPTIONS", "*", "*"],
    ["GET", "http://b.test", "/"],
    ["OPTIONS", "http://b.test", "*"],
    ["OPTIONS", "http://b.test/", "/"],
    ["GET", "https://b.test//x", "//x"],
    ["GET", "http://b.test?/x", "/?/x"],
  ];
  for (const [method, target, path] of paths) {
    it(`finds path ${path} when asked ${method} ${target}`, () => {
      const head = read(`${method} ${target} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      assert.deepEqual([head.method, head.target, head.path], [method, target, path]);
    });
  }

  const framings: [string, RequestHead["framing"]][] = [
    ["", { kind: "none" }],
    ["Content-Length: 0\r\n", { kind: "length", lengthBytes: 0 }],
    ["content-LENGTH: 42\r\n", { kind: "length", lengthBytes: 42 }],
    ["Content-Length: 9007199254740991\r\n", {
      kind: "length",
      lengthBytes: Number.MAX_SAFE_INTEGER,
    }],
    ["Transfer-Encoding: chunked\r\n", { kind: "chunked" }],
    ["tRANSFER-eNCODING: Chunked\r\n", { kind: "chunked" }],
  ];
  for (const [fields, framing] of framings) {
    it(`declares ${framing.kind} when sent ${JSON.stringify(fields)}`, () => {
      assert.deepEqual(withFields(fields).framing, framing);
    });
  }

  const connections: [string, string, boolean, readonly string[]][] = [
    ["HTTP/1.1", "", true, []],
    ["HTTP/1.0", "", false, []],
    ["HTTP/1.1", "Connection: close\r\n", false, ["close"]],
    ["HTTP/1.1", "Connection: keep-alive\r\n", true, ["keep-alive"]],
    ["HTTP/1.0", "Connection: Keep-Alive\r\n", true, ["keep-alive"]],
    ["HTTP/1.0", "Connection: X, keep-alive\r\n", true, ["x", "keep-alive"]],
    ["HTTP/1.0", "Connection: keep-alive, close\r\n", false, ["keep-alive", "close"]],
    ["HTTP/1.1", "Connection: X-A,\r\nConnection:\tX-B \r\n", true, ["x-a", "x-b"]],
    ["HTTP/1.1", "connection: close\xa0, \x80\r\n", true, []],
    ["HTTP/1.1", "Connection: Host, Content-Length, transfer-encoding, X\r\n", true, ["x"]],
    ["HTTP/1.1", 'Connection: "close", a b, @\r\n', true, []],
  ];
  for (const [version, fields, keepAlive, nominated] of connections) {
    it(`says keepAlive ${keepAlive} when ${version} brings ${JSON.stringify(fields)}`, () => {
      const head = withFields(fields, version);
      assert.deepEqual([head.keepAlive, head.nominated], [keepAlive, nominated]);
    });
  }

  const upgrades: [string, string, string | undefined][] = [
    ["HTTP/1.1", "Connection: Upgrade\r\nUpgrade: WebSocket\r\n", "websocket"],
    ["HTTP/1.1", "Connection: keep-alive, upgrade\r\nUpgrade: foo/2\r\n", "foo/2"],
    ["HTTP/1.1", "Upgrade: websocket\r\n", undefined],
    ["HTTP/1.1", "Connection: Upgrade\r\n", undefined],
    ["HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n", undefined],
    ["HTTP/1.1", "Connection: Upgrade\r\nUpgrade: a\r\nUpgrade: b\r\n", undefined],
    ["HTTP/1.1", "Connection: Upgrade\r\nUpgrade:\r\n", undefined],
    ["HTTP/1.1", "Connection: Upgrade\r\nUpgrade: a b\r\n", undefined],
    ["HTTP/1.0", "Connection: Upgrade\r\nUpgrade: websocket\r\n", undefined],
  ];
  for (const [version, fields, upgrade] of upgrades) {
    it(`says upgrade ${upgrade} when ${version} brings ${JSON.stringify(fields)}`, () => {
      assert.equal(withFields(fields, version).upgrade, upgrade);
    });
  }

  const expectations: [string, string, boolean][] = [
    ["HTTP/1.1", "Expect: 100-continue\r\n", true],
    ["HTTP/1.1", "expect: 100-Continue\r\n", true],
    ["HTTP/1.1", "Expect: x\r\nExpect: 100-continue\r\n", true],
    ["HTTP/1.1", "Expect: 200-ok\r\n", false],
    ["HTTP/1.1", "", false],
    ["HTTP/1.0", "Expect: 100-continue\r\n", false],
  ];
  for (const [version, fields, expected] of expectations) {
    it(`says expectContinue ${expected} when ${version} brings ${JSON.stringify(fields)}`, () => {
      assert.equal(withFields(fields, version).expectContinue, expected);
    });
  }

  it("counts only its own bytes when more follow or came before", () => {
    const heads = requestHeads(HEAD_LIMITS);
    const text = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
    assert.deepEqual(heads.push(bytesOf(text.slice(0, 20))), { kind: "more" });
    assert.equal(heads.begun, true);
    const result = heads.push(bytesOf(text.slice(20) + "body"));
    assert.ok(result.kind === "head");
    assert.equal(result.consumed, text.length - 20);
    assert.equal(heads.begun, false);
    const next = heads.push(bytesOf(text));
    assert.ok(next.kind === "head");
    assert.equal(next.consumed, text.length);
  });

  it("takes its limits from its arguments when they are narrow", () => {
    const limits = { lineLimitBytes: 14, headLimitBytes: 40, fieldsMax: 2 };
    const status = (text: string) => transcribe("requests", [bytesOf(text)], limits).status;
    assert.equal(status("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), undefined);
    assert.equal(status("GET /a HTTP/1.1\r\nHost: a\r\n\r\n"), 414);
    assert.equal(status("GET / HTTP/1.1\r\nHost: a\r\nA:\r\nB:\r\n\r\n"), 431);
    assert.equal(status("GET / HTTP/1.1\r\nHost: a\r\nA: 23456789\r\n\r\n"), undefined);
    assert.equal(status("GET / HTTP/1.1\r\nHost: a\r\nA: 234567890\r\n\r\n"), 431);
  });

  it("needs time in proportion to the bytes when they are all padding and commas", () => {
    // What is quadratic anywhere takes minutes for these, not milliseconds.
    const limits = { lineLimitBytes: 1 << 21, headLimitBytes: 1 << 21, fieldsMax: 200 };
    for (
      const value of [
        " ".repeat(1 << 20) + "x",
        ",".repeat(1 << 18),
        "x" + " \t".repeat(1 << 19) + "x",
      ]
    ) {
      const fields = `Connection: ${value}\r\nTransfer-Encoding: ${value}\r\n`;
      const text = `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
      assert.equal(transcribe("requests", [bytesOf(text)], limits).end, "refused");
    }
  });

  it("never throws, and reads the same in any pieces, when bytes are arbitrary", () => {
    const soup = fc.array(
      fc.oneof(
        fc.constantFrom(
          "GET / HTTP/1.1\r\n",
          "Host: a\r\n",
          "\r\n",
          "\r",
          "\n",
          ":",
          " ",
          "0",
          "5\r\nhello",
        ),
        fc.constantFrom(
          "Transfer-Encoding: chunked\r\n",
          "Content-Length: 5\r\n",
          "hello",
          "0\r\n\r\n",
          ";a=b",
        ),
        fc.string({ unit: "binary-ascii", maxLength: 4 }),
        fc.uint8Array({ maxLength: 4 }).map((bytes) => String.fromCharCode(...bytes)),
      ),
      { maxLength: 16 },
    );
    fc.assert(fc.property(soup, fc.array(fc.nat(8), { maxLength: 40 }), (parts, lengths) => {
      for (
        const prefix of ["", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"]
      ) {
        const bytes = bytesOf(prefix + parts.join(""));
        const whole = transcribe("requests", [bytes]);
        const pieces = transcribe("requests", piecesOf(bytes, lengths));
        assert.deepEqual({ ...pieces, consumed: 0 }, { ...whole, consumed: 0 });
      }
    }));
  });
});

/** Cuts off pieces of these lengths, empty ones too, and a last one with the rest. */
function piecesOf(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  let at = 0;
  const pieces = lengths.map((length) => bytes.subarray(at, at += length));
  return [...pieces, bytes.subarray(at)];
}
