/**
 * What only an engine of our own can promise, by raw sockets: bytes pass as they were sent, when they were sent,
 * and whoever leaves is noticed. Each line of docs/limits.md on the web engine has its opposite here.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { WebSocket, WebSocketServer } from "ws";
import { type Subject, subjects, Understudy } from "../support/processes.ts";
import { ask, fieldOf, fieldsOf, RawClient } from "../support/raw_client.ts";
import { type Behaviour, type Call, RawUpstream } from "../support/raw_upstream.ts";

const SLOW = { timeout: 90_000 };

async function stage(subject: Subject, behave: Behaviour) {
  const upstream = await RawUpstream.start(behave);
  const proxy = await start(subject, upstream.url);
  return {
    upstream,
    proxy,
    port: proxy.port,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

function start(subject: Subject, url: string): Promise<Understudy> {
  const config = `
listen: "127.0.0.1:0"
routes:
  - upstreams: ["${url}"]
`;
  return Understudy.start(subject, config, { engine: "wire" });
}

/** Lines of a head without what the proxy adds. */
function linesOf({ head }: Pick<Call, "head">): string[] {
  const ours = /^(?:x-forwarded-(?:for|proto|host)|via|x-request-id): /i;
  return head.split("\r\n").filter((line) => !ours.test(line));
}

const ok: Behaviour = (call) => call.answer("ok");

