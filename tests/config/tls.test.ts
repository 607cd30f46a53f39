/**
 * What the settings of TLS become: which listeners speak it, which certificates are held for whom, where
 * each comes from, and what is wrong with what was written.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ListenRules } from "../../src/rules.ts";
import type { AcmeRules, CertificateRules } from "../../src/tls_rules.ts";
import { config, problems } from "../support/config_text.ts";

const UPSTREAM = "upstreams: [http://a]";

/** A file with one route for each host. */
function file(head: string, ...hosts: string[]): string {
  const routes = hosts.map((host) => `  - { host: "${host}", ${UPSTREAM} }\n`);
  return `${head}\nroutes:\n${routes.join("")}`;
}

/** ":443 tls h2", ":80 plain helper". */
function spelled({ address, tls, h2, h3, written }: ListenRules): string {
  const port = address.kind === "tcp" ? `${address.host}:${address.port}` : address.path;
  return [port, tls ? "tls" : "plain", h2 && "h2", h3 && "h3", !written && "helper"]
    .filter(Boolean).join(" ");
}

function told({ names, listeners, source }: CertificateRules): string {
  const from = source.kind === "acme"
    ? source.issuers.map(({ directory }) => new URL(directory).host).join("+")
    : source.kind === "files"
    ? source.chain.path ?? "(text)"
    : "internal";
  return [names.join(",") || "(any)", ...listeners, from].join(" ");
}

async function listeners(head: string, ...hosts: string[]): Promise<string[]> {
  return (await config(file(head, ...hosts))).listen.map(spelled);
}

async function certificates(text: string): Promise<string[]> {
  return ((await config(text)).tls?.certificates ?? []).map(told);
}

async function firstIssuer(text: string): Promise<AcmeRules> {
  const [first] = (await config(text)).tls?.certificates ?? [];
  assert.equal(first?.source.kind, "acme");
  const [issuer] = first.source.kind === "acme" ? first.source.issuers : [];
  return issuer ?? assert.fail();
}

describe("listen", () => {
  const cases: [string, string, string[]][] = [
    ["speaks TLS on port 443 by itself", 'listen: ":443"', [":443 tls h2", ":80 plain helper"]],
    ["speaks none elsewhere", 'listen: [":8443", ":80"]', [":8443 plain", ":80 plain"]],
    ["opens no helper beside a listener on port 80", 'listen: [":443", "127.0.0.1:80"]', [
      ":443 tls h2",
      "127.0.0.1:80 plain",
    ]],
    ["opens its helper on the same host", 'listen: "127.0.0.1:443"', [
      "127.0.0.1:443 tls h2",
      "127.0.0.1:80 plain helper",
    ]],
    ["speaks TLS where it says so", 'listen: { address: ":8443", tls: internal }', [
      ":8443 tls h2",
    ]],
    ["speaks none where it says so", 'listen: { address: ":443", tls: off }', [":443 plain"]],
    [
      "speaks TLS everywhere but on port 80 with tls at the top",
      'listen: [":8080", ":80", { address: ":81", tls: off }]\ntls: internal',
      [":8080 tls h2", ":80 plain", ":81 plain"],
    ],
    ["speaks none with tls off at the top", 'listen: ":443"\ntls: off', [":443 plain"]],
    [
      "speaks the protocols it is told to",
      'listen: [{ address: ":443", protocols: [h1, h2, h3] }, { address: ":81", protocols: [h1, h2c] }, { address: ":82", tls: internal, protocols: h1 }]',
      [":443 tls h2 h3", ":81 plain h2", ":82 tls", ":80 plain helper"],
    ],
    [
      "opens no helper where nothing would come of it",
      'listen: ":443"\ntls: { issuer: internal, redirect: false }',
      [
        ":443 tls h2",
      ],
    ],
  ];
  for (const [title, head, expected] of cases) {
    it(`listen ${title}`, async () => {
      assert.deepEqual(await listeners(head, "gpu.lan"), expected);
    });
  }

  it("listen leaves a configuration without TLS as it was", async () => {
    const { tls, routes } = await config(file('listen: ":8080"', "a.example.com"));
    assert.equal(tls, undefined);
    assert.deepEqual(routes[0]?.tls, {
      inTheClear: "answer",
      hsts: undefined,
      clientAuth: undefined,
    });
  });
});

