/** Errands: whom they trust, what they bring back, and the words of those that come to nothing. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:https";
import { after, before, describe, it } from "node:test";
import { platform } from "#platform";
import { type ErrandAnswer, ErrandError, type ErrandOptions } from "../../src/platform/platform.ts";
import { Authority } from "../support/certificates.ts";
import { freePort, Peer, serving, within } from "./support.ts";

let ours: Authority;
let theirs: Authority;

before(async () => {
  ours = await Authority.open();
  theirs = await Authority.open();
});

after(async () => {
  await ours[Symbol.asyncDispose]();
  await theirs[Symbol.asyncDispose]();
});

function run(url: string, options: Partial<ErrandOptions> = {}): Promise<ErrandAnswer> {
  const errand = platform.errand(url, {
    ...{ method: "GET", headers: new Headers(), body: undefined, authorities: [] },
    ...{ timeoutMs: 4000, signal: new AbortController().signal },
    ...options,
  });
  return within("an errand", errand);
}

async function words(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof ErrandError, String(error));
    return error.message;
  }
  throw new Error("It did not fail");
}

/** A server by TLS that our authority vouches for. */
async function secured(): Promise<AsyncDisposable & { readonly url: string }> {
  const { chain: cert, key } = ours.issue("IP:127.0.0.1");
  const server = createServer({ cert, key }, (_, response) => response.end("hello"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    url: `https://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

describe("errand()", () => {
  it("errand() sends what it is given and brings back status, fields and text", async () => {
    await using server = await serving(async (request) => {
      const told = [request.method, request.headers.get("x-own"), await request.text()];
      return new Response(told.join(" "), { status: 418, headers: { "x-answer": "yes" } });
    });
    const headers = new Headers({ "x-own": "mine" });
    const url = `http://127.0.0.1:${server.port}/`;
    const answer = await run(url, { method: "POST", headers, body: "héllo" });
    assert.equal(answer.status, 418);
    assert.equal(answer.headers.get("x-answer"), "yes");
    assert.equal(answer.text, "POST mine héllo");
  });

  it("errand() follows no redirect", async () => {
    await using server = await serving(() => {
      return Promise.resolve(new Response(null, { status: 302, headers: { location: "/other" } }));
    });
    const { status, headers } = await run(`http://127.0.0.1:${server.port}/`);
    assert.deepEqual([status, headers.get("location")], [302, "/other"]);
  });

  it("errand() trusts the authorities that it is given, and only for that time", async () => {
    await using server = await secured();
    const authorities = [theirs.certificate, ours.certificate];
    assert.equal((await run(server.url, { authorities })).text, "hello");
    const strange = { authorities: [theirs.certificate] };
    for (const options of [strange, {}]) {
      const message = await words(run(server.url, options));
      assert.match(message, /^Cannot reach https:\/\/127\.0\.0\.1:\d+: .*(certificate|issuer)/i);
    }
  });

  it("errand() says in words, and without path or query, why nobody was reached", async () => {
    const url = `http://127.0.0.1:${await freePort()}/secret?token=secret`;
    const message = await words(run(url));
    assert.match(message, /^Cannot reach http:\/\/127\.0\.0\.1:\d+: connection refused$/);
    const strange = await words(run("http://nobody.invalid/secret"));
    assert.equal(strange, "Cannot reach http://nobody.invalid: no such host");
  });

  it("errand() gives up on an answer that takes too long", async () => {
    await using peer = await Peer.open(() => {});
    const message = await words(run(`http://127.0.0.1:${peer.port}/`, { timeoutMs: 100 }));
    assert.match(message, /: no answer in 100 ms$/);
  });

  it("errand() ends when nobody waits any more", async () => {
    const leaving = new AbortController();
    await using peer = await Peer.open((socket) => socket.once("data", () => leaving.abort()));
    const url = `http://127.0.0.1:${peer.port}/`;
    assert.match(await words(run(url, { signal: leaving.signal })), /: nobody waits any more$/);
    assert.match(await words(run(url, { signal: leaving.signal })), /: nobody waits any more$/);
  });

  it("errand() takes no answer without a bound", async () => {
    await using server = await serving(() => {
      const piece = new Uint8Array(64 * 1024);
      const body = new ReadableStream<Uint8Array>({ pull: (stream) => stream.enqueue(piece) });
      return Promise.resolve(new Response(body));
    });
    const message = await words(run(`http://127.0.0.1:${server.port}/`));
    assert.match(message, /: its answer is longer than 1048576 bytes$/);
  });
});
