/**
 * Puts Caddy's placeholders into ours: `{http.request.header.X}` and its short form `{header.X}` become
 * `{header.X}`, `{env.X}` becomes `${X:-}`. Pure; what has no counterpart is named and left out.
 */

export interface Translated {
  /** A text as YAML spells it: our placeholders, `{{` for a plain brace. */
  readonly text: string;
  /** Placeholders that have no counterpart, in order. */
  readonly unknown: readonly string[];
}

/** Caddy's names in full; short forms are put into these first. */
const PLAIN: Readonly<Record<string, string>> = {
  "http.request.host": "{hostname}",
  "http.request.hostport": "{host}",
  "http.request.port": "{port}",
  "http.request.method": "{method}",
  "http.request.uri": "{uri}",
  "http.request.uri.query": "{query}",
  "http.request.scheme": "{scheme}",
  "http.request.proto": "{proto}",
  "http.request.uuid": "{request_id}",
  "http.request.remote": "{remote_ip}:{remote_port}",
  "http.request.remote.host": "{remote_ip}",
  "http.request.remote.port": "{remote_port}",
  "http.request.orig_method": "{original_method}",
  "http.request.orig_uri": "{original_uri}",
  "http.request.tls.version": "{tls_version}",
  "http.request.tls.cipher_suite": "{tls_cipher}",
  "http.request.tls.server_name": "{tls_name}",
  "http.request.tls.proto": "{tls_protocol}",
  "http.request.tls.client.subject": "{tls_client_subject}",
  "http.request.tls.client.issuer": "{tls_client_issuer}",
  "http.request.tls.client.serial": "{tls_client_serial}",
  "http.request.tls.client.fingerprint": "{tls_client_fingerprint}",
  "http.vars.client_ip": "{client_ip}",
  "http.auth.user.id": "{user}",
  "http.error.status_code": "{error_status}",
  "http.error.status_text": "{error_status_text}",
  "http.error.message": "{error_text}",
  "http.error": "{error_status} {error_text}",
  "http.reverse_proxy.status_code": "{status}",
  "http.reverse_proxy.status_text": "{status_text}",
  "http.reverse_proxy.retries": "{retries}",
  "http.reverse_proxy.upstream.address": "{upstream_host}",
  "http.reverse_proxy.upstream.hostport": "{upstream_host}",
  "http.reverse_proxy.upstream.host": "{upstream_hostname}",
  "http.reverse_proxy.upstream.port": "{upstream_port}",
  "http.reverse_proxy.upstream.requests": "{upstream_requests}",
  "http.reverse_proxy.upstream.max_requests": "{upstream_max_requests}",
  "http.reverse_proxy.upstream.fails": "{upstream_fails}",
  "http.reverse_proxy.upstream.latency": "{upstream_latency}",
  "http.reverse_proxy.upstream.latency_ms": "{upstream_latency_ms}",
  "http.reverse_proxy.upstream.duration": "{upstream_duration}",
  "http.reverse_proxy.upstream.duration_ms": "{upstream_duration_ms}",
};

/** Paths, which Caddy decodes but where it rewrites. */
const PATHS: Readonly<Record<string, Readonly<Record<Path, string>>>> = {
  "http.request.uri.path": { sent: "{path}", decoded: "{decoded_path}" },
  "http.request.orig_uri.path": { sent: "{original_path}", decoded: "{original_decoded_path}" },
};

/** Prefixes of names with an argument, and what may follow. */
const KEYED: readonly (readonly [string, string, RegExp])[] = [
  ["http.request.header.", "header", /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/],
  ["http.request.cookie.", "cookie", /^[^{}]+$/],
  ["http.request.uri.query.", "query", /^[^{}]+$/],
  ["http.request.uri.path.", "segment", /^\d{1,3}$/],
  ["http.request.host.labels.", "label", /^\d{1,3}$/],
  ["http.regexp.", "re", /^[\w.-]+$/],
  ["http.vars.", "var", /^[\w.-]+$/],
  ["http.reverse_proxy.header.", "response", /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/],
];

