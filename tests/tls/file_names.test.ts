/** Names of files: told apart, safe everywhere, short enough. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { fileNameOf } from "../../src/tls/file_names.ts";

const SAFE = /^(?!\.)[a-z0-9.%_+-]{1,220}$/;

describe("fileNameOf()", () => {
  const cases: [string[], string][] = [
    [["app.example.com"], "app.example.com"],
    [["App.Example.com"], "app.example.com"],
    [["*.example.com"], "wildcard_.example.com"],
    [["192.0.2.1"], "192.0.2.1"],
    [["fd00::1"], "fd00__1"],
    [["a_b.lan"], "a%5fb.lan"],
    [[".."], "%2e."],
    [["../etc/passwd"], "%2e.%2fetc%2fpasswd"],
    [["a\\b\0"], "a%5cb%00"],
    [["grün+😀"], "gr%c3%bcn%2b%f0%9f%98%80"],
    [["acme-v02.api.letsencrypt.org"], "acme-v02.api.letsencrypt.org"],
  ];
  for (const [names, expected] of cases) {
    it(`is ${expected} for ${JSON.stringify(names)}`, () => {
      assert.equal(fileNameOf(names), expected);
    });
  }

  it("stands for several names in any order, each counted once", () => {
    const name = fileNameOf(["b.example", "*.b.example", "a.example"]);
    assert.match(name, /^wildcard_\.b\.example\+2-[0-9a-f]{16}$/);
    assert.equal(fileNameOf(["a.example", "B.example", "a.example", "*.b.example"]), name);
    assert.notEqual(fileNameOf(["b.example", "*.b.example", "c.example"]), name);
    assert.equal(fileNameOf(["a.example", "a.example"]), "a.example");
  });

  it("is short for names that are long", () => {
    const name = `${"a".repeat(63)}.`.repeat(4).slice(0, 253);
    assert.match(fileNameOf([name]), /^a{63}\.[a.]+\+0-[0-9a-f]{16}$/);
    assert.ok(fileNameOf([name]).length < 220);
  });

  const anyNames = fc.uniqueArray(fc.oneof(fc.domain(), fc.ipV6(), fc.string({ unit: "binary" })), {
    minLength: 1,
    maxLength: 4,
  });
  it("is safe whatever the names", () => {
    fc.assert(fc.property(anyNames, (names) => SAFE.test(fileNameOf(names))));
  });

  it("differs where the names do", () => {
    const set = (names: string[]) =>
      [...new Set(names.map((name) => name.toLowerCase()))].toSorted().join("\n");
    fc.assert(fc.property(anyNames, anyNames, (one, other) => {
      assert.equal(fileNameOf(one) === fileNameOf(other), set(one) === set(other));
    }));
    const near = fc.array(fc.constantFrom("a", "_", ":", "*", "+", "%", "5", "f", "."), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(fc.property(near, near, (one, other) => {
      const [left, right] = [one.join(""), other.join("")];
      // Two that no name and no address contains: `wildcard:` and the like.
      assert.equal(fileNameOf([left]) === fileNameOf([right]), left === right);
    }));
  });
});
