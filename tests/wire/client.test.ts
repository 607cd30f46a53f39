/** Attempts at one upstream: what was sent when, what is read back, which connections are kept and used again. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fields } from "../../src/fields.ts";
import type { Attempt, ByteSource, Outcome } from "../../src/model.ts";
import type { Upstream } from "../../src/rules.ts";
import { wireTransport } from "../../src/wire/client.ts";
import { Deadlines } from "../../src/deadlines.ts";
import { FakeBody, readText } from "../support/fake_bytes.ts";
import { upstream } from "../support/fake_route.ts";
import { ManualClock, settled } from "../support/manual_clock.ts";
import { MemoryNet } from "./memory_net.ts";

const UPSTREAM: Upstream = upstream("u", {
  address: { kind: "tcp", host: "127.0.0.1", port: 80 },
  authority: "u",
});

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
const EMPTY = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

function open() {
  const clock = new ManualClock();
  const net = new MemoryNet();
  const transport = wireTransport({ clock, dial: net.dial, deadlines: new Deadlines(clock) });
  const begin = (what: Partial<Attempt> = {}) => {
    const leaving = new AbortController();
    const attempt: Attempt = {
      upstream: UPSTREAM,
      method: "GET",
      target: "/",
      fields: Fields.from([["Host", "a"]]),
      body: undefined,
      upgrade: undefined,
      progress: { sent: false },
      fresh: false,
      dialTimeoutMs: 3000,
      headersTimeoutMs: undefined,
      signal: leaving.signal,
      ...what,
    };
    const sending = transport.send(attempt);
    return { attempt, sending, leave: () => leaving.abort() };
  };
  /** Asks, and answers on the newest connection. */
  const ask = async (answer: string, what: Partial<Attempt> = {}) => {
    const { sending, attempt } = begin(what);
    await settled();
    net.dialled.at(-1)?.says(answer);
    return { outcome: await sending, attempt };
  };
  return { clock, net, transport, begin, ask };
}

function responseOf(outcome: Outcome) {
  assert.ok(outcome.kind === "answered", JSON.stringify(outcome));
  return outcome.response;
}

const bodyOf = (outcome: Outcome): ByteSource => responseOf(outcome).body ?? new FakeBody([]);

