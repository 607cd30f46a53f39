/** The line that tells of an exchange: Caddy's names and ours, and no credentials. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Fields } from "../../src/fields.ts";
import type { Account } from "../../src/model.ts";
import { accessLine, redacted, redactedUri } from "../../src/ops/access.ts";
import type { ConnectionTls } from "../../src/platform/tls.ts";
import type { Paint } from "../../src/ops/log.ts";
import { type Asked, FakeExchange } from "../support/fake_exchange.ts";

const plain: Paint = (_colour, text) => text;

function account(changes: Partial<Account> = {}, asked: Asked = {}): Account {
  return {
    requestId: "id-1",
    startedAt: 0,
    durationMs: 1_500,
    firstByteMs: 1_200,
    exchange: new FakeExchange({ target: "/p?q=1", fields: [["accept", "*/*"]], ...asked }),
    clientIp: "198.51.100.9",
    user: undefined,
    routeId: "r",
    upstream: "a",
    attempts: 2,
    status: 200,
    readBytes: 4,
    bodyBytes: 2_048,
    replyFields: Fields.from([["set-cookie", "s=1"], ["content-type", "text/plain"]]),
    outcome: "answered",
    logged: true,
    failures: ["b: refused (not sent)"],
    lost: [{ upstream: "b", reason: "refused", followed: true }],
    ...changes,
  };
}

