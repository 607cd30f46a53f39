/** Who may use the admin listener: names, origins and tokens. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { platform } from "#platform";
import { type Asked, refusal } from "../../src/ops/guard.ts";
import { sameDigest } from "../../src/ops/same.ts";
import type { AdminRules } from "../../src/rules.ts";

const same = sameDigest((key, text) => platform.hmacSha256(key, text));
const ASKED: Asked = {
  isOpen: false,
  host: "127.0.0.1:2020",
  origin: null,
  site: null,
  authorization: null,
};

function rules(host: string, more: Partial<AdminRules> = {}) {
  return {
    address: { kind: "tcp", host, port: 2020 } as const,
    token: undefined,
    origins: [],
    ...more,
  };
}

function answer(asked: Partial<Asked>, given = rules("127.0.0.1")): number {
  return refusal({ ...ASKED, ...asked }, given, same)?.status ?? 200;
}

describe("refusal() by Host", () => {
  const cases: [string, string | null, ReturnType<typeof rules>, number][] = [
    ["this machine's address", "127.0.0.1:2020", rules("127.0.0.1"), 200],
    ["this machine's other addresses", "127.0.0.2", rules("127.0.0.1"), 200],
    ["localhost", "localhost:2020", rules("127.0.0.1"), 200],
    ["localhost through a forwarded port", "LOCALHOST:9", rules("127.0.0.1"), 200],
    ["a name below localhost", "gpu.localhost:2020", rules("127.0.0.1"), 200],
    ["IPv6", "[::1]:2020", rules("127.0.0.1"), 200],
    ["a name of a stranger", "evil.example:2020", rules("127.0.0.1"), 403],
    ["a name that begins like ours", "localhost.evil.example", rules("127.0.0.1"), 403],
    ["an address that is not listened on", "192.168.1.5:2020", rules("127.0.0.1"), 403],
    ["the address that is listened on", "192.168.1.5:2020", rules("192.168.1.5"), 200],
    ["any address where all are listened on", "10.0.0.9:2020", rules(""), 200],
    ["a name where all are listened on", "evil.example:2020", rules(""), 403],
    ["the name that is listened on", "box.lan:2020", rules("box.lan"), 200],
    [
      "the host of an origin that is allowed",
      "ops.example.com",
      rules("127.0.0.1", { origins: ["https://ops.example.com"] }),
      200,
    ],
    ["none", null, rules("127.0.0.1"), 400],
    ["two", "localhost, evil.example", rules("127.0.0.1"), 400],
    ["one with a path", "localhost/../x", rules("127.0.0.1"), 400],
    ["one with a user", "a@localhost", rules("127.0.0.1"), 400],
  ];
  for (const [title, host, given, expected] of cases) {
    it(`answers ${expected} to ${title}`, () => assert.equal(answer({ host }, given), expected));
  }
});

describe("refusal() by who asks in a browser", () => {
  const cases: [string, Partial<Asked>, number][] = [
    ["no browser", {}, 200],
    ["our own page", { origin: "http://127.0.0.1:2020", site: "same-origin" }, 200],
    ["our own page behind TLS", { origin: "https://127.0.0.1:2020" }, 200],
    ["a person", { site: "none" }, 200],
    ["a page elsewhere", { origin: "https://evil.example", site: "cross-site" }, 403],
    ["a page without an origin", { origin: "null" }, 403],
    ["a page on another port", { origin: "http://127.0.0.1:8080", site: "same-site" }, 403],
    ["an image elsewhere", { site: "cross-site" }, 403],
    ["a page of a program beside us", { site: "same-site" }, 403],
    ["a link elsewhere to the page", { isOpen: true, site: "cross-site" }, 200],
  ];
  for (const [title, asked, expected] of cases) {
    it(`answers ${expected} to ${title}`, () => assert.equal(answer(asked), expected));
  }
});

describe("refusal() by token", () => {
  const given = rules("", { token: "0123456789abcdef" });
  const cases: [string, Partial<Asked>, number][] = [
    ["none", {}, 401],
    ["the right one", { authorization: "Bearer 0123456789abcdef" }, 200],
    ["the right one in another spelling", { authorization: "bearer  0123456789abcdef " }, 200],
    ["a beginning of it", { authorization: "Bearer 0123456789abcde" }, 401],
    ["more than it", { authorization: "Bearer 0123456789abcdef0" }, 401],
    ["another scheme", { authorization: "Basic 0123456789abcdef" }, 401],
    ["none, where no secret is", { isOpen: true }, 200],
  ];
  for (const [title, asked, expected] of cases) {
    it(`answers ${expected} to ${title}`, () => assert.equal(answer(asked, given), expected));
  }

  it("asks a stranger for no token, who could only be told that it is wrong", () => {
    assert.equal(answer({ host: "evil.example" }, given), 403);
  });
});
