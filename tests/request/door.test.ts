/** Who gets through the door of a route, in which order it is asked, and what upstreams see of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AuthRules, GuardRules } from "../../src/rules.ts";
import type { Asked } from "../support/fake_exchange.ts";
import { auth, block, cors, guard } from "../support/fake_guard.ts";
import { RelayBench } from "../support/fake_relay.ts";
import { route } from "../support/fake_route.ts";
import { onError, proxyTo, respond, stepsRoute } from "../support/fake_steps.ts";
import { answer, hangs, later } from "../support/fake_transport.ts";
import { settled } from "../support/manual_clock.ts";

const BOB = ["Authorization", `Basic ${btoa("bob:hiccup")}`] as const;
const LAPTOP = ["Authorization", "Bearer key-of-laptop"] as const;
const LARGE = { lengthBytes: 5, read: () => undefined, cancel() {} };
const PREFLIGHT: Asked = {
  method: "OPTIONS",
  fields: [["Origin", "https://chat.test"], ["Access-Control-Request-Method", "POST"]],
};

function guarded(changes: Partial<GuardRules>): RelayBench {
  return new RelayBench(route({ guard: guard(changes) }));
}

describe("createRelay() with allow and deny", () => {
  const home = [block("192.168.0.0", 16)];
  const printer = [block("192.168.0.9", 32)];
  const cases: [string, Partial<GuardRules>, string, number][] = [
    ["everyone without a list", { concurrentMax: 9 }, "203.0.113.1", 200],
    ["those that are allowed", { allow: home }, "192.168.4.5", 200],
    ["nobody else", { allow: home }, "203.0.113.1", 403],
    ["everyone but those denied", { deny: home }, "203.0.113.1", 200],
    ["nobody who is denied", { deny: home }, "192.168.4.5", 403],
    ["nobody who is denied, though allowed", { allow: home, deny: printer }, "192.168.0.9", 403],
    ["IPv4 that shows as IPv6", { allow: home }, "::ffff:192.168.4.5", 200],
    ["no IPv6 by an IPv4 block", { allow: home }, "fd00::1", 403],
    ["nobody without an address where some are allowed", { allow: home }, "", 403],
    ["those without an address where some are denied", { deny: home }, "", 200],
  ];
  for (const [title, rules, ip, status] of cases) {
    it(`lets in ${title}`, async () => {
      const bench = guarded(rules);
      const { exchange, account } = await bench.ask({ ip });
      assert.equal(exchange.reply?.status, status);
      assert.equal(account.outcome, status === 200 ? "answered" : "refused");
      assert.equal(bench.transport.asked.length, status === 200 ? 1 : 0);
    });
  }

  it("goes by the client that a trusted proxy names", async () => {
    const bench = guarded({ allow: home });
    bench.live.current = { ...bench.live.current, trustedProxies: [block("10.0.0.1", 32)] };
    const asked = (ip: string, client: string): Asked => ({
      ip,
      fields: [["X-Forwarded-For", client]],
    });
    assert.equal((await bench.ask(asked("10.0.0.1", "192.168.4.5"))).account.status, 200);
    assert.equal((await bench.ask(asked("10.0.0.1", "203.0.113.1"))).account.status, 403);
    assert.equal((await bench.ask(asked("10.0.0.2", "192.168.4.5"))).account.status, 403);
  });
});

describe("createRelay() with auth", () => {
  const KEYS_ONLY = auth({ basic: undefined });
  const BASIC_ONLY = auth({ keys: [] });
  const cases: [string, AuthRules, (readonly [string, string])[], string | undefined][] = [
    ["a bearer key", auth(), [LAPTOP], "laptop"],
    ["another bearer key", auth(), [["authorization", "bearer key-of-phone"]], "phone"],
    ["a key in its own field", auth(), [["X-Api-Key", "key-of-phone"]], "phone"],
    ["a key beside another's password", KEYS_ONLY, [BOB, ["X-Api-Key", "key-of-phone"]], "phone"],
    ["a user with their password", auth(), [BOB], "bob"],
    ["nobody without a word", auth(), [], undefined],
    ["no key that is none of them", auth(), [["X-Api-Key", "key-of-nobody"]], undefined],
    ["no beginning of a key", auth(), [["X-Api-Key", "key-of-lapto"]], undefined],
    ["no key with more behind it", auth(), [["X-Api-Key", "key-of-laptop2"]], undefined],
    ["no empty key", auth(), [["X-Api-Key", ""]], undefined],
    ["no name of a key", auth(), [["X-Api-Key", "laptop"]], undefined],
    ["no endless key", auth(), [["X-Api-Key", "k".repeat(10_000)]], undefined],
    ["no wrong password", auth(), [["Authorization", `Basic ${btoa("bob:no")}`]], undefined],
    ["no password where keys are asked for", KEYS_ONLY, [BOB], undefined],
    ["no key where passwords are asked for", BASIC_ONLY, [LAPTOP], undefined],
  ];
  for (const [title, rules, fields, user] of cases) {
    it(`lets in ${title}`, async () => {
      const bench = guarded({ auth: rules });
      const { exchange, account } = await bench.ask({ fields });
      assert.equal(account.user, user);
      assert.equal(exchange.reply?.status, user === undefined ? 401 : 200);
      assert.equal(bench.transport.asked.length, user === undefined ? 0 : 1);
      if (user === undefined) assert.equal(account.outcome, "refused");
    });
  }

  const ways: [AuthRules, string][] = [
    [auth(), 'Basic realm="cellar", charset="UTF-8", Bearer'],
    [KEYS_ONLY, "Bearer"],
    [BASIC_ONLY, 'Basic realm="cellar", charset="UTF-8"'],
  ];
  for (const [rules, expected] of ways) {
    it(`asks for ${expected}`, async () => {
      const { exchange } = await guarded({ auth: rules }).ask();
      assert.equal(exchange.reply?.fields.joined("www-authenticate"), expected);
    });
  }

  const passing: [string, boolean, (readonly [string, string])[], string, string | undefined][] = [
    ["no key that served here", false, [LAPTOP], "authorization", undefined],
    ["no password that served here", false, [BOB], "authorization", undefined],
    ["no other key's field", false, [["X-Api-Key", "key-of-phone"]], "x-api-key", undefined],
    ["the key with pass", true, [LAPTOP], "authorization", LAPTOP[1]],
    [
      "what did not serve here",
      false,
      [["Authorization", "Bearer for-upstream"], ["X-Api-Key", "key-of-phone"]],
      "authorization",
      "Bearer for-upstream",
    ],
  ];
  for (const [title, pass, fields, name, expected] of passing) {
    it(`shows upstreams ${title}`, async () => {
      const bench = guarded({ auth: auth({ pass }) });
      await bench.ask({ fields });
      assert.equal(bench.transport.attempts[0]?.fields.get(name), expected);
    });
  }

  it("knows the user by name in templates", async () => {
    const bench = new RelayBench({
      ...stepsRoute([respond(["hello ", { name: "user" }])]),
      guard: guard({ auth: auth() }),
    });
    assert.equal((await bench.ask({ fields: [LAPTOP] })).exchange.received, "hello laptop");
  });

  it("reads nothing of the body of whoever is turned away", async () => {
    const body = { reads: 0, lengthBytes: undefined, read: () => void body.reads++, cancel() {} };
    const { account } = await guarded({ auth: auth() }).ask({ method: "POST", body });
    assert.deepEqual([account.status, account.readBytes, body.reads], [401, 0, 0]);
  });

  it("takes nobody to the route's error steps, as these may lead to an upstream", async () => {
    const bench = new RelayBench({
      ...stepsRoute([respond("x")], { errors: [onError(undefined, proxyTo("a"))] }),
      guard: guard({ auth: auth(), deny: [block("192.0.2.9", 32)] }),
    });
    assert.equal((await bench.ask()).account.status, 401);
    assert.equal((await bench.ask({ ip: "192.0.2.9" })).account.status, 403);
    assert.deepEqual(bench.transport.asked, []);
  });
});

describe("createRelay() with a rate", () => {
  const rate = { requests: 60, perMs: 60_000, burst: 2 };

  it("answers 429 with when to come back, and lets in again then", async () => {
    const bench = guarded({ rate });
    for (let turn = 0; turn < 2; turn++) assert.equal((await bench.ask()).account.status, 200);
    const { exchange, account } = await bench.ask();
    assert.equal(account.outcome, "refused");
    const told = (name: string) => exchange.reply?.fields.get(name);
    assert.deepEqual(
      ["retry-after", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"].map(told),
      ["1", "60", "0", "1"],
    );
    assert.equal(told("ratelimit-policy"), "60;w=60;burst=2");
    assert.equal((await bench.ask({ ip: "192.0.2.8" })).account.status, 200);
    await bench.clock.advance(1000);
    assert.equal((await bench.ask()).account.status, 200);
    assert.equal(bench.transport.asked.length, 4);
  });

  it("remembers clients across a reload of the same route", async () => {
    const bench = guarded({ rate });
    await bench.ask();
    await bench.ask();
    bench.reload(route({ guard: guard({ rate: { ...rate } }) }));
    assert.equal((await bench.ask()).account.status, 429);
    bench.reload(route({ id: "other", guard: guard({ rate }) }));
    assert.equal((await bench.ask()).account.status, 200);
  });
});

describe("createRelay() with a limit of requests at once", () => {
  it("holds until a response has ended, and for each client alone", async () => {
    const bench = guarded({ concurrentMax: 1 });
    const waiting = Promise.withResolvers<void>();
    bench.transport.on("a", later(waiting.promise, answer()));
    const first = bench.start();
    await settled();
    const { exchange, account } = await bench.ask();
    assert.equal(account.status, 429);
    assert.equal(exchange.reply?.fields.get("retry-after"), "1");
    const other = bench.start({ ip: "192.0.2.8" });
    await settled();
    assert.equal(bench.transport.asked.length, 2);

    waiting.resolve();
    await Promise.all([first.done, other.done]);
    assert.equal((await bench.ask()).account.status, 200);
    assert.equal((await bench.ask()).account.status, 200);
  });

  it("lets go of a client that left, and of one whose request met a bug", async () => {
    const bench = guarded({ concurrentMax: 1 });
    bench.transport.on("a", hangs());
    const { exchange, done } = bench.start();
    await settled();
    exchange.leave();
    assert.equal((await done).status, 499);
    bench.transport.on("a", () => Promise.reject(new Error("a bug")), answer());
    assert.equal((await bench.ask()).account.status, 500);
    assert.equal((await bench.ask()).account.status, 200);
  });
});

describe("createRelay() asks at the door in order", () => {
  const all: Partial<GuardRules> = {
    deny: [block("192.0.2.9", 32)],
    cors: cors({ origins: [/^https:\/\/chat\.test$/] }),
    rate: { requests: 1, perMs: 60_000, burst: 1 },
    auth: auth(),
    concurrentMax: 1,
  };
  const cases: [string, Partial<GuardRules>, Asked[], number][] = [
    ["the address before a browser's question", all, [{ ...PREFLIGHT, ip: "192.0.2.9" }], 403],
    ["a browser's question before the rate", all, [{}, PREFLIGHT], 204],
    ["a browser's question before who it is", all, [PREFLIGHT], 204],
    ["the rate before who it is", all, [{}, {}], 429],
    ["who it is before the body", { auth: auth() }, [{ body: "12345" }], 401],
    ["the body last", { auth: auth() }, [{ body: LARGE, fields: [LAPTOP] }], 413],
  ];
  for (const [title, rules, requests, status] of cases) {
    it(title, async () => {
      const bench = new RelayBench(route({ guard: guard(rules), bodyLimitBytes: 4 }));
      let last = 0;
      for (const asked of requests) last = (await bench.ask(asked)).account.status;
      assert.equal(last, status);
      assert.deepEqual(bench.transport.asked, []);
    });
  }
});
