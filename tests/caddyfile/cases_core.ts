/**
 * For each row of the table of support, those of proxying aside, a Caddyfile that has what the row is about. Most
 * follow from the row's name; the rest are written out.
 */
import { IN_GLOBAL_TLS, tlsExampleOf } from "./cases_core_tls.ts";

/** Lines of a site, by the name of the row. */
const IN_SITE: Readonly<Record<string, string>> = {
  "handle": "handle /a {\nrespond 204\n}",
  "handle_path": "handle_path /a/* {\nrespond 204\n}",
  "route": "route {\nrespond 204\n}",
  "handle_errors": "handle_errors 5xx {\nrespond sorry\n}",
  "respond": "respond 204",
  "respond.body": "respond {\nbody hello\n}",
  "respond.close": "respond 403 {\nclose\n}",
  "redir": "redir https://a.com 301",
  "redir.html": "redir https://a.com html",
  "redir.status": "redir https://a.com 200",
  "error": "error 404",
  "error.message": "error 404 {\nmessage gone\n}",
  "encode": "encode",
  "encode.gzip": "encode gzip",
  "encode.zstd": "encode zstd",
  "encode.minimum_length": "encode {\nminimum_length 256\n}",
  "encode.format": "encode br",
  "encode.match": "encode {\nmatch {\nheader Content-Type text/*\n}\n}",
  "rewrite": "rewrite /a /b",
  "method": "method GET",
  "uri.strip_prefix": "uri strip_prefix /a",
  "uri.strip_suffix": "uri strip_suffix .html",
  "uri.replace": "uri replace a b",
  "uri.path_regexp": "uri path_regexp /+ /",
  "uri.query": "uri query a b",
  "vars": "vars a b",
  "header": "header X-A a",
  "header.defer": "header {\nX-A a\ndefer\n}",
  "header.match": "header {\nmatch status 2xx\nX-A a\n}",
  "request_header": "request_header X-A a",
  "request_body": "request_body {\nmax_size 1MB\n}",
  "request_body.max_size": "request_body {\nmax_size 1MB\n}",
  "request_body.read_timeout": "request_body {\nread_timeout 1s\n}",
  "request_body.write_timeout": "request_body {\nwrite_timeout 1s\n}",
  "request_body.set": "request_body {\nset a\n}",
  "basic_auth": "basic_auth {\nbob $2a$14$Zkx19XLiW6VYouLHR5NmfOFU0z2GTNmpkT/5qqR7hx4IjWJPDhjvG\n}",
  "basic_auth.algorithm": "basic_auth argon2id {\nbob x\n}",
  "bind": "bind 127.0.0.1",
  "bind.unix": "bind unix//run/a.sock",
  "log": "log",
  "log.output": "log {\noutput stdout\n}",
  "log.output.file": "log {\noutput file /var/log/a\n}",
  "log.output.stderr": "log {\noutput stderr\n}",
  "log.output.net": "log {\noutput net a:1\n}",
  "log.format": "log {\nformat json\n}",
  "log.format.other": "log {\nformat filter\n}",
  "log.level": "log {\nlevel INFO\n}",
  "log.level.other": "log {\nlevel PANIC\n}",
};

/** Whole Caddyfiles. */
const WHOLE: Readonly<Record<string, string>> = {
  "invoke": "&(r) {\nrespond 204\n}\n:80 {\ninvoke r\n}",
  "import": "(s) {\nrespond 204\n}\n:80 {\nimport s\n}",
  "import.blocks": "(s) {\nrespond {blocks.a}\n}\n:80 {\nimport s {\na {\n204\n}\n}\n}",
  "site :port": ":8080 {\nrespond 204\n}",
  "site http://host": "http://a.com {\nrespond 204\n}",
  "site http://host:port": "http://a.com:8080 {\nrespond 204\n}",
  "site *.host": "http://*.a.com {\nrespond 204\n}",
  "site host/path": "http://a.com/x {\nrespond 204\n}",
  "site without address": "respond 204",
};

/** Lines within a named matcher. */
const IN_MATCHER: Readonly<Record<string, string>> = {
  "host": "host a.com",
  "path": "path /a",
  "path_regexp": "path_regexp ^/a",
  "method": "method GET",
  "header": "header X-A a",
  "header_regexp": "header_regexp X-A a",
  "query": "query a=b",
  "remote_ip": "remote_ip private_ranges",
  "remote_ip.forwarded": "remote_ip forwarded 10.0.0.0/8",
  "client_ip": "client_ip 10.0.0.0/8",
  "protocol": "protocol https",
  "protocol.version": "protocol http/2",
  "vars": "vars a b",
  "vars.placeholder": "vars {http.request.host} a",
  "not": "not path /a",
  "expression": "expression `{method} == 'GET'`",
  "file": "file",
  "vars_regexp": "vars_regexp a b",
  "tls": "tls",
};

