/** Templates, header names, references to the environment, suggestions. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { fill } from "../../src/config/environment.ts";
import { didYouMean, nearest } from "../../src/config/suggest.ts";
import {
  readFieldName,
  readFieldValue,
  readRequestFieldName,
  readTemplate,
} from "../../src/config/template.ts";

describe("readTemplate()", () => {
  const good: [string, (string | { name: string })[]][] = [
    ["", []],
    ["plain", ["plain"]],
    ["{host}", [{ name: "host" }]],
    ["a {client_ip}, {host} b", ["a ", { name: "client_ip" }, ", ", { name: "host" }, " b"]],
    ["{{host}", ["{host}"]],
    ["{{{host}", ["{", { name: "host" }]],
    ["a}b", ["a}b"]],
  ];
  for (const [written, value] of good) {
    it(`splits ${JSON.stringify(written)}`, () => {
      assert.deepEqual(readTemplate(written), { kind: "read", value });
    });
  }

  const bad: [unknown, string][] = [
    ["{hots}", '"{hots}", did you mean "host"?'],
    ["{}", '"{}"'],
    ["a {host", '"{host", did you mean "host"?'],
  ];
  for (const [written, received] of bad) {
    it(`refuses ${JSON.stringify(written)}`, () => {
      const reading = readTemplate(written);
      assert.equal(reading.kind === "refused" && reading.received, received);
    });
  }

  it("keeps any text without braces as it is", () => {
    fc.assert(fc.property(fc.string().filter((text) => /^[\x20-z|}~]+$/.test(text)), (text) => {
      assert.deepEqual(readTemplate(text), { kind: "read", value: [text] });
    }));
  });
});

describe("readFieldName() and readFieldValue()", () => {
  for (const name of ["X-A", "x_b", "Authorization"]) {
    it(`reads ${name}`, () => assert.equal(readFieldName(name).kind, "read"));
  }
  for (const name of ["", "X Y", "X:Y", "Ü", "Content-Length", "connection", "TE", 5]) {
    it(`refuses the name ${JSON.stringify(name)}`, () => {
      assert.equal(readFieldName(name).kind, "refused");
    });
  }
  it("refuses Host only for requests", () => {
    assert.equal(readFieldName("Host").kind, "read");
    assert.equal(readRequestFieldName("HOST").kind, "refused");
  });

  for (const value of ["a\nb", "a\r", "\0", "\x7f", "€", 5, null]) {
    it(`refuses the value ${JSON.stringify(value)} without showing it`, () => {
      const reading = readFieldValue(value);
      assert.equal(reading.kind, "refused");
      if (typeof value === "string" && reading.kind === "refused") {
        assert.ok(reading.received !== undefined && !reading.received.includes(value));
      }
    });
  }
});

describe("fill()", () => {
  const env = (name: string): string | undefined => ({ A: "1", EMPTY: "", LOOP: "${A}" })[name];
  const good: [string, string][] = [
    ["plain $ {A} $A", "plain $ {A} $A"],
    ["${A}${A}", "11"],
    ["${B:-2}", "2"],
    ["${B:-}", ""],
    ["${EMPTY:-x}", "x"],
    ["${EMPTY}", ""],
    ["$${A}", "${A}"],
    ["$$${A}", "$${A}"],
    ["${LOOP}", "${A}"],
    ["${A:-x}y", "1y"],
  ];
  for (const [written, text] of good) {
    it(`makes ${JSON.stringify(text)} of ${JSON.stringify(written)}`, () => {
      const filled = fill(written, env);
      assert.deepEqual([filled.text, filled.faults], [text, []]);
    });
  }
  for (const written of ["${B}", "${}", "${A", "${1A}", "${A-B}", "a ${A:x}"]) {
    it(`reports one fault when given ${written}`, () => {
      assert.equal(fill(written, env).faults.length, 1);
    });
  }
});

describe("nearest()", () => {
  const known = ["policy", "passive", "path", "health", "headers", "host", "for"];
  const cases: [string, string | undefined][] = [
    ["polciy", "policy"],
    ["Policy", "policy"],
    ["helth", "health"],
    ["header", "headers"],
    ["hosts", "host"],
    ["zebra", undefined],
    ["x", undefined],
  ];
  for (const [word, meant] of cases) {
    it(`finds ${meant} when given ${word}`, () => assert.equal(nearest(word, known), meant));
  }
  it("is silent in a message when nothing is near", () =>
    assert.equal(didYouMean("qqq", known), ""));
});
