/** How connections to an upstream are made, kept and ended, by the rules that its operator has set. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Deadlines } from "../../src/deadlines.ts";
import { Fields } from "../../src/fields.ts";
import type { Attempt, Outcome } from "../../src/model.ts";
import type { ConnectionRules, Upstream, UpstreamTls } from "../../src/rules.ts";
import { wireTransport } from "../../src/wire/client.ts";
import { FakeBody, readText } from "../support/fake_bytes.ts";
import { upstream } from "../support/fake_route.ts";
import { ManualClock, settled } from "../support/manual_clock.ts";
import { MemoryNet } from "./memory_net.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
const PLAIN = upstream("u", {
  address: { kind: "tcp", host: "gpu.lan", port: 443 },
  authority: "u",
});

function withRules(connections: Partial<ConnectionRules>, changes: Partial<Upstream> = {}) {
  return { ...PLAIN, connections: { ...PLAIN.connections, ...connections }, ...changes };
}

function open(at: Upstream) {
  const clock = new ManualClock();
  const net = new MemoryNet();
  const transport = wireTransport({ clock, dial: net.dial, deadlines: new Deadlines(clock) });
  const begin = (what: Partial<Attempt> = {}) => {
    const leaving = new AbortController();
    const sending = transport.send({
      upstream: at,
      method: "GET",
      target: "/",
      fields: Fields.from([["Host", "a"]]),
      body: undefined,
      upgrade: undefined,
      progress: { sent: false },
      fresh: false,
      dialTimeoutMs: 3_000,
      headersTimeoutMs: undefined,
      signal: leaving.signal,
      ...what,
    });
    return { sending, leave: () => leaving.abort() };
  };
  /** Asks, and answers on the newest connection. */
  const ask = async (answer: string, what: Partial<Attempt> = {}) => {
    const { sending } = begin(what);
    await settled();
    net.dialled.at(-1)?.says(answer);
    return await sending;
  };
  return { clock, net, transport, begin, ask };
}

function bodyOf(outcome: Outcome) {
  assert.ok(outcome.kind === "answered", JSON.stringify(outcome));
  assert.ok(outcome.response.body);
  return outcome.response.body;
}

const failure = (outcome: Outcome) =>
  outcome.kind === "failed" ? [outcome.reason, outcome.sent] : [outcome.kind];

describe("A connection to an upstream", () => {
  it("is made in the clear where nothing else is said", async () => {
    const { ask, net } = open(PLAIN);
    await ask(OK);
    const [limits] = net.limits;
    assert.deepEqual([limits?.tls, limits?.localAddress, limits?.lead], [
      undefined,
      undefined,
      undefined,
    ]);
  });

  const tls: UpstreamTls = {
    name: undefined,
    authorities: ["ca"],
    certificate: undefined,
    insecure: false,
  };
  const names: [string, Partial<Upstream>, string][] = [
    ["its host", { tls }, "gpu.lan"],
    ["the name that is set", { tls: { ...tls, name: "own.lan" } }, "own.lan"],
    ["localhost, on a unix socket", { tls, address: { kind: "unix", path: "/s" } }, "localhost"],
  ];
  for (const [title, changes, name] of names) {
    it(`is made over TLS for https, to ${title}`, async () => {
      const { ask, net } = open(withRules({}, { scheme: "https", ...changes }));
      await ask(OK);
      assert.equal(net.limits[0]?.tls?.name, name);
      assert.deepEqual(net.limits[0].tls.protocols, ["http/1.1"]);
      assert.deepEqual(net.limits[0].tls.rules.authorities, ["ca"]);
    });
  }

  it("leaves from the address that is set", async () => {
    const { ask, net } = open(withRules({ localAddress: "127.0.0.9" }));
    await ask(OK);
    assert.equal(net.limits[0]?.localAddress, "127.0.0.9");
  });

  it("begins with the client's address and is nobody else's where PROXY is spoken", async () => {
    const { ask, net } = open(withRules({ proxyProtocol: "v1" }));
    await ask(OK, { client: { ip: "192.0.2.7", port: 4711 } });
    const lead = net.limits[0]?.lead ?? new Uint8Array();
    assert.equal(new TextDecoder().decode(lead), "PROXY TCP4 192.0.2.7 0.0.0.0 4711 0\r\n");
    assert.equal(net.dialled[0]?.state, "closed");
    await ask(OK);
    assert.equal(net.dialled.length, 2);
  });

  it("is shared by upstreams that are reached alike, and by no others", async () => {
    const { ask, net } = open(PLAIN);
    await ask(OK);
    await ask(OK, { upstream: { ...PLAIN, id: "other", name: "other" } });
    assert.equal(net.dialled.length, 1);
    await ask(OK, { upstream: withRules({ localAddress: "127.0.0.9" }) });
    await ask(OK, { upstream: withRules({}, { scheme: "https" }) });
    const insecure = { ...PLAIN.tls, insecure: true };
    await ask(OK, { upstream: withRules({}, { scheme: "https", tls: insecure }) });
    assert.equal(net.dialled.length, 4);
  });

  it("speaks HTTP/2 to an upstream of h2c", async () => {
    const { begin, net } = open(withRules({}, { scheme: "h2c" }));
    begin();
    await settled();
    assert.match(net.dialled[0]?.text ?? "", /^PRI \* HTTP\/2\.0\r\n/);
  });

  it("is tried by the same rules, without TLS, to see whether one can be made", async () => {
    const { transport, net } = open(PLAIN);
    const { signal } = new AbortController();
    const at = withRules({ localAddress: "127.0.0.9" }, { scheme: "https" });
    assert.equal(await transport.reachable(at, { timeoutMs: 1_000, signal }), true);
    assert.deepEqual([net.limits[0]?.localAddress, net.limits[0]?.tls], ["127.0.0.9", undefined]);
  });
});

