/** WebSockets of the platform: an upgraded client on one side, a dialled upstream on the other. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { platform } from "#platform";
import type { MessageHandlers, MessageSocket } from "../../src/platform/platform.ts";
import { answering, freePort, Peer, serving, within } from "./support.ts";

const onBun = platform.runtime.startsWith("Bun");
type Closed = { readonly code: number | undefined; readonly reason: string };

/** Handlers that keep what they hear. */
function ear() {
  const messages: (string | Uint8Array)[] = [];
  const pings: string[] = [];
  const closed = Promise.withResolvers<Closed>();
  let wake = (): void => {};
  const handlers: MessageHandlers = {
    message(message) {
      messages.push(message);
      wake();
    },
    ping: (data) => void pings.push(new TextDecoder().decode(data)),
    pong() {},
    close: (code, reason) => closed.resolve({ code, reason }),
  };
  const heard = async (count: number): Promise<void> => {
    while (messages.length < count) await new Promise<void>((resolve) => wake = resolve);
  };
  return {
    handlers,
    messages,
    pings,
    closed: () => within("the close", closed.promise),
    heard: (count: number) => within(`${count} messages`, heard(count)),
  };
}

/** A server that takes every WebSocket, echoing what it hears, and shows its side. */
async function echoing(protocol?: string) {
  const far = ear();
  const opened = Promise.withResolvers<MessageSocket>();
  const heads: Headers[] = [];
  const host = await serving((request, connection) => {
    // A copy: Deno's requests read their fields late, and not any more once they were answered.
    heads.push(new Headers(request.headers));
    const handlers: MessageHandlers = {
      ...far.handlers,
      message(message) {
        far.handlers.message(message);
        void opened.promise.then((socket) => socket.send(message));
      },
    };
    const response = connection.upgrade(protocol, handlers, (socket) => opened.resolve(socket));
    return Promise.resolve(response ?? new Response(null, { status: 400 }));
  });
  return { host, far, socket: () => within("the upgrade", opened.promise), heads };
}

function dial(
  port: number,
  handlers: MessageHandlers,
  { headers = {}, protocols = [] }: {
    headers?: Record<string, string>;
    protocols?: readonly string[];
  } = {},
) {
  const { signal } = new AbortController();
  const options = { headers: new Headers(headers), protocols, signal };
  return within("a socket", platform.openSocket(`ws://127.0.0.1:${port}/x?y=1`, options, handlers));
}