describe("certificates", () => {
  const PAIR = "{ cert: /cert.pem, key: /key.pem }";
  const LE = "acme-v02.api.letsencrypt.org";
  const cases: [string, string, string[]][] = [
    [
      "come from ACME for public names and from the authority here for private ones",
      file('listen: ":443"', "ollama.example.com", "gpu.lan", "192.168.1.5", "box", "[fd00::1]"),
      [
        `ollama.example.com ${LE}`,
        "gpu.lan internal",
        "192.168.1.5 internal",
        "box internal",
        "fd00::1 internal",
      ],
    ],
    [
      "come from the one pair at the top, whatever the host",
      file(`tls: ${PAIR}`, "ollama.example.com", "other.example.org"),
      ["(any) /cert.pem"],
    ],
    [
      "come from the list for the names it has, and else as usual",
      file(
        `listen: ":443"\ntls: { certificates: [${PAIR}, { hosts: [b.lan, c.lan] }] }`,
        "ollama.example.com",
        "x.wild.example.com",
        "b.lan",
        "d.lan",
      ),
      ["ollama.example.com,*.wild.example.com /cert.pem", "b.lan,c.lan internal", "d.lan internal"],
    ],
    [
      "come from where a route says",
      `listen: ":443"\nroutes:\n  - { host: a.example.com, tls: internal, ${UPSTREAM} }\n` +
      `  - { host: b.example.com, tls: ${PAIR}, ${UPSTREAM} }\n` +
      `  - { host: c.example.com, tls: off, ${UPSTREAM} }\n`,
      ["a.example.com internal", "b.example.com /cert.pem"],
    ],
    [
      "come from where a listener says, there alone",
      `listen: [":443", { address: ":8443", tls: internal }]\nroutes:\n  - { host: a.example.com, ${UPSTREAM} }\n`,
      [`a.example.com ${LE}`, "a.example.com |8443 internal"],
    ],
    [
      "are held once for routes that share a host",
      file('listen: ":443"', "a.lan").replace(
        /\n$/,
        `\n  - { host: a.lan, path: /x, ${UPSTREAM} }\n`,
      ),
      ["a.lan internal"],
    ],
    [
      "are not held for a listener that a route is not on",
      `listen: [":443", { address: ":8443", tls: internal }]\nroutes:\n  - { host: a.example.com, port: 443, ${UPSTREAM} }\n`,
      [`a.example.com ${LE}`],
    ],
    [
      "come from stand-ins after the first authority",
      file(
        'listen: ":443"\ntls: { acme: [{ directory: zerossl, email: a@b.c }, { directory: "https://ca.lan/dir" }] }',
        "a.example.com",
      ),
      ["a.example.com acme.zerossl.com+ca.lan"],
    ],
  ];
  for (const [title, text, expected] of cases) {
    it(`certificates ${title}`, async () => {
      assert.deepEqual(await certificates(text), expected);
    });
  }

  const anyHost: [string, string, string][] = [
    ["for private names of a route without a host", "", "private"],
    ["for all names where the issuer is internal", "tls: internal", "any"],
    ["for none where there is a pair for all", `tls: ${PAIR}`, "none"],
  ];
  for (const [title, head, names] of anyHost) {
    it(`certificates are made on demand ${title}`, async () => {
      const { tls } = await config(file(`listen: ":443"\n${head}`, "*"));
      assert.equal(tls?.onDemand.names, names);
    });
  }
});

