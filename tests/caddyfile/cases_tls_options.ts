/**
 * The directive `tls` and the global options beside it: what stands at the top and at each route then, and
 * what is refused. Longer than 250 lines because it is a table.
 */
import { refusal } from "./cases.ts";
import { DER } from "./cases_core_tls.ts";
import type { TlsCase } from "./cases_tls.ts";

const A = { host: "a.example.com" };
const B = { host: "b.example.com" };
const PAIR = { cert: "c.pem", key: "c.key" };
const STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory";

/** One site, a.example.com, with these options of `tls` from line 3 on. */
function within(...options: readonly string[]): string {
  return ["a.example.com {", " tls {", ...options.map((line) => `  ${line}`), " }", "}"].join("\n");
}

function taken(title: string, text: string, route: unknown, tls?: unknown): TlsCase {
  const own = route === undefined ? A : { ...A, tls: route };
  return { title, text, listen: ":443", routes: [own], ...(tls !== undefined && { tls }) };
}

function refused(title: string, text: string, ...problems: readonly string[]): TlsCase {
  return { title, text, problems };
}

export const SOURCE_CASES: readonly TlsCase[] = [
  taken("internal", "a.example.com {\n tls internal\n}", "internal"),
  {
    title: "internal where it is that anyway",
    text: "gpu.lan, 10.0.0.1 {\n tls internal\n}",
    listen: ":443",
    routes: [{ host: ["gpu.lan", "10.0.0.1"] }],
  },
  {
    title: "internal for any host",
    text: ":443 {\n tls internal {\n  on_demand\n }\n}",
    listen: ":443",
    routes: [{ tls: "internal" }],
  },
  {
    title: "internal for all, once",
    text: "a.example.com {\n tls internal\n}\ngpu.lan {\n tls internal\n}",
    listen: ":443",
    tls: "internal",
    routes: [A, { host: "gpu.lan" }],
  },
  {
    title: "internal for one of several",
    text: "a.example.com {\n tls internal\n}\nb.example.com {\n}",
    listen: ":443",
    routes: [{ ...A, tls: "internal" }, B],
  },
  taken("an e-mail address", "a.example.com {\n tls me@a.com\n}", { acme: { email: "me@a.com" } }),
  taken("files", "a.example.com {\n tls c.pem c.key\n}", PAIR),
  {
    title: "files that other sites share where they are for their names",
    text: "a.example.com {\n tls c.pem c.key\n}\nb.example.com {\n}\nc.lan {\n tls internal\n}",
    listen: ":443",
    tls: { certificates: [PAIR] },
    routes: [{ ...A, tls: PAIR }, B, { host: "c.lan" }],
  },
  {
    title: "files that nobody shares",
    text: "{\n auto_https ignore_loaded_certs\n}\na.example.com {\n tls c.pem c.key\n}\n" +
      "b.example.com {\n}",
    listen: ":443",
    routes: [{ ...A, tls: PAIR }, B],
  },
  taken(
    "everything that an authority can be asked",
    within(
      "resolvers 1.1.1.1 9.9.9.9:53",
      `ca ${STAGING}`,
      "ca_root root.pem",
      "ca_root other.pem",
      "eab key-id 0123456789abcdef",
      "key_type p384",
      "dns desec 0123456789",
      "propagation_delay 10s",
      "propagation_timeout -1",
      "dns_ttl 60s",
    ),
    {
      acme: {
        dns: {
          provider: "desec",
          token: "0123456789",
          resolvers: ["1.1.1.1", "9.9.9.9:53"],
          delay: "10s",
          timeout: "0s",
          ttl: "60s",
        },
        directory: "letsencrypt_staging",
        ca: ["root.pem", "other.pem"],
        eab: { key_id: "key-id", hmac: "0123456789abcdef" },
        key_type: "p384",
      },
    },
  ),
  {
    title: "an authority of one's own for private names",
    text: "gpu.lan {\n tls {\n  ca https://ca.lan/dir\n }\n}",
    listen: ":443",
    routes: [{ host: "gpu.lan", tls: { acme: { directory: "https://ca.lan/dir" } } }],
  },
  {
    title: "a kind of key for names that are private as well",
    text: "gpu.lan, a.example.com {\n tls {\n  key_type p384\n }\n}",
    listen: ":443",
    routes: [{
      host: ["gpu.lan", "a.example.com"],
      tls: { issuer: "auto", acme: { key_type: "p384" } },
    }],
  },
  {
    title: "the kind of key that the authority here gives",
    text: "gpu.lan {\n tls {\n  key_type p256\n }\n}",
    listen: ":443",
    routes: [{ host: "gpu.lan" }],
  },
  taken(
    "a token from the environment",
    within("dns cloudflare {", " api_token {env.UP}", "}"),
    { acme: { dns: { provider: "cloudflare", token: "${UP:-}" } } },
  ),
  taken("issuer acme alone", within("issuer acme"), "acme"),
  taken(
    "issuers that stand in for each other",
    within("issuer acme https://ca.lan/dir", "issuer acme {", " email me@a.com", "}"),
    { acme: [{ directory: "https://ca.lan/dir" }, { email: "me@a.com" }] },
  ),
  taken(
    "issuers that stand in for each other, with what all say",
    `{\n email me@a.com\n}\n${within("issuer acme https://ca.lan/dir", "issuer acme")}`,
    { acme: [{ email: "me@a.com", directory: "https://ca.lan/dir" }, { email: "me@a.com" }] },
    { acme: { email: "me@a.com" } },
  ),
  taken("proofs that are left", within("issuer acme {", " disable_tlsalpn_challenge", "}"), {
    acme: { challenges: "http-01" },
  }),
  taken(
    "proofs that are turned off where there are records",
    within(
      "issuer acme {",
      " disable_http_challenge",
      " disable_tlsalpn_challenge",
      " dns duckdns 0123456789",
      "}",
    ),
    { acme: { dns: { provider: "duckdns", token: "0123456789" } } },
  ),
  taken(
    "issuer acme with what else it knows",
    within(
      "issuer acme {",
      " trusted_roots a.pem b.pem",
      " profile shortlived",
      " preferred_chains {",
      "  root_common_name Root",
      " }",
      "}",
    ),
    {
      acme: { ca: ["a.pem", "b.pem"], profile: "shortlived", preferred_chain: "Root" },
    },
  ),
  taken("issuer internal", within("issuer internal {", " lifetime 1h", " ca local", "}"), {
    internal: { lifetime: "1h" },
  }),
  taken("on_demand", within("on_demand"), undefined),
  {
    title: "a wildcard that serves other sites",
    text: "*.example.com {\n tls {\n  dns desec 0123456789\n }\n}\na.example.com {\n}\n" +
      "b.example.com {\n tls force_automate\n}\nx.y.example.com {\n}",
    listen: ":443",
    tls: {
      certificates: [{
        hosts: "*.example.com",
        acme: { dns: { provider: "desec", token: "0123456789" } },
      }],
    },
    routes: [{ host: "*.example.com" }, A, { ...B, tls: "auto" }, { host: "x.y.example.com" }],
  },
  {
    title: "a wildcard that serves other sites, beside another name",
    text: "*.example.com, example.com {\n tls {\n  dns desec 0123456789\n }\n}\na.example.com {\n}",
    listen: ":443",
    tls: {
      certificates: [{
        hosts: "*.example.com",
        acme: { dns: { provider: "desec", token: "0123456789" } },
      }],
    },
    routes: [{
      host: ["*.example.com", "example.com"],
      tls: { acme: { dns: { provider: "desec", token: "0123456789" } } },
    }, A],
  },
  {
    title: "a wildcard that serves nobody else",
    text: "*.example.com {\n tls {\n  dns desec 0123456789\n }\n}\nexample.org {\n}",
    listen: ":443",
    routes: [
      {
        host: "*.example.com",
        tls: { acme: { dns: { provider: "desec", token: "0123456789" } } },
      },
      { host: "example.org" },
    ],
  },
  {
    title: "tls of a site in the clear, of which nothing comes",
    text: "http://a.example.com {\n tls internal\n}",
    listen: ":80",
    routes: [A],
  },
  refused(
    "nothing behind tls",
    "a.example.com {\n tls\n}",
    '2:2 tls: Expected "internal", an e-mail address, two files or a block but received none',
  ),
  refused(
    "a word that is none",
    "a.example.com {\n tls intern\n}",
    '2:6 tls: Expected "internal", an e-mail address, or a certificate and its key but received "intern"',
  ),
  refused(
    "three files",
    "a.example.com {\n tls a b c\n}",
    '2:10 tls: Expected at most 2 arguments but received "c"',
  ),
  refused(
    "an unknown option",
    within("protocol tls1.3"),
    '3:3 tls: Expected an option of tls but received "protocol" (did you mean "protocols"?)',
  ),
  refused(
    "a private name for an authority on the Internet",
    "gpu.lan {\n tls me@a.com\n}",
    '1:1 : Expected a public name, as acme-v02.api.letsencrypt.org signs no others, but received "gpu.lan"',
  ),
  refused(
    "records without a provider",
    within("resolvers 1.1.1.1"),
    '3:3 tls.resolvers: Expected "dns" and a provider beside it but received none',
  ),
  refused(
    "dns without a provider anywhere",
    within("dns"),
    '3:3 tls.dns: Expected a provider such as "cloudflare", here or in the global option dns',
  ),
  refused(
    "a provider without its token",
    within("dns cloudflare"),
    "3:7 tls.dns.cloudflare: Expected a token for cloudflare but received none",
  ),
  refused(
    "two tokens, of which nobody sees any",
    within("dns cloudflare 0123456789 9876543210"),
    "3:29 tls.dns.cloudflare: Expected one token but received more",
  ),
  refused(
    "proofs turned off, all of them",
    within("issuer acme {", " disable_http_challenge", " disable_tlsalpn_challenge", "}"),
    '3:3 tls.issuer: Expected a way to prove names, such as "dns", but received none',
  ),
  refused("another provider", within("dns route53 {", "}"), refusal("3:7", "tls.dns.module")),
  refused("key_type ed25519", within("key_type ed25519"), refusal("3:12", "tls.key_type.ed25519")),
  refused(
    "a kind of key that is none",
    within("key_type dsa"),
    '3:12 tls.key_type: Expected one of "p256", "p384", "rsa2048", "rsa4096" but received "dsa"',
  ),
  refused(
    "internal with an authority on the Internet",
    "a.example.com {\n tls internal {\n  ca https://ca.lan/dir\n }\n}",
    refusal("3:3", "tls.internal.acme"),
  ),
  refused(
    "files with an issuer",
    "a.example.com {\n tls c.pem c.key {\n  issuer acme\n }\n}",
    refusal("3:3", "tls.files.issuer"),
  ),
  refused(
    "issuers of different kinds",
    within("issuer acme", "issuer internal"),
    refusal("4:3", "tls.issuer.mixed"),
  ),
  refused(
    "an issuer in short and in full",
    "a.example.com {\n tls me@a.com {\n  issuer acme\n }\n}",
    refusal("3:3", "tls.issuer.short"),
  ),
  refused("issuer zerossl", within("issuer zerossl key"), refusal("3:10", "tls.issuer.zerossl")),
  refused(
    "preferred_chains smallest",
    within("issuer acme {", " preferred_chains smallest", "}"),
    refusal("4:21", "tls.preferred_chains.other"),
  ),
  refused(
    "tls twice",
    "a.example.com {\n tls internal\n tls me@a.com\n}",
    refusal("3:2", "tls.again"),
  ),
  refused(
    "files for a site in the clear",
    "http://a.example.com {\n tls c.pem c.key\n}",
    refusal("2:2", "tls.in the clear"),
  ),
  refused(
    "on_demand for any host, from the Internet",
    ":443 {\n tls me@a.com {\n  on_demand\n }\n}",
    refusal("3:3", "tls.on_demand.any host"),
  ),
];

