/** Who the client is, with and without proxies that are believed. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseIp } from "../../src/ip.ts";
import type { Cidr } from "../../src/rules.ts";
import { identify } from "../../src/request/client.ts";
import { FakeExchange } from "../support/fake_exchange.ts";

const cidr = (ip: string, bits: number): Cidr => ({ bytes: parseIp(ip) ?? [], bits });
const TRUSTED = [cidr("10.0.0.0", 8), cidr("fd00::", 8)];

describe("identify()", () => {
  const cases: [string, string, string[], string, boolean][] = [
    ["takes the peer when it is not trusted", "192.0.2.7", ["6.6.6.6"], "192.0.2.7", false],
    ["takes the peer when it says nothing", "10.0.0.1", [], "10.0.0.1", true],
    ["takes the one that a trusted peer names", "10.0.0.1", ["6.6.6.6"], "6.6.6.6", true],
    ["takes the last untrusted hop", "10.0.0.1", ["1.1.1.1, 6.6.6.6, 10.0.0.2"], "6.6.6.6", true],
    ["reads several fields as one list", "10.0.0.1", ["6.6.6.6", "10.0.0.2"], "6.6.6.6", true],
    [
      "takes the farthest when all are trusted",
      "10.0.0.1",
      ["10.0.0.3, 10.0.0.2"],
      "10.0.0.3",
      true,
    ],
    ["stops at what is no address", "10.0.0.1", ["6.6.6.6, unknown, 10.0.0.2"], "10.0.0.2", true],
    ["stops at an empty hop", "10.0.0.1", ["6.6.6.6,"], "10.0.0.1", true],
    ["trusts an IPv4 peer that shows as IPv6", "::ffff:10.0.0.1", ["6.6.6.6"], "6.6.6.6", true],
    ["trusts IPv6 blocks", "fd00::1", ["2001:db8::1"], "2001:db8::1", true],
    ["trusts no unix socket", "", ["6.6.6.6"], "", false],
  ];
  for (const [title, ip, forwardedFor, expected, viaTrusted] of cases) {
    it(title, () => {
      const fields = forwardedFor.map((value) => ["X-Forwarded-For", value] as const);
      const exchange = new FakeExchange({ ip, fields });
      assert.deepEqual(identify(exchange, TRUSTED), { ip: expected, viaTrusted });
    });
  }

  it("trusts nobody when no proxies are configured", () => {
    const exchange = new FakeExchange({ ip: "10.0.0.1", fields: [["X-Forwarded-For", "6.6.6.6"]] });
    assert.deepEqual(identify(exchange, []), { ip: "10.0.0.1", viaTrusted: false });
  });

  it("never throws, and names an address, whatever was forged", () => {
    fc.assert(fc.property(fc.string(), (forged) => {
      const fields = [["X-Forwarded-For", forged]] as const;
      const { ip } = identify(new FakeExchange({ ip: "10.0.0.1", fields }), TRUSTED);
      assert.ok(parseIp(ip));
    }));
  });
});
