/** Addresses and blocks, among them the spellings that attackers and careless peers use. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { inCidr, parseIp } from "../src/ip.ts";

const zeros = (length: number): number[] => Array.from({ length }, () => 0);

describe("parseIp()", () => {
  const cases: [string, number[] | undefined][] = [
    ["192.0.2.1", [192, 0, 2, 1]],
    ["0.0.0.0", [0, 0, 0, 0]],
    ["::ffff:192.0.2.1", [192, 0, 2, 1]],
    ["::ffff:c000:201", [192, 0, 2, 1]],
    ["::", zeros(16)],
    ["::1", [...zeros(15), 1]],
    ["1::", [0, 1, ...zeros(14)]],
    ["fe80::1%eth0", [0xfe, 0x80, ...zeros(13), 1]],
    ["1:2:3:4:5:6:7:8", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]],
    ["::2:3:4:5:6:7:8", [0, 0, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]],
    ["1:2:3:4:5:6:192.0.2.1", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 192, 0, 2, 1]],
    ["", undefined],
    ["unknown", undefined],
    ["localhost", undefined],
    ["1.2.3", undefined],
    ["1.2.3.4.5", undefined],
    ["1.2.3.256", undefined],
    ["01.2.3.4", undefined],
    ["1.2.3.4:80", undefined],
    ["[::1]", undefined],
    ["1:2:3:4:5:6:7", undefined],
    ["1:2:3:4:5:6:7:8:9", undefined],
    ["1:2:3:4::5:6:7:8", undefined],
    ["1::2::3", undefined],
    [":::", undefined],
    ["12345::", undefined],
    ["1.2.3.4::", undefined],
    ["1.2.3.4::1", undefined],
    ["::g", undefined],
    ["1:2", undefined],
  ];
  for (const [text, expected] of cases) {
    it(`reads "${text}" as ${expected?.join(".") ?? "no address"}`, () => {
      assert.deepEqual(parseIp(text), expected);
    });
  }

  it("reads back whatever address is spelled out", () => {
    fc.assert(fc.property(fc.ipV4(), (text) => {
      assert.equal(parseIp(text)?.join("."), text);
    }));
    fc.assert(fc.property(fc.ipV6(), (text) => {
      assert.ok([4, 16].includes(parseIp(text)?.length ?? 0), text);
    }));
  });

  it("never throws, whatever it is given", () => {
    fc.assert(fc.property(fc.string(), (text) => void parseIp(text)));
  });
});

describe("inCidr()", () => {
  const cases: [string, string, number, boolean][] = [
    ["10.1.2.3", "10.0.0.0", 8, true],
    ["11.0.0.1", "10.0.0.0", 8, false],
    ["192.168.1.129", "192.168.1.128", 25, true],
    ["192.168.1.127", "192.168.1.128", 25, false],
    ["8.8.8.8", "0.0.0.0", 0, true],
    ["8.8.8.8", "8.8.8.8", 32, true],
    ["8.8.8.9", "8.8.8.8", 32, false],
    ["fd00::1", "fc00::", 7, true],
    ["fe00::1", "fc00::", 7, false],
    ["::ffff:10.1.2.3", "10.0.0.0", 8, true],
    ["10.0.0.1", "::", 0, false],
    ["::1", "0.0.0.0", 0, false],
  ];
  for (const [ip, block, bits, expected] of cases) {
    it(`says ${expected} when asked for ${ip} in ${block}/${bits}`, () => {
      assert.equal(inCidr(parseIp(ip) ?? [], { bytes: parseIp(block) ?? [], bits }), expected);
    });
  }
});
