/** What editors and readers are told of the settings: config.schema.json and docs/config.md. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import type { JsonSchema } from "@valibot/to-json-schema";
import { parse } from "yaml";
import { load } from "../../src/config/load.ts";
import { CERTIFICATE, KEY } from "../support/config_text.ts";
import { misfits } from "../support/json_schema.ts";
import { configSchema, partsOf, schemaText, storedSchemaText } from "../support/schema_file.ts";

/** What the files that examples name hold, where it matters. */
const FILES: Readonly<Record<string, string>> = {
  "/etc/understudy/ca.pem": CERTIFICATE,
  "/etc/understudy/us.pem": CERTIFICATE,
  "/etc/understudy/us.key": KEY,
  "/etc/understudy/ollama.pem": CERTIFICATE,
  "/etc/understudy/ollama.key": KEY,
  "/run/secrets/understudy_token": "0123456789abcdef",
  "/run/secrets/ann": `$2a$14$${"a".repeat(53)}`,
  "/run/secrets/laptop": "key-of-laptop",
  "/run/secrets/phone": "key-of-phone",
  "/run/secrets/discord_webhook": "https://discord.com/api/webhooks/1/x",
};

function readRoot(name: string): Promise<string> {
  return readFile(new URL(`../../${name}`, import.meta.url), "utf8");
}

/** Every key of the schema with what it says of it. */
function keysOf(schema: JsonSchema): [string, JsonSchema][] {
  const own = Object.entries(schema.properties ?? {})
    .flatMap(([key, part]): [string, JsonSchema][] =>
      typeof part === "object" ? [[key, part]] : []
    );
  return [...own, ...partsOf(schema).flatMap(keysOf)];
}

describe("config.schema.json", () => {
  it("is what the schema says now (else: bun tests/support/schema_file.ts --write)", async () => {
    assert.equal(await storedSchemaText(), schemaText());
  });

  it("describes every key", () => {
    const silent = keysOf(configSchema()).filter(([, { description }]) =>
      description === undefined
    );
    assert.deepEqual(silent.map(([key]) => key), []);
  });

  it("takes config.yaml", async () => {
    assert.deepEqual(misfits(configSchema(), parse(await readRoot("config.yaml"))), []);
  });

  const cases: [string, unknown, boolean][] = [
    ["listen: ':80'", { listen: ":80" }, true],
    ["listen: 80", { listen: 80 }, false],
    ["an unknown key", { polciy: "first" }, false],
    ["a bare number for a duration", { grace_period: 10 }, false],
    ["zero for a duration", { grace_period: 0 }, true],
    ["a reference to the environment", { grace_period: "${GRACE}" }, true],
    ["a step", { routes: [{ steps: [{ respond: 204, match: { header: { X: null } } }] }] }, true],
    ["steps in steps", { routes: [{ steps: [{ steps: [{ error: 404 }] }] }] }, true],
    ["an unknown key deep within", { routes: [{ steps: [{ steps: [{ eror: 404 }] }] }] }, false],
    ["a policy by name", { routes: [{ upstreams: ["a"], policy: "least_conn" }] }, true],
    ["a policy with more", { routes: [{ upstreams: ["a"], policy: { random_choose: 2 } }] }, true],
    ["a wrong policy", { routes: [{ upstreams: ["a"], policy: "best" }] }, false],
    ["a wrong word", { log: { level: "loud" } }, false],
  ];
  for (const [title, more, fits] of cases) {
    it(`${fits ? "takes" : "refuses"} ${title}`, () => {
      const value = { routes: [{ upstreams: ["http://a"] }], ...Object(more) };
      assert.equal(misfits(configSchema(), value).length === 0, fits);
    });
  }

  it("takes a secret's file beside every text", () => {
    const upstreams = [{ url_file: "/run/url" }];
    assert.deepEqual(misfits(configSchema(), { routes: [{ upstreams }] }), []);
  });
});

describe("docs/config.md", () => {
  it("explains every key of the schema", async () => {
    const text = await readRoot("docs/config.md");
    const missing = keysOf(configSchema()).map(([key]) => key)
      .filter((key) => !new RegExp(`\`(?:[a-z_.]+\\.)?${key}\``).test(text));
    assert.deepEqual([...new Set(missing)], []);
  });

  it("shows examples that load", async () => {
    const text = await readRoot("docs/config.md");
    const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, example = ""]) => example);
    assert.ok(examples.length > 5);
    for (const example of examples) {
      const whole = example.includes("routes:")
        ? example
        : `${example}\nroutes: [{ upstreams: [a] }]`;
      const result = await load(whole, {
        path: "docs/config.md",
        env: () => "x",
        readSecret: (path) => FILES[path] ?? "x",
        certificateNames: () => ["ollama.example.com"],
      });
      assert.equal(result.kind, "loaded", `${JSON.stringify(result, null, 2)}\n${example}`);
    }
  });
});
