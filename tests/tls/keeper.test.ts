/** The life of a certificate that is kept good: from the store, ordered, renewed, and what goes wrong. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { identityFile } from "../../src/tls/identity_file.ts";
import type { Course } from "../../src/tls/course.ts";
import { Keeper } from "../../src/tls/keeper.ts";
import { Shelf } from "../../src/tls/shelf.ts";
import { Turns } from "../../src/tls/turns.ts";
import { certificate, FakeIssuer, identity, workshop } from "../support/fake_tls.ts";
import { MemoryStore } from "../support/memory_store.ts";
import { ManualClock, settled } from "../support/manual_clock.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const PATH = "certificates/first/a.example.pem";
const RULES = certificate(["a.example"]);

class Scene {
  readonly clock = new ManualClock();
  readonly store = new MemoryStore();
  readonly shelf = new Shelf();
  readonly courses: Course[] = [];
  readonly questions = new Turns(1);
  readonly first = new FakeIssuer("first", () => this.clock.now());
  readonly second = new FakeIssuer("second", () => this.clock.now());
  /** Why the store cannot be opened. */
  closed: string | undefined;
  keeper!: Keeper;

  async run(issuers = [this.first]): Promise<this> {
    this.keeper = new Keeper(RULES, issuers, {
      clock: this.clock,
      random: () => 0,
      workshop,
      shelf: this.shelf,
      turns: new Turns(4),
      questions: this.questions,
      store: () => {
        return this.closed === undefined
          ? Promise.resolve(this.store)
          : Promise.reject(new Error(this.closed));
      },
      tell: (_, course) => this.courses.push(course),
    });
    void this.keeper.run();
    await settled();
    return this;
  }

  get told(): string[] {
    return this.courses.map((course) =>
      "reason" in course ? `${course.kind}: ${course.reason}` : course.kind
    );
  }

  get serial(): string | undefined {
    return this.shelf.get(RULES.id)?.facts.serial;
  }

  put(daysOld: number, days = 90, serial = "stored"): void {
    const from = this.clock.now() - daysOld * DAY_MS;
    this.store.files.set(PATH, identityFile(identity(["a.example"], { from, days }, serial)));
  }
}

