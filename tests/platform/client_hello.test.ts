/** Reading what a TLS client says first: whole, in pieces, in several records, and broken in every way. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { before, describe, it } from "node:test";
import fc from "fast-check";
import { type Greeting, readGreeting } from "../../src/platform/client_hello.ts";
import { within } from "./support.ts";

const ARGS = ["-servername", "GPU.Example.com.", "-alpn", "h2,http/1.1"];

/** What openssl says first. */
let real: Uint8Array;

before(async () => {
  const heard = Promise.withResolvers<Uint8Array>();
  const server = createServer((socket) => {
    socket.once("data", (bytes: Uint8Array) => {
      heard.resolve(bytes);
      socket.destroy();
    });
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  assert.ok(typeof bound === "object" && bound !== null);
  const child = spawn("openssl", ["s_client", "-connect", `127.0.0.1:${bound.port}`, ...ARGS], {
    stdio: "ignore",
  });
  real = await within("a hello", heard.promise);
  await within("openssl to end", once(child, "close"));
  server.close();
});

/** The same message in records of that many bytes. */
function inRecords(hello: Uint8Array, size: number): Uint8Array {
  const message = hello.subarray(5);
  const parts: number[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    parts.push(22, 3, 1, part.length >> 8, part.length & 0xff, ...part);
  }
  return Uint8Array.from(parts);
}

/** The least of a hello: no cipher, and a name. */
function helloFor(name: string): Uint8Array {
  const two = (number: number) => [number >> 8, number & 0xff];
  const text = [...new TextEncoder().encode(name)];
  const entry = [0, ...two(text.length), ...text];
  const list = [...two(entry.length), ...entry];
  const extension = [0, 0, ...two(list.length), ...list];
  const hello = [
    3,
    3,
    ...Array<number>(32).fill(0),
    0,
    0,
    0,
    0,
    ...two(extension.length),
    ...extension,
  ];
  return Uint8Array.from([
    22,
    3,
    1,
    ...two(hello.length + 4),
    1,
    0,
    ...two(hello.length),
    ...hello,
  ]);
}

describe("readGreeting()", () => {
  it("readGreeting() knows the name and the protocols that a client asks for", () => {
    assert.deepEqual(readGreeting(real), {
      kind: "hello",
      hello: { name: "gpu.example.com", protocols: ["h2", "http/1.1"] },
    });
  });

  it("readGreeting() waits for the rest of whatever part has come", () => {
    for (let length = 0; length < real.length; length++) {
      assert.equal(readGreeting(real.subarray(0, length)).kind, "more", `${length} bytes`);
    }
  });

  it("readGreeting() reads a hello in several records, but not in very many", () => {
    const sizes = [4096, 200, Math.ceil((real.length - 5) / 16)];
    for (const size of sizes) {
      assert.deepEqual(readGreeting(inRecords(real, size)), readGreeting(real), `${size} bytes`);
    }
    assert.equal(readGreeting(inRecords(real, 8)).kind, "broken");
  });

  it("readGreeting() takes what follows the hello for somebody else's", () => {
    assert.deepEqual(
      readGreeting(Uint8Array.from([...real, 20, 3, 3, 0, 1, 1])),
      readGreeting(real),
    );
  });

  const others: [string, number[], Greeting["kind"]][] = [
    ["HTTP in the clear", [...new TextEncoder().encode("GET / HTTP/1.1\r\n")], "plain"],
    ["HTTP/2 in the clear", [...new TextEncoder().encode("PRI * HTTP/2.0\r\n")], "plain"],
    ["an alert", [21, 3, 1, 0, 2, 1, 0], "plain"],
    ["another protocol version", [22, 2, 0, 0, 4, 1, 0, 0, 0], "broken"],
    ["another message", [22, 3, 1, 0, 4, 2, 0, 0, 0], "broken"],
    ["an empty record", [22, 3, 1, 0, 0], "broken"],
    ["a record beyond the limit", [22, 3, 1, 0x40, 1], "broken"],
    ["a message beyond the limit", [22, 3, 1, 0, 4, 1, 1, 0, 0], "broken"],
    ["an empty hello", [22, 3, 1, 0, 4, 1, 0, 0, 0], "broken"],
  ];
  for (const [title, bytes, kind] of others) {
    it(`readGreeting() takes ${title} for ${kind}`, () => {
      assert.equal(readGreeting(Uint8Array.from(bytes)).kind, kind);
    });
  }

  it("readGreeting() takes names of hosts, and none that is longer than any", () => {
    for (const [name, kind] of [["a".repeat(255), "hello"], ["a".repeat(256), "broken"]]) {
      assert.equal(readGreeting(helloFor(name ?? "")).kind, kind);
    }
  });

  it("readGreeting() never throws, whatever bytes come", () => {
    const bytes = fc.uint8Array({ maxLength: 400 });
    const mutated = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 12 }).map((edits) => {
      const copy = real.slice();
      for (const [at, byte] of edits) copy[at % copy.length] = byte;
      return copy;
    });
    fc.assert(fc.property(fc.oneof(bytes, mutated), (input) => {
      assert.ok(["more", "hello", "plain", "broken"].includes(readGreeting(input).kind));
    }));
  });
});
