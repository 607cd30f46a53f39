/** The loader: what a file becomes, and how everything that is wrong with it is told at once. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import fc from "fast-check";
import { stringify } from "yaml";
import { formatProblem, load, type Loaded, type LoadSources } from "../../src/config/load.ts";
import type { Config } from "../../src/rules.ts";
import { poolsOf } from "../../src/steps.ts";

const ENVIRONMENT: Readonly<Record<string, string>> = { PORT: "8080", N: "3", BAD: "top-secret\n" };
const FILES: Readonly<Record<string, string>> = { "/run/token": "hush\n", "/run/bad": "hidden\0" };

const SOURCES: LoadSources = {
  path: "config.yaml",
  env: (name) => ENVIRONMENT[name],
  readSecret: (path) => {
    const text = FILES[path];
    return text === undefined ? Promise.reject(new Error("no such file")) : text;
  },
  certificateNames: () => [],
};

function parse(text: string): Promise<Loaded> {
  return load(text, SOURCES);
}

async function config(text: string): Promise<Config> {
  const result = await parse(text);
  assert.equal(result.kind, "loaded", result.kind === "refused" ? lines(result).join("\n") : "");
  return result.kind === "loaded" ? result.config : assert.fail();
}

async function problems(text: string): Promise<string[]> {
  const result = await parse(text);
  assert.equal(result.kind, "refused");
  return lines(result);
}

function lines(result: Loaded): string[] {
  return result.kind === "refused" ? result.problems.map(formatProblem) : [];
}

/** A file with one route and these lines in it. */
function route(...more: readonly string[]): string {
  return ["routes:", "  - upstreams: [http://a]", ...more.map((line) => `    ${line}`)].join("\n");
}

describe("load() fills in defaults", () => {
  it("gives every setting a value when only an upstream is written", async () => {
    const none = { remove: [], replace: [], set: [], add: [], fallback: [] };
    assert.deepEqual(await config(route()), {
      listen: [{
        address: { kind: "tcp", host: "", port: 8080 },
        ...{ tls: false, h2: false, h3: false, written: true },
      }],
      tls: undefined,
      trustedProxies: [],
      graceMs: 600_000,
      log: { format: "json", level: "info" },
      admin: {
        address: { kind: "tcp", host: "127.0.0.1", port: 2020 },
        written: false,
        token: undefined,
        origins: [],
        slowMs: 10_000,
      },
      notify: [],
      routes: [{
        id: "*/",
        hosts: ["*"],
        paths: ["/"],
        ports: [],
        steps: [{
          match: undefined,
          action: {
            kind: "proxy",
            pool: {
              id: "*/",
              upstreams: [{
                id: "*/ a:80",
                name: "a:80",
                scheme: "http",
                address: { kind: "tcp", host: "a", port: 80 },
                authority: "a",
                hostHeader: { kind: "client" },
                headers: [],
                tls: { name: undefined, authorities: [], certificate: undefined, insecure: false },
                requestsMax: Infinity,
                connections: {
                  idleMs: 55_000,
                  idleMax: 1024,
                  connectionsMax: Infinity,
                  localAddress: undefined,
                  proxyProtocol: undefined,
                  readTimeoutMs: undefined,
                  writeTimeoutMs: undefined,
                  headLimitBytes: 64 * 1024,
                },
              }],
              dynamic: [],
              policy: { kind: "first" },
              health: undefined,
              passive: {
                failDurationMs: 0,
                failsMax: 1,
                unhealthyStatus: [],
                unhealthyLatencyMs: undefined,
                requestsMax: Infinity,
                clearOnPass: true,
              },
              retry: {
                attemptsMax: undefined,
                forMs: 0,
                intervalMs: 250,
                replayLimitBytes: 1_048_576,
                status: [],
                match: [],
                idempotent: true,
                responses: [],
                sideProbeMs: 10_000,
                rescue: false,
              },
              failback: { kind: "immediate" },
              transport: { dialTimeoutMs: 3_000, headersTimeoutMs: undefined },
              headers: { request: none, response: none },
              rewrite: undefined,
              responses: [],
              trustedProxies: [],
              streamCloseDelayMs: 0,
              streamTimeoutMs: undefined,
            },
          },
        }],
        errors: [],
        bodyLimitBytes: Infinity,
        guard: undefined,
        expose: false,
        tls: { inTheClear: "answer", hsts: undefined, clientAuth: undefined },
      }],
    });
  });

  it("gives probes their defaults when only uri is set", async () => {
    const loaded = await config(route("health: { uri: /x?y=1 }"));
    assert.deepEqual(poolsOf(loaded.routes)[0]?.health, {
      uri: "/x?y=1",
      port: undefined,
      address: undefined,
      method: "GET",
      headers: [],
      body: undefined,
      intervalMs: 30_000,
      timeoutMs: 5_000,
      status: [{ from: 200, to: 299 }],
      expectBody: undefined,
      followRedirects: false,
      rise: 1,
      fall: 1,
      fastIntervalMs: 1_000,
      idleIntervalMs: undefined,
      initState: "probe",
    });
  });

  it("takes the shorter of interval and 1s for fast_interval", async () => {
    const loaded = await config(route("health: { port: 81, interval: 300ms }"));
    assert.equal(poolsOf(loaded.routes)[0]?.health?.fastIntervalMs, 300);
    assert.equal(poolsOf(loaded.routes)[0]?.health?.uri, "/");
  });

  it("lets a route's limit win over the one of all routes", async () => {
    const own = await config(
      `limits: {request_body: 1MB}\n${route("limits: {request_body: unlimited}")}`,
    );
    const general = await config(`limits: {request_body: 1MB}\n${route()}`);
    assert.equal(own.routes[0]?.bodyLimitBytes, Infinity);
    assert.equal(general.routes[0]?.bodyLimitBytes, 1_000_000);
  });

  it("freezes all but regular expressions, which could not work frozen", async () => {
    const loaded = await config(
      route("headers: {response: {replace: {A: {search: b+, with: c}}}}"),
    );
    const rule = poolsOf(loaded.routes)[0]?.headers.response.replace[0];
    assert.ok(
      Object.isFrozen(loaded) && Object.isFrozen(poolsOf(loaded.routes)[0]?.upstreams[0]?.address),
    );
    assert.equal(rule && "abbcb".replace(rule.search, "x"), "axcx");
  });
});

