/** Requests that wait: for an upstream to come up, for a first verdict, for a first byte. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RelayBench } from "../support/fake_relay.ts";
import { health, passive, retry, route } from "../support/fake_route.ts";
import { answer, echo, hangs, later, notSent, sent } from "../support/fake_transport.ts";

const PROBED = health({ initState: "up" });

/** A bench whose upstreams are all down. */
function allDown(forMs: number): RelayBench {
  const bench = new RelayBench(route({ health: PROBED, retry: retry({ forMs }) }));
  for (const name of ["a", "b"]) bench.probed(name, false);
  return bench;
}

describe("retry.for", () => {
  it("lets a request wait until an upstream comes up", async () => {
    const bench = allDown(10_000);
    const { exchange, done } = bench.start();
    await bench.clock.advance(3_000);
    assert.equal(bench.accounts.length, 0);
    bench.probed("b", true);
    await bench.clock.advance(250);
    assert.equal((await done).upstream, "b");
    assert.equal(exchange.reply?.status, 200);
  });

  it("answers 503 when the time is up and none came", async () => {
    const bench = allDown(1_000);
    const { done } = bench.start();
    await bench.clock.advance(999);
    assert.equal(bench.accounts.length, 0);
    await bench.clock.advance(251);
    assert.equal((await done).status, 503);
  });

  it("tries all again after each pause, and answers 502 when all fail to the end", async () => {
    const bench = new RelayBench(route({ retry: retry({ forMs: 500 }) }));
    for (const name of ["a", "b"]) bench.transport.on(name, notSent());
    const { done } = bench.start();
    await bench.clock.advance(1_000);
    const { status, attempts, failures } = await done;
    assert.deepEqual([status, attempts, failures.length], [502, 6, 6]);
    assert.equal(bench.transport.asked.join(""), "ababab");
  });

  it("counts every pass against retry.attempts", async () => {
    const rules = retry({ forMs: 60_000, attemptsMax: 3 });
    const bench = new RelayBench(route({ retry: rules }));
    for (const name of ["a", "b"]) bench.transport.on(name, notSent());
    const { done } = bench.start();
    await bench.clock.advance(1_000);
    assert.equal((await done).attempts, 3);
  });

  it("keeps the body for a POST that was never sent", async () => {
    const bench = new RelayBench(route({ retry: retry({ forMs: 1_000 }) }));
    bench.transport.on("a", notSent(), echo()).on("b", notSent());
    const { exchange, done } = bench.start({ method: "POST", body: "body" });
    await bench.clock.advance(250);
    await done;
    assert.equal(exchange.received, "a:body");
  });

  it("does not give a sent POST another pass", async () => {
    const bench = new RelayBench(route({ retry: retry({ forMs: 10_000 }) }));
    bench.transport.on("a", sent());
    const { account } = await bench.ask({ method: "POST", body: "body" });
    assert.deepEqual([account.status, account.attempts], [502, 1]);
  });

  it("survives a reload and goes on with the new upstreams", async () => {
    const bench = allDown(10_000);
    const { exchange, done } = bench.start();
    await bench.clock.advance(1_000);
    bench.reload(route({ health: undefined }));
    await bench.clock.advance(250);
    await done;
    assert.equal(exchange.reply?.status, 200);
    assert.equal(bench.inFlight, 0);
  });

  it("goes on with the old ones when its route is gone", async () => {
    const bench = allDown(1_000);
    const { done } = bench.start();
    bench.reload();
    await bench.clock.advance(2_000);
    assert.equal((await done).status, 503);
  });

  it("ends at once when the client leaves", async () => {
    const bench = allDown(60_000);
    const { exchange, done } = bench.start();
    await bench.clock.advance(1_000);
    exchange.leave();
    const { status, outcome } = await done;
    assert.deepEqual([status, outcome], [499, "abandoned"]);
    assert.equal(bench.timersLeft, 0);
    assert.equal(exchange.reply, undefined);
  });

  it("gives the answer it kept when the time is up", async () => {
    const rules = retry({ forMs: 500, status: [{ from: 503, to: 503 }] });
    const bench = new RelayBench(route({ retry: rules }));
    for (const name of ["a", "b"]) bench.transport.on(name, answer(503, { body: name }));
    const { exchange, done } = bench.start();
    await bench.clock.advance(1_000);
    assert.equal((await done).attempts, 6);
    assert.equal(exchange.reply?.status, 503);
    assert.equal(exchange.received, "b");
    assert.equal(bench.inFlight, 0);
  });

  it("lets a kept answer go when the client leaves meanwhile", async () => {
    const rules = retry({ forMs: 500, status: [{ from: 503, to: 503 }] });
    const bench = new RelayBench(route({ retry: rules }));
    for (const name of ["a", "b"]) bench.transport.on(name, answer(503, { body: name }));
    const { exchange, done } = bench.start();
    await bench.clock.advance(100);
    exchange.leave();
    assert.equal((await done).status, 499);
    assert.equal(bench.inFlight, 0);
  });
});

