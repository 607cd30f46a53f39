/** HPACK: the examples of RFC 7541 appendix C, what must be refused, and that all comes back as it went. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { BrokenBlock, type Packed, Unpacker } from "../../src/wire/h2_hpack.ts";
import { pack } from "../../src/wire/h2_pack.ts";
import { LENGTHS, unhuffman } from "../../src/wire/h2_huffman.ts";

const LIMIT_BYTES = 64 * 1024;

function bytesOf(hex: string): Uint8Array {
  const digits = hex.replace(/\s/g, "");
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) => {
    return parseInt(digits.slice(2 * at, 2 * at + 2), 16);
  });
}

function unpackAll(...blocks: string[]) {
  const unpacker = new Unpacker();
  return blocks.map((block) => unpacker.unpack(bytesOf(block), LIMIT_BYTES));
}

describe("Unpacker.unpack()", () => {
  it("reads three requests, Huffman coded (C.4)", () => {
    const common: Packed[] = [[":method", "GET"], [":scheme", "http"], [":path", "/"]];
    const authority: Packed = [":authority", "www.example.com"];
    assert.deepEqual(
      unpackAll(
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
      ),
      [
        [...common, authority],
        [...common, authority, ["cache-control", "no-cache"]],
        [
          [":method", "GET"],
          [":scheme", "https"],
          [":path", "/index.html"],
          authority,
          ["custom-key", "custom-value"],
        ],
      ],
    );
  });

  it("reads a response, Huffman coded (C.6.1)", () => {
    assert.deepEqual(
      unpackAll(
        `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6
         2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
      )[0],
      [
        [":status", "302"],
        ["cache-control", "private"],
        ["date", "Mon, 21 Oct 2013 20:13:21 GMT"],
        ["location", "https://www.example.com"],
      ],
    );
  });

  it("forgets the oldest entries when its table is full", () => {
    const unpacker = new Unpacker();
    // 100 entries of 1 + 8 + 32 bytes; 4096 bytes hold 99 of them.
    for (let at = 0; at < 100; at++) {
      const value = String(at).padStart(8, "0");
      const hex = value.replace(/\d/g, (digit) => `3${digit}`);
      unpacker.unpack(bytesOf(`4001 61 08 ${hex}`), LIMIT_BYTES);
    }
    assert.deepEqual(unpacker.unpack(bytesOf("be"), LIMIT_BYTES), [["a", "00000099"]]);
    assert.deepEqual(unpacker.unpack(bytesOf("ff21"), LIMIT_BYTES), [["a", "00000001"]]);
    assert.throws(() => unpacker.unpack(bytesOf("ff22"), LIMIT_BYTES), BrokenBlock);
  });

  it("empties its table when told that it has no room", () => {
    const unpacker = new Unpacker();
    unpacker.unpack(bytesOf("4001 61 01 62"), LIMIT_BYTES);
    assert.throws(() => unpacker.unpack(bytesOf("20 be"), LIMIT_BYTES), BrokenBlock);
  });

  it("gives no fields when they are more than allowed, and knows the table all the same", () => {
    const unpacker = new Unpacker();
    assert.equal(unpacker.unpack(bytesOf("4001 61 01 62 be be be"), 100), undefined);
    assert.deepEqual(unpacker.unpack(bytesOf("be"), 100), [["a", "b"]]);
  });

  const broken: [string, string][] = [
    ["an index of nothing", "80"],
    ["an index beyond the table", "be"],
    ["a number that does not end", "ff ff ff ff ff ff ff"],
    ["a number that breaks off", "ff"],
    ["a text that breaks off", "00 05 61"],
    ["a value that is missing", "00 01 61"],
    ["a table that is larger than allowed", "3f e2 1f"],
    ["Huffman padding that is too long", "00 82 1f ff 00"],
    ["Huffman padding that is not ones", "00 81 18 00"],
    ["EOS", "00 84 ff ff ff ff 00"],
  ];
  for (const [title, block] of broken) {
    it(`throws on ${title}`, () => assert.throws(() => unpackAll(block), BrokenBlock));
  }
});

describe("unhuffman()", () => {
  it("knows the code of every byte as RFC 7541 appendix B spells it, by samples", () => {
    const samples: [string, string][] = [
      ["a8eb10649cbf", "no-cache"],
      ["f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"],
      [
        "94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
        "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
      ],
      ["", ""],
    ];
    for (const [coded, plain] of samples) {
      const bytes = unhuffman(bytesOf(coded));
      assert.equal(bytes && new TextDecoder().decode(bytes), plain);
    }
  });
});

/** Codes as bits in text: of one length they count up, and each length goes on where the one before ended. */
function codes(): string[] {
  const all: string[] = [];
  let next = 0n;
  for (let length = 1; length <= 30; length++, next *= 2n) {
    LENGTHS.forEach((one, symbol) => {
      if (one === length) all[symbol] = (next++).toString(2).padStart(length, "0");
    });
  }
  return all;
}

describe("unhuffman(), every byte", () => {
  const CODES = codes();
  const coded = (bytes: Iterable<number>) => {
    const bits = [...bytes].map((byte) => CODES[byte]).join("");
    const octets = bits.padEnd(Math.ceil(bits.length / 8) * 8, "1").match(/.{8}/g) ?? [];
    return Uint8Array.from(octets, (octet) => parseInt(octet, 2));
  };

  it("reads each alone, and any of them in a row", () => {
    for (let byte = 0; byte < 256; byte++) {
      assert.deepEqual(unhuffman(coded([byte])), Uint8Array.of(byte), String(byte));
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      assert.deepEqual(unhuffman(coded(bytes)), bytes);
    }));
  });

  it("takes no whole byte of padding, and no end of strings in any place", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
      assert.equal(unhuffman(Uint8Array.of(...coded(bytes), 255)), undefined);
      const bits = [...bytes].map((byte) => CODES[byte]).join("") + CODES[256];
      const octets = bits.padEnd(Math.ceil(bits.length / 8) * 8, "1").match(/.{8}/g) ?? [];
      const ended = Uint8Array.from(octets, (octet) => parseInt(octet, 2));
      assert.equal(unhuffman(ended), undefined);
    }));
  });
});

describe("pack()", () => {
  it("is read back as it went", () => {
    const name = fc.string({
      unit: fc.constantFrom("a", "b", "y", "-", "0"),
      minLength: 1,
      maxLength: 40,
    });
    const value = fc.string({
      unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
      maxLength: 300,
    });
    const known = fc.constantFrom("cookie", ":path", ":status", "authorization", "content-length");
    const fields = fc.array(fc.tuple(fc.oneof(name, known), fc.oneof(value, fc.constant("200"))));
    fc.assert(fc.property(fields, (written) => {
      assert.deepEqual(new Unpacker().unpack(pack(written), 1e9), written);
    }));
  });

  it("marks secrets as never to be kept by anyone", () => {
    assert.deepEqual([...pack([["authorization", "x"]])], [0x20, 0x1f, 0x08, 0x01, 0x78]);
  });
});