describe("acme", () => {
  it("acme takes what a level leaves out from the one above", async () => {
    const issuer = await firstIssuer(
      'listen: ":443"\ntls: { acme: { email: me@example.com, key_type: p384, directory: letsencrypt_staging } }\n' +
        'routes:\n  - host: "*.example.com"\n    upstreams: [http://a]\n' +
        '    tls: { acme: { dns: { provider: desec, token: "0123456789", ttl: 1h } } }\n',
    );
    assert.equal(issuer.email, "me@example.com");
    assert.equal(issuer.keyType, "p384");
    assert.match(issuer.directory, /^https:\/\/acme-staging-v02/);
    assert.deepEqual(issuer.challenges, ["dns-01"]);
    assert.deepEqual(issuer.dns, {
      provider: { kind: "desec", token: "0123456789", url: "https://desec.io/api/v1" },
      ...{ delayMs: 2_000, timeoutMs: 300_000, ttlS: 3600, resolvers: [] },
    });
  });

  const challenges: [string, string, string[]][] = [
    ["all that the listeners make possible", 'listen: ":443"', ["http-01", "tls-alpn-01"]],
    ["tls-alpn-01 alone without a listener in the clear", 'listen: ":8443"\ntls: acme', [
      "tls-alpn-01",
    ]],
    [
      "those that are named, in that order",
      'listen: ":443"\ntls: { acme: { challenges: [tls-alpn-01, http-01] } }',
      [
        "tls-alpn-01",
        "http-01",
      ],
    ],
  ];
  for (const [title, head, expected] of challenges) {
    it(`acme proves names by ${title}`, async () => {
      assert.deepEqual((await firstIssuer(file(head, "a.example.com"))).challenges, expected);
    });
  }

  it("acme binds an account, with its key as the authority gives it", async () => {
    const issuer = await firstIssuer(
      file(
        'listen: ":443"\ntls: { acme: { eab: { key_id: kid-1, hmac: "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W==" } } }',
        "a.example.com",
      ),
    );
    assert.equal(issuer.binding?.keyId, "kid-1");
    assert.match(issuer.binding?.secretKey ?? "", /[^=]$/);
  });

  it("acme takes name servers with and without a port", async () => {
    const { dns } = await firstIssuer(
      file(
        'listen: ":443"\ntls: { acme: { dns: { provider: exec, command: [/bin/hook, x], resolvers: ["1.1.1.1", "[fd00::1]", "9.9.9.9:5353"] } } }',
        "a.example.com",
      ),
    );
    assert.deepEqual(dns?.resolvers, ["1.1.1.1:53", "[fd00::1]:53", "9.9.9.9:5353"]);
    assert.deepEqual(dns?.provider, { kind: "exec", command: ["/bin/hook", "x"] });
  });
});

