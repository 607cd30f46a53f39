/** Steps that are never reached, and routes as a whole: ports, ids, what needs what. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { poolsOf } from "../../src/steps.ts";
import { config, onlyRoute, problems } from "../support/config_text.ts";

describe("steps that are never reached", () => {
  const behind = (at: number, first: number): RegExp =>
    new RegExp(
      `steps\\[${at}\\]: Expected a step that is reached but received one behind steps\\[${first}\\],`,
    );
  const cases: [string, RegExp | undefined][] = [
    ["[{ respond: 204 }, { access_log: off }]", behind(1, 0)],
    ["[{ access_log: off }, { proxy: { upstreams: [a] } }, { respond: 1st }]", behind(2, 1)],
    ["[{ redirect: / }, { error: 404 }]", behind(1, 0)],
    ["[{ steps: [{ error: 404 }] }, { respond: 204 }]", behind(1, 0)],
    ["[{ steps: [{ respond: 204 }, { respond: 204 }] }]", behind(1, 0)],
    [
      "[{ first_of: [{ match: { path: / }, steps: [respond: 204] }, { steps: [respond: 204] }] }, { respond: 204 }]",
      behind(1, 0),
    ],
    [
      "[{ first_of: [{ match: { path: / }, steps: [] }, { steps: [respond: 204] }] }, { respond: 204 }]",
      undefined,
    ],
    [
      "[{ first_of: [{ match: { path: / }, steps: [respond: 204] }] }, { respond: 204 }]",
      undefined,
    ],
    ["[{ respond: 204, match: { path: / } }, { respond: 204 }]", undefined],
    ["[{ steps: [respond: 204], match: { path: / } }, { respond: 204 }]", undefined],
    ["[{ forward_auth: { upstreams: [a], uri: / } }, { respond: 204 }]", undefined],
  ];
  for (const [steps, expected] of cases) {
    it(`${expected === undefined ? "takes" : "refuses"} ${steps}`, async () => {
      const text = `routes: [{ steps: ${steps} }]`;
      if (expected === undefined) return void await config(text);
      const told = await problems(text);
      assert.ok(told.length === 1 && expected.test(told[0] ?? ""), told.join("\n"));
    });
  }

  it("tells of upstreams behind steps that answer everything", async () => {
    assert.deepEqual(
      await problems("routes:\n  - upstreams: [a]\n    steps: [{ respond: 204 }]\n"),
      [
        '2:5 routes[0].upstreams: Expected something that is reached but received "upstreams" behind steps[0], which answers everything',
      ],
    );
  });

  it("looks into errors, responses and forward_auth", async () => {
    const late = "steps: [{ respond: 204 }, { respond: 204 }]";
    const told = await problems(`routes:
  - upstreams: [a]
    errors: { ${late} }
    responses: [{ ${late} }]
    steps:
      - forward_auth: { upstreams: [b], uri: /, responses: { ${late} } }
`);
    assert.equal(told.length, 3);
  });
});

describe("routes", () => {
  it("lead to steps, then to upstreams; pools are named in turn", async () => {
    const route = await onlyRoute(`routes:
  - host: a.com
    port: [8443, 8080]
    upstreams: [http://x]
    steps:
      - forward_auth: { upstreams: [http://auth], uri: / }
      - { match: { path: /b }, steps: [{ proxy: { upstreams: [http://b], responses: { steps: [{ proxy: { upstreams: [http://c] } }] } } }] }
    errors:
      - { status: [502, 5xx], steps: [{ respond: sorry }] }
      - steps: [{ proxy: { dynamic: { a: { name: d.lan } } } }]
`);
    const id = "a.com/:8080,8443";
    assert.equal(route.id, id);
    assert.deepEqual(route.ports, [8443, 8080]);
    assert.deepEqual(
      poolsOf([route]).map((pool) => [pool.id, ...pool.upstreams.map((one) => one.id)]),
      [
        [id, `${id} auth:80`],
        [`${id}#2`, `${id}#2 b:80`],
        [`${id}#3`, `${id}#3 c:80`],
        [`${id}#4`, `${id}#4 x:80`],
        [`${id}#5`],
      ],
    );
    assert.deepEqual(route.errors.map(({ status }) => status), [
      [{ from: 502, to: 502 }, { from: 500, to: 599 }],
      [],
    ]);
  });

  it("may be told apart by their ports alone", async () => {
    await config(`listen: [":80", ":81"]
routes:
  - { port: 80, upstreams: [a] }
  - { port: 81, upstreams: [b] }
  - upstreams: [c]
`);
  });

  const wrong: [string, string[]][] = [
    ["routes: [{ host: a.com }]", [
      '1:10 routes[0]: Expected "upstreams", "dynamic" or "steps" but received none',
    ]],
    ["routes: [{ steps: [], policy: random, health: { uri: / } }]", [
      '1:23 routes[0].policy: Expected "upstreams" or "dynamic" beside "policy" but received none',
      '1:39 routes[0].health: Expected "upstreams" or "dynamic" beside "health" but received none',
    ]],
    ['listen: ":80"\nroutes: [{ port: [80, 81], steps: [] }]', [
      '2:23 routes[0].port[1]: Expected a port that "listen" names but received 81',
    ]],
    ['listen: [":80", ":81"]\nroutes: [{ port: 80, steps: [] }, { port: [81, 80], steps: [] }]', [
      '2:35 routes[1]: Expected a host and path of its own but received "*/ on port 80", which routes[0] answers already',
    ]],
    ["routes: [{ port: 0, steps: [] }]", [
      "1:18 routes[0].port: Expected a whole number from 1 to 65535 but received 0",
    ]],
    ["routes: [{ errors: [{ status: 404 }], steps: [] }]", [
      '1:21 routes[0].errors[0].steps: Expected a key "steps" but received none',
    ]],
  ];
  for (const [text, expected] of wrong) {
    it(`are refused: ${text.replaceAll("\n", " ")}`, async () => {
      assert.deepEqual(await problems(text), expected);
    });
  }

  it("listen on any port where the system chooses one", async () => {
    await config('listen: ":0"\nroutes: [{ port: 80, steps: [] }]');
  });
});
