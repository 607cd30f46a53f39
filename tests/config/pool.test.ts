/** The keys of a pool: connections, TLS, names to ask for, retries, responses and the rest. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PoolRules } from "../../src/rules.ts";
import {
  CERTIFICATE,
  config,
  KEY,
  onlyRoute,
  pool,
  problems,
  withPool,
} from "../support/config_text.ts";
import { poolsOf } from "../../src/steps.ts";

const connections = (rules: PoolRules) => rules.upstreams.map((one) => one.connections);
const CONNECTIONS = {
  idleMs: 55_000,
  idleMax: 1024,
  connectionsMax: Infinity,
  localAddress: undefined,
  proxyProtocol: undefined,
  readTimeoutMs: undefined,
  writeTimeoutMs: undefined,
  headLimitBytes: 65_536,
};

/** What a line of transport makes of the connections of both upstreams. */
function both(more: object): unknown {
  const one = { ...CONNECTIONS, ...more };
  return [one, one];
}

describe("keys of a pool", () => {
  const cases: [string, (rules: PoolRules) => unknown, unknown][] = [
    ["transport: { dial_timeout: 1s, response_header_timeout: none }", (rules) => rules.transport, {
      dialTimeoutMs: 1_000,
      headersTimeoutMs: undefined,
    }],
    [
      "transport: { response_header_timeout: 2m }",
      (rules) => rules.transport.headersTimeoutMs,
      120_000,
    ],
    [
      "transport: { read_timeout: 1m, write_timeout: 30s }",
      connections,
      both({
        readTimeoutMs: 60_000,
        writeTimeoutMs: 30_000,
      }),
    ],
    ["transport: { read_timeout: none, write_timeout: none }", connections, both({})],
    ["transport: { max_response_header: 1MiB }", connections, both({ headLimitBytes: 2 ** 20 })],
    ["transport: { keepalive: off }", connections, both({ idleMs: 0 })],
    [
      "transport: { keepalive: 2m, keepalive_idle_conns: 8 }",
      connections,
      both({
        idleMs: 120_000,
        idleMax: 8,
      }),
    ],
    [
      "transport: { max_conns: 4, local_address: '::1' }",
      connections,
      both({
        connectionsMax: 4,
        localAddress: "::1",
      }),
    ],
    ["transport: { proxy_protocol: v2 }", connections, both({ proxyProtocol: "v2" })],
    ["retry: { idempotent: false }", (rules) => rules.retry.idempotent, false],
    [
      "retry: { match: [{ methods: POST, paths: /api }, { header: { X-A: b } }] }",
      (rules) => rules.retry.match,
      [
        {
          kind: "all",
          of: [{ kind: "method", methods: ["POST"] }, { kind: "prefix", paths: ["/api"] }],
        },
        { kind: "header", name: "X-A", values: ["b"] },
      ],
    ],
    [
      "retry: { responses: [{ status: 5xx }, { headers: { X-Retry: yes }, match: { method: GET } }] }",
      (rules) => rules.retry.responses,
      [
        {
          request: undefined,
          response: { status: [{ from: 500, to: 599 }], headers: [] },
        },
        {
          request: { kind: "method", methods: ["GET"] },
          response: { status: [], headers: [{ name: "X-Retry", values: ["yes"] }] },
        },
      ],
    ],
    ["rewrite: { method: GET, uri: /x }", (rules) => rules.rewrite, {
      method: ["GET"],
      uri: ["/x"],
      stripPrefix: undefined,
      stripSuffix: undefined,
      replace: [],
    }],
    ["responses: { match: { status: 500 }, status: 503 }", (rules) => rules.responses, [{
      match: { status: [{ from: 500, to: 500 }], headers: [] },
      action: { kind: "status", status: ["503"] },
    }]],
    ["trusted_proxies: private_ranges", (rules) => rules.trustedProxies.length, 6],
    ["stream_timeout: 24h", (rules) => rules.streamTimeoutMs, 86_400_000],
    ["stream_timeout: none", (rules) => rules.streamTimeoutMs, undefined],
    ["headers: { request: { default: { X-A: b } } }", (rules) => rules.headers.request.fallback, [
      { name: "X-A", value: ["b"] },
    ]],
    ["passive: { fail_duration: 30s, max_requests: 4 }", (rules) => rules.passive.requestsMax, 4],
  ];
  for (const [line, pick, expected] of cases) {
    it(`reads ${line}`, async () => assert.deepEqual(pick(await pool(line)), expected));
  }

  it("gives an upstream its own cap and scheme", async () => {
    const { upstreams } = await poolOf(
      "[{ url: h2c://a, max_requests: 4 }, unix+h2c//run/x, https://c]",
    );
    assert.deepEqual(
      upstreams.map((
        { scheme, requestsMax, hostHeader },
      ) => [scheme, requestsMax, hostHeader.kind]),
      [["h2c", 4, "client"], ["h2c", Infinity, "client"], ["https", Infinity, "upstream"]],
    );
  });

  const wrong: [string, string][] = [
    [
      "transport: { keepalive: never }",
      '3:29 routes[0].transport.keepalive: Expected a duration such as "5s" but received "never"',
    ],
    [
      "transport: { read_timeout: 5 }",
      '3:32 routes[0].transport.read_timeout: Expected a duration such as "5s" or "none" but received 5, a number without a unit',
    ],
    [
      "transport: { max_response_header: 1B }",
      '3:39 routes[0].transport.max_response_header: Expected a size from 1KiB to 16MiB but received "1B"',
    ],
    [
      "transport: { local_address: eth0 }",
      '3:33 routes[0].transport.local_address: Expected an IP address of this machine such as "10.0.0.2" but received "eth0"',
    ],
    [
      "transport: { proxy_protocol: v3 }",
      '3:34 routes[0].transport.proxy_protocol: Expected "v1" or "v2" but received "v3", did you mean "v1"?',
    ],
    [
      "retry: { match: [{ method: GET }, {}] }",
      '3:39 routes[0].retry.match[1]: Expected at least one key such as "path" or "method" but received none',
    ],
    [
      "retry: { responses: { match: { path: / } } }",
      '3:14 routes[0].retry.responses: Expected "status" or "headers" but received none',
    ],
    [
      "responses: [{}]",
      '3:17 routes[0].responses[0]: Expected "status" or "steps" but received none',
    ],
    [
      "responses: { status: 99 }",
      '3:26 routes[0].responses.status: Expected a status from 200 to 599, or a placeholder such as "{error_status}", but received 99',
    ],
    [
      "trusted_proxies: [lan]",
      '3:23 routes[0].trusted_proxies[0]: Expected an address block such as "192.168.0.0/16", or "private_ranges", but received "lan"',
    ],
    [
      "stream_timeout: 5",
      '3:21 routes[0].stream_timeout: Expected a duration such as "5s" or "none" but received 5, a number without a unit',
    ],
  ];
  for (const [line, expected] of wrong) {
    it(`refuses ${line}`, async () => assert.deepEqual(await problems(withPool(line)), [expected]));
  }
});

