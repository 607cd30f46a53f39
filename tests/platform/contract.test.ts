/**
 * What the platform promises about requests and answers, on either runtime. Where a runtime cannot
 * do what the other does, the test says so by name.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { platform } from "#platform";
import { ListenError } from "../../src/platform/platform.ts";
import { answering, ask, drain, LOOPBACK, Peer, serving, within } from "./support.ts";

const onBun = platform.runtime.startsWith("Bun");
const encoder = new TextEncoder();
const decoder = new TextDecoder();

describe("serve() and fetch()", () => {
  it("serve() and fetch() pass chunks on one by one, both ways", async () => {
    await using host = await serving((request) => Promise.resolve(new Response(request.body)));
    const upload = new TransformStream<Uint8Array, Uint8Array>();
    const writer = upload.writable.getWriter();
    const answer = ask(`http://127.0.0.1:${host.port}/`, {
      method: "POST",
      body: upload.readable,
    });
    await writer.write(encoder.encode("one"));

    const reader = (await answer).body?.getReader();
    assert.ok(reader);
    assert.equal(decoder.decode((await reader.read()).value), "one");
    await writer.write(encoder.encode("two"));
    assert.equal(decoder.decode((await reader.read()).value), "two");

    await writer.close();
    // `Deno.serve` does not see a chunked request end once its answer has begun.
    if (onBun) assert.equal((await reader.read()).done, true);
    await reader.cancel();
  });

  it("fetch() hands over bytes that match their labels when they are packed", async () => {
    const packed = gzipSync("text ".repeat(100));
    const head = `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${packed.length}`;
    await using peer = await answering(Buffer.concat([encoder.encode(`${head}\r\n\r\n`), packed]));
    const response = await ask(`http://127.0.0.1:${peer.port}/`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (onBun) {
      assert.equal(response.headers.get("content-encoding"), "gzip");
      assert.deepEqual(bytes, new Uint8Array(packed));
    } else {
      // Deno unpacks whatever one asks for.
      assert.equal(response.headers.get("content-encoding"), null);
      assert.equal(response.headers.get("content-length"), null);
      assert.equal(decoder.decode(bytes), "text ".repeat(100));
    }
  });

  it("fetch() leaves the labels on when there is no body to unpack", async () => {
    const head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 57\r\n\r\n";
    await using peer = await answering(head);
    const response = await ask(`http://127.0.0.1:${peer.port}/`, { method: "HEAD" });
    assert.equal(response.headers.get("content-encoding"), "gzip");
    assert.equal(response.headers.get("content-length"), "57");
  });

  it("serve() and fetch() keep every Set-Cookie apart", async () => {
    const headers: [string, string][] = [["set-cookie", "a=1"], ["set-cookie", "b=2; Path=/"]];
    await using host = await serving(() => Promise.resolve(new Response("x", { headers })));
    const response = await ask(`http://127.0.0.1:${host.port}/`);
    assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2; Path=/"]);
    await response.text();
  });

  it("fetch() sends the Host it is given", async () => {
    await using host = await serving((request) =>
      Promise.resolve(new Response(request.headers.get("host")))
    );
    const headers = new Headers({ host: "ollama.example.com" });
    const response = await ask(`http://127.0.0.1:${host.port}/`, { headers });
    assert.equal(await response.text(), "ollama.example.com");
  });

  it("fetch() returns a redirect as it is", async () => {
    const head = "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n";
    await using peer = await answering(head);
    const response = await ask(`http://127.0.0.1:${peer.port}/`);
    assert.equal(response.status, 302);
    assert.equal(response.headers.get("location"), "/elsewhere");
  });

  it("fetch() dials anew when `fresh`, and reuses otherwise", async () => {
    let dials = 0;
    const server = createServer((_, response) => response.end("x"));
    server.on("connection", () => dials += 1);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;

    const seen: number[] = [];
    for (const fresh of [false, false, true, true]) {
      await (await ask(`http://127.0.0.1:${port}/`, { fresh })).text();
      seen.push(dials);
    }
    assert.deepEqual(seen, [1, 1, 2, 3]);
    server.closeAllConnections();
    server.close();
  });

  it("fetch() ends the exchange when its signal aborts", async () => {
    const arrived = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    await using peer = await Peer.open((socket) => {
      socket.once("data", () => arrived.resolve());
      socket.on("close", () => left.resolve());
    });
    const leaving = new AbortController();
    const answer = ask(`http://127.0.0.1:${peer.port}/`, { signal: leaving.signal });
    const rejected = assert.rejects(answer);
    await within("the request", arrived.promise);
    leaving.abort();
    await rejected;
    await within("the upstream's connection to end", left.promise);
  });

  it("fetch() rejects while reading when the upstream dies mid-body", async () => {
    await using peer = await Peer.open((socket) =>
      socket.once("data", () => {
        socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
      })
    );
    const response = await ask(`http://127.0.0.1:${peer.port}/`);
    await assert.rejects(within("the body's end", response.text()));
  });
});

describe("serve()", () => {
  it("serve() tells the handler when its client leaves", async () => {
    const arrived = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    await using host = await serving((request) => {
      request.signal.addEventListener("abort", () => left.resolve());
      arrived.resolve();
      return left.promise.then(() => new Response(null));
    });
    const socket = connect(host.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await within("the request", arrived.promise);
    socket.destroy();
    await within("the abort", left.promise);
  });

  it("serve() answers a bare 500 when the handler fails", async () => {
    await using host = await serving(() => Promise.reject(new Error("secret")));
    const response = await ask(`http://127.0.0.1:${host.port}/`);
    assert.equal(response.status, 500);
    assert.equal(await response.text(), "");
  });

  it("serve() names an IPv4 client as such on a dual-stack socket", async () => {
    const server = await platform.serve(
      { ...LOOPBACK, host: "" },
      (_, connection) => Promise.resolve(new Response(connection.peer.ip)),
    );
    const port = server.address.kind === "tcp" ? server.address.port : 0;
    const response = await ask(`http://127.0.0.1:${port}/`, { fresh: true });
    assert.equal(await response.text(), "127.0.0.1");
    server.abort();
    await within("the server's end", server.close());
  });

  it("serve() takes a head of 60 KiB", async () => {
    await using host = await serving((request) =>
      Promise.resolve(new Response(String(request.headers.get("x-long")?.length)))
    );
    const headers = new Headers({ "x-long": "a".repeat(60 * 1024) });
    const response = await ask(`http://127.0.0.1:${host.port}/`, { headers });
    assert.equal(await response.text(), String(60 * 1024));
  });

  it("serve() rejects in one line when the port is taken", async () => {
    await using host = await serving(() => Promise.resolve(new Response(null)));
    const { port } = host;
    await assert.rejects(
      platform.serve({ ...LOOPBACK, port }, () => Promise.resolve(new Response(null))),
      new ListenError(`Cannot listen on 127.0.0.1:${port}: the port is taken`),
    );
  });

  it("serve() rejects in one line when the address is not this machine's", async () => {
    const serve = () => Promise.resolve(new Response(null));
    await assert.rejects(
      platform.serve({ kind: "tcp", host: "192.0.2.1", port: 0 }, serve),
      new ListenError("Cannot listen on 192.0.2.1:0: this machine has no such address"),
    );
  });

  it("serve() listens on a unix socket that fetch() reaches", async () => {
    const folder = await mkdtemp(join(tmpdir(), "understudy-"));
    const path = join(folder, "proxy.sock");
    const server = await platform.serve(
      { kind: "unix", path },
      () => Promise.resolve(new Response("over unix")),
    );
    const response = await ask("http://localhost/", { unixPath: path, fresh: true });
    assert.equal(await response.text(), "over unix");
    server.abort();
    await within("the server's end", server.close());
    await rm(folder, { recursive: true });
  });
});

describe("close() and abort()", () => {
  it("close() lets running exchanges finish and refuses new ones", async () => {
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const host = await serving(async () => {
      arrived.resolve();
      await release.promise;
      return new Response("whole");
    });
    const answer = ask(`http://127.0.0.1:${host.port}/`, { fresh: true });
    await within("the request", arrived.promise);
    const closed = host.server.close();

    const probe = { kind: "tcp", host: "127.0.0.1", port: host.port } as const;
    const { signal } = new AbortController();
    assert.equal((await platform.knock(probe, 2000, signal)).kind, "failed");
    release.resolve();
    assert.equal(await (await answer).text(), "whole");
    await within("the server's end", closed);
  });

  it("close() ends idle connections", async () => {
    const host = await serving(() => Promise.resolve(new Response("x")));
    const socket = connect(host.port, "127.0.0.1");
    const ended = drain(socket);
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await within("an answer", once(socket, "data"));
    await within("the server's end", host.server.close());
    assert.match((await ended).text, /^HTTP\/1\.1 200/);
  });

  for (const draining of [false, true]) {
    const when = draining ? "while it drains" : "at once";
    it(`abort() cuts a running stream ${when}`, async () => {
      const host = await serving(() =>
        Promise.resolve(
          new Response(
            new ReadableStream({ start: (controller) => controller.enqueue(encoder.encode("a")) }),
          ),
        )
      );
      const socket = connect(host.port, "127.0.0.1");
      const ended = drain(socket);
      socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      await within("the first chunk", once(socket, "data"));
      const closed = draining ? host.server.close() : undefined;
      host.server.abort();
      const { text } = await ended;
      assert.doesNotMatch(text, /\r\n0\r\n\r\n$/);
      await within("the server's end", closed ?? host.server.close());
    });
  }

  it("abort() cuts an exchange that has no answer yet", async () => {
    const arrived = Promise.withResolvers<void>();
    const host = await serving(() => {
      arrived.resolve();
      return new Promise<never>(() => {});
    });
    const socket = connect(host.port, "127.0.0.1");
    const ended = drain(socket);
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await within("the request", arrived.promise);
    host.server.abort();
    assert.doesNotMatch((await ended).text, /\r\n0\r\n\r\n$/);
  });
});
