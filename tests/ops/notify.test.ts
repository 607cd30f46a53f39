/** News on its way: gathered, held back and summed up, to a receiver on a real socket. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { platform } from "#platform";
import { poster } from "../../src/cli/post.ts";
import { Herald } from "../../src/ops/notify.ts";
import type { Transition } from "../../src/ops/status.ts";
import type { CertificateStatus, CertificateTurn } from "../../src/model.ts";
import type { NotifyRules } from "../../src/rules.ts";
import { route, upstream } from "../support/fake_route.ts";
import { certificateStatus } from "../support/fake_status.ts";
import { LetterBox } from "../support/letter_box.ts";
import { ManualClock, settled } from "../support/manual_clock.ts";
import { within } from "../support/fake_upstream.ts";

const ROUTES = [route({ upstreams: [upstream("gpu"), upstream("mini")] })];

function rules(url: string, changes: Partial<NotifyRules> = {}): NotifyRules {
  return {
    secretUrl: url,
    format: "webhook",
    on: ["down", "up", "failover"],
    template: "{text}",
    headers: [],
    token: undefined,
    debounceMs: 30_000,
    ...changes,
  };
}

function herald(...notify: NotifyRules[]) {
  const clock = new ManualClock();
  const bodies: string[] = [];
  const one = new Herald({
    clock,
    post: ({ body }) => Promise.resolve(bodies.push(body)).then(() => 200),
    warn: () => {},
  });
  one.adopt({ notify, routes: ROUTES });
  const turn = (to: "up" | "down", name = "gpu") => {
    const from = to === "up" ? "down" : "up";
    const at = clock.now();
    one.told({ at, poolId: "r", upstream: name, kind: "phase", from, to, reason: "" });
  };
  return { clock, bodies, one, turn };
}

describe("Herald", () => {
  const url = "http://hooks.test";

  it("tells of the first news within a second, and of later ones after the debounce", async () => {
    const { clock, bodies, turn } = herald(rules(url));
    turn("down");
    await clock.advance(1000);
    assert.deepEqual(bodies, ["gpu is down (r)"]);
    turn("up");
    await clock.advance(29_000);
    assert.equal(bodies.length, 1);
    await clock.advance(1000);
    assert.deepEqual(bodies.slice(1), ["gpu is up again (r)"]);
    await clock.advance(30_000);
    turn("down");
    await clock.advance(1000);
    assert.equal(bodies.length, 3);
  });

  it("sums flapping up, and each upstream's by itself", async () => {
    const { clock, bodies, turn } = herald(rules(url));
    turn("down", "mini");
    for (let at = 0; at < 20; at++) {
      turn("down");
      await clock.advance(500);
      turn("up");
      await clock.advance(500);
    }
    await clock.advance(60_000);
    assert.deepEqual(bodies, [
      "mini is down (r)",
      "gpu is up again (r)",
      "gpu is up again (r), after down 19 times, up 19 times within 19 s",
    ]);
    assert.equal(clock.pending, 0);
  });

  it("tells each receiver what it asked for", async () => {
    const { clock, bodies, one, turn } = herald(
      rules(url, { on: ["down"], template: "A {event}" }),
      rules(url, { on: ["failover"], template: "B {text}" }),
    );
    turn("up");
    turn("down");
    const moved = { kind: "chosen", upstream: "mini", from: "gpu", to: "mini" } as const;
    one.told({ at: clock.now(), poolId: "r", reason: "gpu is down", ...moved });
    await clock.advance(60_000);
    assert.deepEqual(bodies.sort(), [
      "A down",
      "B mini answers now instead of gpu: gpu is down (r)",
    ]);
  });

  it("sends each thing at once without a debounce", async () => {
    const { clock, bodies, turn } = herald(rules(url, { debounceMs: 0 }));
    for (const to of ["down", "up"] as const) {
      turn(to);
      await clock.advance(0);
    }
    assert.equal(bodies.length, 2);
  });

  it("tells of a certificate that does not come, and sums up what becomes of it", async () => {
    const on = ["certificate_failed", "certificate_renewed"] as const;
    const { clock, bodies, one } = herald(
      rules(url, { on }),
      rules(url, { on: ["down"], template: "never" }),
    );
    const problem = "no such name";
    const none = { validFrom: undefined, validTo: undefined, problem };
    const told = (kind: CertificateTurn["kind"], changes: Partial<CertificateStatus> = {}) => {
      one.certified({
        at: clock.now(),
        kind,
        certificate: certificateStatus(clock.now(), changes),
      });
    };
    told("failed", none);
    await clock.advance(1000);
    assert.deepEqual(bodies, ["a.example has no certificate: no such name"]);
    told("failed", none);
    told("issued");
    await clock.advance(30_000);
    assert.deepEqual(bodies.slice(1), ["a.example has a new certificate (good for 60 days)"]);
    await clock.advance(60_000);
    assert.equal(clock.pending, 0);
  });

  it("remembers across a reload what it told, and forgets who is gone", async () => {
    const { clock, bodies, one, turn } = herald(rules(url));
    turn("down");
    await clock.advance(1000);
    one.adopt({ notify: [rules(url)], routes: ROUTES });
    turn("up");
    await clock.advance(1000);
    assert.equal(bodies.length, 1);
    one.adopt({ notify: [], routes: ROUTES });
    await clock.advance(60_000);
    assert.deepEqual([bodies.length, clock.pending], [1, 0]);
  });

  it("stands any number of upstreams", async () => {
    const { clock, bodies, one, turn } = herald(rules(url));
    for (let at = 0; at < 3000; at++) turn("down", `gpu${at}`);
    assert.ok(clock.pending <= 1000);
    one.close();
    await settled();
    assert.deepEqual([bodies.length, clock.pending], [0, 0]);
  });
});

describe("poster()", () => {
  const down: Transition = {
    at: 0,
    poolId: "r",
    upstream: "gpu",
    kind: "phase",
    from: "up",
    to: "down",
    reason: "refused",
  };

  it("carries news over a socket, and again after a failure of the receiver", async () => {
    await using box = await LetterBox.open();
    box.statuses.push(503);
    const clock = new ManualClock();
    const warnings: string[] = [];
    const first = Promise.withResolvers<void>();
    const post = poster(platform);
    const one = new Herald({
      clock,
      post: (letter, signal) => post(letter, signal).finally(first.resolve),
      warn: (event) => warnings.push(event),
    });
    one.adopt({ notify: [rules(`${box.url}/topic`, { format: "ntfy" })], routes: ROUTES });
    one.told(down);
    await clock.advance(1000);
    // Time may pass only once the answer is here and the pause has begun.
    await within("the first try", first.promise);
    await clock.advance(1000);
    const [, letter] = await within("the second try", box.holds(2));
    assert.equal(letter?.path, "/topic");
    assert.equal(letter.body, "gpu is down: refused (r)");
    assert.equal(letter.headers["title"], "gpu is down");
    one.close();
    assert.deepEqual(warnings, []);
  });

  it("says why nobody took them", async () => {
    const post = poster(platform);
    const box = await LetterBox.open();
    const { url } = box;
    await box[Symbol.asyncDispose]();
    const letter = { url, headers: [], body: "x" };
    await assert.rejects(post(letter, new AbortController().signal), /refused/);
  });
});
