/** What each placeholder stands for, before an upstream was asked, while one is, and after it answered. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fields } from "../../src/fields.ts";
import { fill, placeholders, render } from "../../src/request/placeholders.ts";
import {
  KEYED_PLACEHOLDERS,
  type Placeholder,
  type PlaceholderName,
  PLAIN_PLACEHOLDERS,
} from "../../src/rules.ts";
import { passive, pool, upstream } from "../support/fake_route.ts";
import { visit, type VisitChanges } from "../support/fake_visit.ts";

const ASKED: VisitChanges = {
  method: "PUT",
  target: "/one/t%77o?a=1&b=x%20y&a=2",
  host: "Sub.Proxy.test:8443",
  tls: {
    version: "TLSv1.3",
    cipher: "TLS_AES_128_GCM_SHA256",
    name: "sub.proxy.test",
    protocol: "h2",
    client: { subject: "CN=bob", issuer: "CN=them", serial: "0b", fingerprint: "f00e" },
    authorities: ["PEM"],
  },
  ip: "192.0.2.7",
  clientIp: "198.51.100.9",
  fields: [["X-A", "1"], ["x-a", "2"], ["Cookie", "a=1; lb=xyz"]],
};

const rows: Record<string, string> = {
  "client_ip": "198.51.100.9",
  "remote_ip": "192.0.2.7",
  "remote_port": "40000",
  "host": "Sub.Proxy.test:8443",
  "hostname": "sub.proxy.test",
  "port": "8443",
  "scheme": "https",
  "proto": "HTTP/1.1",
  "method": "GET",
  "uri": "/new",
  "path": "/new",
  "decoded_path": "/new",
  "query": "",
  "original_method": "PUT",
  "original_uri": "/one/t%77o?a=1&b=x%20y&a=2",
  "original_path": "/one/t%77o",
  "original_decoded_path": "/one/two",
  "request_id": "id-1",
  "user": "bob",
  "tls_version": "TLSv1.3",
  "tls_cipher": "TLS_AES_128_GCM_SHA256",
  "tls_name": "sub.proxy.test",
  "tls_protocol": "h2",
  "tls_client_subject": "CN=ann",
  "tls_client_issuer": "CN=us",
  "tls_client_serial": "0a",
  "tls_client_fingerprint": "f00d",
  "error_status": "502",
  "error_status_text": "Bad Gateway",
  "error_text": "no answer",
  "upstream": "a",
  "upstream_host": "10.0.0.1:80",
  "upstream_hostname": "10.0.0.1",
  "upstream_port": "80",
  "upstream_requests": "3",
  "upstream_max_requests": "7",
  "upstream_fails": "1",
  "upstream_latency": "12.5ms",
  "upstream_latency_ms": "12.500",
  "upstream_duration": "12.5ms",
  "upstream_duration_ms": "12.500",
  "retries": "2",
  "status": "404",
  "status_text": "Not Found",
};

function parsed(spelled: string): Placeholder {
  const [name = "", ...rest] = spelled.split(".");
  const known = [...PLAIN_PLACEHOLDERS, ...KEYED_PLACEHOLDERS].find((one) => one === name);
  assert.ok(known, name);
  return rest.length === 0 ? { name: known } : { name: known, of: rest.join(".") };
}

describe("placeholders()", () => {
  const of = visit(ASKED);
  of.alter({ method: "GET", target: "/new" });
  of.user = "bob";
  of.provenClient = { subject: "CN=ann", issuer: "CN=us", serial: "0a", fingerprint: "f00d" };
  of.error = { status: 502, text: "no answer" };
  const address = { kind: "tcp", host: "10.0.0.1", port: 80 } as const;
  const atPool = pool([{ inFlight: 3, fails: 1 }], { passive: passive({ requestsMax: 7 }) });
  const place = {
    pool: atPool,
    member: {
      upstream: upstream("a", { address }),
      standing: atPool.members[0]?.standing ?? assert.fail(),
    },
    response: {
      status: 404,
      reason: "",
      fields: Fields.from([["X-R", "r"]]),
      body: undefined,
      tunnel: undefined,
    },
    latencyMs: 12.5,
    retries: 2,
  };

  for (const name of PLAIN_PLACEHOLDERS) {
    it(`knows {${name}}`, () => assert.equal(placeholders(of, place)({ name }), rows[name]));
  }

  it("leaves empty what is not known yet", () => {
    const early = placeholders(visit());
    const late: PlaceholderName[] = [
      ...PLAIN_PLACEHOLDERS.filter((name) => name.startsWith("upstream")),
      ...["retries", "status", "status_text", "user"] as const,
      ...["error_status", "error_status_text", "error_text"] as const,
      ...KEYED_PLACEHOLDERS.filter((name) => name !== "label" && name !== "segment"),
    ];
    assert.deepEqual(late.filter((name) => early({ name, of: "x" }) !== ""), []);
  });

  const keyed: [string, string][] = [
    ["header.x-a", "1, 2"],
    ["header.X-None", ""],
    ["query.a", "1,2"],
    ["query.b", "x y"],
    ["query", "a=1&b=x%20y&a=2"],
    ["cookie.lb", "xyz"],
    ["cookie.none", ""],
    ["segment.0", "one"],
    ["segment.1", "two"],
    ["segment.2", ""],
    ["label.0", "test"],
    ["label.2", "sub"],
    ["label.3", ""],
    ["var.v", "noted"],
    ["var.none", ""],
    ["re.ver.1", "n"],
    ["re.ver.9", ""],
  ];
  for (const [spelled, value] of keyed) {
    it(`knows {${spelled}}`, () => {
      const asked = visit(ASKED);
      asked.note("v", "noted");
      asked.keep("ver", /o(n)e/.exec("one") ?? assert.fail());
      assert.equal(placeholders(asked)(parsed(spelled)), value);
    });
  }

  it("knows {response.X-R} and prefers the upstream's own words for a status", () => {
    const response = { ...place.response, reason: "Gone Fishing" };
    const values = placeholders(of, { ...place, response });
    assert.equal(values({ name: "response", of: "x-r" }), "r");
    assert.equal(values({ name: "status_text" }), "Gone Fishing");
  });

  it("knows the port by the engine, by Host, by the scheme", () => {
    const portOf = (asked: VisitChanges) => placeholders(visit(asked))({ name: "port" });
    assert.equal(portOf({ host: "a:1", localPort: 2 }), "2");
    assert.equal(portOf({ host: "[::1]:1" }), "1");
    assert.equal(portOf({ host: "[::1]" }), "80");
    assert.equal(portOf({ host: "a", scheme: "https" }), "443");
  });
});

describe("render()", () => {
  it("keeps line breaks out of fields; fill() keeps them in bodies", () => {
    const values = () => "a\r\nb\0";
    assert.equal(render(["<\n", { name: "uri" }, ">"], values), "<ab>");
    assert.equal(fill(["<\n", { name: "uri" }, ">"], values), "<\na\r\nb\0>");
  });

  it("writes characters as UTF-8, so that none of them becomes a line break", () => {
    const odd = "\u010d\u010aX-Evil: 1";
    const bytes = render(["é", { name: "query", of: "q" }], () => odd);
    assert.equal(bytes, "\xc3\xa9\xc4\x8d\xc4\x8aX-Evil: 1");
  });

  it("writes bytes of a field as they came; fill() reads them as UTF-8", () => {
    const values = () => "caf\xc3\xa9";
    assert.equal(render([{ name: "header", of: "x" }], values), "caf\xc3\xa9");
    assert.equal(fill([{ name: "header", of: "x" }], values), "café");
    assert.equal(fill([{ name: "header", of: "x" }], () => "caf\xe9"), "caf\xe9");
  });
});