describe("A kept connection", () => {
  it("goes after the time that is set", async () => {
    const { ask, net, clock } = open(withRules({ idleMs: 5_000 }));
    await ask(OK);
    await clock.advance(4_500);
    assert.equal(net.dialled[0]?.state, "open");
    await clock.advance(1_000);
    assert.equal(net.dialled[0]?.state, "closed");
  });

  const none: [string, Partial<ConnectionRules>][] = [
    ["no time is left to it", { idleMs: 0 }],
    ["none may be kept", { idleMax: 0 }],
  ];
  for (const [title, rules] of none) {
    it(`is none where ${title}`, async () => {
      const { ask, net } = open(withRules(rules));
      await ask(OK);
      assert.equal(net.dialled[0]?.state, "closed");
    });
  }

  it("is one of as many as may be kept", async () => {
    const { begin, net } = open(withRules({ idleMax: 1 }));
    const all = [begin(), begin(), begin()];
    await settled();
    for (const connection of net.dialled) connection.says(OK);
    await Promise.all(all.map(({ sending }) => sending));
    await settled();
    assert.deepEqual(net.dialled.map(({ state }) => state), ["open", "closed", "closed"]);
  });
});

describe("A head of a response", () => {
  it("is refused when it is larger than the upstream's limit", async () => {
    const large = `HTTP/1.1 200 OK\r\nX: ${"x".repeat(2_000)}\r\nContent-Length: 0\r\n\r\n`;
    assert.deepEqual(failure(await open(PLAIN).ask(large)), ["answered"]);
    const { ask } = open(withRules({ headLimitBytes: 1_024 }));
    assert.deepEqual(failure(await ask(large)), ["protocol", true]);
  });
});