describe("a first verdict", () => {
  it("is waited for, rather than send the first request into the unknown", async () => {
    const bench = new RelayBench(route({ health: health() }));
    const { done } = bench.start();
    await bench.clock.advance(1_000);
    assert.deepEqual(bench.transport.asked, []);
    bench.probed("a", false);
    await bench.clock.advance(0);
    assert.deepEqual(bench.transport.asked, [], "the next one is not known either");
    bench.probed("b", true);
    assert.equal((await done).upstream, "b");
  });

  it("is not waited for by a client that leaves", async () => {
    const bench = new RelayBench(route({ health: health() }));
    const { exchange, done } = bench.start();
    await bench.clock.advance(10);
    exchange.leave();
    assert.equal((await done).status, 499);
  });
});

describe("an upstream that turns down while requests wait for a first byte", () => {
  it("loses those that may be repeated to the next one, at once", async () => {
    const bench = new RelayBench(route({ health: PROBED, passive: passive() }));
    bench.transport.on("a", hangs());
    const { exchange, done } = bench.start();
    await bench.clock.advance(1_000);
    bench.probed("a", false);
    const { failures, upstream } = await done;
    assert.deepEqual([failures, upstream], [["a: went_down (sent)"], "b"]);
    assert.equal(exchange.reply?.status, 200);
    assert.equal(bench.inFlight, 0);
  });

  it("loses a POST that was not sent yet", async () => {
    const bench = new RelayBench(route({ health: PROBED }));
    bench.transport.on("a", hangs("before")).on("b", echo());
    const { exchange, done } = bench.start({ method: "POST", body: "body" });
    await bench.clock.advance(1_000);
    bench.probed("a", false);
    await done;
    assert.equal(exchange.received, "b:body");
  });

  it("keeps a POST that was sent", async () => {
    const bench = new RelayBench(route({ health: PROBED }));
    let release: () => void = () => {};
    const late = new Promise<void>((resolve) => (release = resolve));
    bench.transport.on("a", later(late, answer(200, { body: "late" })));
    const { exchange, done } = bench.start({ method: "POST", body: "body" });
    await bench.clock.advance(1_000);
    bench.probed("a", false);
    await bench.clock.advance(1_000);
    release();
    await done;
    assert.equal(exchange.received, "late");
  });

  it("loses a sent POST too when retry.rescue is on", async () => {
    const bench = new RelayBench(route({ health: PROBED, retry: retry({ rescue: true }) }));
    bench.transport.on("a", hangs()).on("b", echo());
    const { exchange, done } = bench.start({ method: "POST", body: "body" });
    await bench.clock.advance(1_000);
    bench.probed("a", false);
    await done;
    assert.equal(exchange.received, "b:body");
  });
});

describe("retry.side_probe", () => {
  it("asks for a probe once a first byte is late, and not of an answer that came", async () => {
    const bench = new RelayBench(route({ health: PROBED }));
    bench.transport.on("a", hangs());
    const { exchange, done } = bench.start();
    await bench.clock.advance(10_000);
    assert.equal(bench.entry("a").probeAsked, false);
    await bench.clock.advance(250);
    assert.equal(bench.entry("a").probeAsked, true);
    exchange.leave();
    await done;
    assert.equal(bench.timersLeft, 0);
  });
});

