/**
 * What is known of the directive `tls`: what each option becomes, what differs, what is refused and why. The
 * importer refuses by it, and docs/from-caddy.md is written from it. Longer than 250 lines because it is a
 * table, to be read and searched in one place.
 */
import type { Support } from "./directive.ts";
import { different, refused, same } from "./support_rows.ts";

const NO_LINE = "no line at all";
const IN_FILES = "`tls CERT KEY` with the files of one";

const CERTIFICATES: readonly Support[] = [
  same("tls", "routes[].tls", "for several sites alike, or for names of others, at the top"),
  same(
    "tls.without TLS",
    "",
    "nothing comes of it in a site that is served in the clear, in Caddy neither",
  ),
  same("tls.internal", "tls: internal", "left out where it is the automatic choice"),
  different(
    "tls.email",
    "tls.acme.email",
    "of Let's Encrypt alone; ZeroSSL stands in where it is named",
  ),
  same(
    "tls.files",
    "tls.cert",
    "with `key`; also at `tls.certificates` where other sites have none, as they share it where it is for their names",
  ),
  same(
    "tls.force_automate",
    "tls: auto",
    "a certificate of its own, though one of a wildcard would do",
  ),
  same("tls.ca", "tls.acme.directory"),
  same("tls.ca_root", "tls.acme.ca"),
  same("tls.eab", "tls.acme.eab"),
  same("tls.key_type", "tls.acme.key_type"),
  refused(
    "tls.key_type.ed25519",
    "authorities on the Internet sign no such keys",
    "`key_type p256`",
  ),
  refused(
    "tls.key_type.internal",
    "the authority here gives keys of one kind",
    "`key_type p256`, or no line",
  ),
  refused("tls.files.issuer", "files and an authority cannot both give it", "one of them"),
  refused(
    "tls.internal.acme",
    "the authority here is asked for nothing else",
    "`issuer acme` without `internal`",
  ),
  different(
    "tls.on_demand",
    "",
    "certificates are there from the start; for names that no site has, the authority here makes them when asked for",
  ),
  refused(
    "tls.on_demand.any host",
    "certificates of the Internet are ordered for names that are known",
    "the names in the address of the site, or `tls internal`",
  ),
  refused("tls.load", "certificates are read from files that are named", IN_FILES),
  refused(
    "tls.get_certificate",
    "nobody else is asked for certificates in a handshake",
    IN_FILES,
  ),
  refused(
    "tls.reuse_private_keys",
    "each certificate has a key of its own",
    IN_FILES,
  ),
  refused("tls.renewal_window_ratio", "authorities say when to renew, or two thirds do", NO_LINE),
  refused("tls.again", "a site says it once", "one `tls` with a block"),
  refused(
    "tls.in the clear",
    "the site is served in the clear, where Caddy refuses this, too",
    "`https://` in its address",
  ),
];

const RECORDS: readonly Support[] = [
  same("tls.dns", "tls.acme.dns"),
  same("tls.dns.cloudflare", "dns.provider", "with its token, or `api_token`"),
  same("tls.dns.cloudflare.api_token", "dns.token"),
  refused(
    "tls.dns.cloudflare.zone_token",
    "one token reads the zone and writes into it",
    "`api_token` with both permissions",
  ),
  same("tls.dns.desec", "dns.provider", "with its `token`"),
  same("tls.dns.desec.token", "dns.token"),
  same("tls.dns.duckdns", "dns.provider", "with its token, or `api_token`"),
  same("tls.dns.duckdns.api_token", "dns.token"),
  refused(
    "tls.dns.duckdns.override_domain",
    "the domain is that of the certificate",
    "a certificate for that domain",
  ),
  refused(
    "tls.dns.module",
    "cloudflare, desec and duckdns are the providers that are known",
    "`dns: { provider: exec, command: […] }` in YAML, which calls a program of yours",
  ),
  same("tls.resolvers", "dns.resolvers"),
  different("tls.propagation_delay", "dns.delay", "2s where it is not set, none in Caddy"),
  different(
    "tls.propagation_timeout",
    "dns.timeout",
    "5m where it is not set, 2m in Caddy; -1 does not look either",
  ),
  different("tls.dns_ttl", "dns.ttl", "2m where it is not set, the provider's own in Caddy"),
  refused(
    "tls.dns_challenge_override_domain",
    "records are written where the name itself is",
    "a CNAME that `exec` follows, in YAML",
  ),
];

const OF_ACME: readonly Support[] = [
  "dns",
  "resolvers",
  "propagation_delay",
  "propagation_timeout",
  "dns_ttl",
].map((name) => same(`tls.issuer.acme.${name}`, `tls.acme.dns`, `as \`${name}\` of \`tls\``));

