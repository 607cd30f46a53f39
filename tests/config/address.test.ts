/** Places to listen and to go to. The cases follow what Caddy accepts and refuses. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readHostPort, readListen, readUpstream } from "../../src/config/address.ts";
import type { Reading } from "../../src/config/reading.ts";

function refusal<T>(reading: Reading<T>): string {
  assert.equal(reading.kind, "refused");
  return reading.kind === "refused" ? reading.expected : "";
}

describe("readListen()", () => {
  const good: [string, string, number][] = [
    [":8080", "", 8080],
    [":0", "", 0],
    ["127.0.0.1:8080", "127.0.0.1", 8080],
    ["[::1]:8080", "::1", 8080],
    ["[0:0::1]:80", "::1", 80],
    ["Localhost:80", "localhost", 80],
  ];
  for (const [written, host, port] of good) {
    it(`reads ${written}`, () => {
      assert.deepEqual(readListen(written), { kind: "read", value: { kind: "tcp", host, port } });
    });
  }

  const bad = [
    8080,
    "8080",
    "",
    ":",
    ":x",
    ":65536",
    "::1:80",
    "http://a:80",
    "a:80/x",
    "*:80",
    "a b:1",
  ];
  for (const written of bad) {
    it(`refuses ${JSON.stringify(written)}`, () => void refusal(readListen(written)));
  }
});

describe("readHostPort()", () => {
  it("reads host and port", () => {
    const value = { kind: "tcp", host: "10.0.0.1", port: 9 };
    assert.deepEqual(readHostPort("10.0.0.1:9"), { kind: "read", value });
  });

  for (const written of [":80", "a", "a:0", "http://a:1", 5]) {
    it(`refuses ${JSON.stringify(written)}`, () => void refusal(readHostPort(written)));
  }
});

describe("readUpstream()", () => {
  // written, scheme, host, port, authority, name
  const good: [string, "http" | "https" | "h2c", string, number, string, string][] = [
    [
      "http://192.168.1.5:11434",
      "http",
      "192.168.1.5",
      11434,
      "192.168.1.5:11434",
      "192.168.1.5:11434",
    ],
    ["https://a.example", "https", "a.example", 443, "a.example", "a.example:443"],
    ["https://a.example:443", "https", "a.example", 443, "a.example", "a.example:443"],
    ["http://A.Example", "http", "a.example", 80, "a.example", "a.example:80"],
    ["h2c://a", "h2c", "a", 80, "a", "a:80"],
    ["H2C://a:8080", "h2c", "a", 8080, "a:8080", "a:8080"],
    ["HTTP://a", "http", "a", 80, "a", "a:80"],
    ["a:11434", "http", "a", 11434, "a:11434", "a:11434"],
    ["localhost", "http", "localhost", 80, "localhost", "localhost:80"],
    ["[::1]:8080", "http", "::1", 8080, "[::1]:8080", "[::1]:8080"],
    ["http://[2001:db8::0:1]", "http", "2001:db8::1", 80, "[2001:db8::1]", "[2001:db8::1]:80"],
    ["http://bücher.de", "http", "xn--bcher-kva.de", 80, "xn--bcher-kva.de", "xn--bcher-kva.de:80"],
    ["http://my_host:81", "http", "my_host", 81, "my_host:81", "my_host:81"],
    ["unixhost:81", "http", "unixhost", 81, "unixhost:81", "unixhost:81"],
  ];
  for (const [written, scheme, host, port, authority, name] of good) {
    it(`reads ${written}`, () => {
      const address = { kind: "tcp", host, port };
      const value = [{ scheme, address, authority, name }];
      assert.deepEqual(readUpstream(written), { kind: "read", value });
    });
  }

  it("reads a socket", () => {
    const address = { kind: "unix", path: "/run/ollama.sock" };
    const value = [{ scheme: "http", address, authority: "localhost", name: "/run/ollama.sock" }];
    assert.deepEqual(readUpstream("unix//run/ollama.sock"), { kind: "read", value });
  });

  it("expands a range of ports", () => {
    const reading = readUpstream("https://a:8001-8006");
    assert.equal(reading.kind, "read");
    const names = reading.kind === "read" ? reading.value.map(({ name }) => name) : [];
    assert.deepEqual(names, ["a:8001", "a:8002", "a:8003", "a:8004", "a:8005", "a:8006"]);
  });

  const bad: [unknown, RegExp][] = [
    ["", /an upstream/],
    [5, /an upstream/],
    [null, /an upstream/],
    ["ftp://a", /an upstream/],
    ["http://", /an upstream/],
    ["http:///a", /without a path/],
    ["http://a/", /without a path/],
    ["http://a/api", /without a path/],
    ["a/api", /without a path/],
    ["http://a?x=1", /without a query/],
    ["http://a#x", /without a fragment/],
    ["http://user:secret@a", /without credentials/],
    ["ws://a", /carry WebSockets/],
    ["wss://a", /carry WebSockets/],
    ["h2c://a:443", /"https:\/\/" with port 443/],
    ["unix+h2c/run/x", /an upstream without a path/],
    ["unix+h2c://run/x", /an upstream such as/],
    ["unix:///run/x", /a socket/],
    ["unix//", /a socket/],
    ["http://a:443", /"https:\/\/" with port 443/],
    ["https://a:80", /"http:\/\/" with port 80/],
    ["a:0", /a port from 1/],
    ["a:65536", /a port from 1/],
    ["a:", /a port from 1/],
    ["a:8002-8001", /ends after it begins/],
    ["a:1-2-3", /a port from 1/],
    ["a:1-1000", /at most 256/],
    ["::1", /an upstream/],
    ["[::g]:1", /an upstream/],
    ["http://a b", /an upstream/],
    ["http://{host}:80", /an upstream/],
    ["http://a%2eb", /an upstream/],
    ["http://*.a", /an upstream/],
  ];
  for (const [written, expected] of bad) {
    it(`refuses ${JSON.stringify(written)}`, () => {
      assert.match(refusal(readUpstream(written)), expected);
    });
  }
});