describe("load() reads each form of a setting", () => {
  const cases: [string, (loaded: Config) => unknown, unknown][] = [
    ["failback: sticky", ({ routes }) => poolsOf(routes)[0]?.failback, { kind: "sticky" }],
    ["failback: { after: 60s }", ({ routes }) => poolsOf(routes)[0]?.failback, {
      kind: "after",
      afterMs: 60_000,
    }],
    ["failback:\n      after: 60s", ({ routes }) => poolsOf(routes)[0]?.failback, {
      kind: "after",
      afterMs: 60_000,
    }],
    [
      "health: { uri: /, passes: 2, fails: 3 }",
      ({ routes }) => [poolsOf(routes)[0]?.health?.rise, poolsOf(routes)[0]?.health?.fall],
      [2, 3],
    ],
    ["health: { uri: /, status: [200, 3xx] }", ({ routes }) => poolsOf(routes)[0]?.health?.status, [
      {
        from: 200,
        to: 200,
      },
      { from: 300, to: 399 },
    ]],
    [
      "health: { uri: /, upstream: '10.0.0.1:9' }",
      ({ routes }) => poolsOf(routes)[0]?.health?.address,
      {
        kind: "tcp",
        host: "10.0.0.1",
        port: 9,
      },
    ],
    [
      "health: { uri: /, headers: { Host: a } }",
      ({ routes }) => poolsOf(routes)[0]?.health?.headers,
      [{
        name: "Host",
        value: "a",
      }],
    ],
    [
      "passive: { fail_duration: 0, max_requests: 4 }",
      ({ routes }) => poolsOf(routes)[0]?.passive.requestsMax,
      4,
    ],
    [
      "passive: { max_fails: '${N}', clear_on_pass: '${X:-false}' }",
      (
        { routes },
      ) => [poolsOf(routes)[0]?.passive.failsMax, poolsOf(routes)[0]?.passive.clearOnPass],
      [3, false],
    ],
    ["retry: { match: { paths: /api } }", ({ routes }) => poolsOf(routes)[0]?.retry.match, [
      { kind: "prefix", paths: ["/api"] },
    ]],
    ["retry: { match: { methods: post } }", ({ routes }) => poolsOf(routes)[0]?.retry.match, [
      { kind: "method", methods: ["POST"] },
    ]],
    ["host: [B.com, '*.a.com', b.com]", ({ routes }) => [routes[0]?.hosts, routes[0]?.id], [[
      "b.com",
      "*.a.com",
    ], "*.a.com,b.com/"]],
    [
      "headers: { request: { remove: X-*, add: { A: [b, c] } } }",
      (
        { routes },
      ) => [poolsOf(routes)[0]?.headers.request.remove, poolsOf(routes)[0]?.headers.request.add],
      [["X-*"], [{ name: "A", value: ["b"] }, { name: "A", value: ["c"] }]],
    ],
    ["stream_close_delay: 5s", ({ routes }) => poolsOf(routes)[0]?.streamCloseDelayMs, 5_000],
  ];
  for (const [line, pick, expected] of cases) {
    it(`reads ${line.replace(/\s+/g, " ")}`, async () => {
      assert.deepEqual(pick(await config(route(line))), expected);
    });
  }

  it("gives https upstreams their own host, and any the one written", async () => {
    const loaded = await config(`routes:
  - upstreams:
      - https://a
      - { url: https://b, host_header: "{client}", name: bee }
      - { url: http://c, host_header: c.example:81, headers: { X-A_file: /run/token } }
`);
    const upstreams = poolsOf(loaded.routes)[0]?.upstreams ?? [];
    assert.deepEqual(upstreams.map(({ hostHeader }) => hostHeader), [
      { kind: "upstream" },
      { kind: "client" },
      { kind: "literal", value: "c.example:81" },
    ]);
    assert.deepEqual(upstreams.map(({ id }) => id), ["*/ a:443", "*/ bee", "*/ c:80"]);
    assert.deepEqual(upstreams[2]?.headers, [{ name: "X-A", value: ["hush"] }]);
  });

  it("resolves anchors, merge keys and environment", async () => {
    const loaded = await config(`listen: [":\${PORT}", "127.0.0.1:\${OTHER:-9}"]
trusted_proxies: [private_ranges, 192.0.2.1]
routes:
  - &base
    host: a.com
    upstreams: &pool [http://a, http://b]
    health: { uri: / }
  - { <<: *base, host: b.com }
  - { host: c.com, upstreams: *pool }
`);
    assert.deepEqual(loaded.listen.map(({ address }) => address.kind === "tcp" && address.port), [
      8080,
      9,
    ]);
    assert.equal(loaded.trustedProxies.length, 7);
    assert.equal(poolsOf(loaded.routes)[1]?.health?.uri, "/");
    assert.deepEqual(poolsOf(loaded.routes).map(({ upstreams }) => upstreams.length), [2, 2, 2]);
  });
});

