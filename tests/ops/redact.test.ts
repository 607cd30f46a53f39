/** The configuration as it is shown: nothing of its secrets is left. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { load } from "../../src/config/load.ts";
import { redactedConfig } from "../../src/ops/redact.ts";

describe("redactedConfig()", () => {
  const cases: [string, unknown, unknown][] = [
    ["texts", { name: "gpu", n: 3 }, { name: "gpu", n: 3 }],
    ["no limit", { max: Infinity }, { max: "unlimited" }],
    ["an expression", { search: /a+/i }, { search: "/a+/i" }],
    ["a token", { token: "hush" }, { token: "REDACTED" }],
    ["no token", { token: undefined }, { token: undefined }],
    ["a private key", { certificate: { chain: "c", key: "k" } }, {
      certificate: { chain: "c", key: "REDACTED" },
    }],
    ["a header", { name: "Authorization", value: ["Bearer ", "hush"] }, {
      name: "Authorization",
      value: "REDACTED",
    }],
    ["a harmless header", { name: "X-Origin", value: ["us"] }, { name: "X-Origin", value: ["us"] }],
    ["a header that is asked for", { kind: "header", name: "X-Api-Key", values: ["hush"] }, {
      kind: "header",
      name: "X-Api-Key",
      values: "REDACTED",
    }],
    ["a parameter", { kind: "query", key: "page", values: ["1"] }, {
      kind: "query",
      key: "page",
      values: ["1"],
    }],
    ["a parameter that is one", { kind: "query", key: "api_key", values: ["hush"] }, {
      kind: "query",
      key: "api_key",
      values: "REDACTED",
    }],
    ["a URL with one", { to: ["http://a/?x=1&token=hush"] }, {
      to: ["http://a/?x=1&token=REDACTED"],
    }],
    ["a key in PEM", { x: "-----BEGIN PRIVATE KEY-----\nhush" }, { x: "REDACTED" }],
  ];
  for (const [title, value, expected] of cases) {
    it(`shows ${title} as it should`, () => assert.deepEqual(redactedConfig(value), expected));
  }

  it("lets no secret of a whole configuration through", async () => {
    const hash = `$2a$14$${"h".repeat(53)}`;
    const loaded = await load(
      `
admin: { token: hush-hush-hush-hush }
routes:
  - steps:
      - basic_auth: { users: { ann: "${hash}" } }
    upstreams: [{ url: http://a, headers: { Authorization: hush-1 } }]
    policy: { cookie: { secret: hush-2 } }
    health: { uri: /, headers: { X-Api-Key: hush-3 } }
`,
      { path: "c.yaml", env: () => undefined, readSecret: () => "", certificateNames: () => [] },
    );
    assert.equal(loaded.kind, "loaded", JSON.stringify(loaded));
    const shown = JSON.stringify(redactedConfig(loaded.kind === "loaded" ? loaded.config : {}));
    assert.doesNotMatch(shown, /hush|hhhhh/);
    assert.match(shown, /"token":"REDACTED"/);
  });
});