describe("wireTransport().send()", () => {
  const requests: [string, Partial<Attempt>, string][] = [
    ["no body", {}, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
    [
      "a target nobody would normalise",
      { target: "//a/../%2e?" },
      "GET //a/../%2e? HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    [
      "fields in order",
      { fields: Fields.from([["B", "1"], ["a", "2"], ["B", "3"]]) },
      "GET / HTTP/1.1\r\nB: 1\r\na: 2\r\nB: 3\r\n\r\n",
    ],
    [
      "a body with a length",
      { method: "POST", body: new FakeBody(["hi"], { lengthBytes: 2 }) },
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
    ],
    [
      "a body without",
      { method: "POST", body: new FakeBody(["hi"]) },
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    ],
    ["a length that is not the body's", {
      body: new FakeBody(["hi"], { lengthBytes: 2 }),
      fields: Fields.from([["Content-Length", "9"]]),
    }, "GET / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi"],
    [
      "a length of no body",
      { fields: Fields.from([["Content-Length", "9"]]) },
      "GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    ],
    [
      "trailers",
      {
        method: "POST",
        body: Object.assign(new FakeBody(["x"]), { trailers: Fields.from([["X-Sum", "1"]]) }),
      },
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n",
    ],
    [
      "an upgrade",
      { upgrade: "websocket" },
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ],
  ];
  for (const [title, what, expected] of requests) {
    it(`writes the request as it is: ${title}`, async () => {
      const { net, begin } = open();
      begin(what);
      await settled();
      assert.equal(net.dialled[0]?.text, expected);
    });
  }

  it("has sent nothing when the dial fails", async () => {
    const { net, begin } = open();
    net.failing = { kind: "failed", code: "refused", detail: "no" };
    const body = new FakeBody(["hi"]);
    const { sending, attempt } = begin({ body });
    assert.deepEqual(await sending, {
      kind: "failed",
      reason: "refused",
      sent: false,
      detail: "no",
    });
    assert.deepEqual([attempt.progress.sent, body.reads], [false, 0]);
  });

  it("has sent nothing before it is connected, and something from the first byte on", async () => {
    const { net, begin } = open();
    const { attempt } = begin();
    let before: boolean | undefined;
    net.opened = () => (before = attempt.progress.sent);
    assert.equal(attempt.progress.sent, false);
    await settled();
    assert.equal(attempt.progress.sent, true);
    assert.notEqual(before, true);
  });

  it("has sent nothing when the connection ends before its turn", async () => {
    const { net, begin } = open();
    net.opened = (connection) => connection.leaves();
    const { sending, attempt } = begin();
    const outcome = await sending;
    assert.ok(outcome.kind === "failed");
    assert.deepEqual([outcome.reason, outcome.sent, attempt.progress.sent], [
      "closed",
      false,
      false,
    ]);
  });

  const failures: [string, string | undefined, string][] = [
    ["the upstream closes", undefined, "closed"],
    ["it closes within its head", "HTTP/1.1 200", "closed"],
    ["it talks nonsense", "SSH-2.0\r\n", "protocol"],
    [
      "it changes protocols unasked",
      "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
      "protocol",
    ],
    ["it floods with interim answers", "HTTP/1.1 103 X\r\n\r\n".repeat(33), "protocol"],
    ["it never ends its head", `HTTP/1.1 200 OK\r\nX: ${"y".repeat(1 << 20)}`, "protocol"],
    [
      "it has two lengths",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "protocol",
    ],
  ];
  for (const [title, bytes, reason] of failures) {
    it(`fails as ${reason} and sent when ${title}`, async () => {
      const { net, begin } = open();
      const { sending } = begin();
      await settled();
      if (bytes !== undefined) net.dialled[0]?.says(bytes);
      if (reason === "closed") net.dialled[0]?.leaves();
      const outcome = await sending;
      assert.ok(outcome.kind === "failed");
      assert.deepEqual([outcome.reason, outcome.sent], [reason, true]);
      assert.notEqual(net.dialled[0]?.state, reason === "closed" ? "reset" : "open");
    });
  }

  it("refuses a change to another protocol than was asked for", async () => {
    const { ask } = open();
    const answer = "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    const { outcome } = await ask(answer, { upgrade: "websocket" });
    assert.equal(outcome.kind === "failed" && outcome.reason, "protocol");
  });

  it("is abandoned and resets the connection when the client leaves", async () => {
    const { net, begin } = open();
    const { sending, leave } = begin({ body: new FakeBody(["hi"], { end: "hangs" }) });
    await settled();
    leave();
    assert.deepEqual(await sending, { kind: "abandoned" });
    assert.equal(net.dialled[0]?.state, "reset");
    await settled();
    assert.doesNotMatch(net.dialled[0]?.text ?? "", /0\r\n\r\n/);
  });

  it("never lets an upstream take a fragment of a body for the whole", async () => {
    const { net, begin } = open();
    const { sending } = begin({ body: new FakeBody(["hi"], { end: "dies" }) });
    assert.deepEqual(await sending, { kind: "abandoned" });
    assert.equal(net.dialled[0]?.state, "reset");
    assert.doesNotMatch(net.dialled[0]?.text ?? "", /0\r\n\r\n/);
  });

  it("fails as headers_timeout in time, and not after an answer", async () => {
    const { clock, net, begin } = open();
    const { sending } = begin({ headersTimeoutMs: 1000 });
    await clock.advance(1000);
    const outcome = await sending;
    assert.equal(outcome.kind === "failed" && outcome.reason, "headers_timeout");
    assert.equal(net.dialled[0]?.state, "reset");

    const second = begin({ headersTimeoutMs: 1000 });
    await settled();
    net.dialled[1]?.says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh");
    const body = bodyOf(await second.sending);
    await clock.advance(100_000);
    net.dialled[1]?.says("i");
    assert.equal(await readText(body), "hi");
  });

  it("passes interim answers on and waits for the last", async () => {
    const { ask } = open();
    const interims: unknown[] = [];
    const { outcome } = await ask(
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`,
      { interim: (status, fields) => interims.push([status, ...fields]) },
    );
    assert.deepEqual(interims, [[103, ["Link", "</a>"]]]);
    assert.equal(await readText(bodyOf(outcome)), "hi");
  });

  it("answers though the upload has not ended, and closes behind it", async () => {
    const { net, ask } = open();
    const { outcome } = await ask(OK, {
      method: "POST",
      body: new FakeBody(["a"], { end: "hangs" }),
    });
    assert.equal(await readText(bodyOf(outcome)), "hi");
    await settled();
    assert.equal(net.dialled[0]?.state, "closed");
    assert.doesNotMatch(net.dialled[0]?.text ?? "", /0\r\n\r\n/);
  });

  it("stops the upstream while nobody reads, and goes on", async () => {
    const { net, ask } = open();
    const { outcome } = await ask(CHUNKED);
    const [connection] = net.dialled;
    connection?.says(`30d40\r\n${"x".repeat(200_000)}\r\n`);
    assert.equal(connection?.paused, true);
    await bodyOf(outcome).read();
    assert.equal(connection.paused, false);
  });

  it("reads the upload no faster than the upstream takes it", async () => {
    const { net, begin } = open();
    const body = new FakeBody(["a", "b", "c"]);
    net.opened = (connection) => (connection.taking = false);
    begin({ method: "POST", body });
    await settled();
    assert.equal(body.reads, 1);
    net.dialled[0]?.drains();
    await settled();
    assert.equal(body.reads, 4);
  });
});

describe("the body of an answer", () => {
  const bodies: [string, string, boolean, string | undefined][] = [
    ["a length", OK, false, "hi"],
    ["chunks", `${CHUNKED}1\r\nh\r\n1;x=y\r\ni\r\n0\r\n\r\n`, false, "hi"],
    ["the end of the connection", "HTTP/1.1 200 OK\r\n\r\nhi", true, "hi"],
    ["the end of an HTTP/1.0 connection", "HTTP/1.0 200 OK\r\n\r\nhi", true, "hi"],
    ["a length not reached", OK.slice(0, -1), true, undefined],
    ["a length not reached, and broken", OK.slice(0, -1), false, undefined],
    ["no last chunk", `${CHUNKED}2\r\nhi\r\n`, true, undefined],
    ["a chunk cut", `${CHUNKED}9\r\nhi`, true, undefined],
    ["a chunk that overruns", `${CHUNKED}1\r\nhi\r\n0\r\n\r\n`, false, undefined],
    ["a broken connection", "HTTP/1.1 200 OK\r\n\r\nhi", false, undefined],
  ];
  for (const [title, answer, clean, expected] of bodies) {
    it(`is ${expected === undefined ? "broken" : "whole"} when it ends with ${title}`, async () => {
      const { net, ask } = open();
      const { outcome } = await ask(answer);
      net.dialled[0]?.leaves(clean);
      const heard = await readText(bodyOf(outcome)).catch(() => undefined);
      assert.equal(heard, expected);
    });
  }

  for (
    const [method, status] of [["HEAD", "200 OK"], ["GET", "204 X"], ["GET", "304 X"]] as const
  ) {
    it(`is none when ${method} is answered by ${status}`, async () => {
      const { ask } = open();
      const answer = `HTTP/1.1 ${status}\r\nContent-Length: 5\r\n\r\n`;
      const { outcome } = await ask(answer, { method });
      assert.equal(responseOf(outcome).body, undefined);
    });
  }

  it("brings its trailers", async () => {
    const { ask } = open();
    const { outcome } = await ask(`${CHUNKED}0\r\nX-Sum: 1\r\n\r\n`);
    const body = bodyOf(outcome);
    assert.equal(await body.read(), undefined);
    assert.deepEqual([...body.trailers ?? []], [["X-Sum", "1"]]);
  });

  it("comes in one piece when its chunks are small and came together", async () => {
    const { net, ask } = open();
    const { outcome } = await ask(CHUNKED);
    const big = "x".repeat(20_000);
    net.dialled[0]?.says(`1\r\nh\r\n1\r\ni\r\n`);
    net.dialled[0]?.says(`4e20\r\n${big}\r\n1\r\n!\r\n0\r\n\r\n`);
    const body = bodyOf(outcome);
    const lengths: number[] = [];
    for (let piece = await body.read(); piece; piece = await body.read()) {
      lengths.push(piece.length);
    }
    assert.deepEqual(lengths, [2, 20_000, 1]);
  });

  it("resets the connection when nobody wants the rest", async () => {
    const { net, ask } = open();
    const { outcome } = await ask(CHUNKED);
    bodyOf(outcome).cancel();
    assert.equal(net.dialled[0]?.state, "reset");
    await assert.rejects(async () => await bodyOf(outcome).read());
  });
});

describe("connections kept for later", () => {
  it("are used again, the last one first", async () => {
    const { net, begin } = open();
    const both = [begin(), begin()];
    await settled();
    for (const connection of net.dialled) connection.says(EMPTY);
    await Promise.all(both.map(({ sending }) => sending));
    for (const connection of net.dialled) connection.take();
    begin();
    await settled();
    assert.deepEqual(net.dialled.map(({ text }) => text !== ""), [false, true]);
  });

  const fresh: [string, Partial<Attempt>][] = [
    ["is asked for a fresh one", { fresh: true }],
    ["has a body", { body: new FakeBody([]) }],
    ["is an upgrade", { upgrade: "websocket" }],
  ];
  for (const [title, what] of fresh) {
    it(`are not used when the request ${title}`, async () => {
      const { net, ask, begin } = open();
      await ask(EMPTY);
      begin(what);
      await settled();
      assert.equal(net.dialled.length, 2);
    });
  }

  const last: [string, string, Partial<Attempt>?][] = [
    ["the upstream says close", EMPTY.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")],
    ["it speaks HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"],
    ["more came than its answer", `${OK}more`],
    ["more came than its empty answer", `${EMPTY}more`],
    ["an answer to HEAD has a body", OK, { method: "HEAD" }],
    ["a 204 has a body", "HTTP/1.1 204 X\r\nContent-Length: 2\r\n\r\nhi"],
    ["it promised a second only", EMPTY.replace("\r\n\r\n", "\r\nKeep-Alive: timeout=1\r\n\r\n")],
  ];
  for (const [title, answer, what] of last) {
    it(`are not kept when ${title}`, async () => {
      const { net, ask, begin } = open();
      const { outcome } = await ask(answer, what);
      responseOf(outcome);
      begin();
      await settled();
      assert.equal(net.dialled.length, 2);
      assert.equal(net.dialled[0]?.state, "closed");
    });
  }

  it("are not kept for nobody when requests that take none bring one each", async () => {
    const { net, ask } = open();
    for (let round = 0; round < 3; round++) await ask(EMPTY, { fresh: true });
    assert.deepEqual(net.dialled.map(({ state }) => state), ["open", "closed", "closed"]);
  });

  it("go when their upstream speaks unasked", async () => {
    const { net, ask } = open();
    await ask(EMPTY);
    net.dialled[0]?.says(OK);
    assert.equal(net.dialled[0]?.state, "closed");
  });

  it("go after a while, sooner when the upstream promised less", async () => {
    const { clock, net, ask } = open();
    await ask(EMPTY);
    await clock.advance(54_000);
    assert.equal(net.dialled[0]?.state, "open");
    await clock.advance(2_000);
    assert.equal(net.dialled[0]?.state, "closed");
    await ask(EMPTY.replace("\r\n\r\n", "\r\nKeep-Alive: timeout=5, max=9\r\n\r\n"));
    await clock.advance(3_500);
    assert.equal(net.dialled[1]?.state, "open");
    await clock.advance(1_000);
    assert.equal(net.dialled[1]?.state, "closed");
    await clock.advance(1_000);
    assert.equal(clock.pending, 0);
  });

  it("go when their upstream is distrusted", async () => {
    const { net, ask, transport } = open();
    await ask(EMPTY);
    transport.distrust(UPSTREAM);
    assert.equal(net.dialled[0]?.state, "closed");
  });

  it("cost a silent reconnect when they have gone stale", async () => {
    const { net, ask, begin } = open();
    await ask(EMPTY);
    const { sending } = begin();
    await settled();
    net.dialled[0]?.leaves(false);
    await settled();
    assert.equal(net.dialled.length, 2);
    net.dialled[1]?.says(OK);
    assert.equal(await readText(bodyOf(await sending)), "hi");
  });

  it("cost no second request when a byte of the answer had come", async () => {
    const { net, ask, begin } = open();
    await ask(EMPTY);
    const { sending } = begin();
    await settled();
    net.dialled[0]?.says("H");
    net.dialled[0]?.leaves(false);
    const outcome = await sending;
    assert.equal(outcome.kind === "failed" && outcome.reason, "closed");
    assert.equal(net.dialled.length, 1);
  });

  it("do not wait for a slow reader of the answer before", async () => {
    const { net, ask, begin } = open();
    const slow = await ask(CHUNKED);
    const [connection] = net.dialled;
    connection?.says(`30d40\r\n${"x".repeat(200_000)}\r\n`);
    connection?.says("0\r\n\r\n");
    assert.equal(connection?.paused, false);
    const { sending } = begin();
    await settled();
    connection.says(OK);
    assert.equal(await readText(bodyOf(await sending)), "hi");
    assert.equal((await readText(bodyOf(slow.outcome))).length, 200_000);
  });
});