/** Lines within the global options. */
const IN_GLOBAL: Readonly<Record<string, string>> = {
  "http_port": "http_port 8080",
  "https_port": "https_port 8443",
  "auto_https": "auto_https disable_redirects",
  "auto_https.other": "auto_https prefer_wildcard",
  "admin": "admin off",
  "admin.network": "admin unix//run/admin.sock",
  "admin.origins": "admin localhost:2019 {\norigins a.example\n}",
  "admin.enforce_origin": "admin localhost:2019 {\nenforce_origin\n}",
  "admin.identity": "admin localhost:2019 {\nidentity\n}",
  "admin.remote": "admin localhost:2019 {\nremote\n}",
  "metrics.other": "metrics {\nper_host\n}",
  "persist_config": "persist_config off",
  "persist_config.other": "persist_config on",
  "grace_period": "grace_period 10s",
  "debug": "debug",
  "default_bind": "default_bind 127.0.0.1",
  "order": "order respond first",
  "servers": "servers {\nname a\n}",
  "servers.address": "servers :80 {\nname a\n}",
  "servers.trusted_proxies": "servers {\ntrusted_proxies static private_ranges\n}",
  "servers.trusted_proxies.source": "servers {\ntrusted_proxies cloudflare\n}",
  "servers.client_ip_headers": "servers {\nclient_ip_headers X-Forwarded-For\n}",
  "servers.client_ip_headers.other": "servers {\nclient_ip_headers X-Real-IP\n}",
  "servers.protocols": "servers {\nprotocols h1 h2\n}",
  "servers.protocols.other": "servers {\nprotocols h3\n}",
  "servers.name": "servers {\nname a\n}",
  "log": "log {\nlevel INFO\n}",
  "log.name": "log other {\nlevel INFO\n}",
  "log.output": "log {\noutput stdout\n}",
  "log.output.file": "log {\noutput file /a\n}",
  "log.output.stderr": "log {\noutput stderr\n}",
  "log.output.net": "log {\noutput net a:1\n}",
  "log.format": "log {\nformat json\n}",
  "log.format.other": "log {\nformat filter\n}",
  "log.level": "log {\nlevel INFO\n}",
  "log.level.other": "log {\nlevel PANIC\n}",
};

/** Placeholders whose rows stand for several. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  "{path.N}": "{path.0}",
  "{query.X}": "{query.id}",
  "{header.X}": "{header.X-A}",
  "{cookie.X}": "{cookie.a}",
  "{labels.N}": "{labels.0}",
  "{re.name.N}": "{re.name.1}",
  "{vars.X}": "{vars.a}",
  "{env.X}": "{env.A}",
  "{$X}": "{$A}",
  "{rp.header.X}": "{rp.header.X-A}",
  "{http.reverse_proxy.upstream.*}": "{http.reverse_proxy.upstream.latency}",
  "{tls_client_certificate_*}": "{tls_client_certificate_pem}",
  "{time.*}": "{time.now}",
  "{system.*}": "{system.hostname}",
  "{file.*}": "{file./etc/hostname}",
};

/** A Caddyfile with what the row of that name is about. */
export function exampleOf(name: string): string {
  const whole = WHOLE[name] ?? tlsExampleOf(name);
  if (whole !== undefined) return whole;
  if (name.startsWith("matcher.")) {
    const option = name.slice("matcher.".length);
    return site(`@m {\n${IN_MATCHER[option] ?? option}\n}\nrespond @m 204`);
  }
  if (name.startsWith("global.")) return `{\n${globalOf(name)}\n}\n${site("respond 204")}`;
  if (name.startsWith("placeholder.")) {
    const placeholder = name.slice("placeholder.".length);
    return site(`header X-A ${PLACEHOLDERS[placeholder] ?? placeholder}`);
  }
  const [, within, option] = /^(log)\.(.+)$/.exec(name) ?? [];
  const line = IN_SITE[name] ?? (within === undefined ? name : `${within} {\n${option}\n}`);
  return site(line);
}

function globalOf(name: string): string {
  const option = name.slice("global.".length);
  const known = IN_GLOBAL[option] ?? IN_GLOBAL_TLS[option];
  if (known !== undefined) return known;
  const [, within, inner] = /^(servers|log)\.(.+)$/.exec(option) ?? [];
  return within === undefined ? option : `${within} {\n${inner}\n}`;
}

function site(lines: string): string {
  return `:80 {\n${lines}\n}\n`;
}