describe("tls of upstreams", () => {
  it("reads the files that ca, cert and key name; one upstream's own words come first", async () => {
    const { upstreams } = await poolOf(
      "[https://a, { url: https://b, tls: { name: bee.lan, insecure: true } }]",
      "transport: { tls: { name: gpu.lan, ca: [/ca.pem, /ca.pem], cert: /ca.pem, key: /key.pem } }",
    );
    const shared = {
      name: "gpu.lan",
      authorities: [CERTIFICATE, CERTIFICATE],
      certificate: { chain: CERTIFICATE, key: KEY },
      insecure: false,
    };
    assert.deepEqual(upstreams.map(({ tls }) => tls), [
      shared,
      { ...shared, name: "bee.lan", insecure: true },
    ]);
  });

  it("reads files that end in _file as well", async () => {
    const { upstreams } = await poolOf(
      "[{ url: https://b, tls: { ca_file: /ca.pem, cert_file: /ca.pem, key_file: /key.pem } }]",
    );
    assert.deepEqual(upstreams[0]?.tls.authorities, [CERTIFICATE]);
    assert.deepEqual(upstreams[0]?.tls.certificate, { chain: CERTIFICATE, key: KEY });
  });

  const at = "routes[0].transport.tls";
  const wrong: [string, string][] = [
    [
      "{ ca: /none.pem }",
      `3:29 ${at}.ca: Expected a readable file but received "/none.pem": no such file`,
    ],
    [
      "{ ca: [/ca.pem, /none.pem] }",
      `3:39 ${at}.ca[1]: Expected a readable file but received "/none.pem": no such file`,
    ],
    [
      "{ ca: /words.txt }",
      `3:29 ${at}.ca: Expected a file with certificates in PEM but received what the file "/words.txt" holds`,
    ],
    [
      "{ ca: /torn.pem }",
      `3:29 ${at}.ca: Expected a file with certificates in PEM but received what the file "/torn.pem" holds`,
    ],
    [
      "{ cert: /ca.pem, key: /ca.pem }",
      `3:45 ${at}.key: Expected a file with a private key in PEM but received what the file "/ca.pem" holds`,
    ],
    [
      "{ cert: /ca.pem, key: /locked.pem }",
      `3:45 ${at}.key: Expected a file with a private key in PEM, not encrypted, but received what the file "/locked.pem" holds`,
    ],
    ["{ cert: /ca.pem }", `3:18 ${at}: Expected "key" beside "cert" but received none`],
    ["{ name: a b }", `3:31 ${at}.name: Expected a name such as "gpu.lan" but received "a b"`],
  ];
  for (const [tls, expected] of wrong) {
    it(`refuses ${tls}`, async () => {
      assert.deepEqual(await problems(withPool(`transport: { tls: ${tls} }`)), [expected]);
    });
  }

  it("refuses tls at an upstream without it", async () => {
    assert.deepEqual(
      await problems("routes: [{ upstreams: [{ url: a, tls: { insecure: true } }] }]"),
      [
        '1:34 routes[0].upstreams[0].tls: Expected an address with "https://" for this but received another',
      ],
    );
  });
});

