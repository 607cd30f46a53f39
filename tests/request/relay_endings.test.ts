/** How exchanges end: whole, cut, left, drained, upgraded, or by a bug of ours. Nothing stays in flight. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Tunnel } from "../../src/model.ts";
import { FakeBody } from "../support/fake_bytes.ts";
import type { Asked } from "../support/fake_exchange.ts";
import { RelayBench } from "../support/fake_relay.ts";
import { health, passive, retry, route } from "../support/fake_route.ts";
import { answer, hangs, later, type Step } from "../support/fake_transport.ts";

describe("createRelay() when an upstream dies mid-response", () => {
  it("cuts the client, counts it, and never goes elsewhere", async () => {
    const bench = new RelayBench(route({ passive: passive() }));
    bench.transport.on("a", answer(200, { body: new FakeBody(["part"], { end: "dies" }) }));
    const { exchange, account } = await bench.ask();
    assert.equal(exchange.received, "part");
    assert.deepEqual([account.status, account.outcome, account.bodyBytes], [200, "truncated", 4]);
    assert.deepEqual(bench.transport.asked, ["a"]);
    assert.equal(bench.entry("a").penalisedUntil(0), 30_000);
    assert.equal(bench.inFlight, 0);
  });
});

describe("createRelay() when the client leaves", () => {
  it("ends the attempt before a head came, and blames nobody", async () => {
    const bench = new RelayBench(
      route({ passive: passive(), health: health({ initState: "up" }) }),
    );
    bench.transport.on("a", hangs());
    const { exchange, done } = bench.start({ method: "POST", body: "body" });
    await bench.clock.advance(100);
    assert.equal(bench.inFlight, 1);
    exchange.leave();
    const { status, outcome, replyFields, upstream } = await done;
    assert.deepEqual([status, outcome, replyFields, upstream], [499, "abandoned", undefined, "a"]);
    assert.equal(bench.transport.attempts[0]?.signal.aborted, true);
    assert.equal(bench.entry("a").penalisedUntil(0), undefined);
    assert.equal(bench.entry("a").probeAsked, false);
    assert.equal(bench.inFlight, 0);
    assert.equal(bench.timersLeft, 0);
  });

  it("lets the response go amid its body", async () => {
    const body = new FakeBody(["part"], { end: "hangs" });
    const bench = new RelayBench(route({ passive: passive() }));
    bench.transport.on("a", answer(200, { body }));
    const { exchange, done } = bench.start();
    await bench.clock.advance(100);
    exchange.leave();
    const { status, outcome } = await done;
    assert.deepEqual([status, outcome], [200, "abandoned"]);
    assert.equal(body.cancelled, true);
    assert.equal(bench.entry("a").penalisedUntil(0), undefined);
    assert.equal(bench.inFlight, 0);
  });
});

describe("createRelay() in flight", () => {
  it("counts a request until its last byte, and spills over at max_requests", async () => {
    const slow = new FakeBody(["part"], { end: "hangs" });
    const bench = new RelayBench(route({ passive: passive({ requestsMax: 1 }) }));
    bench.transport.on("a", answer(200, { body: slow }));
    const first = bench.start();
    await bench.clock.advance(0);
    assert.equal(bench.entry("a").inFlight, 1);

    assert.equal((await bench.ask()).account.upstream, "b");
    slow.finish();
    await first.done;
    assert.equal(bench.entry("a").inFlight, 0);
    assert.equal((await bench.ask()).account.upstream, "a");
  });

  it("lets the answers go that retry.status replaces", async () => {
    const unwanted = new FakeBody(["no"]);
    const bench = new RelayBench(route({ retry: retry({ status: [{ from: 503, to: 503 }] }) }));
    bench.transport.on("a", answer(503, { body: unwanted }));
    await bench.ask();
    assert.equal(unwanted.cancelled, true);
    assert.equal(bench.inFlight, 0);
  });

  it("counts to the end of an old configuration's request", async () => {
    const bench = new RelayBench(route());
    const slow = new FakeBody(["part"], { end: "hangs" });
    bench.transport.on("a", answer(200, { body: slow }));
    const { done } = bench.start();
    await bench.clock.advance(0);
    bench.reload(route({ retry: retry({ attemptsMax: 1 }) }));
    assert.equal(bench.entry("a").inFlight, 1);
    slow.finish();
    await done;
    assert.equal(bench.entry("a").inFlight, 0);
  });
});

describe("createRelay() while draining", () => {
  it("asks clients to close, whoever answers", async () => {
    const bench = new RelayBench(route());
    bench.draining = true;
    for (const asked of [{}, { host: undefined }]) {
      const { exchange } = await bench.ask(asked);
      assert.equal(exchange.reply?.fields.get("connection"), "close");
    }
  });
});

describe("createRelay() with a newer least version of TLS", () => {
  const edge = {
    ...{ proof: () => undefined, secures: () => true, port: 443, ports: new Set([443]) },
    alternative: () => undefined,
  };
  const cases: [string, "1.2" | "1.3", string, string | undefined][] = [
    ["asks clients with an older one to close", "1.3", "TLSv1.2", "close"],
    ["lets those with it go on", "1.3", "TLSv1.3", undefined],
    ["lets all go on where both are spoken", "1.2", "TLSv1.2", undefined],
  ];
  for (const [title, minVersion, version, expected] of cases) {
    it(title, async () => {
      const bench = new RelayBench(route());
      bench.live.current = { ...bench.live.current, edge: { ...edge, minVersion } };
      const tls = {
        ...{ version, cipher: "", name: undefined, protocol: undefined },
        ...{ client: undefined, authorities: [] },
      };
      const { exchange } = await bench.ask({ tls, scheme: "https" });
      assert.equal(exchange.reply?.fields.get("connection"), expected);
    });
  }
});

describe("createRelay() beside HTTP/3", () => {
  const edge = {
    ...{ proof: () => undefined, secures: () => true, port: 443, ports: new Set([443]) },
    minVersion: "1.2" as const,
    alternative: (port: number | undefined, name: string | undefined) => `h3 ${port} ${name}`,
  };
  const tls = {
    ...{ version: "TLSv1.3", cipher: "", name: "a.test", protocol: "h2" },
    ...{ client: undefined, authorities: [] },
  };
  const cases: [string, Partial<Asked>, string | undefined][] = [
    ["tells clients of it", { tls }, "h3 443 a.test"],
    [
      "tells no client that must show a certificate",
      { tls: { ...tls, authorities: ["PEM"] } },
      undefined,
    ],
    ["tells no client in the clear", { scheme: "http" }, undefined],
  ];
  for (const [title, asked, expected] of cases) {
    it(title, async () => {
      const bench = new RelayBench(route());
      bench.live.current = { ...bench.live.current, edge };
      const { exchange } = await bench.ask({ scheme: "https", localPort: 443, ...asked });
      assert.equal(exchange.reply?.fields.get("alt-svc"), expected);
    });
  }
});

describe("createRelay() with an upgrade", () => {
  const tunnel: Tunnel = { goAway: () => {} };
  const upgraded: Step = answer(101, { tunnel });

  it("registers the tunnel for as long as it runs", async () => {
    const bench = new RelayBench(route({ streamCloseDelayMs: 7 }));
    bench.transport.on("a", upgraded);
    let seen: unknown[] = [];
    const { exchange, done } = bench.start({ upgrade: "websocket" });
    const answerIt = exchange.answer.bind(exchange);
    exchange.answer = (reply) => {
      seen = [...bench.tunnels];
      return answerIt(reply);
    };
    await done;
    assert.deepEqual(seen, [{ tunnel, upstreamId: "r/a", closeDelayMs: 7 }]);
    assert.equal(bench.tunnels.size, 0);
    assert.equal(bench.transport.attempts[0]?.upgrade, "websocket");
    assert.equal(bench.inFlight, 0);
  });

  it("leaves the head of an upgrade alone while draining", async () => {
    const bench = new RelayBench(route());
    bench.transport.on("a", upgraded);
    bench.draining = true;
    const { exchange } = await bench.ask({ upgrade: "websocket" });
    assert.equal(exchange.reply?.fields.has("connection"), false);
  });
});

describe("createRelay() with a bug", () => {
  const broken: Step = () => {
    throw new Error("Transport is broken");
  };

  it("answers 500, tells of it, and leaves nothing in flight", async () => {
    const bench = new RelayBench(route());
    bench.transport.on("a", broken);
    const { exchange, account } = await bench.ask();
    assert.equal(exchange.reply?.status, 500);
    assert.equal(exchange.reply.fields.get("connection"), "close");
    assert.equal(account.outcome, "error");
    assert.equal(bench.bugs.length, 1);
    assert.equal(bench.inFlight, 0);
  });

  it("lets go of an answer it kept", async () => {
    const body = new FakeBody(["kept"]);
    const bench = new RelayBench(route({ retry: retry({ status: [{ from: 503, to: 503 }] }) }));
    bench.transport.on("a", answer(503, { body })).on("b", broken);
    await bench.ask();
    assert.equal(body.cancelled, true);
    assert.equal(bench.inFlight, 0);
  });

  it("tells of it and leaves nothing in flight when the answer cannot be delivered", async () => {
    const body = new FakeBody(["lost"]);
    const bench = new RelayBench(route());
    bench.transport.on("a", later(Promise.resolve(), answer(200, { body })));
    const { exchange, done } = bench.start();
    exchange.answer = () => Promise.reject(new Error("Engine is broken"));
    await done;
    assert.equal(bench.bugs.length, 1);
    assert.equal(body.cancelled, true);
    assert.equal(bench.inFlight, 0);
  });

  it("goes on when whoever takes the account throws", async () => {
    const bench = new RelayBench(route());
    bench.accounts.push = () => {
      throw new Error("Ledger is broken");
    };
    const { exchange, done } = bench.start();
    await assert.rejects(done, /not accounted/);
    assert.equal(exchange.reply?.status, 200);
    assert.equal(bench.bugs.length, 1);
  });
});
