/** What `explain` tells of routes, steps and upstreams, from configurations as they are written. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Edge,
  explain,
  type Explanation,
  type Knowledge,
  type Known,
  type OrderTold,
  type Question,
} from "../../src/request/explain.ts";
import { matcherInWords, spellCidr } from "../../src/request/explain_words.ts";
import { config } from "../support/config_text.ts";
import { WORLD } from "../support/fake_world.ts";

const NOTHING: Knowledge = { now: 0, upstream: () => undefined, held: () => undefined };
const UP: Known = {
  phase: "up",
  reason: "answered 200",
  since: 0,
  drained: false,
  inFlight: 0,
  penalisedUntil: undefined,
};

/** What is known, by the name of the upstream. */
function knowing(
  standings: Readonly<Record<string, Partial<Known>>>,
  held?: string,
): Knowledge {
  return {
    now: 1000,
    upstream: (id) => {
      const changes = standings[id.split(" ").at(-1) ?? ""];
      return changes && { ...UP, ...changes };
    },
    held: () => held,
  };
}

async function told(
  text: string,
  asked: Partial<Question> & { readonly host?: string } = {},
  knowledge = NOTHING,
  edge?: Edge,
): Promise<Explanation> {
  const { host = "a.test", fields = [], ...question } = asked;
  return explain({
    method: "GET",
    target: "/",
    scheme: "http",
    ip: "192.0.2.7",
    localPort: undefined,
    ...question,
    fields: [["Host", host], ...fields],
  }, { config: await config(text), knowledge, world: WORLD, edge });
}

async function order(text: string, knowledge: Knowledge, asked: Partial<Question> = {}) {
  const { end } = await told(text, asked, knowledge);
  assert.equal(end.kind, "forwarded");
  return end.kind === "forwarded" ? end.order : assert.fail();
}

const names = (list: OrderTold["order"]): string[] => list.map(({ name }) => name);
const pair = (more = ""): string => `
routes:
  - upstreams: [{ url: http://a:1, name: gpu }, { url: http://b:2, name: slow }]
    ${more}
`;

describe("explain()", () => {
  const routes = `
routes:
  - { host: a.test, path: [/, /api], upstreams: [http://one] }
  - { host: "*.test", upstreams: [http://two] }
  - { host: b.test, path: /only, upstreams: [http://three] }
`;
  const found: [string, string, string, string | undefined][] = [
    ["by an exact host and the longest path", "A.test:80", "/api/x?y", "a.test /api"],
    ["by a wildcard", "c.test", "/", "*.test /"],
    ["by a wildcard where the exact host has no such path", "b.test", "/", "*.test /"],
    ["by no route", "nowhere", "/", undefined],
  ];
  for (const [title, host, target, expected] of found) {
    it(`finds the route ${title}`, async () => {
      const { found: route, end } = await told(routes, { host, target });
      assert.equal(route && `${route.host} ${route.path}`, expected);
      if (expected === undefined) assert.deepEqual(end, { kind: "error", status: 404 });
    });
  }

  it("refuses what a request would be refused for", async () => {
    assert.deepEqual((await told(routes, { host: "a b" })).end, { kind: "error", status: 400 });
    assert.deepEqual((await told(routes, { method: "TRACE" })).end, { kind: "error", status: 405 });
  });

  it("tells every step up to the one that ends it, and what came of each", async () => {
    const text = `
routes:
  - steps:
      - match: { path: /admin/* }
        respond: { status: 403 }
      - vars: { machine: "gpu of {host}" }
      - rewrite: { strip_prefix: /api }
      - match: { method: POST }
        redirect: /elsewhere
      - respond: { status: 204 }
`;
    const { steps, end } = await told(text, { target: "/api/tags?x" });
    assert.deepEqual(
      steps.map(({ match, taken, does, effect }) => [match, taken, does, effect]),
      [
        ["path is /admin/*", false, "answers 403", undefined],
        [undefined, true, 'sets variable machine to "gpu of {host}"', 'now "gpu of a.test"'],
        [undefined, true, "strips /api in front", "now GET /tags?x"],
        ["method is POST", false, "redirects to /elsewhere (302)", undefined],
        [undefined, true, "answers 204", undefined],
      ],
    );
    assert.deepEqual(end, { kind: "answered", status: 204, fields: [] });
  });

  it("takes the first branch that matches, and none after it", async () => {
    const text = `
routes:
  - steps:
      - first_of:
          - { match: { path: /x }, steps: [{ respond: { status: 201 } }] }
          - { steps: [{ vars: { a: b } }] }
      - redirect: { to: "/at{path}", status: 308 }
`;
    const { steps, end } = await told(text, { target: "/y" });
    assert.deepEqual(
      steps.map(({ depth, taken }) => [depth, taken]),
      [[0, true], [1, false], [1, true], [2, true], [0, true]],
    );
    assert.deepEqual(end, { kind: "answered", status: 308, fields: ["Location: /at/y"] });
  });

  it("stops at a door that does not let the client in", async () => {
    const text = pair(`deny: [10.0.0.0/8]
    limits: { concurrent: 3 }`);
    const away = await told(text, { ip: "10.1.2.3" });
    assert.deepEqual([away.end, away.steps], [{ kind: "error", status: 403 }, []]);
    const inside = await told(text);
    assert.deepEqual(inside.found?.door, [
      "turns away clients in 10.0.0.0/8",
      "bears 3 requests of a client at once",
    ]);
    assert.equal(inside.end.kind, "forwarded");
  });

  it("says that nothing answers, and which errors look otherwise", async () => {
    assert.deepEqual((await told("routes: [{ steps: [{ vars: { a: b } }] }]")).end, {
      kind: "unanswered",
    });
    const text = pair("errors: [{ status: [502, 503], steps: [{ respond: { body: later } }] }]");
    assert.deepEqual((await told(text)).amended, [502, 503]);
  });
});