describe("A bound on connections", () => {
  it("has a request wait for one, and use it when it may", async () => {
    const { begin, net } = open(withRules({ connectionsMax: 1 }));
    const one = begin();
    const two = begin();
    await settled();
    assert.equal(net.dialled.length, 1);
    net.dialled[0]?.says(OK);
    assert.deepEqual(failure(await one.sending), ["answered"]);
    await settled();
    assert.equal(net.dialled.length, 1);
    net.dialled[0]?.says(OK);
    assert.deepEqual(failure(await two.sending), ["answered"]);
  });

  it("has a request take the place of a connection that it may not use", async () => {
    const { begin, ask, net } = open(withRules({ connectionsMax: 1 }));
    await ask(OK);
    const post = begin({ method: "POST", fresh: true, body: new FakeBody(["x"]) });
    await settled();
    assert.deepEqual(net.dialled.map(({ state }) => state), ["closed", "open"]);
    net.dialled[1]?.says(OK);
    assert.deepEqual(failure(await post.sending), ["answered"]);
  });

  it("fails a request unsent that waited as long as a dial may take", async () => {
    const { begin, clock, net } = open(withRules({ connectionsMax: 1 }));
    begin();
    const two = begin({ dialTimeoutMs: 500 });
    await clock.advance(500);
    assert.deepEqual(failure(await two.sending), ["dial_timeout", false]);
    assert.equal(net.dialled.length, 1);
  });

  it("passes a turn on that its bearer has no use for any more", async () => {
    const { begin, net } = open(withRules({ connectionsMax: 1 }));
    const one = begin();
    const two = begin();
    const three = begin();
    await settled();
    two.leave();
    net.dialled[0]?.leaves(false);
    assert.deepEqual(failure(await one.sending), ["closed", true]);
    assert.deepEqual(failure(await two.sending), ["abandoned"]);
    await settled();
    net.dialled[1]?.says(OK);
    assert.deepEqual(failure(await three.sending), ["answered"]);
  });

  it("counts a tunnel until it ends", async () => {
    const { begin, net } = open(withRules({ connectionsMax: 1 }));
    const one = begin({ upgrade: "websocket" });
    await settled();
    net.dialled[0]?.says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
    assert.deepEqual(failure(await one.sending), ["answered"]);
    const two = begin();
    await settled();
    assert.equal(net.dialled.length, 1);
    net.dialled[0]?.leaves();
    await settled();
    net.dialled[1]?.says(OK);
    assert.deepEqual(failure(await two.sending), ["answered"]);
  });

  it("counts no dial that failed", async () => {
    const { ask, net } = open(withRules({ connectionsMax: 1 }));
    net.failing = { kind: "failed", code: "refused", detail: "" };
    assert.deepEqual(failure(await ask(OK)), ["refused", false]);
    net.failing = undefined;
    assert.deepEqual(failure(await ask(OK)), ["answered"]);
  });
});

describe("A bound on silence", () => {
  const LONG = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi";

  it("breaks a body whose upstream says nothing for so long", async () => {
    const { ask, clock, net } = open(withRules({ readTimeoutMs: 1_000 }));
    const body = bodyOf(await ask(LONG));
    await body.read();
    const reading = assert.rejects(Promise.resolve(body.read()));
    await clock.advance(900);
    assert.equal(net.dialled[0]?.state, "open");
    await clock.advance(1_000);
    await reading;
    assert.equal(net.dialled[0].state, "reset");
    await clock.advance(1_000);
    assert.equal(clock.pending, 0);
  });

  it("leaves alone what comes in time, or what nobody reads", async () => {
    const { ask, clock, net } = open(withRules({ readTimeoutMs: 1_000 }));
    const body = bodyOf(await ask(LONG));
    await clock.advance(60_000);
    const reading = readText(body);
    await clock.advance(900);
    net.dialled[0]?.says("1234567");
    assert.equal(await reading, "hi1234567");
  });

  it("leaves the wait for a head alone", async () => {
    const { begin, clock, net } = open(withRules({ readTimeoutMs: 1_000 }));
    const { sending } = begin();
    await clock.advance(60_000);
    net.dialled[0]?.says(OK);
    assert.deepEqual(failure(await sending), ["answered"]);
  });

  it("gives up a request that its upstream takes no bytes of for so long", async () => {
    const { begin, clock, net } = open(withRules({ writeTimeoutMs: 1_000 }));
    net.opened = (connection) => {
      connection.taking = false;
    };
    const { sending } = begin({ method: "POST", body: new FakeBody(["x", "y"]) });
    await clock.advance(900);
    assert.equal(net.dialled[0]?.state, "open");
    await clock.advance(1_000);
    assert.deepEqual(failure(await sending), ["closed", true]);
    assert.equal(net.dialled[0].state, "reset");
  });

  it("leaves a request alone whose bytes are taken now and then", async () => {
    const { begin, clock, net } = open(withRules({ writeTimeoutMs: 1_000 }));
    net.opened = (connection) => {
      connection.taking = false;
    };
    const body = new FakeBody(["x", "y", "z"]);
    const { sending } = begin({ method: "POST", body });
    for (let round = 0; round < 3; round++) {
      await clock.advance(800);
      net.dialled[0]?.drains();
      await settled();
    }
    net.dialled[0]?.says(OK);
    assert.deepEqual(failure(await sending), ["answered"]);
  });
});
