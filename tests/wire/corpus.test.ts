/**
 * Reads every case of the corpus as it came and cut at every byte, and asks llhttp what it makes of those
 * that we accept.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Case, CORPUS } from "./corpus.ts";
import { disagreement, findNode, readByLlhttp } from "./llhttp.ts";
import { bytesOf, transcribe, type Transcript } from "./transcript.ts";

describe("requestHeads() and bodyDecoder()", () => {
  for (const [title, raw, expected] of CORPUS) {
    const outcome = typeof expected === "number" ? `refuse with ${expected}` : "have one reading";
    it(`${outcome} when sent: ${title.slice(0, 60)}`, () => {
      assert.deepEqual(summary(transcribe("requests", [bytesOf(raw)])), wanted(expected));
    });
  }

  it("read the same when cut at every byte", () => {
    for (const [title, raw] of CORPUS) {
      const bytes = bytesOf(raw);
      const whole = summary(transcribe("requests", [bytes]));
      const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
      assert.deepEqual(summary(transcribe("requests", single)), whole, `${title}, byte by byte`);
      if (bytes.length > 500) continue;
      for (let at = 1; at < bytes.length; at++) {
        const halves = [bytes.subarray(0, at), bytes.subarray(at)];
        assert.deepEqual(summary(transcribe("requests", halves)), whole, `${title}, cut at ${at}`);
      }
    }
  });

  const node = findNode();
  const skip = node === undefined && "needs Node, whose parser is the other opinion";
  it("accept nothing that llhttp refuses or reads otherwise", { skip }, () => {
    const inputs = CORPUS.map(([, raw]) => ({ kind: "requests", bytes: bytesOf(raw) } as const));
    for (const [index, reading] of readByLlhttp(node ?? "", inputs).entries()) {
      const input = inputs[index];
      assert.ok(input !== undefined);
      const ours = transcribe("requests", [input.bytes]);
      assert.equal(disagreement(input, ours, reading), undefined, CORPUS[index]?.[0]);
    }
  });
});

function wanted(expected: Case[2]): readonly string[] {
  return typeof expected === "number" ? [String(expected)] : expected;
}

/** What was read, in the words of the corpus. A refused body keeps no promise about what came before it. */
function summary({ messages, end, status }: Transcript): string[] {
  const refusedBody = end === "refused" && status === undefined;
  const lines = messages.slice(0, refusedBody ? -1 : undefined).map((message) => {
    const words = [message.method, message.target, message.host ?? "-"];
    if (message.body !== "") words.push(message.body);
    if (!message.whole) words.push("…");
    return words.join(" ");
  });
  if (end === "more") return lines;
  return [...lines, end === "refused" ? status === undefined ? "bad body" : String(status) : end];
}
