/** Names and addresses that a certificate can be for, and those that it cannot. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { IssueError } from "../../src/tls/issuer.ts";
import { alternativeNames } from "../../src/tls/subject.ts";

describe("alternativeNames()", () => {
  const good: [string, string][] = [
    ["app.lan", "dns app.lan"],
    ["APP.lan.", "dns app.lan"],
    ["*.app.lan", "dns *.app.lan"],
    ["localhost", "dns localhost"],
    ["my_host.lan", "dns my_host.lan"],
    ["xn--bcher-kva.example", "dns xn--bcher-kva.example"],
    [`${"a".repeat(63)}.lan`, `dns ${"a".repeat(63)}.lan`],
    ["127.0.0.1", "ip 127.0.0.1"],
    ["::1", "ip 0:0:0:0:0:0:0:1"],
    ["FD00::a:0", "ip fd00:0:0:0:0:0:a:0"],
    ["::ffff:192.0.2.1", "ip 192.0.2.1"],
  ];
  for (const [name, expected] of good) {
    it(`takes ${name}`, () => {
      assert.deepEqual(alternativeNames([name]).map(({ type, value }) => `${type} ${value}`), [
        expected,
      ]);
    });
  }

  const bad = [
    "",
    "*",
    "a b",
    "a..b",
    ".a",
    "-a.lan",
    "a-.lan",
    "a.*.lan",
    "a*.lan",
    "*.*.lan",
    "1.2.3",
    "256.1.1.1",
    "fe80::1%eth0",
    "[::1]",
    "a.lan:443",
    "bücher.example",
    "a\n.lan",
    "a\0",
    `${"a".repeat(64)}.lan`,
    `${"a.".repeat(126)}bc`,
  ];
  for (const name of bad) {
    it(`refuses ${JSON.stringify(name).slice(0, 40)}`, () => {
      assert.throws(
        () => alternativeNames(["fine.lan", name]),
        (error) =>
          error instanceof IssueError && error.message.includes(JSON.stringify(name.slice(0, 253))),
      );
    });
  }

  it("takes each once, and 100 at most", () => {
    assert.equal(alternativeNames(["a", "A", "a.", "b"]).length, 2);
    const many = Array.from({ length: 101 }, (_, at) => `n${at}`);
    assert.equal(alternativeNames(many.slice(1)).length, 100);
    assert.throws(() => alternativeNames(many), /for 101 names: Expected 1 to 100/);
    assert.throws(() => alternativeNames([]), /for 0 names/);
  });
});
