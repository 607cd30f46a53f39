/** Keepers of records, what they are asked and how their refusals are taken. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { platform } from "#platform";
import type { ApiDeps } from "../../../src/tls/dns/api.ts";
import { Cloudflare } from "../../../src/tls/dns/cloudflare.ts";
import { Desec } from "../../../src/tls/dns/desec.ts";
import { DuckDns } from "../../../src/tls/dns/duckdns.ts";
import { DnsError } from "../../../src/tls/dns/writer.ts";
import { FakeCloudflare, FakeDesec, TOKEN } from "../../support/dns_apis.ts";
import { hurried } from "../acme/lab.ts";

function deps(slept: number[] = []): ApiDeps {
  return { errand: platform.errand, clock: hurried(slept) };
}

function signal(): AbortSignal {
  return new AbortController().signal;
}

async function words(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof DnsError, String(error));
    return error.message;
  }
  throw new Error("It did not fail");
}

const ONE = { name: "_acme-challenge.a.example.org", value: "one" };
const TWO = { name: "_acme-challenge.a.example.org", value: "two" };

describe("Cloudflare", () => {
  it("present() takes a record that is there already for written", async () => {
    await using api = await new FakeCloudflare("example.org").listen();
    const keeper = new Cloudflare({ token: TOKEN, url: api.url, ttlS: 1 }, deps());
    await keeper.present([ONE], signal());
    await keeper.present([ONE, TWO], signal());
    assert.deepEqual(api.records.get(ONE.name), ["one", "two"]);
    await keeper.cleanup([ONE], signal());
    assert.deepEqual(api.records.get(ONE.name), ["two"]);
    await keeper.cleanup([ONE, TWO], signal());
    assert.equal(api.records.size, 0);
  });

  it("present() finds the closest zone, and each once", async () => {
    await using api = await new FakeCloudflare("example.org", "a.example.org").listen();
    const keeper = new Cloudflare({ token: TOKEN, url: api.url, ttlS: 120 }, deps());
    const other = { name: "_acme-challenge.b.example.org", value: "x" };
    const third = { name: "_acme-challenge.example.org", value: "x" };
    await keeper.present([ONE, TWO, other, third], signal());
    const posts = api.asked.filter((asked) => asked.startsWith("POST"));
    assert.deepEqual(posts.map((asked) => asked.split("/")[2]), [
      ...["id-of-a.example.org", "id-of-a.example.org"],
      ...["id-of-example.org", "id-of-example.org"],
    ]);
    const looks = api.asked.filter((asked) => asked.startsWith("GET /zones?"));
    assert.deepEqual(looks.map((asked) => asked.split("=")[1]), [
      ...["a.example.org", "b.example.org", "example.org"],
    ]);
  });

  it("present() says what status came where the answer is no envelope", async () => {
    await using api = await new FakeCloudflare("example.org").listen();
    api.instead = () => new Response("<html>", { status: 403 });
    const keeper = new Cloudflare({ token: TOKEN, url: api.url, ttlS: 120 }, deps());
    assert.match(await words(keeper.present([ONE], signal())), /a\.example\.org": status 403$/);
  });

  it("present() asks a busy server again, and gives it up in the end", async () => {
    const slept: number[] = [];
    await using api = await new FakeCloudflare("example.org").listen();
    api.instead = () => new Response("", { status: 503 });
    const keeper = new Cloudflare({ token: TOKEN, url: api.url, ttlS: 120 }, deps(slept));
    assert.equal(await words(keeper.present([ONE], signal())), "Cloudflare: status 503");
    assert.deepEqual(slept, [1_000, 3_000, 10_000]);
    assert.equal(api.asked.length, 4);
  });
});

describe("Desec", () => {
  it("present() and cleanup() change one after the other, and nothing that is not theirs", async () => {
    await using api = await new FakeDesec("example.org", "example.net").listen();
    const keeper = new Desec({ token: TOKEN, url: api.url, ttlS: 60 }, deps());
    api.records.set(ONE.name, ["not ours"]);
    const apex = { name: "example.net", value: "apex" };
    await Promise.all([keeper.present([ONE, apex], signal()), keeper.present([TWO], signal())]);
    assert.deepEqual(api.records.get(ONE.name), ["not ours", "one", "two"]);
    assert.deepEqual(api.records.get("example.net"), ["apex"]);
    await Promise.all([keeper.cleanup([TWO], signal()), keeper.cleanup([ONE, apex], signal())]);
    assert.deepEqual([...api.records], [[ONE.name, ["not ours"]]]);
  });

  it("cleanup() changes nothing where nothing is left", async () => {
    await using api = await new FakeDesec("example.org").listen();
    const keeper = new Desec({ token: TOKEN, url: api.url, ttlS: 60 }, deps());
    await keeper.cleanup([ONE], signal());
    assert.ok(api.asked.every((asked) => !asked.startsWith("PATCH")));
  });

  it("present() goes on after a change that failed", async () => {
    await using api = await new FakeDesec("example.org").listen();
    const keeper = new Desec({ token: TOKEN, url: api.url, ttlS: 60 }, deps());
    const foreign = { name: "_acme-challenge.a.example.com", value: "x" };
    const failed = words(keeper.present([foreign], signal()));
    await keeper.present([ONE], signal());
    assert.match(
      await failed,
      /^deSEC: Cannot find the domain of "_acme-challenge\.a\.example\.com"/,
    );
    assert.deepEqual(api.records.get(ONE.name), ["one"]);
  });

  it("present() says what deSEC said", async () => {
    await using api = await new FakeDesec("example.org").listen();
    const keeper = new Desec({ token: "wrong", url: api.url, ttlS: 60 }, deps());
    assert.match(await words(keeper.present([ONE], signal())), /: Invalid token\.$/);
    let asked = 0;
    api.instead = () => {
      const body = [{ records: ["Cannot parse record"] }];
      if (asked++ === 0) return Response.json([{ name: "example.org", minimum_ttl: 60 }]);
      return asked === 2 ? Response.json([]) : Response.json(body, { status: 400 });
    };
    assert.match(
      await words(keeper.present([ONE], signal())),
      /^deSEC: Cannot change records of "example\.org": .*Cannot parse record/,
    );
  });
});

describe("DuckDns", () => {
  const slots: [string, string][] = [
    ["_acme-challenge.home.duckdns.org", "home"],
    ["_acme-challenge.nas.home.duckdns.org", "home"],
    ["other.duckdns.org", "other"],
    ["_acme-challenge.example.org", "_acme-challenge.example.org"],
  ];
  for (const [name, expected] of slots) {
    it(`slot() puts "${name}" into "${expected}"`, () => {
      const keeper = new DuckDns({ token: TOKEN, url: "http://127.0.0.1:9" }, deps());
      assert.equal(keeper.slot(name), expected);
    });
  }
});
