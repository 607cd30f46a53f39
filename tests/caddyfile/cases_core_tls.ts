/** The part of the examples that is about TLS: for each row of the table a Caddyfile that has what it is about. */

/** Without line breaks, as in a Caddyfile. */
export const DER = "MIIBizCCATKgAwIBAgIUESDt4J3wgpX39BDSCAA/o0vkSBEwCgYIKoZIzj0EAwIw";

const CIPHERS = ["ECDSA", "RSA"].flatMap((kind) =>
  ["AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256"].map((rest) =>
    `TLS_ECDHE_${kind}_WITH_${rest}`
  )
).join(" ");

/** Lines of a site. */
const IN_SITE: Readonly<Record<string, string>> = {
  "tls": "tls internal",
  "tls.internal": "tls internal",
  "tls.email": "tls me@a.com",
  "tls.files": "tls a.pem a.key",
  "tls.force_automate": "tls force_automate",
  "tls.files.issuer": "tls a.pem a.key {\nca https://ca.lan/dir\n}",
  "tls.internal.acme": "tls internal {\nca https://ca.lan/dir\n}",
  "tls.again": "tls internal\ntls me@a.com",
  "tls.key_type.internal": "tls internal {\nkey_type p384\n}",
};

/** Whole Caddyfiles. */
const WHOLE: Readonly<Record<string, string>> = {
  "tls.on_demand.any host": "https:// {\ntls {\non_demand\n}\n}",
  "tls.without TLS": "http://a.com {\ntls internal\n}",
  "tls.in the clear": "http://a.com {\ntls a.pem a.key\n}",
  "tls.protocols.some": "a.com {\ntls {\nprotocols tls1.3\n}\n}\nb.com {\n}",
  "site host": "a.com {\nrespond 204\n}",
  "site private host": "gpu.lan, 10.0.0.1 {\nrespond 204\n}",
  "site *.ts.net": "a.b.ts.net {\nrespond 204\n}",
  "site https://host": "https://a.com {\nrespond 204\n}",
  "site host:port": "a.com:8443 {\nrespond 204\n}",
  "site http:// and https://": "http://a.com, https://a.com {\nrespond 204\n}",
  "site :443": ":443 {\nrespond 204\n}",
  "site http://host:8443": "http://a.com:8443 {\n}\nhttps://b.com:8443 {\n}",
};