describe("accessLine()", () => {
  it("has Caddy's names first and ours after them", () => {
    const { json, level, logger, msg } = accessLine(account());
    assert.deepEqual([level, logger, msg], ["info", "http.log.access", "handled request"]);
    assert.deepEqual(JSON.parse(`{${json()}}`), {
      request: {
        remote_ip: "192.0.2.7",
        remote_port: "40000",
        client_ip: "198.51.100.9",
        proto: "HTTP/1.1",
        method: "GET",
        host: "proxy.test",
        uri: "/p?q=1",
        headers: { Host: ["proxy.test"], Accept: ["*/*"] },
      },
      bytes_read: 4,
      duration: 1.5,
      size: 2_048,
      status: 200,
      resp_headers: { "Set-Cookie": ["REDACTED"], "Content-Type": ["text/plain"] },
      route: "r",
      upstream: "a",
      attempts: 2,
      outcome: "answered",
      request_id: "id-1",
      failures: ["b: refused (not sent)"],
    });
  });

  it("leaves out what there is not", () => {
    const changes = { routeId: undefined, upstream: undefined, replyFields: undefined };
    const { json } = accessLine(account({ ...changes, failures: [], status: 499 }));
    const written = JSON.parse(`{${json()}}`);
    assert.deepEqual(written.resp_headers, {});
    for (const name of ["route", "upstream", "failures"]) assert.equal(name in written, false);
  });

  const agreed: [string, Partial<ConnectionTls>, object][] = [
    ["all that is known", {}, {
      ...{ version: 772, cipher_suite: 4865, proto: "h2", server_name: "a.example" },
    }],
    [
      "TLS 1.2",
      { version: "TLSv1.2", cipher: "ECDHE-RSA-CHACHA20-POLY1305", protocol: "http/1.1" },
      { version: 771, cipher_suite: 52392, proto: "http/1.1", server_name: "a.example" },
    ],
    ["a name and nothing else", { version: "", cipher: "NEW-ONE", protocol: undefined }, {
      server_name: "a.example",
    }],
    ["no name", { name: undefined, protocol: undefined }, { version: 772, cipher_suite: 4865 }],
    ["nothing", { version: "", cipher: "", protocol: undefined, name: undefined }, {}],
    ["a name of bad intent", { version: "", cipher: "", protocol: undefined, name: '"\n' }, {
      server_name: '"\n',
    }],
  ];
  for (const [title, changes, expected] of agreed) {
    it(`has Caddy's names for what was agreed on with TLS: ${title}`, () => {
      const tls = {
        ...{ version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256", name: "a.example" },
        ...{ protocol: "h2", client: undefined, authorities: [] },
        ...changes,
      };
      const { request } = JSON.parse(`{${accessLine(account({}, { tls })).json()}}`);
      assert.deepEqual(request.tls, expected);
      assert.deepEqual(Object.keys(request).at(-1), "tls");
      const text = accessLine(account({}, { tls })).text(plain);
      assert.equal(text, accessLine(account()).text(plain));
    });
  }

  for (const [status, level] of [[200, "info"], [404, "info"], [499, "info"], [502, "error"]]) {
    it(`is of level ${level} when the status is ${status}`, () => {
      assert.equal(accessLine(account({ status: Number(status) })).level, level);
    });
  }

  const texts: [string, Partial<Account>, string][] = [
    [
      "tells what failed before",
      {},
      "200 GET  proxy.test/p?q=1 → a 1.5 s, 2.0 KiB  after b: refused (not sent)",
    ],
    [
      "tells how it ended when that was not well",
      { status: 503, upstream: undefined, outcome: "unavailable", failures: [], bodyBytes: 0 },
      "503 GET  proxy.test/p?q=1 → nobody 1.5 s, 0 B  unavailable",
    ],
    [
      "uses the unit that fits",
      { durationMs: 4.26, bodyBytes: 3 * 1024 ** 3, failures: [] },
      "200 GET  proxy.test/p?q=1 → a 4.3 ms, 3.00 GiB",
    ],
  ];
  for (const [title, changes, expected] of texts) {
    it(`${title} when the format is text`, () => {
      assert.equal(accessLine(account(changes)).text(plain), expected);
    });
  }

  it("keeps clients from steering the terminal by what they send", () => {
    const asked = { target: "/\x1b[2J\r\n?token=x", host: "a\x07b" };
    const text = accessLine(account({}, asked)).text(plain);
    assert.doesNotMatch(text, /\p{Cc}/u);
  });
});

describe("redacted()", () => {
  it("hides credentials, whatever their case, and keeps the rest", () => {
    const secrets = [
      "Authorization",
      "COOKIE",
      "proxy-authorization",
      "Set-Cookie",
      "X-Api-Key",
      "api-key",
      "X-Auth-Token",
    ];
    const fields = Fields.from([...secrets, "X-Open"].map((name) => [name, "s3cret"] as const));
    const shown = JSON.parse(redacted(fields));
    assert.deepEqual(shown["X-Open"], ["s3cret"]);
    assert.equal(JSON.stringify(shown).split("s3cret").length, 2);
    assert.equal(Object.keys(shown).length, 8);
  });

  it("lists all values of a repeated field under one spelling", () => {
    const fields = Fields.from([["x-a", "1"], ["X-A", "2"], ["x-A", "3"]]);
    assert.deepEqual(JSON.parse(redacted(fields)), { "X-A": ["1", "2", "3"] });
  });

  it("lists repeated fields once, also after clients have made up names by the thousand", () => {
    for (let made = 0; made < 3_000; made++) redacted(Fields.from([[`x-made-${made}`, ""]]));
    const fields = Fields.from([["x-late", "1"], ["b", "2"], ["X-Late", "3"]]);
    assert.equal(redacted(fields), '{"X-Late":["1","3"],"B":["2"]}');
  });

  it("survives any name, be it one that objects inherit", () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    const fields = Fields.from(names.map((name) => [name, "1"] as const));
    assert.equal(Object.keys(JSON.parse(redacted(fields))).length, 4);
    fc.assert(fc.property(fc.string(), (name) => {
      assert.equal(Object.keys(JSON.parse(redacted(Fields.from([[name, "1"]])))).length, 1);
    }));
  });
});

describe("redactedUri()", () => {
  const cases: [string, string][] = [
    ["/p", "/p"],
    ["/p?a=1", "/p?a=1"],
    ["/p?token=abc", "/p?token=REDACTED"],
    ["/p?a=1&api_key=abc&b=2", "/p?a=1&api_key=REDACTED&b=2"],
    ["/p?API-KEY=abc", "/p?API-KEY=REDACTED"],
    [
      "/p?access_token=a&password=b&secret=c",
      "/p?access_token=REDACTED&password=REDACTED&secret=REDACTED",
    ],
    ["/p?monkey=abc", "/p?monkey=abc"],
    ["/token=abc", "/token=abc"],
    ["/p?key=", "/p?key=REDACTED"],
  ];
  for (const [uri, expected] of cases) {
    it(`writes ${uri} as ${expected}`, () => assert.equal(redactedUri(uri), expected));
  }
});
