/** Signatures, by the examples of RFC 4231. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { platform } from "#platform";

describe("hmacSha256()", () => {
  const cases: [string, string, string, string][] = [
    [
      "a word",
      "Jefe",
      "what do ya want for nothing?",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ],
    [
      "nothing with nothing",
      "",
      "",
      "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad",
    ],
  ];
  for (const [title, key, text, expected] of cases) {
    it(`signs ${title}`, () => assert.equal(platform.hmacSha256(key, text), expected));
  }
});
