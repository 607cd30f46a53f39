/**
 * WebSockets outlive a reload unless their upstream goes; then both ends hear "going away", after
 * the delay that the operator gave them.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { performance } from "node:perf_hooks";
import { describe, it } from "node:test";
import { WebSocketServer } from "ws";
import { isWire } from "../support/engine.ts";
import { subjects, Understudy } from "../support/processes.ts";

const GOING_AWAY = 1001;
const DELAY_MS = 400;

/** An upstream that echoes messages and keeps the code with which each socket closed. */
async function openEcho() {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  const codes: Promise<number>[] = [];
  server.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    codes.push(once(socket, "close").then(([code]) => Number(code)));
  });
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    codes,
    async [Symbol.asyncDispose]() {
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A client whose every step is a promise. */
async function openClient(port: number) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  const closed = new Promise<number>((resolve) =>
    socket.addEventListener("close", ({ code }) => resolve(code), { once: true })
  );
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", () => reject(new Error("refused")), { once: true });
  });
  const echo = (text: string) =>
    new Promise<unknown>((resolve) => {
      socket.addEventListener("message", ({ data }) => resolve(data), { once: true });
      socket.send(text);
    });
  return { closed, echo, close: () => socket.close() };
}

function config(name: string, url: string, delay = "0s"): string {
  return `
listen: 127.0.0.1:0
routes:
  - upstreams: [{ url: "${url}", name: ${name} }]
    stream_close_delay: ${delay}
`;
}

for (const subject of subjects) {
  // Towards an upstream the WebSocket of Deno, which the web engine uses, cannot say 1001 (docs/limits.md).
  const heardUpstream = subject.name === "deno" && !isWire ? 1005 : GOING_AWAY;

  describe(`WebSockets through understudy (${subject.name})`, () => {
    it("go on when a reload keeps their upstream", { timeout: 20_000 }, async () => {
      await using upstream = await openEcho();
      await using proxy = await Understudy.start(subject, config("main", upstream.url));
      const client = await openClient(proxy.port);
      await proxy.rewrite(config("main", upstream.url, "1s"));
      await proxy.line(({ msg }) => msg === "config.reloaded");
      assert.equal(await client.echo("still there"), "still there");
      client.close();
      await client.closed;
    });

    it("end with 1001 when a reload removes their upstream", { timeout: 20_000 }, async () => {
      await using upstream = await openEcho();
      await using other = await openEcho();
      await using proxy = await Understudy.start(subject, config("main", upstream.url));
      const client = await openClient(proxy.port);
      assert.equal(await client.echo("hello"), "hello");
      await proxy.rewrite(config("other", other.url));
      assert.equal(await client.closed, GOING_AWAY);
      assert.equal(await upstream.codes[0], heardUpstream);
      const next = await openClient(proxy.port);
      assert.equal(await next.echo("hello"), "hello");
      assert.equal(other.codes.length, 1);
      next.close();
      await next.closed;
    });

    it("end with 1001 when a reload moves their upstream", { timeout: 20_000 }, async () => {
      await using upstream = await openEcho();
      await using other = await openEcho();
      await using proxy = await Understudy.start(subject, config("main", upstream.url));
      const client = await openClient(proxy.port);
      await proxy.rewrite(config("main", other.url));
      assert.equal(await client.closed, GOING_AWAY);
    });

    it("end after stream_close_delay when there is one", { timeout: 20_000 }, async () => {
      await using upstream = await openEcho();
      await using other = await openEcho();
      const first = config("main", upstream.url, `${DELAY_MS}ms`);
      await using proxy = await Understudy.start(subject, first);
      const client = await openClient(proxy.port);
      await proxy.rewrite(config("other", other.url));
      await proxy.line(({ msg }) => msg === "config.reloaded");
      const at = performance.now();
      assert.equal(await client.echo("still there"), "still there");
      assert.equal(await client.closed, GOING_AWAY);
      // The line was written and read a little after the delay began.
      assert.ok(performance.now() - at > DELAY_MS - 200, "It ended too soon");
    });

    it("end with 1001 and let the process end when it is told to", {
      timeout: 20_000,
    }, async () => {
      await using upstream = await openEcho();
      await using proxy = await Understudy.start(subject, config("main", upstream.url));
      const client = await openClient(proxy.port);
      assert.equal(await client.echo("hello"), "hello");
      proxy.kill("SIGTERM");
      assert.equal(await client.closed, GOING_AWAY);
      assert.equal(await upstream.codes[0], heardUpstream);
      assert.deepEqual(await proxy.exited, { code: 0, signal: null });
      const line = proxy.lines.find(({ msg }) => msg === "handled request");
      assert.equal(line?.["status"], 101);
    });
  });
}
