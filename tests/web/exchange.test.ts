/** A `Request` as an exchange, and an answer as a `Response`. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fields } from "../../src/fields.ts";
import type { Exchange, Reply } from "../../src/model.ts";
import type { ServedConnection } from "../../src/platform/platform.ts";
import { webApp } from "../../src/web/app.ts";
import { WebExchange } from "../../src/web/exchange.ts";
import { WebTunnel } from "../../src/web/tunnel.ts";
import { FakeBody, readText } from "../support/fake_bytes.ts";
import { settled } from "../support/manual_clock.ts";

const peer = { ip: "192.0.2.7", port: 40_000 };
const connection: ServedConnection = { peer, scheme: "http", upgrade: () => undefined };

function exchange(path: string, init?: RequestInit): WebExchange {
  return new WebExchange(new Request(`http://proxy.test${path}`, init), connection);
}

function reply(changes: Partial<Reply> = {}): Reply {
  const fields = Fields.from([["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"], ["X-A", "1"]]);
  return { status: 200, reason: "", fields, body: undefined, tunnel: undefined, ...changes };
}

describe("WebExchange", () => {
  for (const target of ["/", "/a/b?c=d&e", "/a%2Fb", "/?"]) {
    it(`has ${target} as its target`, () => assert.equal(exchange(target).target, target));
  }

  it("has fields, peer and scheme as the server gave them", () => {
    const one = exchange("/", { headers: { "x-a": "1" } });
    assert.equal(one.fields.get("X-A"), "1");
    assert.deepEqual([one.peer, one.scheme, one.method, one.upgrade], [
      peer,
      "http",
      "GET",
      undefined,
    ]);
  });

  it("has a body where there is one, with its declared length", async () => {
    const headers = { "content-length": "4" };
    const { body } = exchange("/", { method: "POST", body: "body", headers });
    assert.ok(body);
    assert.equal(body.lengthBytes, 4);
    assert.equal(await readText(body), "body");
  });

  it("has none where there is none", () => {
    assert.equal(exchange("/").body, undefined);
    assert.equal(
      exchange("/", { method: "POST", headers: { "content-length": "0" } }).body,
      undefined,
    );
  });

  const upgrades: [Record<string, string>, string | undefined][] = [
    [{ upgrade: "websocket", connection: "Upgrade" }, "websocket"],
    [{ upgrade: "WebSocket", connection: "keep-alive, upgrade" }, "websocket"],
    [{ upgrade: "websocket" }, undefined],
    [{ upgrade: "h2c", connection: "Upgrade" }, undefined],
    [{ upgrade: "websocket", connection: "xupgrade" }, undefined],
  ];
  for (const [headers, expected] of upgrades) {
    it(`asks for ${expected} with ${JSON.stringify(headers)}`, () => {
      const request = new Request("http://proxy.test/");
      // `Request` refuses such fields in its own constructor on some runtimes.
      Object.defineProperty(request, "headers", { value: new Map(Object.entries(headers)) });
      assert.equal(new WebExchange(request, connection).upgrade, expected);
    });
  }
});

describe("WebExchange.answer()", () => {
  it("streams the body and keeps repeated cookies apart", async () => {
    const one = exchange("/");
    const delivered = one.answer(reply({ status: 201, body: new FakeBody(["a", "b"]) }));
    const response = await one.response;
    assert.equal(response.status, 201);
    assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
    assert.equal(await response.text(), "ab");
    assert.deepEqual(await delivered, { end: "whole", bodyBytes: 2 });
  });

  for (const status of [204, 205, 304]) {
    it(`has no body when the status is ${status}, and lets the upstream's go`, async () => {
      const one = exchange("/");
      const body = new FakeBody(["x"]);
      assert.deepEqual(await one.answer(reply({ status, body })), { end: "whole", bodyBytes: 0 });
      assert.equal((await one.response).status, status);
      assert.equal(body.cancelled, true);
    });
  }

  it("leaves a field out that Headers refuses, and keeps the rest", async () => {
    const one = exchange("/");
    await one.answer(reply({ fields: Fields.from([["bad name", "1"], ["X-A", "2"]]) }));
    assert.equal((await one.response).headers.get("x-a"), "2");
  });

  it("answers 400 and ends the tunnel when the client's side cannot be upgraded", async () => {
    const one = exchange("/");
    const delivered = one.answer(reply({ status: 101, tunnel: new WebTunnel() }));
    assert.equal((await one.response).status, 400);
    assert.equal((await delivered).end, "whole");
  });
});

describe("webApp()", () => {
  const fetched = (serve: (one: Exchange) => Promise<void>) =>
    webApp(serve).fetch(new Request("http://proxy.test/x"), { connection });

  it("hands every request on as an exchange, and its answer back", async () => {
    const response = await fetched(async (one) => {
      await one.answer(reply({ body: new FakeBody([one.target]) }));
    });
    assert.equal(await response.text(), "/x");
  });

  it("ends the call when an exchange ends unanswered, as its client has left", async () => {
    const served = Promise.resolve(fetched(() => Promise.resolve()));
    let ended = false;
    void served.then(() => (ended = true));
    await settled();
    assert.equal(ended, true, "the server waits for ever for an answer that never comes");
  });
});