describe("load() tells all problems", () => {
  it("reports five mistakes with their lines when there are five", async () => {
    assert.deepEqual(
      await problems(`listen: 8080
routes:
  - host: a.com
    polciy: first
    upstreams:
      - http://192.168.1.5:11434/api
    health:
      uri: /
      timeout: 5 sec
    passive: { max_fails: 0 }
`),
      [
        'config.yaml:1:9 listen: Expected an address such as ":8080", in quotes, but received 8080',
        'config.yaml:4:5 routes[0].polciy: Expected a known key but received "polciy", did you mean "policy"?',
        'config.yaml:6:9 routes[0].upstreams[0]: Expected an upstream without a path but received "http://192.168.1.5:11434/api"',
        'config.yaml:9:16 routes[0].health.timeout: Expected a duration such as "5s" but received "5 sec"',
        "config.yaml:10:27 routes[0].passive.max_fails: Expected a whole number from 1 to 1000 but received 0",
      ],
    );
  });

  it("reports syntax, duplicate keys, aliases, environment and schema together", async () => {
    assert.deepEqual(
      await problems(`listen: "\${NOPE}"
listen: ":1"
log: { level: *none }
routes:
  - upstreams: [http://a, http://a:80]
    failback: stiky
    host: "a" b
`),
      [
        'config.yaml:1:9 listen: Expected the environment variable "NOPE" to be set but received nothing',
        'config.yaml:2:1: Expected each key once but received "listen" again',
        'config.yaml:3:15 log.level: Expected an anchor "&none" above but received none',
        'config.yaml:5:27 routes[0].upstreams[1]: Expected a name unique in its route but received "a:80", as upstreams[0] has',
        'config.yaml:6:15 routes[0].failback: Expected "immediate", "sticky" or "manual" but received "stiky", did you mean "sticky"?',
        "config.yaml:7:15: Cannot read this as YAML: Unexpected scalar at node end",
      ],
    );
  });

  const cases: [string, RegExp][] = [
    ["", /^config.yaml:1:1: Expected a map but received nothing$/],
    ["# only words\n", /: Expected a map but received nothing$/],
    ["[]", /^config.yaml:1:1: Expected a map but received an empty list$/],
    ["hello", /^config.yaml:1:1: Expected a map but received "hello"$/],
    ["{}", /^config.yaml:1:1 routes: Expected a key "routes" but received none$/],
    [
      "routes: []",
      /^config.yaml:1:\d+ routes: Expected at least one entry but received an empty list$/,
    ],
    ["routes: [3]", /routes\[0\]: Expected a map but received 3$/],
    [
      `import: off\n${route()}`,
      /^config.yaml:1:1 import: Cannot use "import" yet as it comes with a later version$/,
    ],
    [route("wake: {}"), /Cannot use "wake" yet/],
    [
      route("policy: frist"),
      /Expected a policy such as "first" or "least_conn" but received "frist", did you mean "first"\?$/,
    ],
    [
      route("health: { interval: 5s }"),
      /Expected "uri" or "port", which turn probing on but received neither$/,
    ],
    [route("health:"), /routes\[0\].health: Expected a map but received nothing$/],
    [
      route("health: { uri: /, rise: 1, passes: 2 }"),
      /health.passes: Expected either "rise" or "passes" but received both$/,
    ],
    [
      route("health: { uri: /, expect_body: '(' }"),
      /expect_body: Expected a regular expression in JavaScript's syntax but received "\("$/,
    ],
    [
      route("health: { uri: /, headers: { 'A B': c } }"),
      /headers\["A B"\]: Expected a header name/,
    ],
    [route("headers: { request: { set: { Host: a } } }"), /Expected host_header of an upstream/],
    [route("headers: { request: { remove: '*' } }"), /Expected a header name such as/],
    [
      route("headers: { request: { set: { __proto__: a } } }"),
      /Expected a known key but received "__proto__"/,
    ],
    [
      route("retry: { match: {} }"),
      /Expected at least one key such as "path" or "method" but received none/,
    ],
    [
      `${route()}\n  - upstreams: [http://b]`,
      /Expected a host and path of its own but received "\*\/", which routes\[0\] answers already/,
    ],
    [
      `listen: [":1", ":1"]\n${route()}`,
      /listen\[1\]: Expected each address once but received ":1" again/,
    ],
    [
      "routes: [{ upstreams: [{ url: 'a:1-2', name: b }] }]",
      /upstreams\[0\].name: Expected no name for a range of ports/,
    ],
    ["routes: [{ upstreams: [{ url: a, wake: {} }] }]", /Cannot use "wake" yet/],
    ["a: &a [*a]\nroutes: []", /Expected an alias to something else but "\*a" holds itself/],
  ];
  for (const [text, expected] of cases) {
    it(`says ${expected.source.slice(0, 70)}`, async () => {
      const told = await problems(text);
      assert.ok(told.some((line) => expected.test(line)), told.join("\n"));
    });
  }

  it("tells each problem once when an alias repeats it", async () => {
    const told = await problems(`routes:
  - { host: a, upstreams: [http://a], health: &h { uri: /, interval: 5 } }
  - { host: b, upstreams: [http://a], health: *h }
`);
    assert.equal(told.length, 1);
  });

  it("points at the file that cannot be read, and at a value given twice", async () => {
    const told = await problems(
      route(
        "health:",
        "  uri: /",
        "  body_file: /none",
        "  method: GET",
        "  method_file: /run/token",
      ),
    );
    assert.deepEqual(told, [
      'config.yaml:5:18 routes[0].health.body_file: Expected a readable file but received "/none": no such file',
      'config.yaml:7:7 routes[0].health.method_file: Expected either "method" or "method_file" but received both',
    ]);
  });

  it("never shows a value that came from the environment or from a file", async () => {
    const told = await problems(`listen: "\${BAD}"
routes:
  - upstreams: [{ url: a, headers: { A: "\${BAD}", B_file: /run/bad } }]
    failback_file: /run/bad
    policy_file: /run/token
`);
    assert.equal(told.length, 5);
    for (const line of told) assert.doesNotMatch(line, /top-secret|hidden|hush/);
    assert.match(told[0] ?? "", /but received the value of \$\{BAD\}$/);
    assert.match(told[4] ?? "", /but received what the file "\/run\/token" holds$/);
  });

  it("refuses alias bombs and endless nesting in good time", async () => {
    const bomb = ["a: &a [x,x,x,x,x,x,x,x,x]"];
    for (const [one, other] of ["ab", "bc", "cd", "de", "ef", "fg", "gh"]) {
      bomb.push(`${other}: &${other} [${Array.from({ length: 9 }, () => `*${one}`).join(",")}]`);
    }
    assert.match((await problems(bomb.join("\n"))).join("\n"), /Expected at most 50000 values/);
    assert.match((await problems("[".repeat(60))).join("\n"), /Expected at most 40 levels/);
    assert.ok((await problems("[".repeat(20_000))).length > 0);
  });
});