describe("explain() on upstreams", () => {
  const cases: [string, string, Knowledge, string[], string[]][] = [
    ["nothing is known", "", NOTHING, ["gpu", "slow"], []],
    ["all are up", "", knowing({ gpu: {}, slow: {} }), ["gpu", "slow"], []],
    ["the first is down", "", knowing({ gpu: { phase: "down" } }), ["slow"], ["gpu down"]],
    ["one is drained", "", knowing({ slow: { drained: true } }), ["gpu"], ["slow drained"]],
    ["one is penalised", "", knowing({ gpu: { penalisedUntil: 2000 } }), ["slow"], [
      "gpu penalised",
    ]],
    ["a penalty has lapsed", "", knowing({ gpu: { penalisedUntil: 999 } }), ["gpu", "slow"], []],
    [
      "one is full",
      "passive: { fail_duration: 1s, max_requests: 2 }",
      knowing({ gpu: { inFlight: 2 } }),
      ["slow"],
      ["gpu full"],
    ],
    ["attempts are few", "retry: { attempts: 1 }", NOTHING, ["gpu"], []],
    ["failback holds on", "failback: sticky", knowing({ gpu: {}, slow: {} }, "slow"), [
      "slow",
      "gpu",
    ], []],
  ];
  for (const [title, more, knowledge, expected, barred] of cases) {
    it(`tells the order of attempts when ${title}`, async () => {
      const told = await order(pair(more), knowledge);
      assert.deepEqual(names(told.order), expected);
      assert.deepEqual(told.barred.map(({ name, bar }) => `${name} ${bar}`), barred);
      assert.equal(told.held, expected[0] === "slow" && barred.length === 0 ? "slow" : undefined);
    });
  }

  it("tells what the upstream is asked", async () => {
    const text = `
routes:
  - upstreams: [{ url: https://up.test:8443, host_header: "{upstream}" }]
    rewrite: { strip_prefix: /api }
`;
    const told = await order(text, NOTHING, { target: "/api/tags" });
    assert.deepEqual(told.asked, { method: "GET", target: "/tags", host: "up.test:8443" });
    assert.equal(told.order[0]?.url, "https://up.test:8443");
  });

  const idempotent = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"];
  const moves: [string, string, string, boolean, boolean, string[]][] = [
    ["a GET", "", "GET", true, true, idempotent],
    ["a POST", "", "POST", false, false, idempotent],
    ["a POST that is matched", "retry: { match: { methods: POST } }", "POST", true, true, [
      ...idempotent,
      "POST",
    ]],
    ["a POST that is rescued", "retry: { rescue: true }", "POST", false, true, idempotent],
  ];
  for (const [title, more, method, sent, wentDown, methods] of moves) {
    it(`tells when ${title} moves on`, async () => {
      const { moves } = await order(pair(more), NOTHING, { method });
      assert.deepEqual(moves, { notSent: true, sent, wentDown, methods });
    });
  }
});

