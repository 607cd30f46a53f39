/** Hosts, paths and blocks of addresses. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readHost, readPath, readTrusted } from "../../src/config/match.ts";

describe("readHost()", () => {
  const good: [string, string][] = [
    ["*", "*"],
    ["Ollama.Example.COM", "ollama.example.com"],
    ["example.com.", "example.com"],
    ["*.Example.com", "*.example.com"],
    ["bücher.de", "xn--bcher-kva.de"],
    ["*.bücher.de", "*.xn--bcher-kva.de"],
    ["192.168.1.1", "192.168.1.1"],
    ["[::1]", "[::1]"],
    ["localhost", "localhost"],
  ];
  for (const [written, host] of good) {
    it(`reads ${host} when given ${written}`, () => {
      assert.deepEqual(readHost(written), { kind: "read", value: host });
    });
  }

  const bad: [unknown, RegExp][] = [
    ["", /a host such as/],
    [5, /a host such as/],
    ["a.com:80", /without a port/],
    ["[::1]:80", /without a port/],
    ["http://a.com", /without scheme and path/],
    ["a.com/x", /without scheme and path/],
    ["a.*.com", /a host such as/],
    ["*.*.com", /a host such as/],
    ["*.", /a host such as/],
    ["*.1.2.3.4", /a host such as/],
    ["a b", /a host such as/],
    ["a@b", /a host such as/],
  ];
  for (const [written, expected] of bad) {
    it(`refuses ${JSON.stringify(written)}`, () => {
      const reading = readHost(written);
      assert.match(reading.kind === "refused" ? reading.expected : "read", expected);
    });
  }
});

describe("readPath()", () => {
  for (const path of ["/", "/api", "/api/", "/a%20b", "/ü"]) {
    it(`reads ${path}`, () => assert.deepEqual(readPath(path), { kind: "read", value: path }));
  }
  for (const path of ["", "api", "/a?b", "/a#b", "/a b", "/api/*", "/a\n", 5]) {
    it(`refuses ${JSON.stringify(path)}`, () => assert.equal(readPath(path).kind, "refused"));
  }
});

describe("readTrusted()", () => {
  const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
  const good: [string, number[], number][] = [
    ["10.0.0.0/8", [10, 0, 0, 0], 8],
    ["192.168.1.7", [192, 168, 1, 7], 32],
    ["0.0.0.0/0", [0, 0, 0, 0], 0],
    ["::1", [...zeros(15), 1], 128],
    ["fd00::/8", [0xfd, ...zeros(15)], 8],
    ["2001:db8:0:1::/64", [0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, ...zeros(8)], 64],
    ["::ffff:10.0.0.0/104", [10, 0, 0, 0], 8],
  ];
  for (const [written, bytes, bits] of good) {
    it(`reads ${written}`, () => {
      assert.deepEqual(readTrusted(written), { kind: "read", value: [{ bytes, bits }] });
    });
  }

  it("reads six blocks when given private_ranges", () => {
    const reading = readTrusted("private_ranges");
    assert.equal(reading.kind === "read" && reading.value.length, 6);
  });

  const bad = [
    "",
    "10.0.0.0/33",
    "10.0.0",
    "10.0.0.256",
    "01.0.0.0",
    "::1/129",
    "a.com",
    "1.2.3.4/8/8",
    "::/x",
    ":::",
    5,
  ];
  for (const written of bad) {
    it(`refuses ${JSON.stringify(written)}`, () => {
      assert.equal(readTrusted(written).kind, "refused");
    });
  }
});
