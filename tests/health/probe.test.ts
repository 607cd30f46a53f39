/** One check of one upstream: what it asks, what it makes of the answer, and the words for it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { probe } from "../../src/health/probe.ts";
import { failureInWords } from "../../src/health/words.ts";
import type { FailureReason, Verdict } from "../../src/model.ts";
import type { HealthRules, Upstream } from "../../src/rules.ts";
import { FakeBody, readText } from "../support/fake_bytes.ts";
import { health, upstream } from "../support/fake_route.ts";
import {
  answer,
  FakeTransport,
  hangs,
  notSent,
  sent,
  type Step,
} from "../support/fake_transport.ts";
import { ManualClock } from "../support/manual_clock.ts";

class Bench {
  readonly clock = new ManualClock();
  readonly transport = new FakeTransport();
  readonly stop = new AbortController();

  constructor(...steps: Step[]) {
    for (const name of ["a", "b"]) this.transport.on(name, ...steps);
  }

  probe(rules: Partial<HealthRules> = {}, at: Upstream = upstream("a")): Promise<Verdict> {
    const { transport, clock } = this;
    return probe(at, health(rules), { transport, clock, signal: this.stop.signal });
  }

  get asked() {
    const [attempt] = this.transport.attempts;
    assert.ok(attempt);
    return attempt;
  }
}

const redirect = (location: string, status = 302) =>
  answer(status, { fields: [["Location", location]] });

describe("probe() judges", () => {
  const only200: Partial<HealthRules> = { status: [{ from: 200, to: 200 }] };
  const twoKinds = { status: [{ from: 200, to: 299 }, { from: 401, to: 401 }] };
  const cases: [string, Step, Partial<HealthRules>, boolean, string][] = [
    ["a listed status", answer(200), {}, true, "answered 200"],
    ["a status of its class", answer(204), {}, true, "answered 204"],
    ["another status", answer(503), {}, false, "answered 503 where 2xx was expected"],
    ["another code", answer(204), only200, false, "answered 204 where 200 was expected"],
    ["one of several", answer(401), twoKinds, true, "answered 401"],
    ["none of several", answer(403), twoKinds, false, "answered 403 where 2xx or 401 was expected"],
    ["a body that fits", answer(200, { body: "all is ok" }), { expectBody: /ok$/ }, true, ""],
    [
      "a body that does not fit",
      answer(200, { body: "no" }),
      { expectBody: /ok/ },
      false,
      "answered a body that does not match /ok/",
    ],
    ["no body where an empty one fits", answer(200), { expectBody: /^$/ }, true, ""],
    [
      "a body that breaks off",
      answer(200, { body: new FakeBody(["ok"], { end: "dies" }) }),
      { expectBody: /ok/ },
      false,
      "died in the middle of its answer",
    ],
    [
      "a redirect that is not followed",
      redirect("/x"),
      {},
      false,
      "answered 302 where 2xx was expected",
    ],
    [
      "a redirect that is wanted",
      redirect("/x"),
      { status: [{ from: 300, to: 399 }] },
      true,
      "answered 302",
    ],
  ];
  for (const [title, step, rules, passed, reason] of cases) {
    it(title, async () => {
      const verdict = await new Bench(step).probe(rules);
      assert.equal(verdict.passed, passed);
      if (reason !== "") assert.equal(verdict.reason, reason);
    });
  }

  const reasons: FailureReason[] = [
    "refused",
    "unreachable",
    "unknown_host",
    "dial_timeout",
    "tls",
    "closed",
    "protocol",
    "headers_timeout",
  ];
  for (const reason of reasons) {
    it(`fails in words when the exchange ends as ${reason}`, async () => {
      const verdict = await new Bench(notSent(reason)).probe();
      assert.equal(verdict.passed, false);
      assert.equal(verdict.reason, failureInWords(reason));
    });
  }
});

describe("probe() asks", () => {
  it("a connection of its own, with its own Host", async () => {
    const bench = new Bench();
    await bench.probe({ uri: "/health?x=1" });
    const { asked } = bench;
    assert.equal(asked.fresh, true);
    assert.equal(asked.target, "/health?x=1");
    assert.equal(asked.method, "GET");
    assert.equal(asked.fields.get("host"), "a:80");
    assert.equal(asked.body, undefined);
    assert.equal(asked.dialTimeoutMs, 2_000);
  });

  it("with method, fields and body as the rules say", async () => {
    const bench = new Bench();
    const headers = [{ name: "host", value: "inner.test" }, { name: "X-Key", value: "k" }];
    await bench.probe({ method: "POST", body: "é?", headers });
    const { asked } = bench;
    assert.equal(asked.method, "POST");
    assert.equal(asked.fields.joined("host"), "inner.test");
    assert.equal(asked.fields.get("x-key"), "k");
    assert.equal(asked.fields.get("content-length"), "3");
    assert.ok(asked.body);
    assert.equal(await readText(asked.body), "é?");
  });

  const v6 = upstream("a", { address: { kind: "tcp", host: "::1", port: 80 } });
  const cases: [string, Partial<HealthRules>, Upstream, string, string][] = [
    ["another port", { port: 9_000 }, upstream("a"), "a|9000", "a:9000"],
    ["another port of an IPv6 host", { port: 9_000 }, v6, "::1|9000", "[::1]:9000"],
    [
      "another address",
      { address: { kind: "tcp", host: "b", port: 81 } },
      upstream("a"),
      "b|81",
      "b:81",
    ],
    [
      "the address rather than the port",
      {
        address: { kind: "tcp", host: "b", port: 81 },
        port: 9_000,
      },
      upstream("a"),
      "b|81",
      "b:81",
    ],
  ];
  for (const [title, rules, at, address, authority] of cases) {
    it(`${title} when the rules name it`, async () => {
      const bench = new Bench();
      await bench.probe(rules, at);
      const { asked } = bench;
      assert.ok(asked.upstream.address.kind === "tcp");
      assert.equal(`${asked.upstream.address.host}|${asked.upstream.address.port}`, address);
      assert.equal(asked.upstream.authority, authority);
      assert.equal(asked.fields.get("host"), authority);
    });
  }
});

describe("probe() reads a body", () => {
  const chunk = "x".repeat(40 * 1024);

  it("no further than 64 KiB, and lets it go", async () => {
    const body = new FakeBody([chunk, `${chunk}end`, "never read"]);
    const verdict = await new Bench(answer(200, { body })).probe({ expectBody: /end/ });
    assert.equal(verdict.passed, false);
    assert.equal(body.reads, 2);
    assert.equal(body.cancelled, true);
  });

  it("not at all when nobody asks for it", async () => {
    for (const status of [200, 500]) {
      const body = new FakeBody(["x"]);
      await new Bench(answer(status, { body })).probe();
      assert.equal(body.reads, 0);
      assert.equal(body.cancelled, true);
    }
  });
});

describe("probe() tells silence", () => {
  const dying = { body: new FakeBody(["ok"], { end: "dies" }) };
  const cases: [string, Step, boolean][] = [
    ["of a refusal", sent("refused"), true],
    ["of a host that says nothing", sent("dial_timeout"), true],
    ["of a connection that ends", sent("closed"), true],
    ["not of nonsense", sent("protocol"), false],
    ["not of a name that nobody knows", sent("unknown_host"), false],
    ["not of another status", answer(503), false],
    ["not of an answer that breaks off", answer(200, dying), false],
    ["not of a pass", answer(), false],
  ];
  for (const [title, step, silent] of cases) {
    it(title, async () => {
      const bench = new Bench(step);
      assert.equal((await bench.probe({ expectBody: /ok/ })).silent, silent);
    });
  }
});

describe("probe() of an upstream that takes only so many connections", () => {
  it("needs none of them, and leaves its own to nobody", async () => {
    const bench = new Bench(answer());
    const { connections } = upstream("a");
    await bench.probe({}, upstream("a", { connections: { ...connections, connectionsMax: 1 } }));
    const { connectionsMax, idleMs } = bench.asked.upstream.connections;
    assert.deepEqual([connectionsMax, idleMs], [Infinity, 0]);
  });
});

describe("probe() ends", () => {
  it("in words when nothing is answered within the timeout", async () => {
    const bench = new Bench(hangs());
    const verdict = bench.probe();
    await bench.clock.advance(2_000);
    assert.deepEqual(await verdict, {
      passed: false,
      silent: true,
      reason: "did not answer within 2000 ms",
      startedAt: bench.clock.now() - 2_000,
      durationMs: 2_000,
      status: undefined,
    });
  });

  it("in time when the body stalls, however good its beginning looks", async () => {
    const body = new FakeBody(["ok"], { end: "hangs" });
    const bench = new Bench(answer(200, { body }));
    const verdict = bench.probe({ expectBody: /ok/ });
    await bench.clock.advance(2_000);
    assert.equal(body.cancelled, true);
    const { passed, reason } = await verdict;
    assert.deepEqual([passed, reason], [false, "did not answer within 2000 ms"]);
  });

  it("when the loop is stopped, without a timer left behind", async () => {
    const bench = new Bench(hangs());
    const verdict = bench.probe();
    bench.stop.abort();
    assert.equal((await verdict).passed, false);
    assert.equal(bench.clock.pending, 0);
  });

  it("without a timer left behind when it was answered", async () => {
    const bench = new Bench();
    await bench.probe();
    assert.equal(bench.clock.pending, 0);
  });
});
