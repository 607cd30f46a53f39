/**
 * Proofs by records of names, with each keeper of such records: pebble asks a name server that knows what the
 * keeper's API was told, so nothing is believed that a real authority would not see.
 */
import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { platform } from "#platform";
import type { DnsProvider, DnsRules } from "../../../src/tls_rules.ts";
import { within } from "../../platform/support.ts";
import {
  type DnsApi,
  FakeCloudflare,
  FakeDesec,
  FakeDuckDns,
  TOKEN,
} from "../../support/dns_apis.ts";
import { unavailable } from "../../support/pebble.ts";
import { AcmeLab, failure, hurried } from "./lab.ts";

/** What most tests are content with; the others open a lab of their own. */
let shared: AcmeLab;

before(async () => {
  if (unavailable === undefined) shared = await AcmeLab.open();
});

after(async () => await shared?.[Symbol.asyncDispose]());

const FIFTY = Array.from({ length: 50 }, (_, at) => `n${at}.example.org`);

function rulesFor(lab: AcmeLab, provider: DnsProvider): DnsRules {
  return { provider, delayMs: 0, timeoutMs: 5000, ttlS: 60, resolvers: [lab.pebble.names] };
}

function publishing(lab: AcmeLab, api: DnsApi): void {
  api.publish = (name, values) => lab.pebble.texts(name, values);
}

async function issueFor(
  lab: AcmeLab,
  names: readonly string[],
  provider: DnsProvider,
  changes: Partial<DnsRules> = {},
): Promise<readonly string[]> {
  const dns = { ...rulesFor(lab, provider), ...changes };
  const { chain } = await within(
    "a certificate",
    lab.issue(names, { challenges: ["dns-01"], dns }),
  );
  return platform.certificateFacts(chain).names;
}

describe("acmeIssuer() with records at Cloudflare", { skip: unavailable }, () => {
  it("issue() proves a wildcard and the name above it at once", async () => {
    const lab = shared.anew();
    await using api = await new FakeCloudflare("example.org").listen();
    publishing(lab, api);
    // Somebody else's record at the same name stays.
    api.records.set("_acme-challenge.sub.example.org", ["not ours"]);
    const names = ["sub.example.org", "*.sub.example.org"];
    const issued = await issueFor(lab, names, { kind: "cloudflare", token: TOKEN, url: api.url });
    assert.deepEqual(new Set(issued), new Set(names));
    assert.deepEqual([...api.records], [["_acme-challenge.sub.example.org", ["not ours"]]]);
  });

  it("issue() proves fifty names in one order", async () => {
    const lab = shared.anew();
    await using api = await new FakeCloudflare("example.org").listen();
    publishing(lab, api);
    const issued = await issueFor(lab, FIFTY, { kind: "cloudflare", token: TOKEN, url: api.url });
    assert.deepEqual(new Set(issued), new Set(FIFTY));
    assert.equal(api.records.size, 0);
  });

  it("issue() says what Cloudflare said, and no token", async () => {
    const lab = shared.anew();
    await using api = await new FakeCloudflare("example.org").listen();
    const wrong = { kind: "cloudflare", token: "wrong", url: api.url } as const;
    const { message } = await failure(issueFor(lab, ["a.example.org"], wrong));
    assert.match(
      message,
      /"a\.example\.org" by dns-01: Cloudflare: Cannot look for the zone "a\.example\.org": Invalid access token$/,
    );
    const right = { ...wrong, token: TOKEN };
    const lost = await failure(issueFor(lab, ["a.example.net"], right));
    assert.match(
      lost.message,
      /Cannot find the zone of "_acme-challenge\.a\.example\.net" with this token/,
    );
    assert.ok(!lost.message.includes(TOKEN));
  });

  it("issue() goes on with another proof where records cannot be written", async () => {
    const lab = shared.anew();
    await using api = await new FakeCloudflare("example.org").listen();
    const dns = rulesFor(lab, { kind: "cloudflare", token: "wrong", url: api.url });
    const { chain } = await lab.issue(["a.example.org"], {
      challenges: ["dns-01", "http-01"],
      dns,
    });
    assert.deepEqual(platform.certificateFacts(chain).names, ["a.example.org"]);
  });
});

