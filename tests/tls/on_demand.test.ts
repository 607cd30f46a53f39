/** Certificates for names that are known only when somebody asks for them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Identity } from "../../src/tls/issuer.ts";
import { mayMake, OnDemand } from "../../src/tls/on_demand.ts";
import { identity, workshop } from "../support/fake_tls.ts";
import { ManualClock, settled } from "../support/manual_clock.ts";

const DAY_MS = 86_400_000;

function scene() {
  const clock = new ManualClock();
  const asked: string[] = [];
  const failed: string[] = [];
  const held: { problem: string | undefined; gate: Promise<void> | undefined } = {
    problem: undefined,
    gate: undefined,
  };
  const life = { days: 3 };
  const onDemand = new OnDemand({
    clock,
    workshop,
    issue: async (name): Promise<Identity> => {
      asked.push(name);
      await held.gate;
      if (held.problem !== undefined) throw new Error(held.problem);
      return identity([name], { from: clock.now(), ...life }, `${name}-${asked.length}`);
    },
    failed: (name, reason) => failed.push(`${name}: ${reason}`),
  });
  return { clock, asked, failed, held, life, onDemand };
}

describe("OnDemand", () => {
  it("find() makes a certificate once, however many ask", async () => {
    const { onDemand, asked } = scene();
    const found = await Promise.all(
      ["a.lan", "a.lan"].map(async (name) => await onDemand.find(name)),
    );
    assert.equal(found[0], found[1]);
    assert.equal(await onDemand.find("a.lan"), found[0]);
    assert.deepEqual(asked, ["a.lan"]);
  });

  it("find() renews behind the old one's back, and waits only for one that has expired", async () => {
    const { onDemand, clock, asked } = scene();
    const first = await onDemand.find("a.lan");
    await clock.advance(2.5 * DAY_MS);
    assert.equal(onDemand.find("a.lan"), first);
    await settled();
    assert.equal((await onDemand.find("a.lan"))?.facts.serial, "a.lan-2");
    await clock.advance(4 * DAY_MS);
    assert.equal((await onDemand.find("a.lan"))?.facts.serial, "a.lan-3");
    assert.equal(asked.length, 3);
  });

  it("find() has none where none can be made, says why, and tries again in a moment", async () => {
    const { clock, onDemand, failed, asked, held } = scene();
    held.problem = "no root";
    assert.equal(await onDemand.find("a.lan"), undefined);
    assert.deepEqual(failed, ["a.lan: no root"]);
    held.problem = undefined;
    for (const name of ["a.lan", "b.lan"]) assert.equal(await onDemand.find(name), undefined);
    assert.deepEqual(asked, ["a.lan"], "each handshake asked again");
    await clock.advance(2_000);
    assert.equal((await onDemand.find("a.lan"))?.facts.names[0], "a.lan");
  });

  it("find() makes no new one for each handshake where they end as they come", async () => {
    const { clock, onDemand, asked, life } = scene();
    life.days = 0;
    for (let at = 0; at < 5; at++) await onDemand.find("a.lan");
    assert.equal(asked.length, 1);
    await clock.advance(60_000);
    await onDemand.find("a.lan");
    assert.equal(asked.length, 2);
  });

  it("known() knows what was made, for as long as it lives", async () => {
    const { clock, onDemand } = scene();
    assert.equal(onDemand.known("a.lan"), undefined);
    const made = await onDemand.find("a.lan");
    assert.equal(onDemand.known("a.lan"), made);
    await clock.advance(3 * DAY_MS);
    assert.equal(onDemand.known("a.lan"), undefined);
  });

  it("find() makes so many at once and no more", async () => {
    const { onDemand, held, asked } = scene();
    const gate = Promise.withResolvers<void>();
    held.gate = gate.promise;
    const many = Array.from({ length: 40 }, async (_, at) => await onDemand.find(`x${at}.lan`));
    await settled();
    assert.equal(asked.length, 16);
    gate.resolve();
    const made = (await Promise.all(many)).filter((one) => one !== undefined);
    assert.equal(made.length, 16);
  });

  it("find() forgets the name that was asked for longest ago", async () => {
    const { onDemand, asked } = scene();
    for (let at = 0; at < 1000; at++) await onDemand.find(`x${at}.lan`);
    await onDemand.find("x0.lan");
    await onDemand.find("one.more.lan");
    await onDemand.find("x0.lan");
    assert.equal(asked.length, 1001);
    await onDemand.find("x1.lan");
    assert.equal(asked.length, 1002);
  });
});

describe("mayMake()", () => {
  const cases: [string, boolean, boolean][] = [
    ["a.lan", true, true],
    ["bare", true, true],
    ["192.0.2.1", true, true],
    ["fd00::1", true, true],
    ["a.example.com", false, true],
    ["*.lan", false, false],
    ["*", false, false],
    ["a b", false, false],
    ["a..lan", false, false],
    ["a.lan.", false, false],
    [".lan", false, false],
    ["-a.lan", false, false],
    ["a\0.lan", false, false],
    ["b\u00fccher.lan", false, false],
    ["1.2.3", false, false],
    ["fd00::1%eth0", false, false],
    [`${"a".repeat(64)}.lan`, false, false],
    [`${"a.".repeat(126)}lan`, false, false],
    ["", false, false],
  ];
  for (const [name, byPrivate, byAny] of cases) {
    it(`mayMake() is ${byPrivate}, ${byAny} for ${JSON.stringify(name.slice(0, 20))}`, () => {
      assert.equal(mayMake(name, "private"), byPrivate);
      assert.equal(mayMake(name, "any"), byAny);
      assert.equal(mayMake(name, "none"), false);
    });
  }
});
