/** The made-up words and vectors: repeatable, and telling who spoke. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { base64Of, digestOf, embeddingOf, tokenAt } from "../../src/demo/words.ts";

describe("tokenAt()", () => {
  it("names the machine and the model when its tokens are joined", () => {
    const tokens = Array.from({ length: 6 }, (_, index) => tokenAt("gpu", "llama3.2", index));
    assert.equal(tokens.join(""), "gpu answers as llama3.2 with one");
  });

  it("begins anew with the name when the sentence is over", () => {
    const tokens = Array.from({ length: 24 }, (_, index) => tokenAt("gpu", "m", index));
    assert.equal(tokens.filter((token) => token.trim() === "gpu").length, 3);
  });
});

describe("embeddingOf()", () => {
  it("gives the same unit vector when model and input are the same", () => {
    fc.assert(fc.property(fc.string(), fc.integer({ min: 2, max: 64 }), (input, dimensions) => {
      const vector = embeddingOf("m", input, dimensions);
      assert.deepEqual(vector, embeddingOf("m", input, dimensions));
      assert.equal(vector.length, dimensions);
      assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-5);
    }));
  });

  it("gives another vector when the input or the model differs", () => {
    assert.notDeepEqual(embeddingOf("m", "a", 8), embeddingOf("m", "b", 8));
    assert.notDeepEqual(embeddingOf("m", "a", 8), embeddingOf("n", "a", 8));
  });
});

describe("base64Of()", () => {
  it("keeps every bit when the vector holds 32-bit floats", () => {
    fc.assert(fc.property(fc.array(fc.float({ noNaN: true })), (vector) => {
      const bytes = Uint8Array.from(atob(base64Of(vector)), (char) => char.charCodeAt(0));
      assert.deepEqual([...new Float32Array(bytes.buffer)], vector);
    }));
  });
});

describe("digestOf()", () => {
  it("gives 64 hexadecimal digits when asked for any model", () => {
    fc.assert(fc.property(fc.string(), (model) => assert.match(digestOf(model), /^[0-9a-f]{64}$/)));
  });
});
