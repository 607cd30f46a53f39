/** One client's connection: order, keep-alive, deadlines, refusals, lingering, draining. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fields } from "../../src/fields.ts";
import type { Delivery } from "../../src/model.ts";
import { SERVER_LIMITS } from "../../src/wire/limits.ts";
import { FakeBody, readText } from "../support/fake_bytes.ts";
import { settled } from "../support/manual_clock.ts";
import { echoPath, GET, get, held, HOST, open, post, reply } from "./served.ts";

const TICK_MS = 250;
const { headTimeoutMs, keepAliveMs, lingerMs, lingerLimitMs } = SERVER_LIMITS;

describe("ServerConnection", () => {
  it("keeps the connection for the next request", async () => {
    const { connection, exchanges } = open();
    for (const path of ["/1", "/2", "/3"]) {
      connection.says(get(path));
      await settled();
      assert.equal(connection.take(), `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${path}`);
    }
    assert.equal(exchanges.length, 3);
    assert.equal(connection.state, "open");
  });

  it("answers pipelined requests one after the other and in order", async () => {
    const { serve, release, waiting } = held();
    const { connection } = open(serve);
    connection.says(get("/1") + get("/2") + get("/3").slice(0, 9));
    connection.says(get("/3").slice(9));
    assert.equal(connection.paused, true);
    for (const path of ["/1", "/2", "/3"]) {
      assert.deepEqual(waiting.map(({ target }) => target), [path]);
      await release({ fields: Fields.from([["X-Path", path]]) });
      assert.match(connection.take(), new RegExp(`^HTTP/1.1 200 OK\r\nX-Path: ${path}\r\n`));
    }
    assert.equal(connection.paused, false);
  });

  it("hands on what was pipelined behind a body", async () => {
    const bodies: string[] = [];
    const { connection, exchanges } = open(async (exchange) => {
      bodies.push(exchange.body === undefined ? "-" : await readText(exchange.body));
      await echoPath(exchange);
    });
    connection.says(post("Content-Length: 2\r\n", `hi${post("Transfer-Encoding: chunked\r\n")}`));
    connection.says(`2\r\nho\r\n0\r\n\r\n${get("/3")}`);
    await settled();
    assert.deepEqual(bodies, ["hi", "ho", "-"]);
    assert.equal(exchanges.at(-1)?.target, "/3");
  });

  const refusals: [string, string, number][] = [
    ["no host", "GET / HTTP/1.1\r\n\r\n", 400],
    ["a long line", `GET /${"a".repeat(20_000)} HTTP/1.1\r\n`, 414],
    ["a long head", get("/", `X: ${"y".repeat(70_000)}\r\n`), 431],
    ["another coding", post("Transfer-Encoding: gzip\r\n"), 501],
    ["another version", `GET / HTTP/2.0\r\n${HOST}\r\n`, 505],
    ["CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 405],
    ["a broken body", post("Transfer-Encoding: chunked\r\n", "x\r\n"), 400],
  ];
  for (const [title, bytes, status] of refusals) {
    it(`refuses with ${status} and ends when it hears ${title}`, async () => {
      const { connection, exchanges, refusals } = open();
      connection.says(bytes + GET);
      await settled();
      assert.deepEqual(refusals.map((told) => told.slice(0, 4)), [`${status} `]);
      assert.match(
        connection.text,
        new RegExp(`^HTTP/1.1 ${status} [^\r]+\r\nContent-Length: 0\r\nConnection: close\r\n\r\n$`),
      );
      assert.equal(exchanges.length, 0);
      assert.equal(connection.state, "finished");
      connection.says(GET);
      await settled();
      assert.equal(exchanges.length, 0);
    });
  }

  it("refuses what follows a good request only after its answer", async () => {
    const { serve, release } = held();
    const { connection } = open(serve);
    connection.says(`${GET}GET / HTTP/9.9\r\n\r\n`);
    assert.equal(connection.text, "");
    await release();
    assert.match(connection.text, /^HTTP\/1.1 200 .*HTTP\/1.1 505 /s);
  });

  it("cuts a running answer when the request's body breaks its framing", async () => {
    const body = new FakeBody(["some"], { end: "hangs" });
    let delivery: Delivery | undefined;
    const { connection } = open(async (exchange) => {
      delivery = await exchange.answer(reply({ body }));
    });
    connection.says(post("Transfer-Encoding: chunked\r\n", "2\r\nhi\r\n"));
    await settled();
    connection.says("x\r\n");
    await settled();
    assert.equal(connection.state, "reset");
    assert.equal(body.cancelled, true);
    assert.equal(delivery?.end, "left");
    assert.doesNotMatch(connection.text, /\r\n0\r\n|400/);
  });

  it("tells whoever reads a body that breaks its framing, and answers 400", async () => {
    let fate = "";
    const { connection, exchanges } = open(async (exchange) => {
      fate = await readText(exchange.body ?? new FakeBody([])).catch((error: Error) => error.name);
    });
    connection.says(post("Transfer-Encoding: chunked\r\n", "2\r\nhi\r\n"));
    await settled();
    connection.says("2\r\nhi!");
    await settled();
    assert.equal(fate, "BrokenBody");
    assert.equal(exchanges[0]?.signal.aborted, true);
    assert.match(connection.text, /^HTTP\/1.1 400 /);
  });

  it("closes when an exchange ends without an answer", async () => {
    const { connection } = open(() => Promise.resolve());
    connection.says(GET + GET);
    await settled();
    assert.equal(connection.state, "reset");
  });

  it("aborts the exchange when the client leaves, and gives its answer up though that is silent", async () => {
    const body = new FakeBody(["some"], { end: "hangs" });
    let delivery: Delivery | undefined;
    const { connection, exchanges, gone } = open(async (exchange) => {
      delivery = await exchange.answer(reply({ body }));
    });
    connection.says(GET);
    await settled();
    connection.leaves();
    await settled();
    assert.equal(exchanges[0]?.signal.aborted, true);
    assert.deepEqual(delivery, { end: "left", bodyBytes: 4 });
    assert.equal(body.cancelled, true);
    assert.equal(gone(), 1);
  });

  it("survives a body that breaks while its head waits for the client", async () => {
    const { connection } = open((exchange) =>
      exchange.answer(reply({ body: new FakeBody([], { end: "dies" }) }))
    );
    connection.taking = false;
    connection.says(GET);
    await settled();
    connection.drains();
    await settled();
    assert.equal(connection.state, "reset");
  });

  it("begins nothing more on a connection it has cut", async () => {
    const { connection, exchanges } = open((exchange) =>
      exchange.answer(reply({ body: new FakeBody(["x"], { end: "dies" }) }))
    );
    connection.says(GET + GET);
    await settled();
    assert.equal(exchanges.length, 1);
    assert.equal(connection.state, "reset");
  });
});

describe("ServerConnection and time", () => {
  it("answers 408 in time though a head drips in", async () => {
    const { clock, connection, refusals } = open();
    for (let at = 0; at < headTimeoutMs; at += 10_000) {
      connection.says(at === 0 ? "GET / HTTP/1.1\r\nX: " : "y");
      await clock.advance(10_000);
    }
    await clock.advance(TICK_MS);
    assert.match(connection.text, /^HTTP\/1.1 408 .*Connection: close/s);
    assert.deepEqual(refusals, ["408 Head took too long"]);
    await clock.advance(lingerMs + TICK_MS);
    assert.equal(connection.state, "closed");
  });

  it("counts the time of a second head from its first byte", async () => {
    const { clock, connection } = open();
    connection.says(GET);
    await clock.advance(keepAliveMs - 1000);
    connection.take();
    connection.says("GET");
    await clock.advance(headTimeoutMs - 1000);
    assert.equal(connection.text, "");
    await clock.advance(1000 + TICK_MS);
    assert.match(connection.text, /^HTTP\/1.1 408 /);
  });

  it("closes without a word when nothing was asked", async () => {
    const { clock, connection } = open();
    await clock.advance(headTimeoutMs + TICK_MS);
    assert.deepEqual([connection.text, connection.state], ["", "closed"]);
  });

  it("closes after keep-alive, not before", async () => {
    const { clock, connection } = open();
    connection.says(GET);
    await settled();
    connection.take();
    await clock.advance(keepAliveMs - TICK_MS);
    assert.equal(connection.state, "open");
    await clock.advance(2 * TICK_MS);
    assert.deepEqual([connection.text, connection.state], ["", "closed"]);
  });

  it("lets a running exchange take any time", async () => {
    const { serve, release } = held();
    const { clock, connection } = open(serve);
    connection.says(post("Content-Length: 9\r\n", "a"));
    await clock.advance(1_000_000);
    assert.deepEqual([connection.text, connection.state], ["", "open"]);
    connection.says("bcdefghi");
    await release();
    assert.match(connection.text, /^HTTP\/1.1 200 /);
  });

  it("lingers after an answer that came before the end of an upload, while more of it comes", async () => {
    const { serve, release } = held();
    const { clock, connection } = open(serve);
    connection.says(post("Content-Length: 1000000\r\n", "some"));
    const delivery = await release({ status: 413, body: new FakeBody(["no"], { lengthBytes: 2 }) });
    assert.equal(delivery?.end, "whole");
    assert.match(connection.text, /Connection: close\r\n\r\nno$/);
    assert.equal(connection.state, "finished");
    for (let passed = 0; passed + 2 * lingerMs < lingerLimitMs; passed += 1000) {
      await clock.advance(1000);
      connection.says("more");
      assert.equal(connection.state, "finished");
    }
    await clock.advance(lingerMs + 2 * TICK_MS);
    assert.equal(connection.state, "closed");
  });

  it("lingers no longer than its limit", async () => {
    const { serve, release } = held();
    const { clock, connection } = open(serve);
    connection.says(post("Content-Length: 1000000\r\n", "some"));
    await release();
    for (let passed = 0; passed <= lingerLimitMs; passed += 1000) {
      connection.says("more");
      await clock.advance(1000);
    }
    assert.equal(connection.state, "closed");
  });

  it("breaks the connection when its last bytes are never taken", async () => {
    const { clock, connection } = open();
    connection.says("GET / HTTP/9.9\r\n");
    connection.taking = false;
    await clock.advance(lingerMs + TICK_MS);
    assert.equal(connection.state, "closed");
    await clock.advance(lingerLimitMs + TICK_MS);
    assert.equal(connection.state, "reset");
  });

  it("keeps no timer once the connection is over", async () => {
    const { clock, connection } = open();
    connection.says(GET);
    connection.leaves();
    await clock.advance(2 * TICK_MS);
    assert.equal(clock.pending, 0);
  });
});

describe("ServerConnection.drain()", () => {
  it("closes an idle connection at once and hears nothing on it", async () => {
    const { connection, server, exchanges, gone } = open();
    connection.says(GET);
    await settled();
    connection.taking = false;
    server.drain();
    connection.says(GET);
    await settled();
    assert.equal(connection.state, "closed");
    assert.equal(exchanges.length, 1);
    connection.leaves();
    assert.equal(gone(), 1);
  });

  it("lets the running exchange end, and says that it is the last", async () => {
    const { serve, release } = held();
    const { connection, server } = open(serve);
    connection.says(GET);
    server.drain();
    assert.equal(connection.state, "open");
    await release({ body: new FakeBody(["x"], { lengthBytes: 1 }) });
    assert.match(connection.text, /\r\nConnection: close\r\n\r\nx$/);
    assert.equal(connection.state, "closed");
  });

  it("serves a head that has begun", async () => {
    const { connection, server } = open();
    connection.says(GET.slice(0, 10));
    server.drain();
    connection.says(GET.slice(10));
    await settled();
    assert.match(connection.text, /^HTTP\/1.1 200 OK.*Connection: close/s);
    assert.equal(connection.state, "closed");
  });
});
