/**
 * Compresses bodies as they pass, by node:zlib, which both runtimes bring. Every write is flushed, so
 * that nobody waits for bytes that sit in a buffer here.
 */
import { constants, createGzip, createZstdCompress, type Gzip, type ZstdCompress } from "node:zlib";
import type { CompressionFormat, Compressor } from "./platform.ts";

export function compressor(format: CompressionFormat): Compressor {
  switch (format) {
    case "gzip":
      return flushed(createGzip(), constants.Z_SYNC_FLUSH);
    case "zstd":
      return flushed(createZstdCompress(), constants.ZSTD_e_flush);
  }
}

function flushed(stream: Gzip | ZstdCompress, flushing: number): Compressor {
  let made: Uint8Array[] = [];
  // Heard by the promise of whoever waits; unheard, an error would end the process.
  let failed: (error: Error) => void = () => {};
  stream.on("data", (bytes: Uint8Array) => made.push(bytes));
  stream.on("error", (error: Error) => failed(error));

  const after = (start: (done: () => void) => void): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      failed = reject;
      start(() => {
        const bytes = joined(made);
        made = [];
        resolve(bytes);
      });
    });

  return {
    write: (bytes) =>
      after((done) => {
        stream.write(bytes);
        stream.flush(flushing, done);
      }),
    end: () =>
      after((done) => {
        stream.once("end", done);
        stream.end();
      }),
    close: () => void stream.destroy(),
  };
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) return only;
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
