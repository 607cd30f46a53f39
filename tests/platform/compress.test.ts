/** Bodies that are compressed as they pass, and passwords that are checked, alike on both runtimes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createGunzip, createZstdDecompress, gunzipSync, zstdDecompressSync } from "node:zlib";
import { platform } from "#platform";
import { bytes, joined, textOf } from "../support/fake_bytes.ts";

/** Decodes what can be decoded so far, as a client amid a stream does. */
function beginning(piece: Uint8Array, format: "gzip" | "zstd"): Promise<string> {
  const decoder = format === "gzip" ? createGunzip() : createZstdDecompress();
  return new Promise((resolve) => {
    decoder.once("data", (data: Uint8Array) => {
      decoder.destroy();
      resolve(textOf([data]));
    });
    decoder.write(piece);
  });
}

const DECODERS = { gzip: gunzipSync, zstd: zstdDecompressSync } as const;

describe("compressor()", () => {
  for (const format of ["gzip", "zstd"] as const) {
    const decode = (pieces: readonly Uint8Array[]) =>
      new TextDecoder().decode(DECODERS[format](joined(pieces)));

    it(`makes ${format} of all that is written`, async () => {
      const compressor = platform.compressor(format);
      const noise = Array.from({ length: 50_000 }, (_, at) => (at * 7919) % 1009).join(",");
      const pieces = [await compressor.write(bytes("one ")), await compressor.write(bytes(noise))];
      pieces.push(await compressor.end());
      compressor.close();
      assert.equal(decode(pieces), `one ${noise}`);
    });

    it(`holds nothing of a ${format} write back`, async () => {
      const compressor = platform.compressor(format);
      const first = await compressor.write(bytes("a line\n"));
      assert.equal(await beginning(first, format), "a line\n");
      compressor.close();
    });

    it(`can be closed amid a ${format} body, twice`, async () => {
      const compressor = platform.compressor(format);
      await compressor.write(bytes("part"));
      compressor.close();
      compressor.close();
    });
  }
});

describe("passwordMatches()", () => {
  /** Of "hiccup", with 2^4 rounds, after the letter of the version. */
  const HASHED = "04$tIsILlJ/oACfTAaJWclomOeuTL29BPViXe2u5sdh8cSyeJ9l8.rm6";

  it("tells right from wrong, whatever letter the hash has", async () => {
    for (const letter of ["", "a", "b", "x", "y"]) {
      const hash = `$2${letter}$${HASHED}`;
      assert.equal(await platform.passwordMatches("hiccup", hash), true);
      assert.equal(await platform.passwordMatches("hiccups", hash), false);
    }
  });

  it("takes none that bcrypt cannot tell apart", async () => {
    const hash = `$2b$${HASHED}`;
    for (const odd of ["", "hiccup\0", `${"hiccup".repeat(12)}x`]) {
      assert.equal(await platform.passwordMatches(odd, hash), false);
    }
  });
});
