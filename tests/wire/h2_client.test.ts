/** HTTP/2 to an upstream, frame by frame: what it is sent, what is made of its answers, what it saw. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fields } from "../../src/fields.ts";
import type { Attempt, Outcome } from "../../src/model.ts";
import type { ConnectionRules } from "../../src/rules.ts";
import { Deadlines } from "../../src/deadlines.ts";
import { H2Client } from "../../src/wire/h2_client.ts";
import { FakeBody, readAll, readText } from "../support/fake_bytes.ts";
import { upstream } from "../support/fake_route.ts";
import { ManualClock, settled } from "../support/manual_clock.ts";
import { CODE, FLAG, FRAME, H2Peer, SETTING } from "./h2_peer.ts";
import { MemoryNet } from "./memory_net.ts";

const HEAD = [[":status", "200"]] as const;

function open(connections: Partial<ConnectionRules> = {}) {
  const clock = new ManualClock();
  const net = new MemoryNet();
  const client = new H2Client({ clock, dial: net.dial, deadlines: new Deadlines(clock) });
  const plain = upstream("u");
  const at = upstream("u", {
    scheme: "h2c",
    address: { kind: "tcp", host: "127.0.0.1", port: 80 },
    authority: "u",
    connections: { ...plain.connections, ...connections },
  });
  const begin = (what: Partial<Attempt> = {}) => {
    const leaving = new AbortController();
    const attempt: Attempt = {
      upstream: at,
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
    return { attempt, sending: client.send(attempt), leave: () => leaving.abort() };
  };
  const peers: H2Peer[] = [];
  /** The peer at the end of the n-th connection. */
  const peer = (at = net.dialled.length - 1): H2Peer => {
    const connection = net.dialled[at];
    assert.ok(connection, `No connection ${at}`);
    return peers[at] ??= new H2Peer(connection);
  };
  /** Begins, and greets on the first connection. */
  const start = async (what: Partial<Attempt> = {}, settings: [number, number][] = []) => {
    const begun = begin(what);
    await settled();
    const upstreamPeer = peer().greet(settings);
    await settled();
    return { ...begun, peer: upstreamPeer };
  };
  return { clock, net, client, at, begin, start, peer };
}

function answered(outcome: Outcome) {
  assert.ok(outcome.kind === "answered", JSON.stringify(outcome));
  return outcome.response;
}

function bodyOf(outcome: Outcome) {
  const { body } = answered(outcome);
  assert.ok(body);
  return body;
}

const failure = (outcome: Outcome) =>
  outcome.kind === "failed" ? [outcome.reason, outcome.sent] : [outcome.kind];

