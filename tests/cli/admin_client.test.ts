/** Where the one that runs is asked, with which token, and what is said when it does not answer. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { reload } from "../../src/cli/reload.ts";
import { status } from "../../src/cli/status.ts";
import { pairStatus } from "../support/admin_status.ts";
import { json, ranIn, type Scene } from "../support/fake_admin.ts";

const TOKEN = "a-token-of-enough-characters";
const config = (admin: string): string => `admin: ${admin}\nroutes: [{ upstreams: [http://a] }]\n`;
const answers = { "GET /api/status": json(pairStatus()) };

describe("AdminClient", () => {
  const USUAL = "GET http://127.0.0.1:2020/api/status";
  const cases: [string, string[], Scene, string, string | null][] = [
    ["the usual place when nothing is said", [], {}, USUAL, null],
    ["where a flag says", ["--admin", "http://box:99/"], {}, "GET http://box:99/api/status", null],
    [
      "at an address without a scheme",
      ["--admin", "box:99"],
      {},
      "GET http://box:99/api/status",
      null,
    ],
    [
      "at a port of this machine",
      ["--admin", ":99"],
      {},
      "GET http://127.0.0.1:99/api/status",
      null,
    ],
    [
      "where the environment says",
      [],
      { env: { UNDERSTUDY_ADMIN: "https://box", UNDERSTUDY_TOKEN: TOKEN } },
      "GET https://box/api/status",
      TOKEN,
    ],
    [
      "where the configuration says",
      [],
      { files: { "config.yaml": config(`{ listen: "0.0.0.0:99", token: ${TOKEN} }`) } },
      "GET http://127.0.0.1:99/api/status",
      TOKEN,
    ],
    [
      "with the token of a file",
      ["--config", "c.yaml", "--token-file", "t"],
      { files: { "c.yaml": config("127.0.0.1:99"), t: ` ${TOKEN}\n` } },
      "GET http://127.0.0.1:99/api/status",
      TOKEN,
    ],
    [
      "where a configuration says that is broken elsewhere",
      [],
      { files: { "config.yaml": "admin: 127.0.0.1:99\nroutes: 7\n" } },
      "GET http://127.0.0.1:99/api/status",
      null,
    ],
    [
      "the usual place when the configuration cannot be read at all",
      [],
      { files: { "config.yaml": "[" } },
      USUAL,
      null,
    ],
  ];
  for (const [title, words, scene, line, token] of cases) {
    it(`asks ${title}`, async () => {
      const { code, asked, stderr } = await ranIn(status, words, { ...scene, answers });
      assert.deepEqual([code, stderr], [0, ""]);
      const authorization = token === null ? null : `Bearer ${token}`;
      assert.deepEqual(asked, [{ line, authorization }]);
    });
  }

  const refused = (code: number, error: string, more = {}) => ({
    "GET /api/status": json({ error, ...more }, code),
  });
  const failures: [string, string[], Scene, RegExp][] = [
    [
      "nobody answers",
      [],
      {},
      /^Nothing answers at http:\/\/127\.0\.0\.1:2020; is understudy running.*\n {2}connection refused\n$/,
    ],
    ["a token is asked for", [], { answers: refused(401, "x") }, /asks for a token; give it by/],
    [
      "the token is wrong",
      [],
      { answers: refused(401, "x"), env: { UNDERSTUDY_TOKEN: "t" } },
      /does not take this token/,
    ],
    [
      "the answer says why not",
      [],
      { answers: refused(503, "Cannot answer yet") },
      /^Cannot answer yet\n$/,
    ],
    [
      "somebody else answers",
      [],
      { answers: { "GET /api/status": () => new Response("<html>") } },
      /answers as understudy would not; name the admin listener/,
    ],
    [
      "somebody else refuses",
      [],
      { answers: { "GET /api/status": () => new Response("no", { status: 404 }) } },
      /answers 404 as understudy would not/,
    ],
    ["the address is none", ["--admin", "a b"], {}, /^Expected the admin listener to be a URL/],
    ["the token's file is missing", ["--token-file", "t"], {}, /^Cannot read "t": no such file\n$/],
    [
      "the configuration turns it off",
      [],
      { files: { "config.yaml": config("off") } },
      /"config.yaml" turns "admin" off/,
    ],
  ];
  for (const [title, words, scene, expected] of failures) {
    it(`says so and fails when ${title}`, async () => {
      const { code, stdout, stderr } = await ranIn(status, words, scene);
      assert.match(stderr, expected);
      assert.deepEqual([code, stdout], [1, ""]);
    });
  }
});

describe("reload", () => {
  it("says what was taken over", async () => {
    const { config } = pairStatus();
    const { code, stdout } = await ranIn(reload, [], {
      answers: { "POST /api/reload": json({ config }) },
    });
    assert.deepEqual([code, stdout], [0, "config.yaml is taken over\n"]);
  });

  it("prints the problems and fails when the configuration is no good", async () => {
    const problems = ["config.yaml:1:1 a", "config.yaml:2:2 b"];
    const { code, stderr } = await ranIn(reload, [], {
      answers: { "POST /api/reload": json({ error: "Cannot take it over", problems }, 422) },
    });
    assert.deepEqual([code, stderr], [1, `Cannot take it over\n  ${problems.join("\n  ")}\n`]);
  });
});
