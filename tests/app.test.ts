/** The whole proxy on real sockets: failing over and back, reloads, and the orderly end. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { describe, it } from "node:test";
import { platform } from "#platform";
import { ListenError } from "../src/platform/platform.ts";
import { health, loopback, passive, route } from "./support/fake_route.ts";
import { within } from "./support/fake_upstream.ts";
import { Lab } from "./support/lab.ts";

async function knock(port: number): Promise<string> {
  return (await platform.knock(loopback(port).address, 1_000, new AbortController().signal)).kind;
}

/** A port that somebody else listens on. */
async function takenPort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return {
    port: address.port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

describe("Proxy", () => {
  it("sends traffic to the next upstream at once, and back when the first one recovers", async () => {
    await using lab = await Lab.open();
    assert.equal(await lab.get(), "main");
    await lab.stop("main");
    assert.equal(await lab.get(), "spare");
    // A failure asks for a probe at once, but not within 100 ms of the last one.
    await lab.clock.advance(100);
    await lab.until("main", "down");
    await lab.start("main");
    await lab.clock.advance(10_000);
    await lab.until("main", "up");
    assert.equal(await lab.get(), "main");
  });

  it("logs each change once, with its reason", async () => {
    await using lab = await Lab.open();
    await lab.stop("main");
    await lab.clock.advance(40_000);
    const changes = lab.lines.filter(({ msg, upstream }) => {
      return msg === "health.changed" && upstream === "main";
    });
    const [, down] = changes;
    assert.equal(changes.length, 2);
    assert.deepEqual([down?.["level"], down?.["to"], down?.["reason"]], [
      "warn",
      "down",
      "refused the connection",
    ]);
  });

  it("ends a penalty as soon as a probe passes", async () => {
    await using lab = await Lab.open({ route: { passive: passive() } });
    await lab.stop("main");
    assert.equal(await lab.get(), "spare");
    await lab.clock.advance(100);
    await lab.until("main", "down");
    await lab.start("main");
    await lab.clock.advance(10_000);
    assert.equal(await lab.get(), "main");
  });

  it("writes one access line an exchange, and tells whoever else wants to know", async () => {
    await using lab = await Lab.open();
    await lab.get("/x?token=abc");
    const [account] = await lab.accounted(1);
    assert.equal(account?.upstream, "main");
    const lines = lab.lines.filter(({ logger }) => logger === "http.log.access");
    assert.equal(lines.length, 1);
    assert.equal(JSON.stringify(lines).includes("abc"), false);
  });

  it("survives a request with the nastiest field names", async () => {
    await using lab = await Lab.open();
    const response = await fetch(`http://127.0.0.1:${lab.port}/`, {
      headers: new Headers([["__proto__", "1"], ["constructor", "2"]]),
    });
    assert.equal(await response.text(), "main");
    await lab.accounted(1);
    assert.equal(await lab.get(), "main");
  });

  it("tells the upstream that the client left, and blames nobody", async () => {
    await using lab = await Lab.open({ route: { passive: passive() } });
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    const left = new Promise<void>((done) => {
      lab.upstream("main").answering = (_request, response) => {
        response.on("close", () => done());
        resolve();
      };
    });
    const leaving = new AbortController();
    const answer = lab.fetch("/", { signal: leaving.signal });
    await within("the request", asked);
    leaving.abort();
    await assert.rejects(answer);
    await within("the upstream to be left", left);
    const [account] = await lab.accounted(1);
    assert.deepEqual([account?.status, account?.outcome], [499, "abandoned"]);
    assert.equal(lab.proxy.board.entry("r/main")?.penalisedUntil(0), undefined);
  });
});

describe("Proxy.replace()", () => {
  it("opens and closes listeners, and keeps those that stay", async () => {
    await using lab = await Lab.open();
    const kept = lab.port;
    await using free = await takenPort();
    const { port } = free;
    await free[Symbol.asyncDispose]();

    await lab.proxy.replace(lab.config({ listen: [loopback(0), loopback(port)] }));
    assert.equal(lab.port, kept);
    assert.equal(await knock(port), "connected");
    await lab.proxy.replace(lab.config());
    assert.equal(await knock(port), "failed");
    assert.equal(await lab.get(), "main");
  });

  it("changes nothing when a port is taken", async () => {
    await using lab = await Lab.open();
    await using taken = await takenPort();
    const before = lab.proxy.config;
    const next = lab.config({ listen: [loopback(taken.port)], routes: [] });
    await assert.rejects(lab.proxy.replace(next), ListenError);
    assert.equal(lab.proxy.config, before);
    assert.equal(lab.proxy.addresses.length, 1);
    assert.equal(await lab.get(), "main");
  });

  it("keeps what was learned of an upstream that stays", async () => {
    await using lab = await Lab.open();
    await lab.stop("main");
    await lab.clock.advance(10_000);
    await lab.until("main", "down");
    await lab.proxy.replace(lab.config({}, { health: health({ intervalMs: 5_000 }) }));
    assert.equal(lab.phase("main"), "down");
    await lab.start("main");
    await lab.clock.advance(5_000);
    await lab.until("main", "up");
  });

  it("ends the probes of what is gone or probed no more", async () => {
    await using lab = await Lab.open();
    await lab.proxy.replace(lab.config({}, { health: undefined }));
    const before = lab.upstream("main").asked.length;
    await lab.clock.advance(60_000);
    assert.equal(lab.upstream("main").asked.length, before);
    await lab.proxy.replace(lab.config({ routes: [route({ upstreams: [] })] }));
    assert.equal(lab.proxy.board.entry("r/main"), undefined);
  });

  it("leaves a running response to the listener that it closes", async () => {
    await using lab = await Lab.open();
    const { promise: ending, resolve: end } = Promise.withResolvers<void>();
    lab.upstream("main").answering = (_request, response) => {
      response.write("first ");
      void ending.then(() => response.end("last"));
    };
    const response = await lab.fetch();
    const text = response.text();
    await lab.proxy.replace(lab.config({ listen: [loopback(0), loopback(0)] }));
    await lab.proxy.replace(lab.config({ routes: [] }));
    end();
    assert.equal(await within("the rest", text), "first last");
  });
});

describe("Proxy.drain()", () => {
  it("waits for a running stream, accepts nothing more, and resolves with 0", async () => {
    await using lab = await Lab.open();
    const { promise: ending, resolve: end } = Promise.withResolvers<void>();
    lab.upstream("main").answering = (_request, response) => {
      response.write("first ");
      void ending.then(() => response.end("last"));
    };
    const response = await lab.fetch();
    let drained = false;
    const drain = lab.proxy.drain(60_000).finally(() => (drained = true));
    const text = response.text();
    await assert.rejects(lab.get());
    await lab.clock.advance(30_000);
    assert.equal(drained, false);
    end();
    assert.equal(await within("the rest", text), "first last");
    assert.equal(await within("the drain", drain), 0);
  });

  it("cuts what still runs after the grace period: the client sees it", async () => {
    await using lab = await Lab.open();
    lab.upstream("main").answering = (_request, response) => void response.write("first ");
    const response = await lab.fetch();
    const text = assert.rejects(response.text());
    const drain = lab.proxy.drain(60_000);
    await lab.clock.advance(60_000);
    assert.equal(await within("the drain", drain), 1);
    await within("the cut", text);
  });

  it("cuts also what runs on a listener that a reload closed", async () => {
    await using lab = await Lab.open({ config: { listen: [loopback(0)] } });
    lab.upstream("main").answering = (_request, response) => void response.write("first ");
    const response = await lab.fetch();
    const text = assert.rejects(response.text());
    const other = lab.config({ listen: [loopback(0, "localhost")] });
    await lab.proxy.replace(other);
    const drain = lab.proxy.drain(60_000);
    await lab.clock.advance(60_000);
    assert.equal(await within("the drain", drain), 1);
    await within("the cut", text);
  });

  it("does not wait for a client that has left before it was answered", async () => {
    await using lab = await Lab.open();
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    lab.upstream("main").answering = () => resolve();
    const leaving = new AbortController();
    const answer = lab.fetch("/", { signal: leaving.signal });
    await within("the request", asked);
    leaving.abort();
    await assert.rejects(answer);
    await lab.accounted(1);
    assert.equal(await within("the drain", lab.proxy.drain(60_000)), 0);
  });
});
