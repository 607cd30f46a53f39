/** The section `admin`: on by itself for this machine, and never open to others without a token. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AdminRules } from "../../src/rules.ts";
import { config, problems } from "../support/config_text.ts";

const ROUTES = "routes: [{ upstreams: [http://a] }]";
const TOKEN = "0123456789abcdef";

async function admin(line: string): Promise<AdminRules | undefined> {
  return (await config(`${line}\n${ROUTES}\n`)).admin;
}

function rules(changes: Partial<AdminRules> = {}): AdminRules {
  return {
    address: { kind: "tcp", host: "127.0.0.1", port: 2020 },
    written: false,
    token: undefined,
    origins: [],
    slowMs: 10_000,
    ...changes,
  };
}

describe("admin", () => {
  const cases: [string, AdminRules | undefined][] = [
    ["", rules()],
    ["admin: off", undefined],
    ["admin: {}", rules()],
    ["admin: 127.0.0.1:2020", rules({ written: true })],
    [
      "admin: localhost:0",
      rules({ address: { kind: "tcp", host: "localhost", port: 0 }, written: true }),
    ],
    [
      'admin: "[::1]:2021"',
      rules({ address: { kind: "tcp", host: "::1", port: 2021 }, written: true }),
    ],
    [`admin: { token: ${TOKEN} }`, rules({ token: TOKEN })],
    [
      `admin: { listen: ":2020", token: ${TOKEN}, slow: 3s }`,
      rules({
        address: { kind: "tcp", host: "", port: 2020 },
        written: true,
        token: TOKEN,
        slowMs: 3_000,
      }),
    ],
    [
      "admin: { origins: [https://Ops.example.com:443/, http://a:81] }",
      rules({ origins: ["https://ops.example.com", "http://a:81"] }),
    ],
  ];
  for (const [line, expected] of cases) {
    it(`takes ${line === "" ? "nothing" : line}`, async () => {
      assert.deepEqual(await admin(line), expected);
    });
  }

  const NO_TOKEN = "Expected a token, as others than this machine can ask there, but received none";
  const refusals: [string, string][] = [
    ['admin: ":2020"', `1:1 admin: ${NO_TOKEN}`],
    ["admin: 192.168.1.5:2020", `1:1 admin: ${NO_TOKEN}`],
    ['admin: { listen: "0.0.0.0:2020" }', `1:1 admin: ${NO_TOKEN}`],
    [
      "admin: yes",
      '1:8 admin: Expected an address such as "127.0.0.1:2020", or "off", but received "yes"',
    ],
    [
      "admin: { token: short }",
      "1:17 admin.token: Expected a token of at least 16 visible characters but received something else",
    ],
    [
      "admin: { origins: [https://a/b] }",
      '1:20 admin.origins[0]: Expected an origin such as "https://understudy.example.com", ' +
      'without a path but received "https://a/b"',
    ],
    [
      "admin: { lisen: a }",
      '1:10 admin.lisen: Expected a known key but received "lisen", did you mean "listen"?',
    ],
  ];
  for (const [line, expected] of refusals) {
    it(`refuses ${line}`, async () => {
      assert.deepEqual(await problems(`${line}\n${ROUTES}\n`), [expected]);
    });
  }
});