/** Lines within `tls`. */
const IN_TLS: Readonly<Record<string, string>> = {
  "ca": "ca https://ca.lan/dir",
  "ca_root": "ca_root root.pem",
  "eab": "eab key-id 0123456789abcdef",
  "key_type": "key_type p384",
  "key_type.ed25519": "key_type ed25519",
  "load": "load /etc/certs",
  "get_certificate": "get_certificate tailscale",
  "renewal_window_ratio": "renewal_window_ratio 0.5",
  "dns": "dns cloudflare 0123456789",
  "dns.cloudflare": "dns cloudflare 0123456789",
  "dns.cloudflare.api_token": "dns cloudflare {\napi_token 0123456789\n}",
  "dns.cloudflare.zone_token": "dns cloudflare {\nzone_token 0123456789\n}",
  "dns.desec": "dns desec 0123456789",
  "dns.desec.token": "dns desec {\ntoken 0123456789\n}",
  "dns.duckdns": "dns duckdns 0123456789",
  "dns.duckdns.api_token": "dns duckdns {\napi_token 0123456789\n}",
  "dns.duckdns.override_domain": "dns duckdns {\noverride_domain a.duckdns.org\n}",
  "dns.module": "dns route53",
  "resolvers": "dns cloudflare 0123456789\nresolvers 1.1.1.1",
  "propagation_delay": "dns cloudflare 0123456789\npropagation_delay 10s",
  "propagation_timeout": "dns cloudflare 0123456789\npropagation_timeout -1",
  "dns_ttl": "dns cloudflare 0123456789\ndns_ttl 60s",
  "dns_challenge_override_domain": "dns_challenge_override_domain b.com",
  "issuer": "issuer acme",
  "issuer.acme": "issuer acme",
  "issuer.acme.dir": "issuer acme {\ndir https://ca.lan/dir\n}",
  "issuer.acme.email": "issuer acme {\nemail me@a.com\n}",
  "issuer.acme.eab": "issuer acme {\neab key-id 0123456789abcdef\n}",
  "issuer.acme.trusted_roots": "issuer acme {\ntrusted_roots root.pem\n}",
  "issuer.acme.profile": "issuer acme {\nprofile shortlived\n}",
  "issuer.acme.preferred_chains": "issuer acme {\npreferred_chains {\nroot_common_name Root\n}\n}",
  "issuer.acme.dns": "issuer acme {\ndns cloudflare 0123456789\n}",
  "issuer.acme.resolvers": "issuer acme {\ndns desec 0123456789\nresolvers 1.1.1.1\n}",
  "issuer.acme.propagation_delay": "issuer acme {\ndns desec 0123456789\npropagation_delay 1s\n}",
  "issuer.acme.propagation_timeout":
    "issuer acme {\ndns desec 0123456789\npropagation_timeout 1m\n}",
  "issuer.acme.dns_ttl": "issuer acme {\ndns desec 0123456789\ndns_ttl 1m\n}",
  "preferred_chains.other": "issuer acme {\npreferred_chains smallest\n}",
  "issuer.internal": "issuer internal",
  "issuer.internal.lifetime": "issuer internal {\nlifetime 12h\n}",
  "issuer.internal.ca": "issuer internal {\nca local\n}",
  "issuer.internal.ca.other": "issuer internal {\nca other\n}",
  "issuer.internal.sign_with_root": "issuer internal {\nsign_with_root\n}",
  "issuer.zerossl": "issuer zerossl 0123456789",
  "issuer.module": "issuer other",
  "issuer.mixed": "issuer internal\nissuer acme",
  "issuer.short": "ca https://ca.lan/dir\nissuer acme",
  "protocols": "protocols tls1.2 tls1.3",
  "protocols.newest": "protocols tls1.2 tls1.2",
  "ciphers": `ciphers ${CIPHERS}`,
  "ciphers.other": "ciphers TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
  "curves": "curves x25519",
  "alpn": "alpn h2 http/1.1",
  "alpn.other": "alpn http/1.1",
  "client_auth": "client_auth {\ntrusted_ca_cert_file ca.pem\n}",
  "client_auth.mode": "client_auth {\nmode verify_if_given\ntrusted_ca_cert_file ca.pem\n}",
  "client_auth.mode.request": "client_auth {\nmode request\n}",
  "client_auth.mode.require": "client_auth {\nmode require\n}",
  "client_auth.trusted_ca_cert_file": "client_auth {\ntrusted_ca_cert_file ca.pem\n}",
  "client_auth.trusted_ca_cert": `client_auth {\ntrusted_ca_cert ${DER}\n}`,
  "client_auth.trust_pool": "client_auth {\ntrust_pool file ca.pem\n}",
  "client_auth.trust_pool.module": "client_auth {\ntrust_pool http\n}",
};

/** Lines within the global options. */
export const IN_GLOBAL_TLS: Readonly<Record<string, string>> = {
  "email": "email me@a.com",
  "acme_ca": "acme_ca https://ca.lan/dir",
  "acme_ca_root": "acme_ca_root root.pem",
  "acme_eab": "acme_eab {\nkey_id a\nmac_key 0123456789abcdef\n}",
  "acme_eab.key_id": "acme_eab {\nkey_id a\nmac_key 0123456789abcdef\n}",
  "acme_eab.mac_key": "acme_eab {\nkey_id a\nmac_key 0123456789abcdef\n}",
  "acme_dns": "acme_dns cloudflare 0123456789",
  "dns": "acme_dns\ndns cloudflare 0123456789",
  "preferred_chains": "preferred_chains {\nroot_common_name Root\n}",
  "key_type": "key_type p384",
  "cert_issuer": "cert_issuer internal",
  "ocsp_stapling": "ocsp_stapling off",
  "ocsp_stapling.other": "ocsp_stapling on",
  "default_sni": "default_sni a.com",
  "storage": "storage file_system /var/lib/understudy",
  "storage.root": "storage file_system {\nroot /var/lib/understudy\n}",
  "storage.module": "storage redis",
};

/** A Caddyfile with what the row of that name is about; undefined for rows about other things. */
export function tlsExampleOf(name: string): string | undefined {
  const whole = WHOLE[name];
  if (whole !== undefined) return whole;
  const line = IN_SITE[name];
  if (line !== undefined) return `a.com {\n${line}\n}\n`;
  if (!name.startsWith("tls.")) return undefined;
  const option = name.slice("tls.".length);
  const [, issuer, inner] = /^issuer\.(acme|internal)\.(.+)$/.exec(option) ?? [];
  const [, auth] = /^client_auth\.(.+)$/.exec(option) ?? [];
  const spelled = IN_TLS[option] ??
    (issuer !== undefined
      ? `issuer ${issuer} {\n${inner}\n}`
      : auth !== undefined
      ? `client_auth {\n${auth}\n}`
      : option);
  return `a.com {\ntls {\n${spelled}\n}\n}\n`;
}
