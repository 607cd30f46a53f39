/** Where a probe goes when it is sent elsewhere. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { probe } from "../../src/health/probe.ts";
import { failureInWords } from "../../src/health/words.ts";
import type { Verdict } from "../../src/model.ts";
import type { HealthRules, Upstream } from "../../src/rules.ts";
import { FakeBody } from "../support/fake_bytes.ts";
import { health, upstream } from "../support/fake_route.ts";
import { answer, FakeTransport, hangs, sent, type Step } from "../support/fake_transport.ts";
import { ManualClock } from "../support/manual_clock.ts";

class Bench {
  readonly clock = new ManualClock();
  readonly transport = new FakeTransport();

  constructor(...steps: Step[]) {
    this.transport.on("a", ...steps);
  }

  probe(rules: Partial<HealthRules> = {}, at: Partial<Upstream> = {}): Promise<Verdict> {
    const { transport, clock } = this;
    const { signal } = new AbortController();
    return probe(upstream("a", at), health(rules), { transport, clock, signal });
  }
}

const redirect = (location: string, status = 302) =>
  answer(status, { fields: [["Location", location]] });

describe("probe() with follow_redirects", () => {
  const follow = { followRedirects: true };

  it("goes where it is sent within the upstream", async () => {
    const bench = new Bench(redirect("../b?c"), answer(200));
    assert.equal((await bench.probe({ ...follow, uri: "/x/y" })).passed, true);
    assert.deepEqual(bench.transport.attempts.map(({ target }) => target), ["/x/y", "/b?c"]);
  });

  it("goes to another host by its own address and name", async () => {
    const bench = new Bench(redirect("https://[::1]/p"), answer(200));
    await bench.probe(follow);
    const second = bench.transport.attempts[1];
    assert.ok(second);
    assert.equal(second.upstream.scheme, "https");
    assert.deepEqual(second.upstream.address, { kind: "tcp", host: "::1", port: 443 });
    assert.equal(second.fields.get("host"), "[::1]");
  });

  it("shows its certificate and asks for its name nowhere else", async () => {
    const bench = new Bench(redirect("https://other/p"), answer(200));
    const certificate = { chain: "chain", key: "key" };
    const tls = { name: "own.lan", authorities: ["ca"], certificate, insecure: false };
    await bench.probe({ ...follow, headers: [{ name: "Host", value: "own.lan" }] }, { tls });
    const [first, second] = bench.transport.attempts;
    assert.deepEqual([first?.upstream.tls, first?.fields.get("host")], [tls, "own.lan"]);
    assert.deepEqual(second?.upstream.tls, { ...tls, name: undefined, certificate: undefined });
    assert.equal(second?.fields.get("host"), "other");
  });

  const within: [string, Partial<Upstream>][] = [
    ["https", { scheme: "https", address: { kind: "tcp", host: "a", port: 443 }, authority: "a" }],
    ["h2c", { scheme: "h2c" }],
    ["a unix socket", { address: { kind: "unix", path: "/run/a.sock" } }],
  ];
  for (const [title, at] of within) {
    it(`stays with an upstream of ${title} when sent within it`, async () => {
      const bench = new Bench(redirect("/b"), answer(200));
      assert.equal((await bench.probe(follow, at)).passed, true);
      const [first, second] = bench.transport.attempts;
      assert.equal(second?.target, "/b");
      assert.equal(second.upstream, first?.upstream);
    });
  }

  const cases: [string, Step, string][] = [
    ["in circles", redirect("/"), "redirected more than 5 times"],
    ["to another scheme", redirect("ftp://x/"), 'redirected to "ftp://x/"'],
    ["to nonsense", redirect("http://["), 'redirected to "http://["'],
    ["to nowhere", answer(302), "answered 302 where 2xx was expected"],
  ];
  for (const [where, step, reason] of cases) {
    it(`fails when it is sent ${where}`, async () => {
      const verdict = await new Bench(step).probe(follow);
      assert.deepEqual([verdict.passed, verdict.reason], [false, reason]);
    });
  }

  it("lets the bodies of redirects go", async () => {
    const body = new FakeBody(["moved"]);
    const moved = answer(301, { fields: [["location", "/x"]], body });
    await new Bench(moved, answer(200)).probe(follow);
    assert.equal(body.cancelled, true);
  });

  it("is one exchange to its timeout, hops included", async () => {
    const bench = new Bench(redirect("/x"), hangs());
    const verdict = bench.probe(follow);
    await bench.clock.advance(2_000);
    assert.equal((await verdict).reason, "did not answer within 2000 ms");
  });

  it("fails when the second hop is lost", async () => {
    const verdict = await new Bench(redirect("/x"), sent("closed")).probe(follow);
    assert.equal(verdict.reason, failureInWords("closed"));
  });
});
