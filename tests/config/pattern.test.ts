/** Which regular expressions are taken. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readPattern } from "../../src/config/pattern.ts";

describe("readPattern()", () => {
  for (
    const good of [
      "",
      "^/v[0-9]+$",
      "(/[^/]+)+",
      "(a+b)*",
      "(a|b)+",
      "(?:\\.\\d+)?",
      "(ab+)?",
      "[(a+)+]",
    ]
  ) {
    it(`takes ${good}`, () => assert.equal(readPattern(good, "").kind, "read"));
  }
  for (
    const bad of [
      "(a+)+",
      "(a*)*",
      "(?:x+)*",
      "([a-z]+)+",
      "(\\w+){2,}",
      "(?<n>.*)+$",
      "(.+?)+",
      "(",
    ]
  ) {
    it(`refuses ${bad}`, () => assert.equal(readPattern(bad, "").kind, "refused"));
  }
  it("never throws when given any text", () => {
    fc.assert(fc.property(fc.string(), (text) => {
      readPattern(text, "g");
    }));
  });
});