describe("a wait longer than retry.side_probe", () => {
  const sideProbeMs = 500;
  /** Deadlines are met a tick late. */
  const overdueMs = sideProbeMs + 250;
  const POST = { method: "POST", body: "body" };

  /** A bench where "a" says nothing and "b" would echo. */
  function silent(rules: { rescue?: boolean; probed?: boolean }): RelayBench {
    const bench = new RelayBench(route({
      health: rules.probed === false ? undefined : PROBED,
      passive: passive(),
      retry: retry({ sideProbeMs, rescue: rules.rescue ?? false }),
    }));
    bench.transport.on("a", hangs()).on("b", echo());
    return bench;
  }

  it("ends with 502 when its upstream is found dead and it may not be repeated", async () => {
    const bench = silent({});
    const { done } = bench.start(POST);
    await bench.clock.advance(overdueMs);
    bench.probed("a", false);
    const { status, failures } = await done;
    assert.deepEqual([status, failures], [502, ["a: went_down (sent)"]]);
    assert.deepEqual([bench.inFlight, bench.timersLeft], [0, 0]);
    assert.notEqual(bench.entry("a").penalisedUntil(bench.clock.elapsed()), undefined);
  });

  it("ends also when its upstream was down long before, and goes on while it is younger", async () => {
    const bench = silent({});
    const older = bench.start(POST);
    await bench.clock.advance(overdueMs - 1);
    const younger = bench.start(POST);
    bench.probed("a", false);
    await bench.clock.advance(1);
    assert.equal(bench.accounts.length, 0);
    assert.equal(bench.entry("a").probeAsked, true);
    bench.probed("a", false);
    assert.equal((await older.done).status, 502);
    assert.equal(bench.accounts.length, 1);
    younger.exchange.leave();
    await younger.done;
  });

  it("goes on when its upstream answers probes, be it badly", async () => {
    const bench = silent({});
    const { exchange, done } = bench.start(POST);
    await bench.clock.advance(overdueMs);
    bench.probed("a", false, false);
    await bench.clock.advance(overdueMs);
    assert.equal(bench.accounts.length, 0);
    exchange.leave();
    await done;
  });

  it("asks for another probe each time it has passed again", async () => {
    const bench = silent({});
    const { exchange, done } = bench.start(POST);
    for (let round = 0; round < 3; round++) {
      bench.entry("a").probeAsked = false;
      await bench.clock.advance(overdueMs);
      assert.equal(bench.entry("a").probeAsked, true);
    }
    exchange.leave();
    await done;
    assert.equal(bench.timersLeft, 0);
  });

  it("is decided by a dial where nothing is probed", async () => {
    const bench = silent({ probed: false });
    const { done } = bench.start(POST);
    await bench.clock.advance(3 * overdueMs);
    assert.equal(bench.accounts.length, 0);
    bench.transport.canReach = false;
    await bench.clock.advance(overdueMs);
    assert.equal((await done).status, 502);
    assert.equal(bench.timersLeft, 0);
  });

  it("moves to the next upstream where a dial decides and retry.rescue is on", async () => {
    const bench = silent({ probed: false, rescue: true });
    bench.transport.canReach = false;
    const { exchange, done } = bench.start(POST);
    await bench.clock.advance(overdueMs);
    await done;
    assert.equal(exchange.received, "b:body");
  });
});

describe("idle_interval", () => {
  it("hears of a request for every upstream that it would rather have gone to", async () => {
    const bench = new RelayBench(route({ health: health({ idleIntervalMs: 60_000 }) }));
    bench.probed("a", false);
    bench.probed("b", true);
    await bench.clock.advance(5_000);
    await bench.ask();
    assert.equal(bench.entry("a").lastWantedAt, 5_000);
    assert.equal(bench.entry("b").lastWantedAt, 5_000);
  });
});
