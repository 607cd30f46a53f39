/** Caddyfiles by chance that should be taken over whole, for properties. */
import fc from "fast-check";

type Lines = fc.Arbitrary<readonly string[]>;

const WORD = fc.constantFrom("a", "b1", "x-y", "Z");
const HOST = fc.constantFrom("a.example.com", "b.example.com", "*.example.com");
const PATH = fc.constantFrom("/", "/a", "/a/*", "/a/b*", "*.php", "/$x");
const TEXT = fc.constantFrom(
  "hi",
  "{host}{uri}",
  "{header.X-A} {query.q} {path.0}",
  '{"a": "b"}',
  "$1 ${ # no comment",
  "{env.SOME_NAME}",
  "yes",
  "0x10",
  "a: b",
  "- a",
  "",
  "two\nlines",
  "{re.m.1} {vars.v}",
);
const DURATION = fc.constantFrom("1s", "250ms", "1m30s");

function quoted(text: string): string {
  return text.includes('"') ? `\`${text}\`` : `"${text}"`;
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `\t${line}`);
}

const MATCHER_LINES: readonly fc.Arbitrary<string>[] = [
  PATH.map((path) => `path ${path}`),
  HOST.map((host) => `host ${host}`),
  fc.constantFrom("method GET", "method POST PUT"),
  WORD.map((word) => `header X-${word} ${word}*`),
  WORD.map((word) => `header !X-${word}`),
  fc.constant("path_regexp ^/([a-z]+)"),
  fc.constant("header_regexp X-A (?i)^v[a-c]"),
  fc.constantFrom("query a=1 b=*", 'query ""'),
  fc.constantFrom("remote_ip private_ranges", "client_ip 10.0.0.0/8"),
  PATH.map((path) => `not path ${path}`),
  fc.constantFrom(
    'expression {method} == "GET" && !path("/a")',
    "expression `{path}.startsWith('/a') || {header.X} in ['a', 'b*']`",
  ),
];

const MATCHER: Lines = fc.uniqueArray(fc.oneof(...MATCHER_LINES), {
  minLength: 1,
  maxLength: 3,
  // Two path_regexp would be right, but say so at length.
  selector: (line) => line.split(" ")[0],
}).map((lines) => ["@m { # by chance", ...indented(lines), "}"]);

/** Options of reverse_proxy. */
export const PROXY_OPTIONS: readonly fc.Arbitrary<string>[] = [
  fc.constantFrom("lb_policy first", "lb_policy round_robin", "lb_policy header X-A"),
  DURATION.map((duration) => `lb_try_duration ${duration}`),
  fc.constant("health_uri /health"),
  DURATION.map((duration) => `fail_duration ${duration}`),
  TEXT.filter((text) => !text.includes("\n")).map((text) => `header_up X-Up ${quoted(text)}`),
  fc.constant("header_down -X-Down"),
  fc.constant("flush_interval -1"),
  fc.constant("max_fails 3"),
];

const REVERSE_PROXY: Lines = fc.tuple(
  fc.constantFrom("10.0.0.1:80", "10.0.0.1 10.0.0.2:8080", "https://a.example.com"),
  fc.uniqueArray(fc.oneof(...PROXY_OPTIONS), {
    maxLength: 4,
    selector: (line) => line.split(" ")[0],
  }),
).map(([upstreams, options]) =>
  options.length === 0
    ? [`reverse_proxy ${upstreams}`]
    : [`reverse_proxy ${upstreams} {`, ...indented(options), "}"]
);

const MATCH = fc.constantFrom("", "* ", "/a/* ", "@m ");

const SIMPLE: Lines = fc.oneof(
  fc.tuple(MATCH, TEXT, fc.constantFrom("", " 201")).map(([match, text, status]) =>
    `respond ${match}${quoted(text)}${status}`
  ),
  MATCH.map((match) => `respond ${match}204`),
  MATCH.map((match) => `redir ${match === "" ? "* " : match}https://{host}{uri} permanent`),
  MATCH.map((match) => `rewrite ${match === "" ? "* " : match}/new{uri}`),
  MATCH.map((match) => `uri ${match}strip_prefix /a`),
  MATCH.map((match) => `uri ${match}path_regexp /+ /`),
  fc.tuple(MATCH, TEXT.filter((text) => !text.includes("\n"))).map(([match, text]) =>
    `header ${match}X-A ${quoted(text)}`
  ),
  MATCH.map((match) => `header ${match}-Server`),
  MATCH.map((match) => `request_header ${match}+X-B c`),
  fc.tuple(MATCH, TEXT).map(([match, text]) => `vars ${match}v ${quoted(text)}`),
  MATCH.map((match) => `error ${match}"gone" 410`),
  MATCH.map((match) => `encode ${match}gzip zstd`),
  MATCH.map((match) => `method ${match}POST`),
  MATCH.map((match) => `log_skip ${match}`),
).map((line) => [line]);