for (const subject of subjects) {
  describe(`the wire engine forwards as it was sent (${subject.name})`, () => {
    it("request target, fields in order, case and repetition, and none of its own", async () => {
      await using on = await stage(subject, ok);
      const targets = [
        "//a/../b",
        "/%2e%2e/%2F",
        "/a\\b",
        '/a|b"<>?x=[]{}^`',
        "/?",
        "/a??b",
        "/%zz",
      ];
      for (const [index, target] of targets.entries()) {
        using client = await RawClient.open(on);
        const lines = [
          `GET ${target} HTTP/1.1`,
          "host: A.test",
          "X-B: 1",
          "x-a: 2",
          "X-B:  3",
          "X-B: \xe9",
        ];
        client.write(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"));
        assert.equal((await client.hear()).status, 200);
        const expected = lines.map((line) => line.replace("  ", " "));
        assert.deepEqual(linesOf(await on.upstream.call(index)), expected);
      }
    });

    it("status, reason, repetition and case of an answer", async () => {
      await using on = await stage(subject, (call) => {
        call.say(Buffer.from(
          "HTTP/1.1 799 Sehr sch\xf6n\r\nx-b: 1\r\nX-A: 2\r\nX-B: 3\r\nLink: a\r\nLink: b\r\nDate: then\r\nContent-Length: 0\r\n\r\n",
          "latin1",
        ));
      });
      assert.deepEqual(linesOf(await ask(on)), [
        "HTTP/1.1 799 Sehr sch\xf6n",
        "x-b: 1",
        "X-A: 2",
        "X-B: 3",
        "Link: a",
        "Link: b",
        "Date: then",
        "Content-Length: 0",
      ]);
    });

    it("a GET with a body", async () => {
      await using on = await stage(subject, async (call) => {
        await call.until("hello");
        call.answer("ok");
      });
      assert.equal((await ask(on, { body: "hello" })).status, 200);
      assert.equal(fieldOf(await on.upstream.call(), "content-length"), "5");
    });

    it("compressed bytes", async () => {
      const body = gzipSync("hello ".repeat(1000));
      await using on = await stage(subject, (call) => {
        call.say(
          `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`,
        );
        call.say(body);
      });
      const heard = await ask(on);
      assert.equal(fieldOf(heard, "content-encoding"), "gzip");
      assert.deepEqual([heard.end, heard.body.equals(body)], ["whole", true]);
    });

    it("trailers, both ways", async () => {
      await using on = await stage(subject, async (call) => {
        await call.until("0\r\nX-Sum: 1\r\n\r\n");
        call.say(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 2\r\n\r\n",
        );
      });
      using client = await RawClient.open(on);
      client.write(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n",
      );
      const heard = await client.hear();
      assert.deepEqual([heard.body.toString(), heard.trailer], ["hi", "X-Sum: 2\r\n"]);
    });

    it("early hints, before there is an answer", async () => {
      let hinted = () => {};
      const clientHasHints = new Promise<void>((resolve) => (hinted = resolve));
      await using on = await stage(subject, async (call) => {
        call.say("HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n");
        await clientHasHints;
        call.answer("ok");
      });
      using client = await RawClient.open(on);
      client.send({});
      assert.equal(await client.line(), "HTTP/1.1 103 Early Hints");
      assert.equal(await client.line(), "Link: </a>; rel=preload");
      assert.equal(await client.line(), "");
      hinted();
      assert.equal((await client.hear()).body.toString(), "ok");
    });
  });

  describe(`the wire engine forwards when it was sent (${subject.name})`, () => {
    it("a head before its body begins, with the length of a stream", async () => {
      let came = () => {};
      const clientHasHead = new Promise<void>((resolve) => (came = resolve));
      await using on = await stage(subject, async (call) => {
        call.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
        await clientHasHead;
        call.say("h");
        call.say("i");
      });
      const heard = await ask(on, {}, { headCame: came });
      assert.deepEqual([heard.body.toString(), fieldsOf(heard, "content-length")], ["hi", ["2"]]);
    });

    it("answers to pipelined requests, in order", async () => {
      await using on = await stage(subject, (call) => call.answer(call.target));
      using client = await RawClient.open(on);
      const targets = Array.from({ length: 20 }, (_, index) => `/${index}`);
      client.write(targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).join(""));
      for (const target of targets) assert.equal((await client.hear()).body.toString(), target);
    });

    it("the leaving of a client whose POST was not answered yet", async () => {
      for (const size of [10, 300_000]) {
        await using on = await stage(subject, () => {});
        using client = await RawClient.open(on);
        client.send({ method: "POST", body: "x".repeat(size) });
        const call = await on.upstream.call();
        const left = performance.now();
        client.destroy();
        assert.ok(await call.left - left < 500);
      }
    });

    it("more than 256 streams at a time", SLOW, async () => {
      const count = 400;
      await using on = await stage(subject, (call) => {
        call.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      });
      const clients = await Promise.all(Array.from({ length: count }, () => RawClient.open(on)));
      const heads = clients.map((client) =>
        new Promise<void>((resolve) => {
          client.send({});
          void client.hear({ headCame: () => resolve() });
        })
      );
      await Promise.all(heads);
      assert.equal(on.upstream.calls.length, count);
      for (const client of clients) client.destroy();
    });

    it("a chunked upload of 256 MiB", SLOW, async () => {
      const [pieces, piece] = [256, Buffer.alloc(1 << 20, "x")];
      let received = 0;
      const sink = createServer((socket) => {
        socket.on("error", () => {});
        socket.on("data", (data: Buffer) => {
          received += data.length;
          if (!data.subarray(-5).equals(Buffer.from("0\r\n\r\n"))) return;
          socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        });
      }).listen(0, "127.0.0.1");
      await once(sink, "listening");
      const place = sink.address();
      const port = typeof place === "object" ? place?.port : 0;
      try {
        await using proxy = await start(subject, `http://127.0.0.1:${port}`);
        using client = await RawClient.open(proxy);
        const began = performance.now();
        client.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (let at = 0; at < pieces; at++) {
          client.write("100000\r\n");
          client.write(piece);
          await client.written("\r\n");
        }
        client.write("0\r\n\r\n");
        assert.equal((await client.hear()).status, 200);
        assert.ok(received > pieces * piece.length);
        assert.ok(performance.now() - began < 30_000, `${performance.now() - began} ms`);
      } finally {
        sink.close();
      }
    });
  });

  describe(`the wire engine leaves alone (${subject.name})`, () => {
    it("the compression of a WebSocket", async () => {
      const server = new WebSocketServer({ port: 0, perMessageDeflate: { threshold: 0 } });
      server.on("connection", (socket) => {
        socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
      });
      await once(server, "listening");
      const place = server.address();
      const port = place !== null && typeof place === "object" ? place.port : 0;
      try {
        await using proxy = await start(subject, `http://127.0.0.1:${port}`);
        const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/`);
        await once(socket, "open");
        assert.match(socket.extensions, /permessage-deflate/);
        socket.send("hello ".repeat(10_000));
        const [data] = await once(socket, "message");
        assert.equal(String(data), "hello ".repeat(10_000));
        socket.close(4000, "enough");
        assert.equal((await once(socket, "close"))[0], 4000);
      } finally {
        server.close();
      }
    });

    const handshake =
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";

    it("every byte behind an upgrade, and those that come early", async () => {
      await using on = await stage(subject, (call) => {
        call.say(
          "HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Own: 1\r\n\r\n\x81\x02hi",
        );
      });
      using client = await RawClient.open(on);
      client.write(`GET /chat HTTP/1.1\r\nHost: a\r\n${handshake}\r\nearly`);
      assert.equal(await client.line(), "HTTP/1.1 101 Go");
      assert.equal(await client.line(), "X-Own: 1");
      for (let line = await client.line(); line !== ""; line = await client.line());
      assert.equal((await client.bytes(5)).toString(), "\x81\x02hi".replace("\x81", "\u0081"));
    });

    it("an upstream's refusal of an upgrade", async () => {
      await using on = await stage(subject, (call) => {
        call.answer("not you", "403 Nope", "X-Own: 1\r\n");
      });
      using client = await RawClient.open(on);
      client.write(`GET /chat HTTP/1.1\r\nHost: a\r\n${handshake}\r\n`);
      const heard = await client.hear();
      assert.match(heard.head, /^HTTP\/1.1 403 Nope\r\nX-Own: 1\r\n/);
      assert.equal(heard.body.toString(), "not you");
    });

    it("the form of a request to a unix socket, and notices who leaves there", async () => {
      await using on = await stage(subject, ok);
      const path = join(on.proxy.folder, "upstream.sock");
      const heads: string[] = [];
      let left = () => {};
      const upstreamLeft = new Promise<void>((resolve) => (left = resolve));
      let waits = () => {};
      const waiting = new Promise<void>((resolve) => (waits = resolve));
      const server = createServer((socket) => {
        socket.on("error", () => {});
        socket.on("close", () => {
          if (heads.some((head) => head.includes("/wait"))) left();
        });
        socket.on("data", (data: Buffer) => {
          heads.push(data.toString());
          if (data.includes("/wait")) waits();
          if (!data.includes("GET ")) return;
          socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
        });
      }).listen(path);
      await once(server, "listening");
      try {
        await using proxy = await start(subject, `unix/${path}`);
        assert.equal((await ask(proxy, { target: "//x?y" })).body.toString(), "hi");
        assert.match(heads[0] ?? "", /^GET \/\/x\?y HTTP\/1.1\r\n/);
        using client = await RawClient.open(proxy);
        client.send({ method: "POST", target: "/wait", body: "x" });
        await waiting;
        client.destroy();
        await upstreamLeft;
        assert.equal((await ask(proxy)).status, 200);
      } finally {
        server.close();
      }
    });
  });
}
