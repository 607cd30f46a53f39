/** Attempts by `fetch` against upstreams that say exactly the bytes they are told. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { platform } from "#platform";
import { Fields } from "../../src/fields.ts";
import type { Attempt, Outcome } from "../../src/model.ts";
import { webTransport } from "../../src/web/transport.ts";
import { FakeBody, readText } from "../support/fake_bytes.ts";
import { upstream } from "../support/fake_route.ts";
import { RawUpstream } from "../support/raw_upstream.ts";

const transport = webTransport(platform);

function attempt(port: number, changes: Partial<Attempt> = {}): Attempt {
  const at = upstream("a", { address: { kind: "tcp", host: "127.0.0.1", port } });
  const method = changes.method ?? "GET";
  return {
    upstream: at,
    method,
    target: "/x?y",
    fields: Fields.from([["Host", "proxy.test"]]),
    body: undefined,
    upgrade: undefined,
    progress: { sent: false },
    fresh: method === "POST",
    dialTimeoutMs: 2_000,
    headersTimeoutMs: undefined,
    signal: new AbortController().signal,
    ...changes,
  };
}

/** The outcome without what differs between runtimes. */
function told(outcome: Outcome): string {
  if (outcome.kind === "answered") return `${outcome.response.status}`;
  if (outcome.kind === "abandoned") return "abandoned";
  return `${outcome.reason}, ${outcome.sent ? "sent" : "not sent"}`;
}

async function closedPort(): Promise<number> {
  const gone = await RawUpstream.start(() => {});
  const { port } = gone;
  await gone[Symbol.asyncDispose]();
  return port;
}

describe("webTransport() answers", () => {
  it("with status, fields and body, Host and target as they were given", async () => {
    await using peer = await RawUpstream.start((call) =>
      call.answer("hello", "201 Made", "X-A: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n")
    );
    const outcome = await transport.send(attempt(peer.port));
    assert.ok(outcome.kind === "answered");
    const { status, fields, body } = outcome.response;
    assert.equal(status, 201);
    assert.equal(fields.get("x-a"), "1");
    assert.deepEqual(
      [...fields].filter(([name]) => /cookie/i.test(name)).map(([, value]) => value),
      [
        "a",
        "b",
      ],
    );
    assert.ok(body);
    assert.equal(body.lengthBytes, 5);
    assert.equal(await readText(body), "hello");
    const call = await peer.call();
    assert.deepEqual([call.target, call.field("host")], ["/x?y", "proxy.test"]);
  });

  it("with a redirect as it is", async () => {
    await using peer = await RawUpstream.start((call) =>
      call.answer("", "302 Found", "Location: /elsewhere\r\n")
    );
    assert.equal(told(await transport.send(attempt(peer.port))), "302");
    assert.equal(peer.calls.length, 1);
  });

  it("with a body that rejects when the upstream dies amid it", async () => {
    await using peer = await RawUpstream.start((call) => {
      call.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
      call.close();
    });
    const outcome = await transport.send(attempt(peer.port));
    assert.ok(outcome.kind === "answered" && outcome.response.body);
    const { body } = outcome.response;
    await assert.rejects(readText(body));
  });

  it("after a request body sent whole", async () => {
    await using peer = await RawUpstream.start(async (call) => {
      await call.until("0\r\n\r\n");
      call.answer("ok");
    });
    const body = new FakeBody(["one", "two"]);
    assert.equal(told(await transport.send(attempt(peer.port, { method: "POST", body }))), "200");
    assert.match((await peer.call()).raw.toString(), /one[^]*two[^]*0\r\n\r\n$/);
  });

  for (const status of ["101 Switching Protocols", "999 Odd"]) {
    it(`with a failure when the status is ${status}, which no Response can carry`, async () => {
      await using peer = await RawUpstream.start((call) => {
        call.answer("", status, "Upgrade: websocket\r\nConnection: upgrade\r\n");
        call.close();
      });
      const outcome = await transport.send(attempt(peer.port));
      assert.ok(outcome.kind === "failed" && outcome.sent, told(outcome));
    });
  }
});

describe("webTransport() fails", () => {
  for (const method of ["GET", "POST"]) {
    it(`a ${method} that is refused as not sent, its body untouched`, async () => {
      const body = method === "POST" ? new FakeBody(["body"]) : undefined;
      const one = attempt(await closedPort(), { method, body });
      assert.equal(told(await transport.send(one)), "refused, not sent");
      assert.equal(one.progress.sent, false);
      assert.equal(body?.reads ?? 0, 0);
    });

    it(`a ${method} whose connection closes without an answer as sent`, async () => {
      await using peer = await RawUpstream.start((call) => call.close());
      assert.equal(told(await transport.send(attempt(peer.port, { method }))), "closed, sent");
    });

    it(`a ${method} that is not answered within headers_timeout`, async () => {
      await using peer = await RawUpstream.start(() => {});
      const one = attempt(peer.port, { method, headersTimeoutMs: 50 });
      assert.equal(told(await transport.send(one)), "headers_timeout, sent");
      await (await peer.call()).left;
    });

    it(`a ${method} whose answer is no HTTP`, async () => {
      await using peer = await RawUpstream.start((call) => {
        call.say("SSH-2.0-OpenSSH_9.2\r\n\r\n");
        call.close();
      });
      const outcome = await transport.send(attempt(peer.port, { method }));
      assert.ok(outcome.kind === "failed" && outcome.sent, told(outcome));
    });

    it(`a ${method} as abandoned when its client leaves, and closes the connection`, async () => {
      await using peer = await RawUpstream.start(() => {});
      const leaving = new AbortController();
      const outcome = transport.send(attempt(peer.port, { method, signal: leaving.signal }));
      const call = await peer.call();
      leaving.abort();
      assert.equal(told(await outcome), "abandoned");
      await call.left;
    });

    it(`a ${method} as abandoned when its client has left before`, async () => {
      await using peer = await RawUpstream.start((call) => call.answer("late"));
      const one = attempt(peer.port, { method, signal: AbortSignal.abort() });
      assert.equal(told(await transport.send(one)), "abandoned");
    });
  }
});

describe("webTransport() lets go", () => {
  it("of a response nobody wants more of: the upstream sees its connection close", async () => {
    await using peer = await RawUpstream.start((call) => {
      call.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n");
    });
    const outcome = await transport.send(attempt(peer.port));
    assert.ok(outcome.kind === "answered" && outcome.response.body);
    await outcome.response.body.read();
    outcome.response.body.cancel();
    await (await peer.call()).left;
  });
});

describe("webTransport() connections", () => {
  it("carry no POST after another request, whatever is kept open", async () => {
    await using peer = await RawUpstream.start((call) => call.answer("ok"));
    for (const method of ["GET", "GET", "POST", "POST", "GET", "POST"]) {
      const outcome = await transport.send(attempt(peer.port, { method }));
      assert.ok(outcome.kind === "answered" && outcome.response.body);
      await readText(outcome.response.body);
    }
    const posts = peer.calls.filter(({ method }) => method === "POST");
    assert.deepEqual(posts.map(({ earlier }) => earlier), [0, 0, 0]);
  });

  it("gone stale cost a GET nothing that its client could see", async () => {
    await using peer = await RawUpstream.start((call) => {
      call.answer("ok");
      // As an upstream does whose keep-alive time is up, without having said so.
      call.close();
    });
    for (let count = 0; count < 5; count++) {
      const outcome = await transport.send(attempt(peer.port));
      assert.ok(outcome.kind === "answered" && outcome.response.body, told(outcome));
      assert.equal(await readText(outcome.response.body), "ok");
    }
  });
});
