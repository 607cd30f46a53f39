/** Which framing a response has, and that what is framed comes out again: whole, uncopied, counted. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Fields } from "../../src/fields.ts";
import { BODY_LIMITS, type BodyDecoder } from "../../src/wire/body.ts";
import {
  bodyDecoder,
  type Framing,
  lastChunk,
  responseFraming,
  wholeChunk,
} from "../../src/wire/framing.ts";
import type { Declared } from "../../src/wire/head.ts";
import { bytesOf, textOf } from "./transcript.ts";

const NONE: Declared = { kind: "none" };
const FIVE: Declared = { kind: "length", lengthBytes: 5 };
const CHUNKED: Declared = { kind: "chunked" };

function decoder(framing: Framing): BodyDecoder {
  const body = bodyDecoder(framing, BODY_LIMITS);
  assert.ok(body !== undefined);
  return body;
}

function trailersOf({ state }: BodyDecoder): readonly (readonly [string, string])[] {
  assert.ok(state.kind === "done", JSON.stringify(state));
  return [...state.trailers ?? []];
}

describe("responseFraming()", () => {
  const cases: [string, number, Declared, Framing["kind"]][] = [
    ["GET", 200, NONE, "close"],
    ["GET", 200, FIVE, "length"],
    ["GET", 200, CHUNKED, "chunked"],
    ["POST", 500, NONE, "close"],
    ["HEAD", 200, FIVE, "none"],
    ["HEAD", 200, CHUNKED, "none"],
    ["HEAD", 404, NONE, "none"],
    ["GET", 100, NONE, "none"],
    ["GET", 101, NONE, "none"],
    ["GET", 103, NONE, "none"],
    ["GET", 199, NONE, "none"],
    ["GET", 204, FIVE, "none"],
    ["GET", 204, CHUNKED, "none"],
    ["GET", 205, NONE, "close"],
    ["GET", 304, FIVE, "none"],
    ["GET", 304, CHUNKED, "none"],
    ["CONNECT", 200, FIVE, "none"],
    ["CONNECT", 407, FIVE, "length"],
    ["head", 200, FIVE, "length"],
  ];
  for (const [method, status, declared, kind] of cases) {
    it(`says ${kind} when ${method} is answered ${status} with ${declared.kind}`, () => {
      assert.equal(responseFraming(method, status, declared).kind, kind);
    });
  }
});

describe("bodyDecoder()", () => {
  it("decodes nothing when there is no body", () => {
    assert.equal(bodyDecoder(NONE, BODY_LIMITS), undefined);
  });

  it("is done at once when the length is 0", () => {
    const body = decoder({ kind: "length", lengthBytes: 0 });
    assert.equal(body.state.kind, "done");
    assert.deepEqual([body.push(bytesOf("x")), body.consumed], [[], 0]);
  });

  it("hands on the very bytes when they are all content", () => {
    const bytes = bytesOf("hello");
    for (const framing of [FIVE, { kind: "length", lengthBytes: 9 }, { kind: "close" }] as const) {
      assert.equal(decoder(framing).push(bytes)[0], bytes);
    }
  });

  it("views the bytes without a copy when they hold chunks", () => {
    const bytes = bytesOf("5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\nNEXT");
    const body = decoder(CHUNKED);
    const pieces = body.push(bytes);
    assert.deepEqual(pieces.map(textOf), ["hello", " world"]);
    assert.ok(pieces.every(({ buffer }) => buffer === bytes.buffer));
    assert.equal(body.consumed, bytes.length - 4);
    assert.equal(body.state.kind, "done");
    assert.deepEqual([body.push(bytesOf("x")), body.consumed], [[], 0]);
  });

  it("stops at the length when more follows", () => {
    const body = decoder(FIVE);
    assert.deepEqual(body.push(bytesOf("hel")).map(textOf), ["hel"]);
    assert.equal(body.state.kind, "open");
    assert.deepEqual(body.push(bytesOf("loNEXT")).map(textOf), ["lo"]);
    assert.deepEqual([body.consumed, body.state.kind], [2, "done"]);
    body.end();
    assert.equal(body.state.kind, "done");
  });

  const ends: [string, Framing, string, string][] = [
    ["a length", FIVE, "hell", "refused"],
    ["a whole length", FIVE, "hello", "done"],
    ["chunks", CHUNKED, "5\r\nhello\r\n", "refused"],
    ["chunks without their last line end", CHUNKED, "5\r\nhello\r\n0\r\n", "refused"],
    ["whole chunks", CHUNKED, "5\r\nhello\r\n0\r\n\r\n", "done"],
    ["whatever comes", { kind: "close" }, "hell", "done"],
  ];
  for (const [title, framing, text, kind] of ends) {
    it(`is ${kind} when the connection ends after ${title}`, () => {
      const body = decoder(framing);
      body.push(bytesOf(text));
      body.end();
      assert.equal(body.state.kind, kind);
    });
  }

  it("keeps trailers when they may be believed, and drops the others", () => {
    const forbidden = [
      "Content-Length",
      "transfer-encoding",
      "HOST",
      "Cookie",
      "Set-Cookie",
      "If-Match",
    ];
    const more = [
      "Authorization",
      "Connection",
      "X-Forwarded-For",
      "Content-Type",
      "Range",
      "TE",
      "Via",
    ];
    const lines = [...forbidden, ...more].map((name) => `${name}: x\r\n`).join("");
    const body = decoder(CHUNKED);
    body.push(bytesOf(`0\r\nX-Sum: 1 \r\n${lines}X-sum:\t\xe9\r\nServer-Timing: a\r\n\r\n`));
    assert.deepEqual(trailersOf(body), [["X-Sum", "1"], ["X-sum", "\xe9"], ["Server-Timing", "a"]]);
  });

  it("takes its limits from its arguments when they are narrow", () => {
    const limits = { extensionLimitBytes: 3, trailerLimitBytes: 8, trailersMax: 1 };
    const cases: [string, string][] = [
      ["1;a\r\nx\r\n0\r\n\r\n", "done"],
      ["1;abc\r\nx\r\n0\r\n\r\n", "refused"],
      ["1;a\r\nx\r\n0;a\r\n\r\n", "refused"],
      ["0\r\nA: b\r\n\r\n", "done"],
      ["0\r\nA: bc\r\n\r\n", "refused"],
      ["0\r\nA:\r\nB:\r\n\r\n", "refused"],
    ];
    for (const [text, kind] of cases) {
      const body = bodyDecoder(CHUNKED, limits);
      body?.push(bytesOf(text));
      assert.equal(body?.state.kind, kind, text);
    }
  });
});

describe("wholeChunk() and lastChunk()", () => {
  const token = fc.string({
    unit: fc.constantFrom("a", "B", "9", "-", "_", "~", "!"),
    minLength: 1,
    maxLength: 8,
  });
  const text = fc.string({ unit: fc.constantFrom("a", " ", "\t", "\xe9", ":"), maxLength: 8 });

  it("come out of the decoder as they went in when cut anywhere", () => {
    const data = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 });
    const trailers = fc.array(fc.tuple(token.map((name) => `X-${name}`), text), { maxLength: 3 });
    fc.assert(fc.property(data, trailers, fc.nat(300), (pieces, pairs, at) => {
      const framed = pieces.map(wholeChunk);
      const wire = [...framed, lastChunk(Fields.from(pairs))].map(textOf).join("");
      const body = decoder(CHUNKED);
      const first = bytesOf(wire.slice(0, at));
      const content = body.push(first).map(textOf);
      let consumed = body.consumed;
      if (consumed === first.length && body.state.kind === "open") {
        content.push(...body.push(bytesOf(wire.slice(at) + "NEXT")).map(textOf));
        consumed += body.consumed;
      }
      assert.equal(content.join(""), pieces.map(textOf).join(""));
      assert.equal(consumed, wire.length);
      const expected = pairs.map(([name, value]) => [name, value.replace(/^[ \t]+|[ \t]+$/g, "")]);
      assert.deepEqual(trailersOf(body), expected);
    }));
  });

  it("throw when a chunk is empty, which would end the body", () => {
    assert.throws(() => wholeChunk(new Uint8Array(0)), RangeError);
  });
});
