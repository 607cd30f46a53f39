/** Which proof of a name is given next. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Attempts, isSameIp } from "../../../src/tls/acme/attempts.ts";
import { sniOf } from "../../../src/tls/acme/sni.ts";
import { pauseMs } from "../../../src/tls/acme/pauses.ts";
import { type Challenge, CHALLENGES, type DnsRules } from "../../../src/tls_rules.ts";

const DNS: DnsRules = {
  provider: { kind: "exec", command: ["hook"] },
  ...{ delayMs: 0, timeoutMs: 0, ttlS: 60, resolvers: [] },
};

function refusal(name: string, challenge: Challenge, words = "no", retryAfterMs?: number) {
  return { name, challenge, words, retryAfterMs };
}

interface Case {
  readonly title: string;
  readonly name?: string;
  readonly challenges?: readonly Challenge[];
  readonly dns?: DnsRules;
  readonly offered?: readonly string[];
  readonly failed?: readonly Challenge[];
  readonly expected: Challenge | undefined;
}

const CASES: readonly Case[] = [
  { title: "the preferred one", expected: "http-01" },
  { title: "another one where it failed", failed: ["http-01"], expected: "tls-alpn-01" },
  { title: "none where all failed", failed: ["http-01", "tls-alpn-01"], expected: undefined },
  { title: "what is offered", offered: ["tls-alpn-01"], expected: "tls-alpn-01" },
  {
    title: "none where none is offered that is known",
    offered: ["email-reply-00"],
    expected: undefined,
  },
  {
    title: "the only one once more",
    offered: ["http-01"],
    failed: ["http-01"],
    expected: "http-01",
  },
  {
    title: "the only one no third time",
    offered: ["http-01"],
    failed: ["http-01", "http-01"],
    expected: undefined,
  },
  { title: "records for a wildcard", name: "*.a.example", dns: DNS, expected: "dns-01" },
  { title: "none for a wildcard without records", name: "*.a.example", expected: undefined },
  {
    title: "no records for an address",
    name: "192.0.2.1",
    challenges: ["dns-01", "http-01"],
    dns: DNS,
    expected: "http-01",
  },
  {
    title: "no records where none can be written",
    challenges: ["dns-01", "tls-alpn-01"],
    expected: "tls-alpn-01",
  },
];

describe("Attempts", () => {
  for (const { title, expected, ...row } of CASES) {
    it(`choose() chooses ${title}`, () => {
      const { name = "a.example", offered = CHALLENGES, failed = [] } = row;
      const attempts = new Attempts({ challenges: row.challenges ?? CHALLENGES, dns: row.dns });
      attempts.refused(failed.map((challenge) => refusal(name, challenge)));
      attempts.refused([refusal("b.example", "http-01")]);
      assert.equal(attempts.choose(name, offered), expected);
    });
  }

  it("choose() comes to an end, and repeats nothing while something else is left", () => {
    const some = fc.subarray([...CHALLENGES]);
    fc.assert(fc.property(some, some, fc.boolean(), (challenges, offered, writes) => {
      const attempts = new Attempts({ challenges, dns: writes ? DNS : undefined });
      const chosen: Challenge[] = [];
      for (let tries = 0; tries < 10; tries++) {
        const challenge = attempts.choose("a.example", offered);
        if (challenge === undefined) break;
        chosen.push(challenge);
        attempts.refused([refusal("a.example", challenge)]);
      }
      const kinds = new Set(chosen);
      const rightCount = kinds.size === 1 ? chosen.length === 2 : chosen.length === kinds.size;
      return rightCount && chosen.every((one) => challenges.includes(one) && offered.includes(one));
    }));
  });

  it("words() tells what failed with some names, once each, and not without end", () => {
    const attempts = new Attempts({ challenges: CHALLENGES, dns: undefined });
    attempts.refused([refusal("a", "http-01", "no"), refusal("a", "http-01", "no")]);
    attempts.refused([refusal("b", "http-01", "never")]);
    assert.equal(attempts.words(["a"]), '"a" by http-01: no');
    const names = Array.from({ length: 9 }, (_, at) => `n${at}`);
    attempts.refused(names.map((name) => refusal(name, "http-01")));
    assert.match(attempts.words(names), /^"n0" by http-01: no; .*"n3" by http-01: no; 5 more$/);
  });

  it("retryAfterMs is the longest that anybody wants", () => {
    const attempts = new Attempts({ challenges: CHALLENGES, dns: undefined });
    assert.equal(attempts.retryAfterMs, undefined);
    attempts.refused([refusal("a", "dns-01", "no", 5), refusal("b", "dns-01", "no", 9)]);
    attempts.refused([refusal("a", "http-01")]);
    assert.equal(attempts.retryAfterMs, 9);
  });
});

describe("isSameIp()", () => {
  const cases: [string, string, boolean][] = [
    ["192.0.2.1", "192.0.2.1", true],
    ["2001:db8::1", "2001:DB8:0:0::1", true],
    ["2001:db8::1", "2001:db8::2", false],
    ["a.example", "a.example", false],
  ];
  for (const [one, other, expected] of cases) {
    it(`isSameIp() is ${expected} of ${one} and ${other}`, () => {
      assert.equal(isSameIp(one, other), expected);
    });
  }
});

describe("sniOf()", () => {
  const cases: [string, string][] = [
    ["a.example", "a.example"],
    ["192.0.2.1", "1.2.0.192.in-addr.arpa"],
    ["2001:db8::1", `1.${"0.".repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`],
  ];
  for (const [name, expected] of cases) {
    it(`sniOf() asks for "${name}" as "${expected.slice(0, 30)}"`, () => {
      assert.equal(sniOf(name), expected);
    });
  }
});

describe("pauseMs()", () => {
  const cases: [number, number | undefined, number][] = [
    [1, undefined, 250],
    [4, undefined, 2000],
    [99, undefined, 3000],
    [1, 5000, 5000],
    [1, 0, 100],
    [1, 3_600_000, 30_000],
  ];
  for (const [looks, askedMs, expected] of cases) {
    it(`pauseMs() is ${expected} after ${looks} looks where ${askedMs} is asked for`, () => {
      assert.equal(pauseMs(looks, askedMs), expected);
    });
  }
});
