/** Requests that another pool is asked about first: what it is asked, and what its answer brings about. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Action, PoolRules } from "../../src/rules.ts";
import { FakeBody } from "../support/fake_bytes.ts";
import { RelayBench } from "../support/fake_relay.ts";
import { health, text } from "../support/fake_route.ts";
import {
  headers,
  onError,
  poolOf,
  proxyTo,
  respond,
  rewrite,
  rewriteRules,
  set,
  stepsRoute,
} from "../support/fake_steps.ts";
import { answer, echo, hangs, notSent, sent } from "../support/fake_transport.ts";

type ForwardAuth = Extract<Action, { kind: "forward_auth" }>;

function auth(copy: ForwardAuth["copy"] = [], changes: Partial<PoolRules> = {}): Action {
  const rules = { rewrite: rewriteRules({ uri: text("/verify?a=1") }), ...changes };
  return { kind: "forward_auth", pool: poolOf(["auth", "auth2"], rules), copy };
}

const USER = [{ from: "Remote-User", to: "X-User" }];

describe("createRelay() with forward_auth", () => {
  it("asks with GET, without the body, and says what it is about", async () => {
    const bench = new RelayBench(stepsRoute([auth(), proxyTo("app")]));
    bench.transport.on("app", echo());
    const { exchange, account } = await bench.ask({
      method: "PUT",
      target: "/secret?x=1",
      body: new FakeBody(["body"], { lengthBytes: 4 }),
      fields: [
        ["Content-Length", "4"],
        ["Cookie", "session=1"],
        ["X-Forwarded-Method", "forged"],
        ["X-Forwarded-Uri", "/forged"],
        ["X-Forwarded-For", "6.6.6.6"],
      ],
    });
    const [asked, app] = bench.transport.attempts;
    assert.ok(asked && app);
    assert.deepEqual([asked.upstream.name, asked.method, asked.target], [
      "auth",
      "GET",
      "/verify?a=1",
    ]);
    assert.deepEqual([asked.body, asked.upgrade], [undefined, undefined]);
    const fields = Object.fromEntries([...asked.fields].map(([k, v]) => [k.toLowerCase(), v]));
    assert.equal(fields["x-forwarded-method"], "PUT");
    assert.equal(fields["x-forwarded-uri"], "/secret?x=1");
    assert.equal(fields["x-forwarded-for"], "192.0.2.7");
    assert.equal(fields["x-forwarded-host"], "proxy.test");
    assert.equal(fields["cookie"], "session=1");
    assert.equal(fields["content-length"], undefined);

    assert.deepEqual([app.method, app.target], ["PUT", "/secret?x=1"]);
    assert.equal(app.fields.get("x-forwarded-method"), "forged");
    assert.equal(exchange.received, "app:body");
    assert.deepEqual([account.attempts, account.upstream], [1, "app"]);
    assert.equal(bench.inFlight, 0);
  });

  it("tells of the request as the steps before it made it", async () => {
    const bench = new RelayBench(
      stepsRoute([rewrite({ uri: text("/new") }), auth(), proxyTo("app")]),
    );
    await bench.ask({ target: "/old" });
    assert.equal(bench.transport.attempts[0]?.fields.get("x-forwarded-uri"), "/new");
  });

  it("puts the answer's fields in place of the client's", async () => {
    const bench = new RelayBench(stepsRoute([auth(USER), proxyTo("app")]));
    const unread = new FakeBody(["unread"]);
    bench.transport.on("auth", answer(204, { fields: [["remote-user", "bob"]], body: unread }));
    await bench.ask({ fields: [["x-user", "admin"], ["X-User", "root"]] });
    assert.equal(bench.transport.attempts[1]?.fields.joined("x-user"), "bob");
    assert.equal(unread.cancelled, true);
    assert.equal(bench.inFlight, 0);
  });

  it("takes away what the client claims and the answer does not say", async () => {
    const bench = new RelayBench(stepsRoute([auth(USER), proxyTo("app")]));
    await bench.ask({ fields: [["X-User", "admin"]] });
    assert.equal(bench.transport.attempts[1]?.fields.has("x-user"), false);
  });

  it("lets no client nominate away what is said of it", async () => {
    const bench = new RelayBench(
      stepsRoute([headers(set("X-Edge", "1")), auth(USER), proxyTo("app")]),
    );
    bench.transport.on("auth", answer(200, { fields: [["Remote-User", "bob"]] }));
    const names = "x-user, X-Forwarded-Uri, x-forwarded-method, x-edge";
    await bench.ask({ target: "/secret", fields: [["Connection", names], ["X-User", "root"]] });
    const [asked, app] = bench.transport.attempts;
    assert.equal(asked?.fields.get("x-forwarded-uri"), "/secret");
    assert.equal(asked.fields.get("x-forwarded-method"), "GET");
    assert.deepEqual([app?.fields.joined("x-user"), app?.fields.get("x-edge")], ["bob", "1"]);
  });

  it("gives any other answer to the client", async () => {
    const bench = new RelayBench(
      stepsRoute([
        headers({}, set("X-Edge", "1")),
        auth(USER, {
          headers: { request: noRules(), response: { ...noRules(), remove: ["X-B"] } },
        }),
        proxyTo("app"),
      ]),
    );
    bench.transport.on(
      "auth",
      answer(302, { fields: [["Location", "/login"], ["X-B", "1"]], body: "log in" }),
    );
    const { exchange, account } = await bench.ask();
    assert.deepEqual([exchange.reply?.status, exchange.received], [302, "log in"]);
    assert.equal(exchange.reply?.fields.get("location"), "/login");
    assert.equal(exchange.reply.fields.has("x-b"), false);
    assert.equal(exchange.reply.fields.get("x-edge"), "1");
    assert.deepEqual(bench.transport.asked, ["auth"]);
    assert.deepEqual([account.outcome, account.upstream, bench.inFlight], ["answered", "auth", 0]);
  });

  it("fails over as any pool does", async () => {
    const bench = new RelayBench(stepsRoute([auth(), proxyTo("app")]));
    bench.transport.on("auth", sent());
    const { account } = await bench.ask({ method: "POST", body: "body" });
    assert.deepEqual(bench.transport.asked, ["auth", "auth2", "app"]);
    assert.deepEqual([account.status, account.failures], [200, ["auth: closed (sent)"]]);
  });

  it("lets nobody pass while nobody can be asked", async () => {
    const bench = new RelayBench(
      stepsRoute([auth(), proxyTo("app")], { errors: [onError(502, respond("sorry"))] }),
    );
    bench.transport.on("auth", notSent()).on("auth2", notSent());
    const { exchange } = await bench.ask();
    assert.deepEqual([exchange.reply?.status, exchange.received], [502, "sorry"]);
    assert.deepEqual(bench.transport.asked, ["auth", "auth2"]);

    const down = new RelayBench(
      stepsRoute([auth([], { health: health({ initState: "down" }) }), proxyTo("app")]),
    );
    assert.equal((await down.ask()).account.status, 503);
  });

  it("ends when the client leaves meanwhile", async () => {
    const bench = new RelayBench(stepsRoute([auth(), proxyTo("app")]));
    bench.transport.on("auth", hangs());
    const { exchange, done } = bench.start();
    await bench.clock.advance(1);
    exchange.leave();
    assert.equal((await done).status, 499);
    assert.deepEqual([bench.transport.asked, bench.inFlight], [["auth"], 0]);
  });

  it("names nobody when a step of ours answers after it", async () => {
    const bench = new RelayBench(stepsRoute([auth(), respond("welcome")]));
    const { account } = await bench.ask();
    assert.deepEqual([account.upstream, account.attempts], [undefined, 0]);
  });
});

function noRules() {
  return { remove: [], replace: [], set: [], add: [], fallback: [] };
}