describe("explain() with TLS", () => {
  const edge: Edge = {
    proof: () => undefined,
    secures: (host) => host === "a.test",
    port: 443,
    ports: new Set([443, 8443]),
    minVersion: "1.2" as const,
    alternative: () => undefined,
  };
  const text = `
listen: [":443", ":80"]
tls: internal
routes:
  - host: a.test
    steps:
      - { match: { protocol: https }, respond: 204 }
      - respond: 418
  - host: b.test
    tls: { redirect: false }
    steps: [{ respond: 200 }]
`;

  it("goes on where a request in the clear is sent", async () => {
    const { sentOn, end } = await told(text, { target: "/x?y", localPort: 80 }, NOTHING, edge);
    assert.equal(sentOn, "https://a.test/x?y");
    assert.deepEqual([end.kind, end.kind === "answered" && end.status], ["answered", 204]);
  });

  it("keeps the port of a listener that is spoken to in the clear", async () => {
    const asked = { host: "a.test:8443", localPort: 8443, misplaced: true };
    assert.equal((await told(text, asked, NOTHING, edge)).sentOn, "https://a.test:8443/");
  });

  it("answers where it came what comes with TLS, or may be answered in the clear", async () => {
    const secure = await told(text, { scheme: "https", localPort: 443 }, NOTHING, edge);
    const open = await told(text, { host: "b.test", localPort: 80 }, NOTHING, edge);
    for (const { sentOn, end } of [secure, open]) {
      assert.deepEqual([sentOn, end.kind], [undefined, "answered"]);
    }
  });

  it("refuses in the clear what cannot be sent on", async () => {
    const asked = { host: "b.test", localPort: 443, misplaced: true };
    const { sentOn, end } = await told(text, asked, NOTHING, edge);
    assert.deepEqual([sentOn, end], [undefined, { kind: "error", status: 400 }]);
  });

  it("tells of a route that wants certificates of its clients", async () => {
    const guarded = `
listen: ":443"
tls: internal
routes:
  - host: a.test
    tls: { client_auth: { ca: /ca.pem } }
    upstreams: [http://a]
`;
    const { found } = await told(guarded, { scheme: "https" }, NOTHING, edge);
    assert.deepEqual(found?.door, ["asks for a certificate that its authorities signed"]);
  });
});

describe("matcherInWords()", () => {
  it("puts nested questions into one sentence", () => {
    assert.equal(
      matcherInWords({
        kind: "all",
        of: [
          {
            kind: "any",
            of: [{ kind: "method", methods: ["GET"] }, { kind: "host", hosts: ["a"] }],
          },
          { kind: "not", of: { kind: "header", name: "X-A", values: [] } },
          { kind: "query", key: "k", values: ["1", "2"] },
        ],
      }),
      "(method is GET or host is a) and not header X-A is absent and query k is 1 or 2",
    );
  });

  it("spells blocks of addresses", () => {
    assert.equal(spellCidr({ bytes: [10, 0, 0, 0], bits: 8 }), "10.0.0.0/8");
    const bytes = Array.from({ length: 16 }, (_, at) => at === 15 ? 1 : 0);
    assert.equal(spellCidr({ bytes, bits: 128 }), "::1");
  });
});