const COMMENT = fc.constantFrom("# a comment", "#", "# ends: with # more");

function commented(lines: Lines): Lines {
  return fc.tuple(lines, fc.option(COMMENT), fc.option(COMMENT)).map(([own, above, beside]) => {
    const [first = "", ...others] = own;
    const isOpen = first.includes("\n");
    const head = beside === null || isOpen ? first : `${first} ${beside}`;
    return [...above === null ? [] : [above], head, ...others];
  });
}

function body(depth: number): Lines {
  const block = depth === 0 ? SIMPLE : fc.oneof(
    { weight: 2, arbitrary: SIMPLE },
    fc.tuple(
      fc.constantFrom("handle", "handle /a/*", "handle @m", "handle_path /p/*", "route"),
      body(depth - 1),
    )
      .map(([head, inner]) => [`${head} {`, ...indented(inner), "}"]),
  );
  return fc.array(commented(fc.oneof({ weight: 3, arbitrary: block }, REVERSE_PROXY)), {
    minLength: 1,
    maxLength: 4,
  })
    .map((directives) => directives.flat());
}

const SITE: Lines = fc.tuple(
  MATCHER,
  body(2),
  fc.option(body(1).map((lines) => ["handle_errors 404 5xx {", ...indented(lines), "}"])),
).map(([matcher, directives, errors]) => [...matcher, ...directives, ...errors ?? []]);

const GLOBALS: Lines = fc.subarray([
  "debug # loud",
  "grace_period 5s",
  "admin off",
  "servers {\n\ttrusted_proxies static private_ranges\n}",
]).map((options) => options.length === 0 ? [] : ["{", ...options, "}"]);

const TLS_GLOBALS: Lines = fc.subarray([
  "email me@example.com # mine",
  "acme_ca https://ca.example.com/dir",
  "key_type p384",
  "default_sni a.example.com",
  "storage file_system /x",
  "auto_https disable_redirects",
  "https_port 8443",
  "http_port 8080",
  "local_certs",
  "servers {\n\tprotocols h1 h2 h2c\n}",
]).map((options) => options.length === 0 ? [] : ["{", ...options, "}"]);

const TLS: Lines = fc.oneof(
  fc.constantFrom(
    [],
    ["tls internal"],
    ["tls internal {", "\ton_demand # later", "}"],
    ["tls me@example.com"],
    ["tls c.pem c.key # from files"],
    ["tls force_automate"],
  ),
  fc.uniqueArray(
    fc.constantFrom(
      "protocols tls1.2 tls1.3",
      "alpn h2 http/1.1",
      "ca https://other.example.com/dir",
      "eab key-id 0123456789abcdef",
      "dns cloudflare {env.TOKEN}",
      "client_auth { # people\n\ttrusted_ca_cert_file ca.pem\n}",
    ),
    { minLength: 1, maxLength: 4 },
  ).map((options) => ["tls {", ...indented(options), "}"]),
  fc.constantFrom(
    ["issuer internal {", "\tlifetime 1h", "}"],
    ["issuer acme https://one.example.com/dir", "issuer acme # the other"],
  ).map((options) => ["tls {", ...indented(options), "}"]),
);

const TLS_ADDRESS = fc.constantFrom(
  "a.example.com",
  "b.example.com, gpu.lan",
  "https://c.example.com:9443",
  "http://d.example.com, https://d.example.com",
  "*.f.lan",
  ":443",
);

/** Sites that speak TLS, each at addresses of its own. */
const TLS_SITES: Lines = fc.uniqueArray(
  fc.tuple(TLS_ADDRESS, commented(TLS), body(0)),
  { minLength: 1, maxLength: 4, selector: ([address]) => address },
).map((sites) =>
  sites.flatMap(([address, tls, directives]) => [
    `${address} { # a site`,
    ...indented([...tls, ...directives.filter((line) => !line.includes("@m"))]),
    "}",
  ])
);

/** Whole Caddyfiles. */
export const CADDYFILE: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(TLS_GLOBALS, TLS_SITES, fc.boolean()).map(([globals, sites, isMixed]) => [
    ...globals,
    ...sites,
    ...isMixed ? ["http://e.example.com:81 {", "}"] : [],
  ]),
  SITE.map((lines) => [":8080", ...lines]),
  SITE,
  fc.tuple(GLOBALS, commented(SITE.map((lines) => [":8080 {", ...indented(lines), "}"])), SITE).map(
    (
      [globals, one, other],
    ) => [
      ...globals,
      ...one,
      "http://a.example.com, http://b.example.com:81 {",
      ...indented(other),
      "}",
    ],
  ),
).map((lines) => `${lines.join("\n")}\n`);
