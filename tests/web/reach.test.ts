/** What the web engine leaves to the wire engine, and says so. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Upstream } from "../../src/rules.ts";
import { beyondFetch } from "../../src/web/reach.ts";
import { upstream } from "../support/fake_route.ts";

const plain = upstream("u");
const { connections, tls } = plain;

describe("beyondFetch()", () => {
  const cases: [string, Partial<Upstream>, RegExp | undefined][] = [
    ["a plain upstream", {}, undefined],
    ["an https upstream", { scheme: "https" }, undefined],
    ["tls settings where TLS is not spoken", { tls: { ...tls, insecure: true } }, undefined],
    ["fewer kept connections", { connections: { ...connections, idleMax: 1 } }, undefined],
    ["h2c", { scheme: "h2c" }, /h2c/],
    ["any certificate", { scheme: "https", tls: { ...tls, insecure: true } }, /tls/],
    ["own authorities", { scheme: "https", tls: { ...tls, authorities: ["ca"] } }, /tls/],
    ["an own name", { scheme: "https", tls: { ...tls, name: "n" } }, /tls/],
    [
      "a certificate",
      { scheme: "https", tls: { ...tls, certificate: { chain: "c", key: "k" } } },
      /tls/,
    ],
    ["an address", { connections: { ...connections, localAddress: "::1" } }, /local_address/],
    ["PROXY", { connections: { ...connections, proxyProtocol: "v2" } }, /proxy_protocol/],
    ["a bound", { connections: { ...connections, connectionsMax: 1 } }, /max_conns/],
    ["read_timeout", { connections: { ...connections, readTimeoutMs: 1 } }, /read_timeout/],
    ["write_timeout", { connections: { ...connections, writeTimeoutMs: 1 } }, /write_timeout/],
  ];
  for (const [title, changes, expected] of cases) {
    it(`${expected === undefined ? "lets pass" : "names"} ${title}`, () => {
      const said = beyondFetch({ ...plain, ...changes });
      if (expected === undefined) assert.equal(said, undefined);
      else assert.match(said ?? "", expected);
    });
  }
});
