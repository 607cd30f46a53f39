/** The setting `policy`, and what must fit it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Policy } from "../../src/rules.ts";
import { config, pool, problems, withPool } from "../support/config_text.ts";

const RANDOM = { kind: "random" } as const;

describe("policy", () => {
  const cases: [string, Policy][] = [
    ["first", { kind: "first" }],
    ["random", RANDOM],
    ["round_robin", { kind: "round_robin" }],
    ["least_conn", { kind: "least_conn" }],
    ["ip_hash", { kind: "ip_hash" }],
    ["client_ip_hash", { kind: "client_ip_hash" }],
    ["uri_hash", { kind: "uri_hash" }],
    ["cookie", { kind: "cookie", name: "lb", secret: "", maxAgeMs: undefined, fallback: RANDOM }],
    ["{ random_choose: 2 }", { kind: "random_choose", choices: 2 }],
    ["{ weighted_round_robin: [3, 0] }", { kind: "weighted_round_robin", weights: [3, 0] }],
    ["{ query: { key: id } }", { kind: "query", key: "id", fallback: RANDOM }],
    ["{ header: { field: X-User, fallback: { query: { key: id, fallback: first } } } }", {
      kind: "header",
      name: "X-User",
      fallback: { kind: "query", key: "id", fallback: { kind: "first" } },
    }],
    ["{ cookie: {} }", {
      kind: "cookie",
      name: "lb",
      secret: "",
      maxAgeMs: undefined,
      fallback: RANDOM,
    }],
    ["{ cookie: { name: at, secret_file: /words.txt, max_age: 1h, fallback: least_conn } }", {
      kind: "cookie",
      name: "at",
      secret: "hush",
      maxAgeMs: 3_600_000,
      fallback: { kind: "least_conn" },
    }],
  ];
  for (const [written, expected] of cases) {
    it(`reads ${written}`, async () => {
      assert.deepEqual((await pool(`policy: ${written}`)).policy, expected);
    });
  }

  it("counts the upstreams of a range for weights, and takes more for what names lead to", async () => {
    await config(`routes: [{ upstreams: [a:1-3], policy: { weighted_round_robin: [1, 2, 3] } }]`);
    await config(
      `routes: [{ upstreams: [a], dynamic: { a: { name: b } }, policy: { weighted_round_robin: [1, 2] } }]`,
    );
  });

  const WORD =
    '3:13 routes[0].policy: Expected a policy such as "first" or "least_conn" but received';
  const wrong: [string, string][] = [
    ["least_con", `${WORD} "least_con", did you mean "least_conn"?`],
    ["3", `${WORD} 3`],
    [
      "query",
      "3:13 routes[0].policy: Expected a map such as { query: { key: id } } but received " +
      '"query"',
    ],
    ["{}", '3:5 routes[0].policy: Expected one policy such as "query" but received none'],
    [
      "{ cookie: {}, header: { field: A } }",
      "3:15 routes[0].policy.cookie: Expected one policy " +
      'such as "query" but received "cookie" beside "header"',
    ],
    [
      "{ random_choose: 1 }",
      "3:30 routes[0].policy.random_choose: Expected a whole number from 2 " +
      "to 1000 but received 1",
    ],
    [
      "{ weighted_round_robin: [1] }",
      "3:15 routes[0].policy.weighted_round_robin: Expected as many" +
      " weights as upstreams, which are 2, but received 1",
    ],
    [
      "{ weighted_round_robin: [0, 0] }",
      "3:15 routes[0].policy.weighted_round_robin: Expected at " +
      "least one weight above 0 but received none",
    ],
    [
      "{ query: { key: id, fallback: { weighted_round_robin: [1] } } }",
      "3:45 routes[0].policy.query.fallback.weighted_round_robin: Expected as many weights as " +
      "upstreams, which are 2, but received 1",
    ],
    [
      "{ header: { field: 'a b' } }",
      "3:32 routes[0].policy.header.field: Expected a header name " +
      'such as "X-Origin" but received "a b"',
    ],
    [
      "{ header: {} }",
      '3:15 routes[0].policy.header.field: Expected a key "field" but received none',
    ],
  ];
  for (const [written, expected] of wrong) {
    it(`refuses ${written}`, async () => {
      assert.deepEqual(await problems(withPool(`policy: ${written}`)), [expected]);
    });
  }

  it("refuses a failback that only the policy first knows", async () => {
    assert.deepEqual(
      await problems(withPool("policy: random\n    failback: { after: 1s }")),
      [
        '4:5 routes[0].failback: Expected "immediate", as only the policy "first" prefers one ' +
        "upstream to another, but received a map",
      ],
    );
    assert.equal((await problems(withPool("policy: cookie\n    failback: sticky"))).length, 1);
    await config(withPool("policy: ip_hash\n    failback: immediate"));
  });
});