const ISSUERS: readonly Support[] = [
  same("tls.issuer", "tls.issuer"),
  same("tls.issuer.acme", "tls.acme", "several are a list: the others stand in for the first"),
  same("tls.issuer.acme.dir", "tls.acme.directory"),
  same("tls.issuer.acme.email", "tls.acme.email"),
  same("tls.issuer.acme.eab", "tls.acme.eab"),
  same("tls.issuer.acme.trusted_roots", "tls.acme.ca"),
  same("tls.issuer.acme.profile", "tls.acme.profile"),
  same("tls.issuer.acme.preferred_chains", "tls.acme.preferred_chain", "`root_common_name`"),
  same("tls.issuer.acme.disable_http_challenge", "tls.acme.challenges"),
  same("tls.issuer.acme.disable_tlsalpn_challenge", "tls.acme.challenges"),
  ...OF_ACME,
  refused(
    "tls.issuer.acme.dns_challenge_override_domain",
    "records are written where the name itself is",
    "a CNAME that `exec` follows, in YAML",
  ),
  refused("tls.issuer.acme.test_dir", "an order that fails is tried again where it was", NO_LINE),
  refused("tls.issuer.acme.timeout", "an authority has as long as it needs", NO_LINE),
  ...["alt_http_port", "alt_tlsalpn_port"].map((name) =>
    refused(
      `tls.issuer.acme.${name}`,
      "proofs are given on ports that sites listen on",
      "`http_port` or `https_port`",
    )
  ),
  refused("tls.issuer.acme.account_key", "accounts have keys made here", NO_LINE),
  refused(
    "tls.issuer.acme.lifetime",
    "authorities decide how long certificates are good",
    "`profile`",
  ),
  refused(
    "tls.preferred_chains.other",
    "a chain is chosen by the name of its root",
    "`preferred_chains { root_common_name NAME }` with one name",
  ),
  same("tls.issuer.internal", "tls.issuer"),
  different(
    "tls.issuer.internal.lifetime",
    "tls.internal.lifetime",
    "24h where it is not set, 12h in Caddy",
  ),
  same("tls.issuer.internal.ca", "", "`local`"),
  refused("tls.issuer.internal.ca.other", "there is one authority here", "`ca local`"),
  refused(
    "tls.issuer.internal.sign_with_root",
    "the root signs nothing but intermediates",
    NO_LINE,
  ),
  refused(
    "tls.issuer.zerossl",
    "ZeroSSL is asked by ACME, as others are",
    "`issuer acme https://acme.zerossl.com/v2/DV90` with `eab`",
  ),
  refused(
    "tls.issuer.module",
    "it is no issuer that comes with Caddy itself",
    "`issuer acme` or `issuer internal`",
  ),
  refused(
    "tls.issuer.mixed",
    "authorities stand in for each other on the Internet alone",
    "`issuer acme` for each of them, or `issuer internal` alone",
  ),
  refused(
    "tls.issuer.short",
    "both say who is asked, which Caddy does not take either",
    "the options within `issuer acme`",
  ),
];

const HANDSHAKES: readonly Support[] = [
  same(
    "tls.protocols",
    "tls.min_version",
    "`tls1.2`, which it is anyway, or `tls1.3` on all sites",
  ),
  refused("tls.protocols.newest", "TLS 1.3 is always spoken", "`protocols tls1.2 tls1.3`"),
  refused(
    "tls.protocols.some",
    "the oldest version is the same for all sites",
    "the same `protocols` in every site with TLS",
  ),
  same("tls.ciphers", "", "the six that Caddy itself chooses, which are those spoken here"),
  refused("tls.ciphers.other", "the six that are safe are spoken, all of them", NO_LINE),
  refused("tls.curves", "the runtime chooses the curves", NO_LINE),
  same("tls.alpn", "", "`h2 http/1.1`, as it is anyway"),
  refused(
    "tls.alpn.other",
    "what is spoken is the same for all sites on a port",
    "`servers { protocols … }`",
  ),
  refused("tls.insecure_secrets_log", "the secrets of connections are not written down", NO_LINE),
  different(
    "tls.client_auth",
    "tls.client_auth",
    "who shows nothing, or nothing good, is answered with 403, where Caddy breaks the handshake off",
  ),
  different(
    "tls.client_auth.mode",
    "client_auth.required",
    "`require_and_verify`, or `verify_if_given`, by which a certificate that nobody signed counts as none",
  ),
  refused(
    "tls.client_auth.mode.request",
    "a certificate that nobody verifies says nothing",
    "`mode verify_if_given` with trusted_ca_cert_file",
  ),
  refused(
    "tls.client_auth.mode.require",
    "a certificate that nobody verifies says nothing",
    "`mode require_and_verify` with trusted_ca_cert_file",
  ),
  different(
    "tls.client_auth.trusted_ca_cert_file",
    "client_auth.ca",
    "every certificate in the file, where Caddy reads the first",
  ),
  same("tls.client_auth.trusted_ca_cert", "client_auth.ca", "as PEM in its place"),
  same("tls.client_auth.trust_pool", "client_auth.ca", "`file` and `inline`"),
  refused(
    "tls.client_auth.trust_pool.module",
    "authorities are read from files",
    "`trust_pool file` with their paths",
  ),
  ...["trusted_leaf_cert", "trusted_leaf_cert_file", "verifier"].map((name) =>
    refused(
      `tls.client_auth.${name}`,
      "clients are known by who signed their certificates",
      "trusted_ca_cert_file, and `{tls_client_fingerprint}` to tell them apart upstream",
    )
  ),
];

export const TLS_SUPPORT: readonly Support[] = [
  ...CERTIFICATES,
  ...ISSUERS,
  ...RECORDS,
  ...HANDSHAKES,
];