describe("H2Client.send()", () => {
  const requests: [string, Partial<Attempt>, string[]][] = [
    ["no body", {}, ["headers 1 end :method=GET :scheme=http :authority=a :path=/"]],
    [
      "a target nobody would normalise",
      { target: "//a/../%2e?" },
      ["headers 1 end :method=GET :scheme=http :authority=a :path=//a/../%2e?"],
    ],
    [
      "no Host",
      { fields: Fields.from([["B", "1"], ["a", "2"], ["B", "3"]]) },
      ["headers 1 end :method=GET :scheme=http :authority=u :path=/ b=1 a=2 b=3"],
    ],
    [
      "fields of HTTP/1.1 connections",
      {
        fields: Fields.from([
          ["Host", "a"],
          ["Connection", "x"],
          ["Keep-Alive", "5"],
          ["TE", "gzip"],
          ["Upgrade", "h2c"],
        ]),
      },
      ["headers 1 end :method=GET :scheme=http :authority=a :path=/"],
    ],
    [
      "gRPC",
      { method: "POST", fields: Fields.from([["Content-Type", "application/grpc+proto"]]) },
      [
        "headers 1 end :method=POST :scheme=http :authority=u :path=/ " +
        "content-type=application/grpc+proto te=trailers",
      ],
    ],
    [
      "a body with a length",
      { method: "PUT", body: new FakeBody(["hi"], { lengthBytes: 2 }) },
      [
        "headers 1 :method=PUT :scheme=http :authority=a :path=/ content-length=2",
        'data 1 "hi"',
        'data 1 end ""',
      ],
    ],
  ];
  for (const [title, what, expected] of requests) {
    it(`sends a request with ${title}`, async () => {
      const { start } = open();
      const { peer, attempt } = await start(what);
      assert.deepEqual(peer.said(), expected);
      assert.equal(attempt.progress.sent, true);
    });
  }

  it("sends trailers behind a body", async () => {
    const body = Object.assign(new FakeBody(["hi"]), { trailers: Fields.from([["X-T", "1"]]) });
    const { start } = open();
    const { peer } = await start({ method: "POST", body });
    assert.deepEqual(peer.said().slice(1), ['data 1 "hi"', "headers 1 end x-t=1"]);
  });

  it("sends no faster than the windows let it", async () => {
    const { start } = open();
    const body = new FakeBody([new Uint8Array(50_000)]);
    const { peer } = await start({ method: "POST", body }, [[SETTING.initialWindow, 20_000]]);
    assert.deepEqual(peer.said().slice(1), ["data 1 16384", "data 1 3616"]);
    peer.number(FRAME.windowUpdate, 1, 10_000);
    await settled();
    assert.deepEqual(peer.said(), ["data 1 10000"]);
    // Settings move the windows of running streams too.
    peer.greet([[SETTING.initialWindow, 30_000]]);
    await settled();
    assert.deepEqual(peer.said(), ["data 1 10000"]);
    peer.number(FRAME.windowUpdate, 1, 1_000_000);
    await settled();
    assert.deepEqual(peer.said(), ["data 1 10000", 'data 1 end ""']);
  });

  it("waits while the system takes no more", async () => {
    const { start, net } = open();
    const body = new FakeBody(["one", "two"]);
    net.opened = (connection) => {
      connection.taking = false;
    };
    const { peer } = await start({ method: "POST", body });
    assert.equal(peer.said().some((words) => words.startsWith("data")), false);
    peer.connection.drains();
    await settled();
    assert.deepEqual(peer.said(), ['data 1 "one"', 'data 1 "two"', 'data 1 end ""']);
  });

  it("gives up when the upstream takes no bytes for as long as is set", async () => {
    const { start, clock } = open({ writeTimeoutMs: 1_000 });
    const body = new FakeBody([new Uint8Array(50)]);
    const { peer, sending } = await start({ method: "POST", body }, [[SETTING.initialWindow, 20]]);
    await clock.advance(900);
    peer.number(FRAME.windowUpdate, 1, 20);
    await clock.advance(900);
    assert.deepEqual(peer.said().slice(1), ["data 1 20", "data 1 20"]);
    await clock.advance(100);
    assert.deepEqual(failure(await sending), ["closed", true]);
    assert.deepEqual(peer.said(), [`rst 1 ${CODE.cancel}`]);
  });

  it("passes interim answers, a body in pieces and trailers on", async () => {
    const { start } = open();
    const interims: number[] = [];
    const { peer, sending } = await start({ interim: (status) => void interims.push(status) });
    peer.headers(1, [[":status", "103"], ["link", "x"]]);
    peer.headers(1, [[":status", "200"], ["x-a", "1"]]).data(1, "hel").data(1, "lo");
    peer.headers(1, [["x-t", "2"]], true);
    const outcome = await sending;
    const body = bodyOf(outcome);
    assert.deepEqual(interims, [103]);
    assert.equal(answered(outcome).fields.get("x-a"), "1");
    assert.equal(await readText(body), "hello");
    assert.equal(body.trailers?.get("x-t"), "2");
  });

  const bodiless: [string, Partial<Attempt>, string][] = [
    ["HEAD", { method: "HEAD" }, "200"],
    ["204", {}, "204"],
    ["304", {}, "304"],
  ];
  for (const [title, what, status] of bodiless) {
    it(`takes an answer without a body for ${title}, whatever length it tells`, async () => {
      const { start } = open();
      const { peer, sending } = await start(what);
      peer.headers(1, [[":status", status], ["content-length", "7"]], true);
      assert.equal(answered(await sending).body, undefined);
    });
  }

  it("stops an upstream whose answer nobody reads, and lets it go on when somebody does", async () => {
    const { start } = open();
    const { peer, sending } = await start();
    peer.headers(1, HEAD);
    const body = bodyOf(await sending);
    peer.said();
    const piece = new Uint8Array(16_000);
    for (let at = 0; at < 12; at++) peer.data(1, piece);
    // 64 KiB may wait here; the rest of the window stays shut.
    assert.deepEqual(peer.said(), []);
    peer.data(1, "", true);
    assert.equal((await readAll(body)).length, 12 * 16_000);
  });

  it("opens the window again as an answer is read", async () => {
    const { start } = open();
    const { peer, sending } = await start();
    peer.headers(1, HEAD);
    const body = bodyOf(await sending);
    peer.said();
    for (let at = 0; at < 12; at++) {
      const reading = body.read();
      peer.data(1, new Uint8Array(16_000));
      assert.equal((await reading)?.length, 16_000);
    }
    assert.deepEqual(peer.said(), ["windowUpdate 1 144000"]);
  });
});

