/** The settings of a route's door: what they mean, and what is refused. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { formatProblem, load } from "../../src/config/load.ts";
import type { GuardRules, Route } from "../../src/rules.ts";
import { config, onlyRoute, problems, withPool } from "../support/config_text.ts";
import { auth, block, cors, guard, HICCUP } from "../support/fake_guard.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const KEYS = "{ laptop: key-of-laptop, phone: key-of-phone }";

describe("load() reads the door of a route", () => {
  const cases: [string, Partial<GuardRules> | undefined][] = [
    ["expose: true", undefined],
    ["cors: false", undefined],
    ["limits: { rate: unlimited, concurrent: unlimited }", undefined],
    ["allow: 192.168.0.0/16", { allow: [block("192.168.0.0", 16)] }],
    ['deny: [192.0.2.1, "2001:db8::/32"]', {
      deny: [block("192.0.2.1", 32), block("2001:db8::", 32)],
    }],
    ["limits: { concurrent: 4 }", { concurrentMax: 4 }],
    ["limits: { rate: { requests: 60 } }", {
      rate: { requests: 60, perMs: 60_000, burst: 60 },
    }],
    ["limits: { rate: { requests: 5, per: 1s, burst: 20 } }", {
      rate: { requests: 5, perMs: 1000, burst: 20 },
    }],
    ["cors: true", { cors: cors({ methods: METHODS }) }],
    ["cors: {}", { cors: cors({ methods: METHODS }) }],
    ["cors: { methods: get, headers: [X-A], max_age: 1h }", {
      cors: cors({ methods: ["GET"], headers: ["X-A"], maxAgeMs: 3_600_000 }),
    }],
    [`auth: { keys: ${KEYS} }`, { auth: auth({ basic: undefined }) }],
    [`auth: { keys: ${KEYS}, basic: { realm: cellar, users: { bob: ${HICCUP} } }, pass: true }`, {
      auth: auth({ pass: true }),
    }],
  ];
  for (const [line, expected] of cases) {
    it(`takes ${line}`, async () => {
      const route = await onlyRoute(withPool(line));
      assert.deepEqual(route.guard, expected && guard(expected));
      assert.equal(route.expose, line.startsWith("expose"));
    });
  }

  it("lets a route's limits win over those of all routes, one by one", async () => {
    const general = "limits: { rate: { requests: 9 }, concurrent: 3 }\n";
    const of = async (line: string) => (await config(general + withPool(line))).routes[0]?.guard;
    const rate = { requests: 9, perMs: 60_000, burst: 9 };
    assert.deepEqual(await of("expose: false"), guard({ rate, concurrentMax: 3 }));
    assert.deepEqual(await of("limits: { concurrent: 5 }"), guard({ rate, concurrentMax: 5 }));
    assert.deepEqual(await of("limits: { rate: unlimited }"), guard({ concurrentMax: 3 }));
  });

  it("reads keys from files and from the environment", async () => {
    const files: Record<string, string> = {
      "/one": "key-of-laptop\n",
      "/all": "# ours\nlaptop: key-of-laptop\n\nphone  key-of-phone\r\n",
    };
    const read = async (line: string): Promise<Route | undefined> => {
      const result = await load(withPool(line), {
        path: "c.yaml",
        env: () => "key-of-phone",
        readSecret: (path) => files[path] ?? "",
        certificateNames: () => [],
      });
      if (result.kind === "loaded") return result.config.routes[0];
      return assert.fail(result.problems.map(formatProblem).join("\n"));
    };
    const lines = [
      "auth: { keys: { laptop_file: /one, phone: '${PHONE}' } }",
      "auth: { keys_file: /all }",
    ];
    for (const line of lines) {
      assert.deepEqual((await read(line))?.guard, guard({ auth: auth({ basic: undefined }) }));
    }
  });
});

describe("load() reads origins", () => {
  const cases: [string, string, boolean][] = [
    ["https://chat.test", "https://chat.test", true],
    ["https://Chat.Test", "https://chat.test", true],
    ["https://chat.test", "http://chat.test", false],
    ["https://chat.test", "https://chat.test:8443", false],
    ["https://chat.test", "https://chat.test.evil.test", false],
    ["https://chat.test", "https://chatxtest", false],
    ["https://*.test", "https://chat.test", true],
    ["https://*.test", "https://a.chat.test", false],
    ["https://*.test", "https://test", false],
    ["https://*.test", "https://evil.example/.test", false],
    ["http://localhost:*", "http://localhost:3000", true],
    ["http://localhost:*", "http://localhost", true],
    ["http://localhost:*", "http://localhost:1@evil.test", false],
    ["http://[::1]:3000", "http://[::1]:3000", true],
    ["app://*", "app://obsidian.md", true],
    ["app://*", "https://obsidian.md", false],
    ["null", "null", true],
  ];
  for (const [written, origin, fits] of cases) {
    it(`so that ${written} ${fits ? "takes" : "refuses"} ${origin}`, async () => {
      const { guard: rules } = await onlyRoute(withPool(`cors: { origins: "${written}" }`));
      assert.equal(rules?.cors?.origins?.some((pattern) => pattern.test(origin)), fits);
    });
  }
});

describe("load() refuses at the door", () => {
  const cases: [string, RegExp][] = [
    ["auth: {}", /^3:5 routes\[0\]\.auth: Expected "basic" or "keys" but received none$/],
    ["auth: { keys: {} }", /auth\.keys: Expected at least one key but received none/],
    [
      "auth: { keys: { a: short } }",
      /keys\.a: Expected a key of 8 .* but received something else$/,
    ],
    ["auth: { keys: { 'a b': key-of-laptop } }", /Expected a name of letters, digits/],
    ["auth: { keys: { a: same-key, b: same-key } }", /received one key under two names$/],
    ["auth: { keys: hush }", /Expected a map of keys by name.* but received another line 1$/],
    ["auth: { keys_file: /words.txt }", /received what the file "\/words.txt" holds$/],
    ["auth: { basic: { users: { bob: hiccup } } }", /Expected a bcrypt hash .* something else$/],
    ["allow: []", /Expected at least one entry/],
    ["allow: lan", /Expected an address block such as .* but received "lan"$/],
    ["limits: { rate: 60 }", /Expected a map such as .* but received 60$/],
    ["limits: { rate: { per: 1m } }", /Expected a key "requests" but received none/],
    ["limits: { concurrent: 0 }", /Expected a whole number from 1 /],
    [
      "cors: { origins: chat.test }",
      /Expected an origin without a path.* but received "chat.test"$/,
    ],
    ["cors: { origins: 'https://a.test/' }", /Expected an origin without a path/],
    ["cors: { origins: 'https://a.test*' }", /Expected an origin without a path/],
    ["cors: { origins: 'https://*' , credentials: yes }", /Expected true or false/],
    [
      "cors: { credentials: true }",
      /credentials: Expected origins by name where "credentials" is on but received any$/,
    ],
    ["cros: true", /did you mean "cors"/i],
  ];
  for (const [line, expected] of cases) {
    it(line, async () => {
      const all = await problems(withPool(line));
      assert.ok(all.some((problem) => expected.test(problem)), all.join("\n"));
      assert.ok(!all.some((problem) => /hiccup|same-key|hush/.test(problem)), all.join("\n"));
    });
  }
});

describe("docs/guarding.md", () => {
  it("shows examples that load", async () => {
    const text = await readFile(new URL("../../docs/guarding.md", import.meta.url), "utf8");
    const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, example = ""]) => example);
    assert.ok(examples.length > 3);
    const [, keys = ""] = /```text\n(.*?)```/s.exec(text) ?? [];
    for (const example of examples) {
      const result = await load(example, {
        path: "docs/guarding.md",
        env: () => undefined,
        readSecret: () => keys,
        certificateNames: () => [],
      });
      assert.equal(result.kind, "loaded", `${JSON.stringify(result, null, 2)}\n${example}`);
    }
  });
});
