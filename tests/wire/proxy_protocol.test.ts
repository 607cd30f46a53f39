/** The PROXY protocol's header, byte for byte (its specification, sections 2.1 and 2.2). */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Party, proxyHeader } from "../../src/wire/proxy_protocol.ts";

const SIGNATURE = "0d0a0d0a000d0a515549540a";

describe("proxyHeader()", () => {
  const lines: [string, Party | undefined, string][] = [
    ["IPv4", { ip: "192.0.2.7", port: 51234 }, "PROXY TCP4 192.0.2.7 0.0.0.0 51234 0\r\n"],
    ["IPv6", { ip: "2001:db8::1", port: 443 }, "PROXY TCP6 2001:db8:0:0:0:0:0:1 :: 443 0\r\n"],
    ["mapped IPv4", { ip: "::ffff:192.0.2.7", port: 1 }, "PROXY TCP4 192.0.2.7 0.0.0.0 1 0\r\n"],
    ["zones", { ip: "fe80::1%eth0", port: 1 }, "PROXY TCP6 fe80:0:0:0:0:0:0:1 :: 1 0\r\n"],
    ["nobody", undefined, "PROXY UNKNOWN\r\n"],
    ["a unix socket", { ip: "", port: 0 }, "PROXY UNKNOWN\r\n"],
  ];
  for (const [title, client, expected] of lines) {
    it(`writes the line of version 1 for ${title}`, () => {
      assert.equal(new TextDecoder().decode(proxyHeader("v1", client)), expected);
    });
  }

  it("keeps the line of version 1 within its 107 bytes", () => {
    const longest = { ip: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", port: 65535 };
    assert.ok(proxyHeader("v1", longest).length <= 107);
  });

  const zeros = (bytes: number) => "00".repeat(bytes);
  const blocks: [string, Party | undefined, string][] = [
    ["IPv4", { ip: "192.0.2.7", port: 51234 }, `2111000cc0000207${zeros(4)}c8220000`],
    [
      "IPv6",
      { ip: "2001:db8::1", port: 443 },
      `2121002420010db8${zeros(11)}01${zeros(16)}01bb0000`,
    ],
    ["nobody", undefined, "20000000"],
    ["a unix socket", { ip: "", port: 0 }, "20000000"],
  ];
  for (const [title, client, expected] of blocks) {
    it(`writes the block of version 2 for ${title}`, () => {
      assert.equal(hex(proxyHeader("v2", client)), SIGNATURE + expected);
    });
  }
});

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
