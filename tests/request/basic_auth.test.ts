/** Who gets past basic_auth, and at what price. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PasswordDesk } from "../../src/request/basic_auth.ts";
import type { Action } from "../../src/rules.ts";
import { RelayBench } from "../support/fake_relay.ts";
import { onError, proxyTo, respond, stepsRoute } from "../support/fake_steps.ts";
import { settled } from "../support/manual_clock.ts";
import { WORLD } from "../support/fake_world.ts";

/** Of "hiccup" and "secret", with 2^4 rounds. */
const HICCUP = "$2b$04$tIsILlJ/oACfTAaJWclomOeuTL29BPViXe2u5sdh8cSyeJ9l8.rm6";
const SECRET = "$2a$04$DamGsywSTJq.3Fyul9EqheEfNTdZrbd6zcBCddAJHZ4mTiHDmS0J2";

const AUTH: Action = {
  kind: "basic_auth",
  realm: 'the "cellar"',
  users: [{ name: "bob", hash: HICCUP }, { name: "zoë", hash: SECRET }],
};

function claim(text: string, scheme = "Basic") {
  const bytes = new TextEncoder().encode(text);
  const field = `${scheme} ${btoa(String.fromCharCode(...bytes))}`;
  return { fields: [["Authorization", field]] as const };
}

describe("createRelay() with basic_auth", () => {
  const who = respond(["hello ", { name: "user" }]);
  const cases: [string, Parameters<RelayBench["ask"]>[0], string | undefined][] = [
    ["a user with their password", claim("bob:hiccup"), "bob"],
    ["a name beyond ASCII", claim("zoë:secret"), "zoë"],
    ["the scheme in any case", claim("bob:hiccup", "BASIC"), "bob"],
    ["nobody without a word", {}, undefined],
    ["no wrong password", claim("bob:secret"), undefined],
    ["no password that only begins right", claim("bob:hiccup:x"), undefined],
    ["no unknown user", claim("eve:hiccup"), undefined],
    ["no empty password", claim("bob:"), undefined],
    ["no name without a password", claim("bob"), undefined],
    ["no other scheme", claim("bob:hiccup", "Bearer"), undefined],
    ["no junk", { fields: [["Authorization", "Basic !!!"]] }, undefined],
    ["no bytes that are no text", { fields: [["Authorization", "Basic /////w=="]] }, undefined],
  ];
  for (const [title, asked, user] of cases) {
    it(`lets pass ${title}`, async () => {
      const bench = new RelayBench(stepsRoute([AUTH, who]));
      const { exchange, account } = await bench.ask(asked);
      if (user !== undefined) return assert.equal(exchange.received, `hello ${user}`);
      assert.equal(exchange.reply?.status, 401);
      assert.equal(
        exchange.reply.fields.get("www-authenticate"),
        'Basic realm="the \\"cellar\\"", charset="UTF-8"',
      );
      assert.equal(account.outcome, "refused");
    });
  }

  it("asks for a name on an error page too", async () => {
    const bench = new RelayBench(
      stepsRoute([AUTH, who], { errors: [onError(401, respond("no"))] }),
    );
    const { exchange } = await bench.ask();
    assert.deepEqual([exchange.reply?.status, exchange.received], [401, "no"]);
    assert.ok(exchange.reply?.fields.has("www-authenticate"));
  });

  it("asks no upstream for those it turns away", async () => {
    const bench = new RelayBench(stepsRoute([AUTH, proxyTo("a")]));
    await bench.ask(claim("bob:no"));
    assert.deepEqual(bench.transport.asked, []);
  });
});

describe("PasswordDesk", () => {
  const user = { name: "bob", hash: HICCUP };

  function counted(answers: (password: string) => Promise<boolean>) {
    const asked: string[] = [];
    const passwordMatches = (password: string) => {
      asked.push(password);
      return answers(password);
    };
    return { asked, desk: new PasswordDesk({ ...WORLD, passwordMatches }) };
  }

  it("hashes once for a password that proved right, each time for one that did not", async () => {
    const { asked, desk } = counted((password) => Promise.resolve(password === "right"));
    for (const password of ["right", "right", "wrong", "wrong", "right"]) {
      assert.equal(await desk.check(user, password), password);
    }
    assert.deepEqual(asked, ["right", "wrong", "wrong"]);
  });

  it("hashes again for another user and after a new hash", async () => {
    const { asked, desk } = counted(() => Promise.resolve(true));
    for (const one of [user, { ...user }, { ...user, hash: SECRET }]) await desk.check(one, "x");
    assert.equal(asked.length, 3);
  });

  it("hashes for unknown users as well", async () => {
    const asked: string[] = [];
    const bench = new RelayBench(stepsRoute([AUTH, respond("x")]));
    const desk = new PasswordDesk({
      ...WORLD,
      passwordMatches: (_, hash) => Promise.resolve(asked.push(hash) > 0),
    });
    assert.equal(await desk.check({ name: "", hash: HICCUP }, "x"), "right");
    assert.deepEqual(asked, [HICCUP]);
    assert.equal((await bench.ask(claim("eve:hiccup"))).account.status, 401);
  });

  it("hashes few at a time and turns a crowd away", async () => {
    const waiting: (() => void)[] = [];
    const { asked, desk } = counted(() =>
      new Promise((resolve) => waiting.push(() => resolve(true)))
    );
    const checks = Array.from({ length: 103 }, (_, at) => desk.check({ ...user }, String(at)));
    await settled();
    assert.equal(asked.length, 2);
    assert.equal(await checks.at(-1), "busy");
    while (waiting.length > 0) {
      waiting.shift()?.();
      await settled();
    }
    const ends = await Promise.all(checks);
    assert.equal(ends.filter((end) => end === "right").length, 102);
    assert.equal(asked.length, 102);
  });

  it("goes on after a hash that cannot be read", async () => {
    const { desk } = counted(() => Promise.reject(new Error("no hash")));
    for (let turn = 0; turn < 3; turn++) await assert.rejects(desk.check(user, "x"), /no hash/);
  });
});
