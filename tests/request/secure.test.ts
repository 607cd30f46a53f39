/** What TLS means for a request: where it is sent on to, what proves a name, who is turned away. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Reply } from "../../src/model.ts";
import type { ConnectionTls } from "../../src/platform/tls.ts";
import type { Edge } from "../../src/request/deps.ts";
import { proofReply, provenClient, unprovenReply, wayToTls } from "../../src/request/secure.ts";
import type { RouteTls } from "../../src/tls_rules.ts";
import { type Asked, FakeExchange } from "../support/fake_exchange.ts";
import { route } from "../support/fake_route.ts";

const EDGE: Edge = {
  proof: (token) => token === "known" ? "known.thumbprint" : undefined,
  secures: (host) => host === "gpu.lan" || host === "fd00::1",
  port: 443,
  ports: new Set([8443]),
  minVersion: "1.2",
  alternative: () => undefined,
};

const CLIENT = { subject: "CN=ann", issuer: "CN=us", serial: "1", fingerprint: "f" };

function spoken(
  name: string | undefined,
  client?: ConnectionTls["client"],
  authorities: readonly string[] = ["PEM"],
): ConnectionTls {
  return { version: "TLSv1.3", cipher: "x", name, protocol: undefined, client, authorities };
}

function tlsOf(changes: Partial<RouteTls> = {}): RouteTls {
  return { inTheClear: "redirect", hsts: undefined, clientAuth: undefined, ...changes };
}

function textOf(reply: Reply | undefined): string {
  const bytes = reply?.body?.read();
  return bytes instanceof Uint8Array ? new TextDecoder().decode(bytes) : "";
}

describe("proofReply()", () => {
  const cases: [string, Asked, string | undefined][] = [
    [
      "a token that was given to us",
      { target: "/.well-known/acme-challenge/known" },
      "known.thumbprint",
    ],
    ["nobody else's token", { target: "/.well-known/acme-challenge/other" }, undefined],
    ["no other path", { target: "/known" }, undefined],
    ["no other method", { target: "/.well-known/acme-challenge/known", method: "POST" }, undefined],
    [
      "nothing with TLS",
      { target: "/.well-known/acme-challenge/known", scheme: "https" },
      undefined,
    ],
  ];
  for (const [title, asked, expected] of cases) {
    it(`proofReply() answers ${title}`, () => {
      const reply = proofReply(new FakeExchange(asked), EDGE);
      assert.equal(reply && textOf(reply), expected);
    });
  }
});

describe("wayToTls()", () => {
  const trusted = { ip: "192.0.2.7", viaTrusted: true };
  const stranger = { ip: "192.0.2.7", viaTrusted: false };
  const forwarded = [["X-Forwarded-Proto", "https"]] as const;
  const cases: [string, Asked, string | undefined, Partial<RouteTls>?][] = [
    ["sends a request in the clear on", { host: "gpu.lan" }, "308 https://gpu.lan/"],
    [
      "keeps path and query as sent",
      { host: "gpu.lan", target: "/a//b?x=%zz" },
      "308 https://gpu.lan/a//b?x=%zz",
    ],
    ["forgets the port in the clear", { host: "gpu.lan:8080" }, "308 https://gpu.lan/"],
    ["keeps brackets of an address", { host: "[fd00::1]:80" }, "308 https://[fd00::1]/"],
    [
      "names a path where all are meant",
      { host: "gpu.lan", method: "OPTIONS", target: "*" },
      "308 https://gpu.lan/",
    ],
    ["lets a request with TLS in", { host: "gpu.lan", tls: spoken("gpu.lan") }, undefined],
    ["lets a request in where the route says so", { host: "gpu.lan" }, undefined, {
      inTheClear: "answer",
    }],
    ["lets a request in that no certificate waits for", { host: "example.com" }, undefined],
    [
      "keeps the port that a client took for one in the clear",
      { host: "gpu.lan:9443", misplaced: true, localPort: 8443 },
      "308 https://gpu.lan:9443/",
      { inTheClear: "answer" },
    ],
    [
      "has nothing for a misplaced request that no certificate waits for",
      { host: "example.com", misplaced: true, localPort: 8443 },
      "400 ",
    ],
    [
      "believes no stranger that TLS was spoken",
      { host: "gpu.lan", fields: forwarded },
      "308 https://gpu.lan/",
    ],
  ];
  const onPorts: [string, readonly number[], string][] = [
    ["where most routes are", [8443, 9443, 80], "308 https://gpu.lan/"],
    ["where the route is", [80, 9443], "308 https://gpu.lan:9443/"],
    ["where most are if the route is in the clear alone", [80], "308 https://gpu.lan/"],
  ];
  for (const [title, ports, expected] of onPorts) {
    it(`wayToTls() sends a request on to ${title}`, () => {
      const exchange = new FakeExchange({ host: "gpu.lan" });
      const names = { host: "gpu.lan", hostname: "gpu.lan" };
      const coming = { exchange, client: stranger, ...names, requestId: "1" };
      const edge = { ...EDGE, ports: new Set([8443, 9443]) };
      const reply = wayToTls(coming, { ...route({ tls: tlsOf() }), ports }, edge);
      assert.equal(reply && `${reply.status} ${reply.fields.get("location") ?? ""}`, expected);
    });
  }

  for (const [title, asked, expected, tls] of cases) {
    it(`wayToTls() ${title}`, () => {
      const exchange = new FakeExchange(asked);
      const host = asked.host ?? "";
      const hostname = host.replace(/:\d+$/, "");
      const coming = { exchange, client: stranger, host, hostname, requestId: "1" };
      const reply = wayToTls(coming, route({ tls: tlsOf(tls) }), EDGE);
      const told = reply && `${reply.status} ${reply.fields.get("location") ?? ""}`;
      assert.equal(told, expected);
    });
  }

  it("wayToTls() believes a trusted proxy that TLS was spoken before it", () => {
    const exchange = new FakeExchange({ host: "gpu.lan", fields: forwarded });
    const coming = { exchange, host: "gpu.lan", hostname: "gpu.lan", requestId: "1" };
    const to = route({ tls: tlsOf() });
    assert.equal(wayToTls({ ...coming, client: trusted }, to, EDGE), undefined);
    assert.equal(wayToTls({ ...coming, client: stranger }, to, EDGE)?.status, 308);
  });
});

describe("unprovenReply()", () => {
  const clientAuth = { authorities: ["PEM"], required: true };
  const cases: [string, string, ConnectionTls | undefined, number | undefined][] = [
    ["lets in who proved to be known", "gpu.lan", spoken("gpu.lan", CLIENT), undefined],
    ["turns away who showed nothing", "gpu.lan", spoken("gpu.lan"), 403],
    ["turns away who came in the clear", "gpu.lan", undefined, 403],
    ["wants another connection for another host", "gpu.lan", spoken("open.lan", CLIENT), 421],
    [
      "wants another connection where others judged the client",
      "gpu.lan",
      spoken("gpu.lan", CLIENT, ["OTHER"]),
      421,
    ],
    ["wants another connection where nobody did", "gpu.lan", spoken("gpu.lan", undefined, []), 421],
    [
      "takes no address's client for one of another address",
      "192.0.2.1",
      spoken(undefined, CLIENT, ["OTHER"]),
      403,
    ],
    [
      "wants another connection where nobody can be asked",
      "192.0.2.1",
      { ...spoken(undefined, undefined, []), protocol: "h3" },
      421,
    ],
    [
      "wants another connection where no name was asked for",
      "gpu.lan",
      spoken(undefined, CLIENT),
      421,
    ],
    [
      "takes an address that is never asked for by name",
      "192.0.2.1",
      spoken(undefined, CLIENT),
      undefined,
    ],
  ];
  for (const [title, hostname, tls, status] of cases) {
    it(`unprovenReply() ${title}`, () => {
      const exchange = new FakeExchange(tls === undefined ? {} : { tls });
      const to = route({ hosts: [hostname], tls: tlsOf({ clientAuth }) });
      const reply = unprovenReply({ exchange, hostname, requestId: "1" }, to);
      assert.equal(reply?.status, status);
    });
  }

  it("unprovenReply() asks nothing of a route without authorities", () => {
    const coming = { exchange: new FakeExchange(), hostname: "a", requestId: "1" };
    assert.equal(unprovenReply(coming, route()), undefined);
  });

  it("unprovenReply() lets in who showed nothing where that is no must", () => {
    const to = route({ tls: tlsOf({ clientAuth: { ...clientAuth, required: false } }) });
    const exchange = new FakeExchange({ tls: spoken("a") });
    assert.equal(unprovenReply({ exchange, hostname: "a", requestId: "1" }, to), undefined);
  });
});

describe("provenClient()", () => {
  const clientAuth = { authorities: ["PEM"], required: false };
  const cases: [string, ConnectionTls | undefined, RouteTls, typeof CLIENT | undefined][] = [
    ["is who the route's authorities know", spoken("a", CLIENT), tlsOf({ clientAuth }), CLIENT],
    [
      "is nobody whom others know",
      spoken("a", CLIENT, ["OTHER"]),
      tlsOf({ clientAuth }),
      undefined,
    ],
    ["is nobody where the route has none", spoken("a", CLIENT), tlsOf(), undefined],
    ["is nobody in the clear", undefined, tlsOf({ clientAuth }), undefined],
  ];
  for (const [title, tls, to, expected] of cases) {
    it(title, () => {
      const exchange = new FakeExchange(tls === undefined ? {} : { tls });
      assert.equal(provenClient(exchange, route({ tls: to })), expected);
    });
  }
});
