/** The relay beside its table: blame, penalties, what each attempt carries, what is told of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeBody } from "../support/fake_bytes.ts";
import { RelayBench } from "../support/fake_relay.ts";
import { health, passive, retry, route, upstream } from "../support/fake_route.ts";
import { echo, hangs, notSent, readsAndDies } from "../support/fake_transport.ts";

const POST = { method: "POST", body: "body" };
const MATCH = retry({
  match: [{
    kind: "all",
    of: [{ kind: "method", methods: ["POST"] }, { kind: "prefix", paths: ["/safe"] }],
  }],
});

describe("createRelay()", () => {
  it("blames no upstream for a body over the limit or cut by its client", async () => {
    const bodies = [new FakeBody(["123", "45"]), new FakeBody(["123"], { end: "dies" })];
    for (const body of bodies) {
      const bench = new RelayBench(route({ bodyLimitBytes: 4, passive: passive() }));
      bench.transport.on("a", readsAndDies());
      await bench.ask({ method: "PUT", body });
      assert.deepEqual(bench.transport.asked, ["a"]);
      assert.equal(bench.entry("a").penalisedUntil(0), undefined);
      assert.equal(bench.inFlight, 0);
    }
  });

  it("answers 503 with the seconds until a penalty ends when all are barred", async () => {
    const bench = new RelayBench(route({ passive: passive({ failDurationMs: 4_500 }) }));
    for (const name of ["a", "b"]) bench.entry(name).saw({ kind: "truncated" });
    const { exchange, account } = await bench.ask();
    assert.equal(exchange.reply?.status, 503);
    assert.equal(exchange.reply.fields.get("retry-after"), "5");
    assert.deepEqual([account.outcome, account.upstream], ["unavailable", undefined]);
    assert.deepEqual(bench.transport.attempts, []);
  });

  it("answers 503 without a promise when all are down", async () => {
    const bench = new RelayBench(route({ health: health() }));
    for (const name of ["a", "b"]) bench.probed(name, false);
    const { exchange } = await bench.ask();
    assert.equal(exchange.reply?.status, 503);
    assert.equal(exchange.reply.fields.has("retry-after"), false);
  });

  it("makes each attempt's fields for its own upstream", async () => {
    const upstreams = [
      upstream("a", { hostHeader: { kind: "upstream" } }),
      upstream("b", { hostHeader: { kind: "literal", value: "inner" } }),
    ];
    const bench = new RelayBench(route({ upstreams }));
    bench.transport.on("a", notSent());
    await bench.ask();
    assert.deepEqual(bench.transport.attempts.map(({ fields }) => fields.get("host")), [
      "a:80",
      "inner",
    ]);
  });

  it("forbids a reused connection to what must not be repeated, and only to that", async () => {
    const bench = new RelayBench(route({ retry: MATCH }));
    for (const method of ["GET", "POST", "PUT", "PATCH"]) await bench.ask({ method });
    await bench.ask({ method: "POST", target: "/safe" });
    assert.deepEqual(bench.transport.attempts.map(({ fresh }) => fresh), [
      false,
      true,
      false,
      true,
      false,
    ]);
  });

  it("tells of the upstream that answered, of bytes read and sent", async () => {
    const bench = new RelayBench(route());
    bench.transport.on("a", notSent()).on("b", echo());
    const { account } = await bench.ask({ ...POST, ip: "192.0.2.9" });
    const { upstream: name, readBytes, bodyBytes, clientIp, routeId, requestId } = account;
    assert.deepEqual({ name, readBytes, bodyBytes, clientIp, routeId, requestId }, {
      name: "b",
      readBytes: 4,
      bodyBytes: 6,
      clientIp: "192.0.2.9",
      routeId: "r",
      requestId: "id-1",
    });
  });

  it("sends no request anywhere when the client has left already", async () => {
    const bench = new RelayBench(route());
    bench.transport.on("a", hangs());
    const { exchange, done } = bench.start();
    exchange.leave();
    assert.equal((await done).status, 499);
    assert.equal(bench.inFlight, 0);
  });
});
