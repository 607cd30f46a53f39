/** What a pool asks of its upstreams besides the request as it came, and what moves a request on. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Tunnel } from "../../src/model.ts";
import { parseIp } from "../../src/ip.ts";
import type { RetryRules } from "../../src/rules.ts";
import { RelayBench } from "../support/fake_relay.ts";
import { retry, route, text } from "../support/fake_route.ts";
import { byMethod, rewriteRules, under } from "../support/fake_steps.ts";
import { answer, echo, later, readsAndDies } from "../support/fake_transport.ts";

describe("createRelay() with a pool's rewrite", () => {
  it("asks upstreams in other words than the client used", async () => {
    const bench = new RelayBench(
      route({
        rewrite: rewriteRules({ stripPrefix: text("/api") }),
        headers: {
          request: {
            ...{ remove: [], replace: [], add: [], fallback: [] },
            set: [{ name: "X-Uri", value: text({ name: "uri" }) }],
          },
          response: { remove: [], replace: [], set: [], add: [], fallback: [] },
        },
      }),
    );
    bench.transport.on("a", echo());
    const { exchange } = await bench.ask({ method: "PUT", target: "/api/x?y", body: "body" });
    const [asked] = bench.transport.attempts;
    assert.deepEqual([asked?.method, asked?.target], ["PUT", "/x?y"]);
    assert.equal(asked?.fields.get("x-uri"), "/api/x?y");
    assert.equal(exchange.received, "a:body");
  });

  it("judges by the method that upstreams see whether a request may be repeated", async () => {
    const bench = new RelayBench(route({ rewrite: rewriteRules({ method: text("POST") }) }));
    bench.transport.on("a", readsAndDies());
    const { account } = await bench.ask({ method: "GET" });
    assert.deepEqual([account.status, bench.transport.asked], [502, ["a"]]);
  });
});

describe("createRelay() with a pool's own trusted peers", () => {
  const forged = { fields: [["X-Forwarded-For", "6.6.6.6"]] as const, ip: "10.0.0.1" };
  const cases: [string, string, string][] = [
    ["believes them", "10.0.0.1", "6.6.6.6, 10.0.0.1"],
    ["believes no others", "10.0.0.2", "10.0.0.1"],
  ];
  for (const [title, trusted, expected] of cases) {
    it(title, async () => {
      const block = { bytes: parseIp(trusted) ?? [], bits: 32 };
      const bench = new RelayBench(route({ trustedProxies: [block] }));
      const { account } = await bench.ask(forged);
      const [asked] = bench.transport.attempts;
      assert.equal(asked?.fields.joined("x-forwarded-for"), expected);
      assert.equal(account.clientIp, "10.0.0.1");
    });
  }
});

describe("createRelay() with retry.responses", () => {
  const unwanted: RetryRules["responses"] = [{
    request: { kind: "all", of: [byMethod("GET"), under("/x")] },
    response: { status: [{ from: 500, to: 599 }], headers: [{ name: "X-Retry", values: ["yes"] }] },
  }, { request: undefined, response: { status: [{ from: 429, to: 429 }], headers: [] } }];
  const RETRY = [["X-Retry", "yes"]] as const;
  const cases: [string, ReturnType<typeof answer>, string, string][] = [
    ["moves on", answer(503, { fields: RETRY }), "/x", "a b"],
    ["keeps another status", answer(404, { fields: RETRY }), "/x", "a"],
    ["keeps what lacks the field", answer(503), "/x", "a"],
    ["keeps another request's", answer(503, { fields: RETRY }), "/y", "a"],
    ["moves on by any of its rules", answer(429), "/y", "a b"],
  ];
  for (const [title, play, target, asked] of cases) {
    it(title, async () => {
      const bench = new RelayBench(route({ retry: retry({ responses: unwanted }) }));
      bench.transport.on("a", play);
      await bench.ask({ target });
      assert.equal(bench.transport.asked.join(" "), asked);
      assert.equal(bench.inFlight, 0);
    });
  }

  it("gives the last upstream's own answer when all are unwanted", async () => {
    const bench = new RelayBench(route({ retry: retry({ responses: unwanted }) }));
    bench.transport.on("a", answer(429, { body: "a" })).on("b", answer(429, { body: "b" }));
    const { exchange } = await bench.ask();
    assert.deepEqual([exchange.reply?.status, exchange.received], [429, "b"]);
  });
});

describe("createRelay() with retry.idempotent off", () => {
  it("repeats only what retry.match names", async () => {
    const rules = retry({ idempotent: false, match: [under("/safe")] });
    for (const [target, asked] of [["/", "a"], ["/safe", "a b"]] as const) {
      const bench = new RelayBench(route({ retry: rules }));
      bench.transport.on("a", readsAndDies());
      await bench.ask({ target });
      assert.equal(bench.transport.asked.join(" "), asked);
    }
  });

  it("asks matchers about all of a request", async () => {
    const match = [{ kind: "header", name: "X-Safe", values: ["*"] }] as const;
    const bench = new RelayBench(route({ retry: retry({ match }) }));
    bench.transport.on("a", readsAndDies());
    await bench.ask({ method: "POST", fields: [["x-safe", "1"]] });
    assert.equal(bench.transport.asked.join(" "), "a b");
  });
});

describe("createRelay() with stream_timeout", () => {
  it("ends an upgraded connection after it, and sets no timer otherwise", async () => {
    let gone = 0;
    const ended = Promise.withResolvers<void>();
    const tunnel: Tunnel = {
      goAway() {
        gone++;
        ended.resolve();
      },
    };
    const bench = new RelayBench(route({ streamTimeoutMs: 5_000 }));
    bench.transport.on("a", later(Promise.resolve(), answer(101, { tunnel })));
    const { exchange, done } = bench.start({ upgrade: "websocket" });
    exchange.answer = async () => {
      await ended.promise;
      return { end: "whole", bodyBytes: 0 };
    };
    await bench.clock.advance(4_999);
    assert.equal(gone, 0);
    await bench.clock.advance(1);
    await done;
    assert.deepEqual([gone, bench.clock.pending, bench.inFlight], [1, 0, 0]);
  });
});