describe("upgrade() and openSocket()", () => {
  it("upgrade() and openSocket() echo text and bytes in order", async () => {
    const { host } = await echoing();
    const near = ear();
    const { socket } = await dial(host.port, near.handlers);
    const sent = ["a", new Uint8Array([0, 255, 128]), "", "grüße", new Uint8Array(0), "z"];
    for (const message of sent) await socket.send(message);
    await near.heard(sent.length);
    assert.deepEqual(near.messages, sent);
    socket.close(1000, "");
    await near.closed();
    await host[Symbol.asyncDispose]();
  });

  it("upgrade() and openSocket() carry a message of 20 MiB", async () => {
    const { host } = await echoing();
    const near = ear();
    const { socket } = await dial(host.port, near.handlers);
    await socket.send(new Uint8Array(20 * 1024 * 1024));
    await near.heard(1);
    assert.equal(near.messages[0]?.length, 20 * 1024 * 1024);
    socket.close(1000, "");
    await near.closed();
    await host[Symbol.asyncDispose]();
  });

  it("upgrade() and openSocket() agree on the protocol that was chosen", async () => {
    const { host, heads } = await echoing("chat.v2");
    const near = ear();
    const opened = await dial(host.port, near.handlers, { protocols: ["chat.v1", "chat.v2"] });
    assert.equal(opened.protocol, "chat.v2");
    assert.deepEqual(
      heads[0]?.get("sec-websocket-protocol")?.split(/, ?/),
      ["chat.v1", "chat.v2"],
    );
    opened.socket.close(1000, "");
    await near.closed();
    await host[Symbol.asyncDispose]();
  });

  it("upgrade() answers a list of protocols spelt without spaces", async () => {
    const { host } = await echoing("b");
    assert.match(await handshake(host.port, "a,b"), /^sec-websocket-protocol: b\r$/im);
    await host[Symbol.asyncDispose]();
  });

  it("upgrade() chooses no protocol when it is given none", async () => {
    const { host } = await echoing();
    const head = await handshake(host.port, "a, b");
    assert.match(head, /^HTTP\/1\.1 101 /);
    assert.doesNotMatch(head, /sec-websocket-protocol/i);
    await host[Symbol.asyncDispose]();
  });

  it("upgrade() returns nothing when the request asks for no WebSocket", async () => {
    const { host } = await echoing();
    const response = await fetch(`http://127.0.0.1:${host.port}/`);
    assert.equal(response.status, 400);
    await response.text();
    await host[Symbol.asyncDispose]();
  });

  it("openSocket() sends the fields it is given", async () => {
    const { host, heads } = await echoing();
    const near = ear();
    const headers = {
      host: "chat.example.com",
      origin: "https://example.com",
      cookie: "a=1; b=2",
      // As copied from a client: the runtime writes its own.
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
      "sec-websocket-version": "13",
      "sec-websocket-extensions": "permessage-deflate",
    };
    const { socket } = await dial(host.port, near.handlers, { headers });
    const seen = heads[0];
    assert.equal(seen?.get("host"), "chat.example.com");
    assert.equal(seen?.get("origin"), "https://example.com");
    assert.equal(seen?.get("cookie"), "a=1; b=2");
    assert.notEqual(seen?.get("sec-websocket-key"), "AAAAAAAAAAAAAAAAAAAAAA==");
    socket.close(1000, "");
    await near.closed();
    await host[Symbol.asyncDispose]();
  });
});

describe("close()", () => {
  // Browsers' rule holds for Deno's client side: 1000 and 3000 to 4999 only.
  const codes: [number | undefined, string, Closed][] = [
    [1000, "bye", { code: 1000, reason: "bye" }],
    [4001, "custom", { code: 4001, reason: "custom" }],
    [1011, "why", onBun ? { code: 1011, reason: "why" } : { code: undefined, reason: "" }],
    [undefined, "", { code: undefined, reason: "" }],
    [1005, "", { code: undefined, reason: "" }],
  ];
  for (const [code, reason, expected] of codes) {
    it(`close() tells the client's side ${code ?? "no code"} when the upstream's says so`, async () => {
      const { host, far } = await echoing();
      const { socket } = await dial(host.port, ear().handlers);
      socket.close(code, reason);
      assert.deepEqual(await far.closed(), expected);
      await host[Symbol.asyncDispose]();
    });
  }

  for (const code of [1000, 1001, 1011, 1012, 1013, 4001, undefined]) {
    it(`close() tells the upstream's side ${code ?? "no code"} when the client's says so`, async () => {
      const { host, socket } = await echoing();
      const near = ear();
      await dial(host.port, near.handlers);
      const reason = code === undefined ? "" : "reason";
      (await socket()).close(code, reason);
      assert.deepEqual(await near.closed(), { code, reason });
      await host[Symbol.asyncDispose]();
    });
  }

  it("close() cuts a reason that is too long for its frame", async () => {
    const { host, far } = await echoing();
    const { socket } = await dial(host.port, ear().handlers);
    socket.close(4000, "ü".repeat(100));
    assert.deepEqual(await far.closed(), { code: 4000, reason: "ü".repeat(61) });
    await host[Symbol.asyncDispose]();
  });

  it("handlers hear 1006 when the other side vanishes", async () => {
    const { host, far } = await echoing();
    const client = connect(host.port, "127.0.0.1");
    client.on("error", () => {});
    client.once("data", () => client.resetAndDestroy());
    client.write(handshakeHead("a"));
    assert.deepEqual((await far.closed()).code, 1006);
    await host[Symbol.asyncDispose]();
  });
});