export const HANDSHAKE_CASES: readonly TlsCase[] = [
  taken("protocols as they are anyway", within("protocols tls1.2 tls1.3"), undefined),
  taken("the oldest alone", within("protocols tls1.2"), undefined),
  taken("TLS 1.3 alone", within("protocols tls1.3"), undefined, { min_version: "1.3" }),
  taken("alpn as it is anyway", within("alpn h2 http/1.1"), undefined),
  taken("clients with certificates", within("client_auth {", " trusted_ca_cert_file ca.pem", "}"), {
    client_auth: { ca: "ca.pem" },
  }),
  taken(
    "clients with certificates and others",
    within(
      "client_auth {",
      " mode verify_if_given",
      " trusted_ca_cert_file ca.pem",
      " trust_pool file {",
      "  pem_file b.pem c.pem",
      " }",
      ` trusted_ca_cert ${DER}`,
      "}",
    ),
    {
      client_auth: {
        ca: [
          "ca.pem",
          "b.pem",
          "c.pem",
          `-----BEGIN CERTIFICATE-----\n${DER}\n-----END CERTIFICATE-----\n`,
        ],
        required: false,
      },
    },
  ),
  taken(
    "clients with certificates, beside files",
    "a.example.com {\n tls c.pem c.key {\n  client_auth {\n   mode require_and_verify\n" +
      `   trust_pool inline ${DER}\n  }\n }\n}`,
    {
      ...PAIR,
      client_auth: { ca: `-----BEGIN CERTIFICATE-----\n${DER}\n-----END CERTIFICATE-----\n` },
    },
  ),
  refused(
    "versions that nobody should speak",
    within("protocols tls1.1"),
    '3:13 tls.protocols: Expected "tls1.2" or "tls1.3" but received "tls1.1"',
  ),
  refused(
    "TLS 1.2 alone",
    within("protocols tls1.2 tls1.2"),
    refusal("3:20", "tls.protocols.newest"),
  ),
  refused(
    "TLS 1.3 alone for one site of two",
    `${within("protocols tls1.3")}\nb.example.com {\n}`,
    refusal("3:13", "tls.protocols.some"),
  ),
  refused(
    "some ciphers",
    within("ciphers TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    refusal("3:11", "tls.ciphers.other"),
  ),
  refused(
    "a client's certificate that nobody verifies",
    within("client_auth {", " mode request", "}"),
    refusal("4:9", "tls.client_auth.mode.request"),
  ),
  refused(
    "any certificate of a client's",
    within("client_auth {", " mode require", " trusted_ca_cert_file ca.pem", "}"),
    refusal("4:9", "tls.client_auth.mode.require"),
  ),
  refused(
    "clients of nobody",
    within("client_auth {", " mode require_and_verify", "}"),
    "3:3 tls.client_auth: Expected authorities such as trusted_ca_cert_file but received none",
  ),
  refused(
    "a mode that is none",
    within("client_auth {", " mode verify", " trusted_ca_cert_file ca.pem", "}"),
    '4:9 tls.client_auth.mode: Expected "verify_if_given" or "require_and_verify" but received "verify"',
  ),
  refused(
    "an authority that is no base64",
    within("client_auth {", " trusted_ca_cert ca.pem", "}"),
    '4:20 tls.client_auth.trusted_ca_cert: Expected a certificate in base64 but received "ca.pem"',
  ),
  refused(
    "files of a pool under another name",
    within("client_auth {", " trust_pool file {", "  file a.pem", " }", "}"),
    '5:5 tls.client_auth.trust_pool: Expected pem_file but received "file"',
  ),
];

/** Global options, and one site or two. */
function globally(
  title: string,
  options: readonly string[],
  { tls, text = "a.example.com {\n}", routes = [A] }: {
    readonly tls?: unknown;
    readonly text?: string;
    readonly routes?: readonly Readonly<Record<string, unknown>>[];
  },
): TlsCase {
  const whole = `{\n${options.join("\n")}\n}\n${text}`;
  return { title, text: whole, listen: ":443", routes, ...(tls !== undefined && { tls }) };
}

const AND_B = "a.example.com {\n}\nb.example.com {\n tls b@b.com\n}";

export const GLOBAL_CASES: readonly TlsCase[] = [
  globally(
    "everything that authorities can be asked",
    [
      "email me@a.com",
      `acme_ca ${STAGING}`,
      "acme_ca_root root.pem",
      "acme_eab {",
      "key_id key-id",
      "mac_key 0123456789abcdef",
      "}",
      "acme_dns",
      "dns duckdns 0123456789",
      "key_type rsa2048",
      "preferred_chains {",
      "root_common_name Root",
      "}",
    ],
    {
      tls: {
        acme: {
          email: "me@a.com",
          directory: "letsencrypt_staging",
          ca: "root.pem",
          eab: { key_id: "key-id", hmac: "0123456789abcdef" },
          key_type: "rsa2048",
          preferred_chain: "Root",
          dns: { provider: "duckdns", token: "0123456789" },
        },
      },
    },
  ),
  globally("what needs no word", ["skip_install_trust", "ocsp_stapling off"], {}),
  globally("default_sni and storage", ["storage file_system /x", "default_sni a.example.com"], {
    tls: { storage: "/x", default_name: "a.example.com" },
  }),
  globally("local_certs", ["local_certs"], { tls: "internal" }),
  globally("local_certs, but for one site", ["local_certs"], {
    tls: "internal",
    text: AND_B,
    routes: [A, { ...B, tls: { acme: { email: "b@b.com" } } }],
  }),
  globally("local_certs where one insists", ["local_certs"], {
    tls: "internal",
    text: "a.example.com {\n tls force_automate\n}",
    routes: [{ ...A, tls: "internal" }],
  }),
  globally("cert_issuer", ["cert_issuer acme {", "dir https://ca.lan/dir", "}"], {
    tls: { issuer: "acme", acme: { directory: "https://ca.lan/dir" } },
  }),
  globally(
    "cert_issuer, several",
    ["email me@a.com", "cert_issuer acme https://ca.lan/dir", "cert_issuer acme"],
    {
      tls: {
        issuer: "acme",
        acme: [{ email: "me@a.com", directory: "https://ca.lan/dir" }, { email: "me@a.com" }],
      },
    },
  ),
  globally(
    "cert_issuer where one site has another, which knows nothing of it",
    ["email me@a.com", "cert_issuer acme https://ca.lan/dir"],
    {
      tls: { acme: { email: "me@a.com" } },
      text: AND_B,
      routes: [
        { ...A, tls: { acme: { directory: "https://ca.lan/dir" } } },
        { ...B, tls: { acme: { email: "b@b.com" } } },
      ],
    },
  ),
  globally("cert_issuer internal", ["cert_issuer internal {", "lifetime 1h", "}"], {
    tls: { issuer: "internal", internal: { lifetime: "1h" } },
  }),
  globally("the provider for those who name none", ["dns cloudflare 0123456789"], {
    text: within("dns"),
    routes: [{ ...A, tls: { acme: { dns: { provider: "cloudflare", token: "0123456789" } } } }],
  }),
  globally("acme_dns for a wildcard that serves others", ["acme_dns desec 0123456789"], {
    tls: {
      acme: { dns: { provider: "desec", token: "0123456789" } },
      certificates: [{ hosts: "*.example.com" }],
    },
    text: "*.example.com {\n}\na.example.com {\n}",
    routes: [{ host: "*.example.com" }, A],
  }),
  refused(
    "an e-mail address that is none",
    "{\n email me\n}\na.example.com {\n}",
    '2:2 global.email: Expected an e-mail address such as "me@example.com" but received "me"',
  ),
  refused(
    "cert_issuer beside local_certs",
    "{\n local_certs\n cert_issuer acme\n}\na.example.com {\n}",
    "3:2 global.cert_issuer: Expected either cert_issuer or local_certs but received both",
  ),
  refused(
    "acme_dns of nobody",
    "{\n acme_dns\n}\na.example.com {\n}",
    '2:2 global.acme_dns: Expected a provider such as "cloudflare", here or in the global option dns',
  ),
  refused(
    "storage elsewhere",
    "{\n storage redis\n}\na.example.com {\n}",
    refusal("2:10", "global.storage.module"),
  ),
  refused(
    "ocsp_stapling",
    "{\n ocsp_stapling on\n}\na.example.com {\n}",
    refusal("2:16", "global.ocsp_stapling.other"),
  ),
  refused(
    "on_demand_tls",
    "{\n on_demand_tls {\n  ask http://localhost/ask\n }\n}\na.example.com {\n}",
    refusal("2:2", "global.on_demand_tls"),
  ),
  refused(
    "pki",
    "{\n pki {\n  ca local {\n   name Home\n  }\n }\n}\na.example.com {\n}",
    refusal("2:2", "global.pki"),
  ),
  refused(
    "strict_sni_host",
    "{\n servers {\n  strict_sni_host on\n }\n}\na.example.com {\n}",
    refusal("3:3", "global.servers.strict_sni_host"),
  ),
  refused(
    "a directory without TLS",
    "{\n acme_ca http://ca.lan/dir\n}\na.example.com {\n}",
    '2:2 global.acme_ca: Expected the URL of a directory, "https://…", or one of letsencrypt, letsencrypt_staging, zerossl, google, sslcom, but received "http://ca.lan/dir"',
  ),
];
