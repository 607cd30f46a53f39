/** The small translators: placeholders, regular expressions, values, the order of directives. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readAddress } from "../../src/caddyfile/address.ts";
import { environmentOnly, toOurs } from "../../src/caddyfile/placeholder.ts";
import { DIRECTIVE_ORDER } from "../../src/caddyfile/order.ts";
import { reorder } from "../../src/caddyfile/order_option.ts";
import { toJavaScript } from "../../src/caddyfile/regexp.ts";
import { didYouMean } from "../../src/caddyfile/suggest.ts";
import { readDuration, readSize } from "../../src/caddyfile/values.ts";

describe("toOurs()", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["{host}", "{hostname}"],
    ["{hostport}", "{host}"],
    ["{http.request.hostport}", "{host}"],
    ["{method} {uri} {path} {query} {scheme}", "{method} {uri} {decoded_path} {query} {scheme}"],
    ["{remote_host}:{remote_port}", "{remote_ip}:{remote_port}"],
    ["{remote}", "{remote_ip}:{remote_port}"],
    ["{client_ip}", "{client_ip}"],
    ["{header.X-Foo} {http.request.header.X-Foo}", "{header.X-Foo} {header.X-Foo}"],
    ["{cookie.a} {query.b} {path.0} {labels.1}", "{cookie.a} {query.b} {segment.0} {label.1}"],
    ["{re.v.1} {http.regexp.v.1} {re.1}", "{re.v.1} {re.v.1} {re.1}"],
    ["{vars.x} {http.vars.x}", "{var.x} {var.x}"],
    ["{err.status_code} {http.error.status_text}", "{error_status} {error_status_text}"],
    ["{rp.status_code} {rp.header.X}", "{status} {response.X}"],
    ["{upstream_hostport}", "{upstream_host}"],
    ["{http.reverse_proxy.upstream.latency_ms}", "{upstream_latency_ms}"],
    ["{http.request.uuid} {http.request.orig_uri.path}", "{request_id} {original_decoded_path}"],
    ["{env.HOME}", "${HOME:-}"],
    ['{"a": 1, "b": {}}', '{{"a": 1, "b": {{}}'],
    ["\\{host\\}", "{{host}"],
    ["$ ${x $1", "$ $${{x $1"],
    ["cost: ${host}", "cost: $${hostname}"],
  ];
  for (const [written, expected] of cases) {
    it(`makes ${expected} of ${written}`, () => {
      assert.deepEqual(toOurs(written), { text: expected, unknown: [] });
    });
  }

  it("keeps the path as it was sent where it goes into a URI", () => {
    assert.equal(toOurs("{path}?{orig_path}", "rewrite").text, "{path}?{original_path}");
  });

  it("knows what was agreed on with TLS, by long names and short ones", () => {
    const written = "{tls_version} {tls_cipher} {tls_client_serial} {tls_client_fingerprint} " +
      "{http.request.tls.server_name} {http.request.tls.proto} {http.request.tls.client.subject}";
    assert.deepEqual(toOurs(written), {
      text: "{tls_version} {tls_cipher} {tls_client_serial} {tls_client_fingerprint} " +
        "{tls_name} {tls_protocol} {tls_client_subject}",
      unknown: [],
    });
  });

  it("names placeholders that have no counterpart", () => {
    const written = "{time.now} {http.request.tls.resumed} {nope} {http.request.body} {file.x}";
    assert.deepEqual(toOurs(written).unknown, written.split(" "));
  });
});

describe("environmentOnly()", () => {
  it("takes {env.X} and nothing else", () => {
    assert.deepEqual(environmentOnly("a{env.X}{ {host}"), {
      text: "a${X:-}{ ",
      unknown: ["{host}"],
    });
  });
});

describe("toJavaScript()", () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["^/v([0-9]+)/", "^/v([0-9]+)/"],
    ["(?i)^/Api[a-f]", "^/[aA][pP][iI][a-fA-F]"],
    ["(?s)a.b", "a[\\s\\S]b"],
    ["\\Aa\\z", "^a$"],
    ["(?P<id>\\d+)", "(?<id>\\d+)"],
    ["[[:alpha:]_]", "[A-Za-z_]"],
    ["\\Qa.b\\E+", "a\\.b+"],
    ["(?:a|b)", "(?:a|b)"],
    ["\\pL", undefined],
    ["a(?i)b", undefined],
    ["(", undefined],
    ["(?=a)", undefined],
  ];
  for (const [written, expected] of cases) {
    it(`${expected === undefined ? "refuses" : "takes"} ${written}`, () => {
      const regexp = toJavaScript(written);
      assert.equal(regexp.kind === "pattern" ? regexp.source : undefined, expected);
    });
  }
});

describe("readSize() and readDuration()", () => {
  const sizes: readonly (readonly [string, string | undefined])[] = [
    ["10MB", "10MB"],
    ["4KiB", "4KiB"],
    ["512", "512B"],
    ["10k", "10kB"],
    ["1.5Gi", "1.5GiB"],
    ["unlimited", "unlimited"],
    ["ten", undefined],
    ["10XB", undefined],
  ];
  for (const [written, expected] of sizes) {
    it(`take the size ${written}`, () => {
      const size = readSize(written);
      assert.equal(size.kind === "value" ? size.value : undefined, expected);
    });
  }

  for (
    const [written, fits] of [["1h30m", true], ["2d", true], ["0", true], ["5", false]] as const
  ) {
    it(`take the duration ${written}`, () => {
      assert.equal(readDuration(written).kind, fits ? "value" : "wrong");
    });
  }
});

describe("readAddress()", () => {
  const token = (text: string) => ({ text, file: "f", line: 1, column: 1, quoted: undefined });
  const cases: readonly (readonly [string, string])[] = [
    [":8080", "- | - | 8080 | -"],
    ["example.com", "- | example.com | - | -"],
    ["example.com:8080,", "- | example.com | 8080 | -"],
    ["http://example.com", "http | example.com | - | -"],
    ["https://example.com:8443/x", "https | example.com | 8443 | /x"],
    ["*.example.com", "- | *.example.com | - | -"],
    ["*", "- | - | - | -"],
    ["[::1]:8080", "- | [::1] | 8080 | -"],
    ["http://", "http | - | - | -"],
    ["example.com/api/*", "- | example.com | - | /api/*"],
    ["a,b", "wrong"],
    ["ftp://x", "wrong"],
    ["x:http", "wrong"],
    ["x:8000-8010", "wrong"],
    ["x:70000", "wrong"],
    ["x/a*b", "wrong"],
    ["{host}", "wrong"],
  ];
  for (const [written, expected] of cases) {
    it(`reads ${written}`, () => {
      const read = readAddress(token(written));
      if (read.kind === "wrong") return assert.equal(read.kind, expected);
      const { scheme, host, port, path } = read.address;
      assert.equal([scheme, host, port, path].map((part) => part || "-").join(" | "), expected);
    });
  }
});

describe("reorder()", () => {
  const moved = (...args: readonly string[]): readonly string[] | string => {
    const order = ["a", "b", "c"];
    return reorder(order, args) ?? order.join("");
  };
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["c", "first"], "cab"],
    [["a", "last"], "bca"],
    [["c", "before", "b"], "acb"],
    [["a", "after", "b"], "bac"],
    [["x", "first"], 'Expected a known directive but received "x" (did you mean "a"?)'],
    [["a", "between"], 'Expected first, last, before or after but received "between"'],
    [["a", "before"], 'Expected a directive behind "before"'],
    [["a", "before", "a"], 'Expected another known directive but received "a"'],
    [["a", "first", "b"], 'Expected nothing behind "first"'],
  ];
  for (const [args, expected] of cases) {
    it(`answers ${args.join(" ")}`, () => assert.equal(moved(...args), expected));
  }

  it("knows each of Caddy's directives once", () => {
    assert.equal(new Set(DIRECTIVE_ORDER).size, DIRECTIVE_ORDER.length);
  });
});

describe("didYouMean()", () => {
  it("answers with the nearest word, or with nothing", () => {
    assert.equal(didYouMean("respnd", ["redir", "respond"]), ' (did you mean "respond"?)');
    assert.equal(didYouMean("frobnicate", ["redir", "respond"]), "");
  });
});