describe("Keeper", () => {
  it("run() orders a certificate where there is none, shows and stores it", async () => {
    const scene = await new Scene().run();
    await scene.keeper.ready;
    assert.deepEqual(scene.first.orders, [{ names: ["a.example"], replaced: undefined }]);
    assert.equal(scene.serial, "first-1");
    assert.deepEqual(scene.told, ["issued"]);
    assert.match(scene.store.files.get(PATH) ?? "", /CERTIFICATE[\s\S]*PRIVATE KEY/);
    scene.keeper.stop();
    assert.equal(scene.clock.pending, 0);
  });

  it("run() takes a good one from the store and orders nothing", async () => {
    const scene = new Scene();
    scene.put(10);
    await scene.run();
    assert.equal(scene.serial, "stored");
    assert.equal(scene.first.orders.length, 0);
    assert.deepEqual(scene.told, ["loaded"]);
    scene.keeper.stop();
  });

  it("run() renews at two thirds of the life, naming what it replaces", async () => {
    const scene = new Scene();
    scene.put(10);
    await scene.run();
    await scene.clock.advance(50 * DAY_MS - HOUR_MS);
    assert.equal(scene.first.orders.length, 0);
    await scene.clock.advance(2 * HOUR_MS);
    assert.equal(scene.first.orders.length, 1);
    assert.match(scene.first.orders[0]?.replaced ?? "", /BEGIN CERTIFICATE/);
    assert.equal(scene.serial, "first-1");
    assert.deepEqual(scene.told, ["loaded", "renewed"]);
    scene.keeper.stop();
  });

  it("run() shows one from the store that is due, and renews it at once", async () => {
    const scene = new Scene();
    scene.put(70);
    await scene.run();
    assert.deepEqual(scene.told, ["loaded", "renewed"]);
    scene.keeper.stop();
  });

  for (
    const [title, file] of [
      ["expired", undefined],
      ["torn", "-----BEGIN CERTIFICATE-----\nAAAA"],
      ["of another make", "hello"],
    ] as const
  ) {
    it(`run() takes a stored one that is ${title} for none`, async () => {
      const scene = new Scene();
      if (file === undefined) scene.put(91);
      else scene.store.files.set(PATH, file);
      await scene.run();
      assert.deepEqual(scene.told, ["issued"]);
      scene.keeper.stop();
    });
  }

  it("run() goes on showing the old one while renewals fail, and pauses longer and longer", async () => {
    const scene = new Scene();
    scene.put(59);
    await scene.run();
    scene.first.problem = { reason: "authority is away" };
    await scene.clock.advance(2 * DAY_MS);
    assert.equal(scene.serial, "stored");
    const failures = scene.first.orders.length;
    assert.ok(failures >= 8 && failures <= 14, `${failures} attempts in a day`);
    assert.equal(scene.keeper.problem, "authority is away");

    scene.first.problem = undefined;
    await scene.clock.advance(7 * HOUR_MS);
    assert.equal(scene.serial, `first-${scene.first.orders.length}`);
    assert.equal(scene.keeper.problem, undefined);
    assert.equal(scene.told.at(-1), "renewed");
    scene.keeper.stop();
  });

  it("run() waits as long as the authority asks for", async () => {
    const scene = new Scene();
    scene.first.problem = { reason: "rateLimited", retryAfterMs: 5 * HOUR_MS };
    await scene.run();
    await scene.clock.advance(5 * HOUR_MS - 1000);
    assert.equal(scene.first.orders.length, 1);
    await scene.clock.advance(2000);
    assert.equal(scene.first.orders.length, 2);
    scene.keeper.stop();
  });

  it("ready settles after a first failure, too", async () => {
    const scene = new Scene();
    scene.first.problem = { reason: "no" };
    await scene.run();
    await scene.keeper.ready;
    assert.equal(scene.serial, undefined);
    assert.deepEqual(scene.told, ["failed: no"]);
    scene.keeper.stop();
  });

  it("run() turns to the next issuer where the first gives none, and back for the renewal", async () => {
    const scene = new Scene();
    scene.first.problem = { reason: "away" };
    await scene.run([scene.first, scene.second]);
    assert.equal(scene.serial, "second-1");
    assert.deepEqual(scene.told, ["issued"]);
    scene.first.problem = undefined;
    await scene.clock.advance(61 * DAY_MS);
    assert.equal(scene.serial, "first-2");
    assert.deepEqual([...scene.store.files.keys()], [
      "certificates/second/a.example.pem",
      "certificates/first/a.example.pem",
    ]);
    scene.keeper.stop();
  });

  it("run() tells why each issuer gave none by the last of them", async () => {
    const scene = new Scene();
    scene.first.problem = { reason: "away" };
    scene.second.problem = { reason: "no account" };
    await scene.run([scene.first, scene.second]);
    assert.deepEqual(scene.told, ["failed: no account"]);
    scene.keeper.stop();
  });

  it("run() takes what another process has renewed meanwhile instead of ordering", async () => {
    const scene = new Scene();
    scene.put(59);
    await scene.run();
    scene.store.inTurn = () => scene.put(0, 90, "neighbour");
    await scene.clock.advance(2 * DAY_MS);
    assert.equal(scene.first.orders.length, 0);
    assert.equal(scene.serial, "neighbour");
    scene.keeper.stop();
  });

  it("run() shows a certificate that cannot be stored, and orders no other", async () => {
    const scene = new Scene();
    scene.store.full = "the disk is full";
    await scene.run();
    assert.equal(scene.serial, "first-1");
    assert.deepEqual(scene.told, ["issued", "unsaved: the disk is full"]);
    await scene.clock.advance(DAY_MS);
    assert.equal(scene.first.orders.length, 1);
    scene.keeper.stop();
  });

  it("run() tells of a store that cannot be opened, and tries again", async () => {
    const scene = new Scene();
    scene.closed = "permission denied";
    await scene.run();
    assert.deepEqual(scene.told, ["failed: permission denied"]);
    scene.closed = undefined;
    await scene.clock.advance(31_000);
    assert.deepEqual(scene.told, ["failed: permission denied", "issued"]);
    scene.keeper.stop();
  });

  it("run() follows the window that the authority suggests, also when it is moved up", async () => {
    const scene = new Scene();
    const { clock, first } = scene;
    first.advice = {
      from: clock.now() + 40 * DAY_MS,
      to: clock.now() + 41 * DAY_MS,
      againMs: 6 * HOUR_MS,
    };
    await scene.run();
    await clock.advance(2 * DAY_MS);
    assert.ok(first.asked >= 8, `asked ${first.asked} times in two days`);
    assert.equal(first.orders.length, 1);
    // As after an incident: all certificates are to be renewed now (RFC 9773 section 4.1).
    first.advice = { from: clock.now() - HOUR_MS, to: clock.now() - 1, againMs: 6 * HOUR_MS };
    await clock.advance(6 * HOUR_MS);
    assert.equal(first.orders.length, 2);
    scene.keeper.stop();
  });

  it("run() does not put a renewal off each time it asks", async () => {
    const scene = new Scene();
    const { clock, first } = scene;
    const from = clock.now() + DAY_MS;
    first.advice = { from, to: from + 10 * DAY_MS, againMs: HOUR_MS };
    await scene.run();
    const planned = scene.keeper.nextAt;
    await clock.advance(DAY_MS / 2);
    assert.equal(scene.keeper.nextAt, planned);
    scene.keeper.stop();
  });

  it("run() notices after a long sleep of the machine that it is late", async () => {
    const scene = new Scene();
    scene.put(10);
    await scene.run();
    // Timers stand still while a machine sleeps; the wall clock does not.
    const asleep = 55 * DAY_MS;
    const now = scene.clock.now.bind(scene.clock);
    scene.clock.now = () => now() + asleep;
    await scene.clock.advance(11 * 60_000);
    assert.equal(scene.first.orders.length, 1);
    scene.keeper.stop();
  });

  it("renew() asks for another one at once, whatever the plan", async () => {
    const scene = await new Scene().run();
    assert.equal(await scene.keeper.renew(), undefined);
    assert.equal(scene.serial, "first-2");
    assert.deepEqual(scene.told, ["issued", "renewed"]);
    scene.keeper.stop();
  });

  it("renew() ends a pause, and tells why there is none", async () => {
    const scene = new Scene();
    scene.first.problem = { reason: "away", retryAfterMs: 5 * HOUR_MS };
    await scene.run();
    assert.equal(await scene.keeper.renew(), "away");
    scene.first.problem = undefined;
    assert.equal(await scene.keeper.renew(), undefined);
    assert.equal(scene.serial, "first-3");
    scene.keeper.stop();
    assert.equal(await scene.keeper.renew(), "the certificate is kept no more");
    assert.equal(scene.clock.pending, 0);
  });

  it("revoke() replaces a certificate before it tells everybody not to trust it", async () => {
    const scene = await new Scene().run();
    const before = scene.shelf.get(RULES.id)?.identity.chain;
    assert.equal(await scene.keeper.revoke("key_compromise"), undefined);
    assert.equal(scene.serial, "first-2");
    assert.deepEqual(scene.first.revoked, [{ chain: before, reason: "key_compromise" }]);
    scene.keeper.stop();
  });

  it("revoke() leaves a certificate alone that nothing can take the place of", async () => {
    const scene = await new Scene().run();
    scene.first.problem = { reason: "away" };
    assert.equal(await scene.keeper.revoke("superseded"), "away");
    assert.deepEqual([scene.serial, scene.first.revoked], ["first-1", []]);
    scene.keeper.stop();
  });

  it("run() orders from other issuers now, and shows what was shown until then", async () => {
    const scene = await new Scene().run();
    scene.keeper.stop();
    scene.second.problem = { reason: "away" };
    await scene.run([scene.second]);
    assert.equal(scene.serial, "first-1");
    scene.second.problem = undefined;
    await scene.clock.advance(60_000);
    assert.equal(scene.serial, "second-2");
    assert.deepEqual(scene.second.orders[1]?.replaced, undefined);
    scene.keeper.stop();
  });

  it("run() orders seldom where each comes too late to be shown", async () => {
    const scene = new Scene();
    scene.first.days = 0;
    await scene.run([scene.first, scene.second]);
    assert.equal(scene.first.orders.length, 1);
    assert.match(scene.keeper.problem ?? "", /due for renewal/);
    await scene.clock.advance(DAY_MS);
    assert.ok(scene.first.orders.length < 16, `${scene.first.orders.length} orders in a day`);
    assert.equal(scene.second.orders.length, 0);
    scene.first.days = 90;
    await scene.clock.advance(7 * HOUR_MS);
    assert.equal(scene.keeper.problem, undefined);
    scene.keeper.stop();
  });

  it("run() stores what it shows once that can be done, ordering no other", async () => {
    const scene = new Scene();
    scene.store.full = "the disk is full";
    await scene.run();
    assert.equal(scene.keeper.problem, "the disk is full");
    await scene.clock.advance(HOUR_MS);
    assert.deepEqual(scene.told, ["issued", "unsaved: the disk is full"]);
    scene.store.full = undefined;
    await scene.clock.advance(HOUR_MS);
    assert.match(scene.store.files.get(PATH) ?? "", /PRIVATE KEY/);
    assert.deepEqual([scene.keeper.problem, scene.first.orders.length], [undefined, 1]);
    scene.keeper.stop();
  });

  it("run() asks when to renew a few at a time, and not once it is stopped", async () => {
    const scene = new Scene();
    const busy = Promise.withResolvers<void>();
    const never = new AbortController().signal;
    const taken = scene.questions.take(() => busy.promise, never);
    scene.put(10);
    await scene.run();
    assert.deepEqual([scene.serial, scene.first.asked], ["stored", 0]);
    scene.keeper.stop();
    busy.resolve();
    await taken;
    await settled();
    assert.deepEqual([scene.first.asked, scene.told], [0, ["loaded"]]);
    assert.equal(scene.clock.pending, 0);
  });

  it("stop() has nothing shown of what comes afterwards, but stored", async () => {
    const scene = new Scene();
    const gate = Promise.withResolvers<void>();
    const issue = scene.first.issue.bind(scene.first);
    scene.first.issue = async (names, options) => {
      await gate.promise;
      return await issue(names, options);
    };
    await scene.run();
    scene.keeper.stop();
    gate.resolve();
    await settled();
    assert.equal(scene.serial, undefined);
    assert.match(scene.store.files.get(PATH) ?? "", /PRIVATE KEY/);
  });

  it("stop() ends it amid a pause, without a timer left", async () => {
    const scene = new Scene();
    scene.first.problem = { reason: "away" };
    await scene.run();
    scene.keeper.stop();
    await settled();
    assert.equal(scene.clock.pending, 0);
    await scene.clock.advance(DAY_MS);
    assert.equal(scene.first.orders.length, 1);
  });
});