describe("acmeIssuer() with records at deSEC", { skip: unavailable }, () => {
  it("issue() proves fifty names and a wildcard by one change", async () => {
    const lab = shared.anew();
    await using api = await new FakeDesec("example.org").listen();
    publishing(lab, api);
    api.records.set("_acme-challenge.example.org", ["not ours"]);
    const names = ["example.org", "*.example.org", ...FIFTY];
    const issued = await issueFor(lab, names, { kind: "desec", token: TOKEN, url: api.url });
    assert.deepEqual(new Set(issued), new Set(names));
    assert.deepEqual([...api.records], [["_acme-challenge.example.org", ["not ours"]]]);
    const changes = api.asked.filter((one) => one.startsWith("PATCH"));
    assert.equal(changes.length, 2);
  });

  it("issue() waits for as long as deSEC wants to be left alone", async () => {
    const slept: number[] = [];
    const lab = shared.anew();
    await using api = await new FakeDesec("example.org").listen();
    publishing(lab, api);
    lab.clock = hurried(slept);
    let left = 2;
    const throttled = { status: 429, headers: { "retry-after": "7" } };
    api.instead = () => left-- > 0 ? Response.json({ detail: "Throttled." }, throttled) : undefined;
    const issued = await issueFor(lab, ["a.example.org"], {
      ...{ kind: "desec", token: TOKEN, url: api.url },
    });
    assert.deepEqual(issued, ["a.example.org"]);
    assert.equal(slept.filter((ms) => ms === 7000).length, 2);
  });

  it("issue() tells how long to wait where that is too long", async () => {
    const lab = shared.anew();
    await using api = await new FakeDesec("example.org").listen();
    const throttled = { status: 429, headers: { "retry-after": "4000" } };
    api.instead = () => Response.json({ detail: "Throttled." }, throttled);
    const provider = { kind: "desec", token: TOKEN, url: api.url } as const;
    const refused = await failure(issueFor(lab, ["a.example.org"], provider));
    assert.match(refused.message, /"a\.example\.org" by dns-01: deSEC: status 429$/);
    assert.equal(refused.retryAfterMs, 4_000_000);
  });
});

describe("acmeIssuer() with records at DuckDNS", { skip: unavailable }, () => {
  it("issue() proves one name after the other, with a rest between", async () => {
    const slept: number[] = [];
    const lab = shared.anew();
    const names = ["home.duckdns.org", "*.home.duckdns.org", "nas.home.duckdns.org"];
    const places = ["_acme-challenge.home.duckdns.org", "_acme-challenge.nas.home.duckdns.org"];
    await using api = await new FakeDuckDns("home", places).listen();
    publishing(lab, api);
    lab.clock = hurried(slept);
    const provider = { kind: "duckdns", token: TOKEN, url: api.url } as const;
    const issued = await issueFor(lab, names, provider);
    assert.deepEqual(new Set(issued), new Set(names));
    assert.equal(api.records.size, 0);
    const clears = api.asked.map((one) => one.includes("clear=true"));
    assert.deepEqual(clears, [false, true, false, true, false, true]);
    assert.equal(slept.filter((ms) => ms === 60_000).length, 2);
  });

  it("issue() says that DuckDNS refused, and no token", async () => {
    const lab = shared.anew();
    await using api = await new FakeDuckDns("home", []).listen();
    const provider = { kind: "duckdns", token: "a-wrong-one", url: api.url } as const;
    const { message } = await failure(issueFor(lab, ["home.duckdns.org"], provider));
    assert.match(message, /DuckDNS: Cannot change "home\.duckdns\.org" with this token$/);
    const elsewhere = await failure(issueFor(lab, ["example.org"], provider));
    assert.match(
      elsewhere.message,
      /DuckDNS: "_acme-challenge\.example\.org" is not below duckdns\.org$/,
    );
    await api[Symbol.asyncDispose]();
    lab.clock = hurried();
    const gone = await failure(issueFor(lab, ["home.duckdns.org"], provider));
    assert.match(
      gone.message,
      /DuckDNS: Cannot reach http:\/\/127\.0\.0\.1:\d+: connection refused$/,
    );
    assert.ok(![message, gone.message].some((words) => words.includes("a-wrong-one")));
  });
});

/** A program that tells pebble's name server what it is told, and keeps how it was called. */
async function script(lab: AcmeLab, ending = ""): Promise<
  AsyncDisposable & {
    readonly path: string;
    calls(): Promise<string[]>;
  }