const SHORT: Readonly<Record<string, string>> = {
  host: "http.request.host",
  hostport: "http.request.hostport",
  port: "http.request.port",
  method: "http.request.method",
  uri: "http.request.uri",
  path: "http.request.uri.path",
  query: "http.request.uri.query",
  scheme: "http.request.scheme",
  remote: "http.request.remote",
  remote_host: "http.request.remote.host",
  remote_port: "http.request.remote.port",
  client_ip: "http.vars.client_ip",
  tls_version: "http.request.tls.version",
  tls_cipher: "http.request.tls.cipher_suite",
  tls_client_subject: "http.request.tls.client.subject",
  tls_client_issuer: "http.request.tls.client.issuer",
  tls_client_serial: "http.request.tls.client.serial",
  tls_client_fingerprint: "http.request.tls.client.fingerprint",
  uuid: "http.request.uuid",
  orig_method: "http.request.orig_method",
  orig_uri: "http.request.orig_uri",
  orig_path: "http.request.orig_uri.path",
  upstream_hostport: "http.reverse_proxy.upstream.hostport",
};

const SHORT_PREFIXES: readonly (readonly [string, string])[] = [
  ["header.", "http.request.header."],
  ["cookie.", "http.request.cookie."],
  ["query.", "http.request.uri.query."],
  ["path.", "http.request.uri.path."],
  ["labels.", "http.request.host.labels."],
  ["re.", "http.regexp."],
  ["vars.", "http.vars."],
  ["rp.", "http.reverse_proxy."],
  ["err.", "http.error."],
];

/** A brace with something that reads as a name, which JSON in a body does not; with a dollar before it or not. */
const BRACE = /\\[{}]|(\$?)\{(?:([A-Za-z_?%$][\w.:*?/[\]-]*)\})?/g;

/** How a text wants the path. */
type Path = "sent" | "decoded";

/** Where a path goes into a URI, and must stay as it was sent. */
const URI_PLACES: ReadonlySet<string> = new Set([
  "forward_auth.uri",
  "redir",
  "reverse_proxy.rewrite",
  "rewrite",
  "uri.path_regexp",
  "uri.replace",
  "uri.strip_prefix",
  "uri.strip_suffix",
]);

/** Translates all placeholders of a text, which stands in a directive or option of that name. */
export function toOurs(text: string, where = ""): Translated {
  const path = URI_PLACES.has(where) ? "sent" : "decoded";
  return replaced(text, (name) => counterpart(name, path), "{{");
}

/** Fills only `{env.X}`; every other placeholder is unknown here. */
export function environmentOnly(text: string): Translated {
  return replaced(text, environment, "{");
}

function replaced(
  text: string,
  translate: (name: string) => string | undefined,
  brace: string,
): Translated {
  const unknown: string[] = [];
  const translated = text.replace(BRACE, (piece: string, dollar?: string, name?: string) => {
    if (piece === "\\{") return brace;
    if (piece === "\\}") return "}";
    // YAML would take a dollar and a brace for the environment.
    const sign = dollar === "$" ? "$$" : "";
    if (name === undefined) return `${sign}${brace}`;
    const ours = translate(name);
    if (ours === undefined) unknown.push(`{${name}}`);
    return `${sign}${ours ?? ""}`;
  });
  return { text: translated, unknown };
}

/** The name in full of a placeholder without its braces. */
export function fullName(name: string): string {
  const whole = SHORT[name];
  if (whole !== undefined) return whole;
  const [short = "", long = ""] = SHORT_PREFIXES.find(([prefix]) => name.startsWith(prefix)) ?? [];
  return short === "" ? name : `${long}${name.slice(short.length)}`;
}

function counterpart(name: string, path: Path): string | undefined {
  const full = fullName(name);
  const plain = Object.hasOwn(PLAIN, full) ? PLAIN[full] : PATHS[full]?.[path];
  if (plain !== undefined) return plain;
  for (const [prefix, ours, pattern] of KEYED) {
    const argument = full.slice(prefix.length);
    if (full.startsWith(prefix) && pattern.test(argument)) return `{${ours}.${argument}}`;
  }
  return environment(name);
}

function environment(name: string): string | undefined {
  const variable = /^env\.([A-Za-z_]\w*)$/.exec(name)?.[1];
  return variable === undefined ? undefined : `\${${variable}:-}`;
}