describe("tls of a route", () => {
  it("tls of a route takes manners from the top, and may say otherwise", async () => {
    const { routes } = await config(
      'listen: [":443", ":80"]\ntls: { hsts: 180d, redirect: 8443 }\nroutes:\n' +
        `  - { host: a.lan, ${UPSTREAM} }\n` +
        `  - { host: b.lan, tls: { hsts: off, redirect: false }, ${UPSTREAM} }\n` +
        `  - { host: c.lan, tls: { hsts: { max_age: 1d, include_subdomains: true, preload: true } }, ${UPSTREAM} }\n` +
        `  - { host: d.lan, port: 80, ${UPSTREAM} }\n` +
        `  - { host: e.lan, tls: off, ${UPSTREAM} }\n`,
    );
    assert.deepEqual(routes.map(({ tls }) => [tls.inTheClear, tls.hsts]), [
      ["redirect", "max-age=15552000"],
      ["answer", undefined],
      ["redirect", "max-age=86400; includeSubDomains; preload"],
      ["answer", "max-age=15552000"],
      ["answer", undefined],
    ]);
  });

  it("tls of a route asks clients, of its hosts alone", async () => {
    const { tls, routes } = await config(
      'listen: ":443"\nroutes:\n' +
        `  - { host: a.lan, tls: { client_auth: { ca: /ca.pem } }, ${UPSTREAM} }\n` +
        `  - { host: a.lan, path: /open, tls: { client_auth: { ca: /ca.pem, required: false } }, ${UPSTREAM} }\n` +
        `  - { host: b.lan, ${UPSTREAM} }\n`,
    );
    assert.deepEqual(routes.map(({ tls: { clientAuth } }) => clientAuth?.required), [
      true,
      false,
      undefined,
    ]);
    assert.deepEqual(tls?.clientAuth.map(({ hosts }) => hosts), [["a.lan"], ["a.lan"]]);
  });

  it("tls of a route may know other clients than a wildcard's that gets none of its requests", async () => {
    const { tls } = await config(
      'listen: ":443"\nroutes:\n' +
        `  - { host: a.lan, tls: { client_auth: { ca: /ca.pem } }, ${UPSTREAM} }\n` +
        `  - { host: "*.lan", tls: { client_auth: { ca: [/ca.pem, /wrong.pem] } }, ${UPSTREAM} }\n`,
    );
    assert.deepEqual(tls?.clientAuth.map(({ authorities }) => authorities.length), [1, 2]);
  });
});