describe("dynamic", () => {
  const COMMON = { refreshMs: 60_000, graceMs: 0, resolvers: [] };
  const cases: [string, object[]][] = [
    ["{ a: { name: GPU.lan. } }", [
      { kind: "a", name: "gpu.lan", port: 80, families: [4, 6], ...COMMON },
    ]],
    ["{ a: { name: g, scheme: https, versions: ipv6, refresh: 5s, grace_period: 1h } }", [
      {
        kind: "a",
        name: "g",
        port: 443,
        families: [6],
        refreshMs: 5_000,
        graceMs: 3_600_000,
        resolvers: [],
      },
    ]],
    [
      "[{ srv: { name: _http._tcp.gpu.lan } }, { a: { name: b, port: 81, resolvers: ['10.0.0.1', '[::1]:54', '::1'] } }]",
      [
        { kind: "srv", name: "_http._tcp.gpu.lan", ...COMMON },
        {
          kind: "a",
          name: "b",
          port: 81,
          families: [4, 6],
          refreshMs: 60_000,
          graceMs: 0,
          resolvers: ["10.0.0.1:53", "[::1]:54", "[::1]:53"],
        },
      ],
    ],
  ];
  for (const [written, expected] of cases) {
    it(`reads ${written}`, async () => {
      const { dynamic } = await pool(`dynamic: ${written}`);
      const bare = dynamic.map((one) => ({ ...one, template: 0 }));
      assert.deepEqual(bare, expected.map((one) => ({ ...one, template: 0 })));
    });
  }

  it("stands without upstreams and connects as transport says", async () => {
    const { routes } = await config(
      "routes: [{ dynamic: { a: { name: g, scheme: https } }, transport: { keepalive: off, tls: { insecure: true } } }]",
    );
    const [rules] = poolsOf(routes);
    assert.deepEqual(rules?.upstreams, []);
    assert.deepEqual(rules?.dynamic[0]?.template, {
      scheme: "https",
      hostHeader: { kind: "upstream" },
      headers: [],
      tls: { name: undefined, authorities: [], certificate: undefined, insecure: true },
      requestsMax: Infinity,
      connections: { ...CONNECTIONS, idleMs: 0 },
    });
  });

  const wrong: [string, string][] = [
    ["{}", '3:5 routes[0].dynamic: Expected "a" or "srv" but received none'],
    [
      "{ a: { name: 10.0.0.1 } }",
      '3:27 routes[0].dynamic.a.name: Expected a name such as "gpu.lan" but received "10.0.0.1"',
    ],
    [
      "{ a: { name: g, refresh: 1ms } }",
      '3:39 routes[0].dynamic.a.refresh: Expected a duration of at least 1000ms but received "1ms"',
    ],
    [
      "{ a: { name: g, versions: ipv5 } }",
      '3:40 routes[0].dynamic.a.versions: Expected "ipv4" or "ipv6" but received "ipv5", did you mean "ipv4"?',
    ],
    [
      "{ a: { name: g, resolvers: [a:b] } }",
      '3:42 routes[0].dynamic.a.resolvers[0]: Expected a name server such as "10.0.0.1:53" but received "a:b"',
    ],
    [
      "{ srv: { name: a b } }",
      '3:29 routes[0].dynamic.srv.name: Expected a name such as "_http._tcp.gpu.lan" but received "a b"',
    ],
    [
      "{ srv: { name: a, port: 80 } }",
      '3:32 routes[0].dynamic.srv.port: Expected a known key but received "port"',
    ],
  ];
  for (const [written, expected] of wrong) {
    it(`refuses ${written}`, async () => {
      assert.deepEqual(await problems(withPool(`dynamic: ${written}`)), [expected]);
    });
  }
});

async function poolOf(upstreams: string, line = ""): Promise<PoolRules> {
  const route = await onlyRoute(`routes:\n  - upstreams: ${upstreams}\n    ${line}\n`);
  return poolsOf([route])[0] ?? assert.fail();
}
