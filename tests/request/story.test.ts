/** What the account of a request keeps as data, for counters: the attempts lost, and the time to the first byte. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LostAttempt } from "../../src/model.ts";
import { RelayBench } from "../support/fake_relay.ts";
import { retry, route } from "../support/fake_route.ts";
import { poolOf, proxyTo, stepsRoute } from "../support/fake_steps.ts";
import { answer, hangs, notSent, sent } from "../support/fake_transport.ts";
import { settled } from "../support/manual_clock.ts";

describe("Story", () => {
  it("keeps no lost attempts when the first one answers", async () => {
    const bench = new RelayBench(route());
    bench.transport.on("a", answer(200));
    assert.deepEqual((await bench.ask()).account.lost, []);
  });

  it("tells which lost attempts were followed by another, and why they were lost", async () => {
    const statusToo = retry({ status: [{ from: 503, to: 503 }] });
    const bench = new RelayBench(route({ retry: statusToo }));
    bench.transport.on("a", answer(503));
    bench.transport.on("b", notSent("unreachable"));
    const { account } = await bench.ask();
    const expected: LostAttempt[] = [
      { upstream: "a", reason: "status", followed: true },
      { upstream: "b", reason: "unreachable", followed: false },
    ];
    assert.deepEqual(account.lost, expected);
  });

  it("does not take a lost attempt for followed when the request may not move on", async () => {
    const bench = new RelayBench(route());
    bench.transport.on("a", sent("closed"));
    const { account } = await bench.ask({ method: "POST", body: "x" });
    assert.deepEqual(account.lost, [{ upstream: "a", reason: "closed", followed: false }]);
  });

  it("follows the attempts of a pool that is asked first", async () => {
    const first = { kind: "forward_auth", pool: poolOf(["auth", "auth2"]), copy: [] } as const;
    const bench = new RelayBench(stepsRoute([first, proxyTo("app")]));
    bench.transport.on("auth", notSent("refused"));
    bench.transport.on("auth2", answer(204));
    bench.transport.on("app", answer(200));
    const { account } = await bench.ask();
    assert.deepEqual(account.lost, [{ upstream: "auth", reason: "refused", followed: true }]);
  });
});

describe("Account.firstByteMs", () => {
  it("ends where the answer's head goes out, before its body", async () => {
    const bench = new RelayBench(route());
    bench.transport.on("a", answer(200, { body: "whole" }));
    const { account } = await bench.ask();
    assert.equal(account.firstByteMs, 0);
  });

  it("is undefined when the client left before", async () => {
    const bench = new RelayBench(route());
    bench.transport.on("a", hangs());
    const { exchange, done } = bench.start();
    await settled();
    exchange.leave();
    assert.equal((await done).firstByteMs, undefined);
  });
});