describe("problems of TLS", () => {
  const cases: [string, string, string[]][] = [
    [
      "a certificate without its key",
      file("tls: { cert: /cert.pem }", "a.lan"),
      ['1:1 tls: Expected "key" beside "cert" but received none'],
    ],
    [
      "an issuer beside a pair",
      file("tls: { cert: /cert.pem, key: /key.pem, issuer: acme }", "a.lan"),
      ['1:40 tls.issuer: Expected "cert" and "key" alone but received "issuer" beside them'],
    ],
    [
      "a key of another certificate",
      file("tls: { cert: /wrong.pem, key: /key.pem }", "a.lan"),
      [
        "1:8 tls.cert: Expected a certificate and key that can be used but received others: the key is another one's",
      ],
    ],
    [
      "a file that is none",
      file("tls: { cert: /none.pem, key: /key.pem }", "a.lan"),
      ['1:14 tls.cert: Expected a readable file but received "/none.pem": no such file'],
    ],
    [
      "a file without a certificate, whose text nobody sees",
      file("tls: { cert: /words.txt, key: /key.pem }", "a.lan"),
      ['1:8 tls.cert: Expected a file with certificates in PEM but received what the file "/words.txt" holds'],
    ],
    [
      "an issuer that does not exist",
      file("tls: { issuer: amce }", "a.lan"),
      [
        '1:16 tls.issuer: Expected "auto", "acme", "internal" or "off" but received "amce", did you mean "acme"?',
      ],
    ],
    [
      "TLS where no listener speaks it",
      `listen: ":8080"\nroutes:\n  - { host: a.lan, tls: internal, ${UPSTREAM} }\n`,
      ['3:25 routes[0].tls: Expected a listener that speaks TLS, such as ":443", but received none'],
    ],
    [
      "settings of TLS where every listener is on port 80",
      file('listen: ":80"\ntls: internal', "a.lan"),
      ['2:6 tls: Expected a listener that speaks TLS, such as ":443", but received none'],
    ],
    [
      "a wildcard without records",
      file('listen: ":443"', "*.example.com"),
      ['3:13 routes[0].host: Expected "dns" in "acme" for a wildcard but received "*.example.com"'],
    ],
    [
      "a private name for a public authority",
      file('listen: ":443"\ntls: acme', "gpu.lan"),
      [
        '4:13 routes[0].host: Expected a public name, as acme-v02.api.letsencrypt.org signs no others, but received "gpu.lan"',
      ],
    ],
    [
      "any host for an authority on the Internet",
      file('listen: ":443"\ntls: acme', "*"),
      ['4:13 routes[0].host: Expected a host, as certificates are ordered for names, but received "*"'],
    ],
    [
      "dns-01 without records",
      file('listen: ":443"\ntls: { acme: { challenges: dns-01 } }', "a.example.com"),
      ['4:13 routes[0].host: Expected "dns" beside the challenge dns-01 but received none'],
    ],
    [
      "a provider without its token",
      file('listen: ":443"\ntls: { acme: { dns: { provider: cloudflare } } }', "a.example.com"),
      ['2:16 tls.acme.dns: Expected "token" beside "provider: cloudflare" but received none'],
    ],
    [
      "a directory that is no place for keys",
      file('listen: ":443"\ntls: { acme: { directory: "http://ca.lan" } }', "a.example.com"),
      [
        '2:27 tls.acme.directory: Expected the URL of a directory, "https://…", or one of letsencrypt, letsencrypt_staging, zerossl, google, sslcom, but received "http://ca.lan"',
      ],
    ],
    [
      "a version that nobody should speak",
      file('listen: ":443"\ntls: { min_version: 1.1 }', "a.lan"),
      ['2:21 tls.min_version: Expected "1.2" or "1.3" but received 1.1'],
    ],
    [
      "a listener without HTTP/1.1",
      file('listen: { address: ":443", protocols: [h2] }', "a.lan"),
      ['1:39 listen.protocols: Expected "h1" among them but received none'],
    ],
    [
      "HTTP/3 without TLS",
      file('listen: { address: ":8080", protocols: [h1, h3] }', "a.lan"),
      ['1:40 listen.protocols: Expected what goes without TLS but received "h3"'],
    ],
    [
      "an entry that says neither files nor names",
      file('listen: ":443"\ntls: { certificates: [{ issuer: internal }] }', "a.lan"),
      [
        '2:23 tls.certificates[0]: Expected either "cert" and "key" or "hosts" but received none',
      ],
    ],
    [
      "different authorities for the clients of one host",
      'listen: ":443"\nroutes:\n' +
      `  - { host: a.lan, tls: { client_auth: { ca: /ca.pem } }, ${UPSTREAM} }\n` +
      `  - { host: a.lan, path: /x, tls: { client_auth: { ca: [/ca.pem, /wrong.pem] } }, ${UPSTREAM} }\n`,
      [
        '4:50 routes[1].tls.client_auth: Expected the same authorities for all routes of "a.lan" but received others',
      ],
    ],
    [
      "authorities that differ where a wildcard gets what a host's own routes leave",
      'listen: ":443"\nroutes:\n' +
      `  - { host: a.lan, path: /x, tls: { client_auth: { ca: /ca.pem } }, ${UPSTREAM} }\n` +
      `  - { host: "*.lan", tls: { client_auth: { ca: [/ca.pem, /wrong.pem] } }, ${UPSTREAM} }\n`,
      [
        '3:50 routes[0].tls.client_auth: Expected the authorities of "*.lan", which answers what no route of "a.lan" does, but received others',
      ],
    ],
    [
      "authorities that differ where a route for any host gets what a wildcard's leave",
      'listen: ":443"\ntls: { issuer: internal }\nroutes:\n' +
      `  - { tls: { client_auth: { ca: [/ca.pem, /wrong.pem] } }, ${UPSTREAM} }\n` +
      `  - { host: "*.lan", path: /x, tls: { client_auth: { ca: /ca.pem } }, ${UPSTREAM} }\n`,
      [
        '5:52 routes[1].tls.client_auth: Expected the authorities of "*", which answers what no route of "*.lan" does, but received others',
      ],
    ],
    [
      "the same address twice, in whatever form",
      file('listen: [":443", { address: ":443", tls: off }]', "a.lan"),
      ['1:18 listen[1]: Expected each address once but received ":443" again'],
    ],
  ];
  for (const [title, text, expected] of cases) {
    it(`load() tells of ${title}`, async () => {
      assert.deepEqual(await problems(text), expected);
    });
  }
});
