/** Certificates for names that are known only when somebody asks for them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Identity } from "../../src/tls/issuer.ts";
import { OnDemand } from "../../src/tls/on_demand.ts";
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
  const onDemand = new OnDemand({
    clock,
    workshop,
    issue: async (name): Promise<Identity> => {
      asked.push(name);
      await held.gate;
      if (held.problem !== undefined) throw new Error(held.problem);
      return identity([name], { from: clock.now(), days: 3 }, `${name}-${asked.length}`);
    },
    failed: (name, reason) => failed.push(`${name}: ${reason}`),
  });
  return { clock, asked, failed, held, onDemand };
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

  it("find() has none where none can be made, says why, and tries again", async () => {
    const { onDemand, failed, held } = scene();
    held.problem = "no root";
    assert.equal(await onDemand.find("a.lan"), undefined);
    assert.deepEqual(failed, ["a.lan: no root"]);
    held.problem = undefined;
    assert.equal((await onDemand.find("a.lan"))?.facts.names[0], "a.lan");
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
