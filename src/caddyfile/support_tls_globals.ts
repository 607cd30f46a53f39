/** What is known of the global options that are about TLS. */
import type { Support } from "./directive.ts";
import { better, different, refused, same } from "./support_rows.ts";

const NO_LINE = "no line at all";

export const TLS_GLOBAL_SUPPORT: readonly Support[] = [
  same("global.email", "tls.acme.email"),
  same("global.acme_ca", "tls.acme.directory"),
  same("global.acme_ca_root", "tls.acme.ca"),
  same("global.acme_eab", "tls.acme.eab"),
  same("global.acme_eab.key_id", "tls.acme.eab.key_id"),
  same("global.acme_eab.mac_key", "tls.acme.eab.hmac"),
  same("global.acme_dns", "tls.acme.dns", "providers as in `tls`"),
  same("global.dns", "", "the provider of each `dns` that names none"),
  same("global.preferred_chains", "tls.acme.preferred_chain", "`root_common_name`"),
  different(
    "global.key_type",
    "tls.acme.key_type",
    "of what authorities on the Internet sign; the one here gives keys of one kind, p256",
  ),
  same("global.cert_issuer", "tls.issuer", "as `issuer` within `tls`"),
  same("global.local_certs", "tls: internal"),
  same("global.skip_install_trust", "", "`understudy trust` alone installs the root"),
  same("global.ocsp_stapling", "", "`off`; nothing is stapled"),
  refused("global.ocsp_stapling.other", "nothing is stapled", "`ocsp_stapling off`"),
  refused("global.ocsp_interval", "nothing is stapled", NO_LINE),
  same("global.default_sni", "tls.default_name"),
  refused(
    "global.fallback_sni",
    "who asks for a name that nobody has is shown nothing",
    "a site `:443` with `tls CERT KEY`, whose certificate is shown to all others",
  ),
  different(
    "global.storage",
    "tls.storage",
    "`file_system`; what Caddy keeps there is not read, and certificates are ordered anew",
  ),
  same("global.storage.root", "tls.storage"),
  refused(
    "global.storage.module",
    "accounts and certificates are kept in files",
    "`storage file_system`",
  ),
  refused("global.storage_check", "the folder is checked when it is opened", NO_LINE),
  refused("global.storage_clean_interval", "nothing piles up in the folder", NO_LINE),
  refused("global.renew_interval", "each certificate knows when it is due", NO_LINE),
  refused(
    "global.renewal_window_ratio",
    "authorities say when to renew, or two thirds do",
    NO_LINE,
  ),
  refused(
    "global.cert_lifetime",
    "authorities decide how long certificates are good",
    "`issuer acme { profile … }`, or `issuer internal { lifetime … }`",
  ),
  refused(
    "global.on_demand_tls",
    "nobody is asked for leave, as certificates of the Internet are ordered for the names of sites alone",
    "the names in the addresses of sites",
  ),
  refused("global.pki", "the authority here names itself, and is the only one", NO_LINE),
  refused("global.ech", "the name asked for is sent in the open", NO_LINE),
  refused(
    "global.tls_automate_names",
    "certificates are for the names of sites",
    "`tls.certificates` in YAML, after adapt",
  ),
  refused(
    "global.tls_resolvers",
    "records are looked for where their zone is kept",
    "`resolvers` within `tls`",
  ),
  refused(
    "global.servers.strict_sni_host",
    "name and host must agree where clients show certificates, and nowhere else",
    NO_LINE,
  ),
  refused("global.servers.0rtt", "early data is not taken", NO_LINE),
  better(
    "global.auto_https",
    "tls.redirect",
    "`disable_redirects`, `ignore_loaded_certs`; with `off` and `disable_certs` a site without `tls CERT KEY` is refused, where Caddy fails every handshake",
  ),
  refused("global.auto_https.other", "it is no word of Caddy's any more", NO_LINE),
];