describe("openSocket()", () => {
  const { signal } = new AbortController();
  const options = { headers: new Headers(), protocols: [], signal };

  it("openSocket() rejects when the upstream wants no WebSocket", async () => {
    await using peer = await answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    await assert.rejects(dial(peer.port, ear().handlers), (error) => {
      const { dialFailed, code } = platform.explain(error);
      assert.deepEqual({ dialFailed, code }, { dialFailed: false, code: "protocol" });
      return true;
    });
  });

  it("openSocket() rejects as a failed dial when nobody listens", async () => {
    await assert.rejects(dial(await freePort(), ear().handlers), (error) => {
      const { dialFailed, code } = platform.explain(error);
      assert.deepEqual({ dialFailed, code }, { dialFailed: true, code: "refused" });
      return true;
    });
  });

  it("openSocket() rejects and hangs up when its signal aborts", async () => {
    const arrived = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    await using peer = await Peer.open((socket) => {
      socket.once("data", () => arrived.resolve());
      socket.on("close", () => left.resolve());
    });
    const leaving = new AbortController();
    const url = `ws://127.0.0.1:${peer.port}/`;
    const pending = platform.openSocket(
      url,
      { ...options, signal: leaving.signal },
      ear().handlers,
    );
    await within("the handshake", arrived.promise);
    leaving.abort();
    await assert.rejects(pending, /gave up/);
    await within("the upstream's connection to end", left.promise);
  });
});

describe("send()", () => {
  it("send() waits while the peer takes no more, and goes on when it does", async () => {
    const { host, socket } = await echoing();
    const client = connect(host.port, "127.0.0.1");
    client.on("error", () => {});
    client.write(handshakeHead("a"));
    await within("the handshake", new Promise((resolve) => client.once("data", resolve)));
    client.pause();
    const side = await socket();
    const chunk = new Uint8Array(1024 * 1024);
    let waiting: Promise<void> | void = undefined;
    for (let n = 0; n < 64 && waiting === undefined; n += 1) waiting = side.send(chunk);
    assert.ok(waiting instanceof Promise);
    client.resume();
    await within("room to send", waiting);
    client.destroy();
    await host[Symbol.asyncDispose]();
  });

  it("ping() reaches the other side where the runtime shows it", { skip: !onBun }, async () => {
    const { host, far, socket } = await echoing();
    const near = ear();
    const opened = await dial(host.port, near.handlers);
    opened.socket.ping(new TextEncoder().encode("up"));
    (await socket()).ping(new TextEncoder().encode("down"));
    await opened.socket.send("after");
    await near.heard(1);
    assert.deepEqual([far.pings, near.pings], [["up"], ["down"]]);
    opened.socket.close(1000, "");
    await near.closed();
    await host[Symbol.asyncDispose]();
  });

  it("pause() holds messages back until resume()", { skip: !onBun }, async () => {
    const { host, socket } = await echoing();
    const near = ear();
    const opened = await dial(host.port, near.handlers);
    opened.socket.pause();
    const side = await socket();
    let waiting: Promise<void> | void = undefined;
    for (let n = 0; n < 64 && waiting === undefined; n += 1) {
      waiting = side.send(new Uint8Array(1024 * 1024));
    }
    assert.ok(waiting instanceof Promise, "back-pressure reaches the sender");
    opened.socket.resume();
    await within("room to send", waiting);
    opened.socket.close(1000, "");
    await host[Symbol.asyncDispose]();
  });
});

function handshakeHead(protocols: string): string {
  return [
    "GET / HTTP/1.1",
    "Host: a",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    `Sec-WebSocket-Protocol: ${protocols}`,
    "\r\n",
  ].join("\r\n");
}

async function handshake(port: number, protocols: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(handshakeHead(protocols));
  const head = await within(
    "the handshake",
    new Promise<string>((resolve) => socket.once("data", (chunk) => resolve(chunk.toString()))),
  );
  socket.destroy();
  return head;
}
