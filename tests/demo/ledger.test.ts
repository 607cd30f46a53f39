/** Visits begin once and end once, whoever says so first. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Ledger } from "../../src/demo/ledger.ts";

function visited() {
  const ledger = new Ledger();
  const client = new AbortController();
  let ended = 0;
  const visit = ledger.enter(client.signal, () => ended++);
  const counts = () => [ledger.stats().running, ledger.stats().aborted, ended];
  return { client, visit, counts };
}

describe("Ledger", () => {
  it("enter() counts a visit as running when it begins", () => {
    assert.deepEqual(visited().counts(), [1, 0, 0]);
  });

  it("enter() counts one abort when the client leaves in both ways", () => {
    const { client, visit, counts } = visited();
    client.abort();
    visit.leave();
    assert.deepEqual(counts(), [0, 1, 1]);
    assert.ok(visit.signal.aborted);
  });

  it("enter() counts no abort when the signal fires after the answer was whole", () => {
    const { client, visit, counts } = visited();
    visit.done();
    client.abort();
    assert.deepEqual(counts(), [0, 0, 1]);
    assert.ok(!visit.signal.aborted);
  });

  it("enter() counts an abort when the client had left before", () => {
    const ledger = new Ledger();
    const visit = ledger.enter(AbortSignal.abort(), () => {});
    assert.equal(ledger.stats().aborted, 1);
    assert.ok(visit.signal.aborted);
  });

  it("countGeneration() tells a tag that came twice", () => {
    const ledger = new Ledger();
    for (const tag of ["a", "b", "a", null]) ledger.countGeneration(tag);
    assert.deepEqual(ledger.stats().generated, { a: 2, b: 1 });
  });
});
