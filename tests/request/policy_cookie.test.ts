/** Whom a cookie names, and what a response sets. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, it } from "node:test";
import type { Policy } from "../../src/rules.ts";
import { cookieFor, type CookiePolicy, remembered } from "../../src/request/policy_cookie.ts";
import { FakeStanding, upstream } from "../support/fake_route.ts";
import { asker, type AskerChanges, WORLD } from "../support/fake_world.ts";

const POLICY: CookiePolicy = {
  kind: "cookie",
  name: "lb",
  secret: "open sesame",
  maxAgeMs: undefined,
  fallback: { kind: "first" },
};
const SOCKET = { kind: "unix", path: "/run/c.sock" } as const;
const ALL = [upstream("a"), upstream("b"), upstream("c", { address: SOCKET })].map((one) => ({
  upstream: one,
  standing: new FakeStanding(),
}));

function signed(address: string, secret = POLICY.secret): string {
  return createHmac("sha256", secret).update(address).digest("hex");
}

function sending(...cookies: string[]): AskerChanges {
  return { fields: cookies.map((cookie) => ["Cookie", cookie] as const) };
}

describe("remembered()", () => {
  const A = signed("a:80");
  const B = signed("b:80");
  const cases: [string, string[], string | undefined][] = [
    ["nobody without a cookie", [], undefined],
    ["the one that is signed for", [`lb=${B}`], "b"],
    ["one behind a socket file", [`lb=${signed("unix//run/c.sock")}`], "c"],
    ["it among other cookies", [`x=1; lb=${B}; y=2`], "b"],
    ["it however it is spaced", [`x=1;lb=${B} ;y=2`], "b"],
    ["it in a field of its own", ["x=1", `lb=${B}`], "b"],
    ["it behind one of the same name that says nothing", [`lb=stale; lb=${A}`], "a"],
    ["nobody for a plain address", ["lb=b:80"], undefined],
    ["nobody for an address signed with another secret", [`lb=${signed("b:80", "")}`], undefined],
    ["nobody for an address that is no upstream's", [`lb=${signed("z:80")}`], undefined],
    ["nobody for a cookie of another name", [`lbx=${B}; xlb=${B}; LB=${B}`], undefined],
    ["nobody for a name without a value", ["lb", "lb=", "="], undefined],
  ];
  for (const [title, cookies, expected] of cases) {
    it(`finds ${title}`, () => {
      assert.equal(remembered(POLICY, ALL, asker(sending(...cookies)))?.upstream.name, expected);
    });
  }

  it("finds nobody when the one that is named may not be chosen", () => {
    assert.equal(remembered(POLICY, ALL.slice(0, 1), asker(sending(`lb=${B}`))), undefined);
  });

  it("signs once for each upstream", () => {
    const policy = { ...POLICY };
    let signings = 0;
    const hmacSha256: typeof WORLD.hmacSha256 = (key, text) => {
      signings++;
      return WORLD.hmacSha256(key, text);
    };
    const by = asker({ ...sending("lb=?"), world: { ...WORLD, hmacSha256 } });
    for (let time = 0; time < 3; time++) remembered(policy, ALL, by);
    assert.equal(signings, ALL.length);
  });
});

describe("cookieFor()", () => {
  const lb = `lb=${signed("b:80")}; Path=/`;
  const byQuery: Policy = { kind: "query", key: "id", fallback: POLICY };
  const https = (value: string): AskerChanges => ({ fields: [["X-Forwarded-Proto", value]] });
  const trusting = { viaTrusted: true };

  const cases: [string, Policy, AskerChanges, string | undefined][] = [
    ["sets a cookie of the session", POLICY, {}, `${lb}; HttpOnly; SameSite=Lax`],
    [
      "sets one that may go to other sites when the client speaks TLS",
      POLICY,
      { scheme: "https" },
      `${lb}; HttpOnly; Secure; SameSite=None`,
    ],
    [
      "believes a trusted peer that the client speaks TLS",
      POLICY,
      { ...https("http, https"), ...trusting },
      `${lb}; HttpOnly; Secure; SameSite=None`,
    ],
    [
      "believes what the trusted peer says, not what it was told",
      POLICY,
      { ...https("https, http"), ...trusting },
      `${lb}; HttpOnly; SameSite=Lax`,
    ],
    ["believes nobody else", POLICY, https("https"), `${lb}; HttpOnly; SameSite=Lax`],
    [
      "limits the cookie's age",
      { ...POLICY, maxAgeMs: 90_500 },
      {},
      `${lb}; Max-Age=90; HttpOnly; SameSite=Lax`,
    ],
    [
      "never makes it a cookie that is deleted at once",
      { ...POLICY, maxAgeMs: 500 },
      {},
      `${lb}; Max-Age=1; HttpOnly; SameSite=Lax`,
    ],
    ["sets none when the client has it", POLICY, sending(`lb=${signed("b:80")}`), undefined],
    [
      "sets it anew when the client has another's",
      POLICY,
      sending(`lb=${signed("a:80")}`),
      `${lb}; HttpOnly; SameSite=Lax`,
    ],
    ["sets none by other policies", { kind: "ip_hash" }, {}, undefined],
    ["sets none when a key had the say", byQuery, { target: "/?id=1" }, undefined],
    ["sets one when no key had the say", byQuery, {}, `${lb}; HttpOnly; SameSite=Lax`],
  ];
  for (const [title, policy, asked, expected] of cases) {
    it(title, () => assert.equal(cookieFor(policy, upstream("b"), asker(asked)), expected));
  }
});
