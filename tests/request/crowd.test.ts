/** Who counts as one client, and that many of them need no more than so much memory. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clientKey, Crowd } from "../../src/request/crowd.ts";

const ONE_A_SECOND = { requests: 1, perMs: 1000, burst: 1 };

describe("clientKey()", () => {
  const cases: [string, string, string, boolean][] = [
    ["two IPv4 addresses", "192.0.2.1", "192.0.2.2", false],
    ["an IPv4 address and itself within IPv6", "192.0.2.1", "::ffff:192.0.2.1", true],
    ["addresses of one IPv6 network", "2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true],
    ["spellings of one IPv6 network", "2001:db8::1", "2001:0DB8:0:0:1::", true],
    ["two IPv6 networks", "2001:db8:1:2::1", "2001:db8:1:3::1", false],
    ["an address with and without its zone", "fe80::1%eth0", "fe80::1", true],
    ["what is no address and another", "", "unix", false],
  ];
  for (const [title, one, other, same] of cases) {
    it(`takes ${title} for ${same ? "one client" : "two"}`, () => {
      assert.equal(clientKey(one) === clientKey(other), same);
    });
  }
});

describe("Crowd", () => {
  it("counts each client by itself", () => {
    const crowd = new Crowd();
    const waits = ["a", "b", "a", "b"].map((client) => crowd.count(client, 0, ONE_A_SECOND));
    assert.deepEqual(waits, [0, 0, 1000, 1000]);
  });

  it("forgets whoever came longest ago when there are too many", () => {
    const crowd = new Crowd(2);
    for (const client of ["a", "b", "a", "c"]) crowd.count(client, 0, ONE_A_SECOND);
    assert.equal(crowd.size, 2);
    assert.equal(crowd.count("a", 0, ONE_A_SECOND), 1000);
    assert.equal(crowd.count("b", 0, ONE_A_SECOND), 0);
  });

  it("stays within its bound whoever comes", () => {
    const crowd = new Crowd(100);
    for (let at = 0; at < 10_000; at++) crowd.count(`client ${at}`, at, ONE_A_SECOND);
    assert.equal(crowd.size, 100);
  });

  it("lets so many run at once, of each client", () => {
    const crowd = new Crowd();
    const first = crowd.enter("a", 2);
    assert.ok(first);
    assert.ok(crowd.enter("a", 2));
    assert.equal(crowd.enter("a", 2), undefined);
    assert.ok(crowd.enter("b", 2));
    first();
    assert.ok(crowd.enter("a", 2));
  });
});