describe("load() never throws", () => {
  const words = fc.constantFrom(
    "routes",
    "upstreams",
    "health",
    "headers",
    "set",
    "listen",
    "uri",
    "x_file",
    "<<",
    "__proto__",
    "policy",
    "failback",
    "match",
    "host",
    "steps",
    "first_of",
    "proxy",
    "respond",
    "responses",
    "errors",
    "any",
    "not",
    "query",
    "tls",
    "ca",
    "dynamic",
    "fallback",
    "weighted_round_robin",
    "port",
  );
  const values = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    words,
    fc.constantFrom("http://a", "5s", "/", "${A", "{host", "200"),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      values,
      fc.array(tie("tree"), { maxLength: 3 }),
      fc.dictionary(fc.oneof(words, fc.string()), tie("tree"), { maxKeys: 4 }),
    ),
  }));

  async function check(text: string): Promise<void> {
    const result = await parse(text);
    if (result.kind === "loaded") return;
    assert.ok(result.problems.length > 0);
    for (const { line, column, message } of result.problems) {
      assert.ok(line >= 1 && column >= 1 && message !== "" && !message.includes("\n"));
    }
  }

  it("when given any text", async () => {
    await fc.assert(fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 200 }), check), {
      numRuns: 300,
    });
    const pieces = fc.constantFrom(
      "routes:",
      "\n",
      "  ",
      "- ",
      "{",
      "}",
      "[",
      "]",
      ": ",
      "&a ",
      "*a",
      "!t ",
      "|\n",
      '"',
      "'",
      "#",
      "<<: ",
      "\t",
      "? ",
      "%",
      "---\n",
      "...",
      "\0",
      "a",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 30 }).map((all) => all.join("")), check),
      { numRuns: 600 },
    );
  });

  it("when given any YAML", async () => {
    await fc.assert(fc.asyncProperty(tree.map((value) => stringify(value)), check), {
      numRuns: 300,
    });
    await fc.assert(fc.asyncProperty(tree, (value) => check(stringify({ routes: [value] }))), {
      numRuns: 300,
    });
    await fc.assert(
      fc.asyncProperty(tree, (value) =>
        check(
          stringify({
            routes: [{
              upstreams: ["a"],
              health: value,
              headers: value,
              retry: value,
              policy: value,
              transport: value,
              dynamic: value,
              responses: value,
              rewrite: value,
              errors: value,
              steps: [value, { match: value, first_of: value }, { proxy: value, vars: value }],
            }],
          }),
        )),
      { numRuns: 300 },
    );
  });
});

describe("config.yaml", () => {
  it("loads, and says what the first setup says", async () => {
    const text = await readFile(new URL("../../config.yaml", import.meta.url), "utf8");
    const { listen, routes } = await config(text);
    const [only, ...others] = poolsOf(routes);
    assert.deepEqual(listen.map(({ address }) => address), [{
      ...{ kind: "tcp", host: "", port: 8080 },
    }]);
    assert.equal(others.length, 0);
    assert.deepEqual(only?.upstreams.map(({ name }) => name), [
      "127.0.0.1:11434",
      "127.0.0.1:11435",
    ]);
    assert.equal(only?.health?.intervalMs, 10_000);
    assert.equal(only?.health?.timeoutMs, 2_000);
    assert.deepEqual(only?.health?.status, [{ from: 200, to: 200 }]);
    assert.equal(only?.passive.failDurationMs, 30_000);
  });
});
