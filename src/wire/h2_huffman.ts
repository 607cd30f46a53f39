/**
 * The Huffman code of HPACK (RFC 7541 appendix B), for reading only: what we write goes plain. The code
 * is canonical, so that the lengths alone tell it.
 */

/** Length of each symbol's code in bits: of every byte in turn. EOS, the last one, may never come. */
const LENGTHS: readonly number[] = [
  ...[13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28],
  ...[28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28],
  ...[6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6],
  ...[5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10],
  ...[13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
  ...[7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6],
  ...[15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5],
  ...[6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28],
  ...[20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23],
  ...[24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24],
  ...[22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23],
  ...[21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23],
  ...[26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25],
  ...[19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27],
  ...[20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23],
  ...[26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26],
  30,
];

const EOS = 256;
const LENGTH_MAX = 30;
/** The shortest code has five bits, so a byte of it makes at most this much. */
const EXPANSION_MAX = 8 / 5;

/** Codes of one length: they count up from `first`, in the order of their symbols. */
interface Row {
  readonly first: number;
  readonly symbols: readonly number[];
}

const ROWS: readonly Row[] = rows();

function rows(): Row[] {
  const all: Row[] = [];
  let next = 0;
  for (let length = 0; length <= LENGTH_MAX; length++) {
    const symbols = LENGTHS.flatMap((one, symbol) => one === length ? [symbol] : []);
    all.push({ first: next, symbols });
    next = (next + symbols.length) * 2;
  }
  return all;
}

/** The bytes that were meant; undefined when the code is broken. */
export function unhuffman(coded: Uint8Array): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.ceil(coded.length * EXPANSION_MAX));
  let count = 0;
  let code = 0;
  let length = 0;
  for (const byte of coded) {
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((byte >> bit) & 1);
      length++;
      const row = ROWS[length];
      // Longer than any code.
      if (row === undefined) return undefined;
      const symbol = row.symbols[code - row.first];
      if (symbol === undefined) continue;
      if (symbol === EOS) return undefined;
      bytes[count++] = symbol;
      code = 0;
      length = 0;
    }
  }
  // The rest of the last byte is filled with the beginning of EOS, which is all ones.
  const padding = (1 << length) - 1;
  return length < 8 && code === padding ? bytes.subarray(0, count) : undefined;
}