describe("H2Client.send() fails", () => {
  const unsent: [string, (peer: H2Peer) => void][] = [
    ["refused the stream", (peer) => peer.number(FRAME.rst, 1, CODE.refusedStream)],
    ["went away before it", (peer) => peer.goaway(0)],
  ];
  for (const [title, says] of unsent) {
    it(`as not sent once more when the upstream ${title} twice`, async () => {
      const { start, peer } = open();
      const { sending, attempt, peer: first } = await start();
      says(first);
      await settled();
      const second = peer();
      if (second === first) {
        second.number(FRAME.rst, 3, CODE.refusedStream);
      } else {
        second.greet();
        await settled();
        says(second);
      }
      assert.deepEqual(failure(await sending), ["closed", false]);
      assert.equal(attempt.progress.sent, false);
    });
  }

  it("as not sent at once when its body was touched", async () => {
    const { start } = open();
    const { sending, peer } = await start({ method: "POST", body: new FakeBody(["hi"]) });
    peer.goaway(0);
    assert.deepEqual(failure(await sending), ["closed", false]);
  });

  const broken: [string, (peer: H2Peer) => void, string][] = [
    ["resets the stream", (peer) => peer.number(FRAME.rst, 1, CODE.internal), "closed"],
    ["leaves", (peer) => peer.connection.leaves(false), "closed"],
    ["sends a body without a head", (peer) => peer.data(1, "x"), "protocol"],
    ["sends no status", (peer) => peer.headers(1, [["a", "b"]], true), "protocol"],
    ["sends 101", (peer) => peer.headers(1, [[":status", "101"]]), "protocol"],
    [
      "sends fields of HTTP/1.1",
      (peer) => peer.headers(1, [...HEAD, ["transfer-encoding", "chunked"]]),
      "protocol",
    ],
    ["sends a line break", (peer) => peer.headers(1, [...HEAD, ["a", "b\r\nc: d"]]), "protocol"],
    ["sends a name in capitals", (peer) => peer.headers(1, [...HEAD, ["A", "b"]]), "protocol"],
    [
      "tells a length and sends nothing",
      (peer) => peer.headers(1, [...HEAD, ["content-length", "3"]], true),
      "protocol",
    ],
    [
      "sends a head that is too large",
      (peer) => peer.headers(1, [...HEAD, ["a", "x".repeat(10_000)]], true),
      "protocol",
    ],
    ["speaks of an unknown stream", (peer) => peer.headers(7, HEAD), "protocol"],
    ["pushes", (peer) => peer.raw(FRAME.push, FLAG.endHeaders, 1, new Uint8Array(4)), "protocol"],
    ["packs wrongly", (peer) => peer.raw(FRAME.headers, 4, 1, Uint8Array.of(0xff)), "protocol"],
  ];
  for (const [title, says, reason] of broken) {
    it(`as sent when the upstream ${title}`, async () => {
      const { start } = open({ headLimitBytes: 8_000 });
      const { sending, peer } = await start();
      says(peer);
      assert.deepEqual(failure(await sending), [reason, true]);
    });
  }

  const bodies: [string, (peer: H2Peer) => void][] = [
    ["is reset", (peer) => peer.data(1, "par").number(FRAME.rst, 1, CODE.internal)],
    ["is reset without an error", (peer) => peer.data(1, "par").number(FRAME.rst, 1, CODE.none)],
    ["is cut off with its connection", (peer) => peer.data(1, "par").connection.leaves(true)],
    ["is shorter than told", (peer) => peer.data(1, "par", true)],
    ["is longer than told", (peer) => peer.data(1, "partial", true)],
  ];
  for (const [title, says] of bodies) {
    it(`later, when a body ${title}`, async () => {
      const { start } = open();
      const { sending, peer } = await start();
      peer.headers(1, [...HEAD, ["content-length", "5"]]);
      says(peer);
      await assert.rejects(readAll(bodyOf(await sending)));
    });
  }

  const undialled: [string, (peer: H2Peer) => void][] = [
    ["speaks HTTP/1.1", (peer) => peer.connection.says("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["hangs up", (peer) => peer.connection.leaves()],
  ];
  for (const [title, says] of undialled) {
    it(`as not sent when whoever listens ${title}`, async () => {
      const { begin, peer } = open();
      const { sending, attempt } = begin({ method: "POST", body: new FakeBody(["hi"]) });
      await settled();
      says(peer());
      assert.deepEqual(failure(await sending), ["protocol", false]);
      assert.equal(attempt.progress.sent, false);
    });
  }

  it("as not sent when whoever listens says nothing", async () => {
    const { begin, clock } = open();
    const { sending } = begin();
    await clock.advance(3_000);
    assert.deepEqual(failure(await sending), ["dial_timeout", false]);
    assert.equal(clock.pending, 0);
  });

  it("in time when the head does not come", async () => {
    const { start, clock } = open();
    const { sending, peer } = await start({ headersTimeoutMs: 500 });
    await clock.advance(500);
    assert.deepEqual(failure(await sending), ["headers_timeout", true]);
    assert.deepEqual(peer.said().slice(1), [`rst 1 ${CODE.cancel}`]);
  });
});

describe("H2Client.send() gives up", () => {
  it("when the client leaves while it dials", async () => {
    const { begin } = open();
    const { sending, leave } = begin();
    await settled();
    leave();
    assert.deepEqual(await sending, { kind: "abandoned" });
  });

  it("when the client leaves before the head, and tells the upstream", async () => {
    const { start } = open();
    const { sending, leave, peer } = await start();
    leave();
    assert.deepEqual(await sending, { kind: "abandoned" });
    assert.deepEqual(peer.said().slice(1), [`rst 1 ${CODE.cancel}`]);
  });

  it("when the rest of a body is not wanted", async () => {
    const { start } = open();
    const { sending, peer } = await start();
    peer.headers(1, HEAD).data(1, "x");
    bodyOf(await sending).cancel();
    assert.deepEqual(peer.said().slice(1), [`rst 1 ${CODE.cancel}`]);
    assert.equal(peer.connection.state, "open");
  });

  it("on a request whose body breaks off, without an end that would make it whole", async () => {
    const { start } = open();
    const body = new FakeBody(["par"], { end: "dies" });
    const { sending, peer } = await start({ method: "POST", body });
    assert.deepEqual(await sending, { kind: "abandoned" });
    assert.deepEqual(peer.said().slice(1), ['data 1 "par"', `rst 1 ${CODE.cancel}`]);
  });

  it("on a request whose answer is whole before it is", async () => {
    const { start } = open();
    const body = new FakeBody(["par"], { end: "hangs" });
    const { sending, peer } = await start({ method: "POST", body });
    peer.headers(1, [[":status", "413"]], true);
    assert.equal(answered(await sending).status, 413);
    assert.equal(body.cancelled, true);
    assert.deepEqual(peer.said().slice(2), [`rst 1 ${CODE.cancel}`]);
  });
});

describe("Connections of an H2Client", () => {
  it("carry as many streams as the upstream takes, and no more", async () => {
    const { begin, start, net, peer } = open();
    const one = await start({}, [[SETTING.concurrentStreams, 1]]);
    const { sending } = begin();
    await settled();
    assert.equal(net.dialled.length, 2);
    peer().greet();
    await settled();
    peer().headers(1, [[":status", "204"]], true);
    assert.equal(answered(await sending).status, 204);
    one.peer.headers(1, HEAD, true);
    assert.equal(answered(await one.sending).status, 200);
  });

  it("are no more than allowed: who finds none waits, for as long as a dial may take", async () => {
    const { begin, start, net, clock } = open({ connectionsMax: 1 });
    const one = await start({}, [[SETTING.concurrentStreams, 1]]);
    const two = begin();
    const three = begin({ dialTimeoutMs: 1_000 });
    await clock.advance(1_000);
    assert.deepEqual(failure(await three.sending), ["dial_timeout", false]);
    one.peer.headers(1, HEAD, true);
    await settled();
    one.peer.headers(3, HEAD, true);
    assert.equal(answered(await two.sending).status, 200);
    assert.equal(net.dialled.length, 1);
  });

  it("take nothing new once the upstream goes away, and end with what runs", async () => {
    const { begin, start, net, peer } = open();
    const one = await start();
    one.peer.goaway(1);
    const two = begin();
    await settled();
    assert.equal(net.dialled.length, 2);
    one.peer.headers(1, HEAD, true);
    assert.equal(answered(await one.sending).status, 200);
    assert.equal(one.peer.connection.state, "closed");
    peer(1).greet();
    await settled();
    peer(1).headers(1, HEAD, true);
    assert.equal(answered(await two.sending).status, 200);
  });

  it("take nothing new once their upstream is distrusted", async () => {
    const { begin, start, net, client, at } = open();
    const one = await start();
    client.distrust(at);
    begin();
    await settled();
    assert.equal(net.dialled.length, 2);
    assert.equal(one.peer.connection.state, "open");
    one.peer.headers(1, HEAD, true);
    assert.equal(one.peer.connection.state, "closed");
  });

  it("go after a while", async () => {
    const { start, clock, net } = open();
    const { peer, sending } = await start();
    peer.headers(1, HEAD, true);
    await sending;
    await clock.advance(54_000);
    assert.equal(net.dialled[0]?.state, "open");
    await clock.advance(2_000);
    assert.equal(net.dialled[0]?.state, "closed");
    assert.equal(clock.pending, 0);
  });

  it("cost a silent reconnect when they have gone stale", async () => {
    const { begin, start, net, peer } = open();
    const one = await start();
    one.peer.headers(1, HEAD, true);
    await one.sending;
    const { sending } = begin();
    await settled();
    net.dialled[0]?.leaves(false);
    await settled();
    peer(1).greet();
    await settled();
    peer(1).headers(1, HEAD, true);
    assert.equal(answered(await sending).status, 200);
  });

  it("prove that they live before they take what must not be repeated", async () => {
    const { begin, start, clock, net, peer } = open();
    const one = await start();
    one.peer.headers(1, HEAD, true);
    await one.sending;
    await clock.advance(5_000);
    one.peer.said();
    const alive = begin({ method: "POST", fresh: true });
    await settled();
    assert.deepEqual(one.peer.said(), ["ping 0"]);
    one.peer.raw(FRAME.ping, FLAG.ack, 0, new Uint8Array(8));
    await settled();
    one.peer.headers(3, HEAD, true);
    assert.equal(answered(await alive.sending).status, 200);

    await clock.advance(5_000);
    const dead = begin({ method: "POST", fresh: true });
    await clock.advance(1_000);
    assert.equal(net.dialled.length, 2);
    peer(1).greet();
    await settled();
    peer(1).headers(1, HEAD, true);
    assert.equal(answered(await dead.sending).status, 200);
  });

  it("are nobody else's where the PROXY protocol says whose they are", async () => {
    const { begin, start, net, clock } = open({ proxyProtocol: "v1" });
    const client = { ip: "192.0.2.7", port: 4711 };
    const one = await start({ client });
    begin({ client });
    await settled();
    assert.equal(net.dialled.length, 2);
    one.peer.headers(1, HEAD, true);
    await one.sending;
    await clock.advance(500);
    assert.equal(one.peer.connection.state, "closed");
  });
});
