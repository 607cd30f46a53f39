/**
 * What `explain` and `knock` make of the ways in which an upstream can fail, with real sockets:
 * whether a request may be repeated hangs on `dialFailed`.
 */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { platform } from "#platform";
import type { FetchFailure } from "../../src/platform/platform.ts";
import { ask, freePort, Peer } from "./support.ts";

type Expected = Pick<FetchFailure, "dialFailed" | "code">;

/** A label of 64 letters cannot be a name, which the resolver says without asking the network. */
const NO_NAME = `${"a".repeat(64)}.invalid`;

async function failureOf(url: string): Promise<FetchFailure> {
  try {
    await ask(url, { fresh: true });
  } catch (error) {
    return platform.explain(error);
  }
  return assert.fail("the request was answered");
}

describe("explain()", () => {
  const closed: Expected = { dialFailed: false, code: "closed" };
  const tls: Expected = { dialFailed: true, code: "tls" };
  const garbage: Expected = { dialFailed: false, code: "protocol" };

  const cases: [string, "http" | "https", (socket: Socket) => void, Expected][] = [
    ["says closed when the upstream hangs up on the request", "http", hangUp, closed],
    ["says closed when the upstream resets the connection", "http", reset, closed],
    ["says closed when half a head arrives", "http", (s) => reply(s, "HTTP/1.1 200 O"), closed],
    [
      "says protocol when the length is no number",
      "http",
      (s) => reply(s, "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
      garbage,
    ],
    [
      "says protocol when the answer is no HTTP",
      "http",
      (s) => reply(s, "SSH-2.0-OpenSSH\r\n"),
      garbage,
    ],
    [
      "says tls when a TLS dial meets plain HTTP",
      "https",
      (s) => reply(s, "HTTP/1.1 400 Bad Request\r\n\r\n"),
      tls,
    ],
  ];
  for (const [title, scheme, talk, expected] of cases) {
    it(`explain() ${title}`, async () => {
      await using peer = await Peer.open(talk);
      const { dialFailed, code } = await failureOf(`${scheme}://127.0.0.1:${peer.port}/`);
      assert.deepEqual({ dialFailed, code }, expected);
    });
  }

  it("explain() says refused when nobody listens", async () => {
    const { dialFailed, code, detail } = await failureOf(`http://127.0.0.1:${await freePort()}/`);
    assert.deepEqual({ dialFailed, code }, { dialFailed: true, code: "refused" });
    assert.match(detail, /refused/i);
  });

  it("explain() says unknown_host when the name does not resolve", async () => {
    const { dialFailed, code } = await failureOf(`http://${NO_NAME}/`);
    assert.deepEqual({ dialFailed, code }, { dialFailed: true, code: "unknown_host" });
  });

  it("explain() makes no claim about an error that it does not know", () => {
    assert.deepEqual(platform.explain("odd"), { dialFailed: false, code: "closed", detail: "odd" });
  });
});

describe("knock()", () => {
  const { signal } = new AbortController();

  it("knock() says connected and hangs up when a connection can be made", async () => {
    const left = Promise.withResolvers<void>();
    await using peer = await Peer.open((socket) => {
      socket.resume();
      socket.on("close", () => left.resolve());
    });
    const address = { kind: "tcp", host: "127.0.0.1", port: peer.port } as const;
    assert.deepEqual(await platform.knock(address, 2000, signal), { kind: "connected" });
    await left.promise;
  });

  it("knock() says refused when nobody listens", async () => {
    const address = { kind: "tcp", host: "127.0.0.1", port: await freePort() } as const;
    const result = await platform.knock(address, 2000, signal);
    assert.equal(result.kind === "failed" && result.code, "refused");
  });

  it("knock() says refused when a unix socket is missing", async () => {
    const address = { kind: "unix", path: "/nowhere/at/all.sock" } as const;
    const result = await platform.knock(address, 2000, signal);
    assert.equal(result.kind === "failed" && result.code, "refused");
  });

  it("knock() says unknown_host when the name does not resolve", async () => {
    const address = { kind: "tcp", host: NO_NAME, port: 80 } as const;
    const result = await platform.knock(address, 5000, signal);
    assert.equal(result.kind === "failed" && result.code, "unknown_host");
  });

  it("knock() says aborted when its signal is", async () => {
    const address = { kind: "tcp", host: "127.0.0.1", port: 9 } as const;
    const result = await platform.knock(address, 2000, AbortSignal.abort());
    assert.deepEqual(result, { kind: "aborted" });
  });
});

function hangUp(socket: Socket): void {
  socket.once("data", () => socket.end());
}

function reset(socket: Socket): void {
  socket.once("data", () => socket.resetAndDestroy());
}

function reply(socket: Socket, text: string): void {
  socket.once("data", () => socket.end(text));
}