> {
  const folder = await mkdtemp(join(tmpdir(), "understudy-hook-"));
  const path = join(folder, "hook.sh");
  const [set, clear] = [lab.pebble.place("set-txt"), lab.pebble.place("clear-txt")];
  await writeFile(
    path,
    `#!/bin/sh
echo "$@ | $UNDERSTUDY_DNS_ACTION $UNDERSTUDY_DNS_NAME $UNDERSTUDY_DNS_VALUE" >> ${folder}/calls
${ending}
case "$2" in
  present) curl -sf -X POST -d "{\\"host\\":\\"$3.\\",\\"value\\":\\"$4\\"}" '${set}' ;;
  cleanup) curl -sf -X POST -d "{\\"host\\":\\"$3.\\"}" '${clear}' ;;
esac
`,
  );
  await chmod(path, 0o700);
  return {
    path,
    calls: async () => (await readFile(join(folder, "calls"), "utf8")).trim().split("\n"),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

describe("acmeIssuer() with records by a program", { skip: unavailable }, () => {
  it("issue() calls it with what to do, by argument and by environment", async () => {
    const lab = shared.anew();
    await using hook = await script(lab);
    const provider = { kind: "exec", command: [hook.path, "own words"] } as const;
    const issued = await issueFor(lab, ["*.example.org"], provider);
    assert.deepEqual(issued, ["*.example.org"]);
    const calls = await hook.calls();
    assert.deepEqual(calls.map((call) => call.replace(/[\w-]{43}/g, "VALUE")), [
      "own words present _acme-challenge.example.org VALUE | present _acme-challenge.example.org VALUE",
      "own words cleanup _acme-challenge.example.org VALUE | cleanup _acme-challenge.example.org VALUE",
    ]);
  });

  it("issue() says how it ended where it failed, and takes away all the same", async () => {
    const lab = shared.anew();
    const ending = `[ "$2" = present ] && echo "no such luck" >&2 && echo "more" >&2 && exit 3`;
    await using hook = await script(lab, ending);
    const provider = { kind: "exec", command: [hook.path, "x"] } as const;
    const { message } = await failure(issueFor(lab, ["example.org"], provider));
    assert.match(
      message,
      /"example\.org" by dns-01: ".+hook\.sh" ended with code 3 on "present _acme-challenge\.example\.org": no such luck$/,
    );
    const calls = await hook.calls();
    assert.ok(calls.some((call) => call.startsWith("x cleanup ")));
  });

  it("issue() says so where there is no such program", async () => {
    const lab = shared.anew();
    const provider = { kind: "exec", command: ["/nowhere/hook"] } as const;
    const { message } = await failure(issueFor(lab, ["example.org"], provider));
    assert.match(message, /"\/nowhere\/hook" ended with code 127/);
    assert.match(lab.told[0] ?? "", /^warn acme\.record_left .*ended with code 127/);
  });
});

describe("acmeIssuer() and where records belong", { skip: unavailable }, () => {
  it("issue() writes where the name of the proof leads to", async () => {
    const lab = shared.anew();
    await using api = await new FakeCloudflare("delegated.example").listen();
    publishing(lab, api);
    const host = "_acme-challenge.elsewhere.example.org.";
    await lab.pebble.write("set-cname", { host, target: "a.delegated.example." });
    const provider = { kind: "cloudflare", token: TOKEN, url: api.url } as const;
    assert.deepEqual(await issueFor(lab, ["elsewhere.example.org"], provider), [
      "elsewhere.example.org",
    ]);
    assert.ok(api.asked.includes("GET /zones?name=delegated.example"));
  });

  it("issue() asks the authority all the same where records cannot be seen, and tells it", async () => {
    const lab = shared.anew();
    // Takes records and shows them to nobody.
    await using api = await new FakeCloudflare("example.org").listen();
    const provider = { kind: "cloudflare", token: TOKEN, url: api.url } as const;
    const unseen = issueFor(lab, ["a.example.org"], provider, { timeoutMs: 100 });
    const { message } = await failure(unseen);
    assert.match(
      message,
      /by dns-01: urn:ietf:params:acme:error:unauthorized: .+ \("_acme-challenge\.a\.example\.org" not seen at 127\.0\.0\.1:\d+\)/,
    );
    assert.equal(api.records.size, 0);
  });

  it("issue() waits before it looks, and does not look where it shall not", async () => {
    const slept: number[] = [];
    const lab = shared.anew();
    await using api = await new FakeCloudflare("example.org").listen();
    publishing(lab, api);
    lab.clock = hurried(slept);
    const provider = { kind: "cloudflare", token: TOKEN, url: api.url } as const;
    const blind = { delayMs: 30_000, timeoutMs: 0, resolvers: [] };
    assert.deepEqual(await issueFor(lab, ["a.example.org"], provider, blind), ["a.example.org"]);
    assert.ok(slept.includes(30_000));
  });

  it("issue() takes records away when nobody waits any more", async () => {
    const lab = shared.anew();
    await using api = await new FakeCloudflare("example.org").listen();
    const leaving = new AbortController();
    api.publish = (_, values) => {
      if (values.length > 0) leaving.abort();
      return Promise.resolve();
    };
    const dns = rulesFor(lab, { kind: "cloudflare", token: TOKEN, url: api.url });
    const issuer = lab.issuer({ challenges: ["dns-01"], dns });
    const issuing = issuer.issue(["a.example.org"], {
      replaced: undefined,
      signal: leaving.signal,
    });
    const { message } = await failure(issuing);
    assert.match(message, /nobody waits any more$/);
    assert.equal(api.records.size, 0);
    assert.ok(api.asked.some((one) => one.startsWith("DELETE")));
  });
});
