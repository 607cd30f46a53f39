/**
 * The Huffman code of HPACK (RFC 7541 appendix B), for reading only: what we write goes plain. The code
 * is canonical, so that the lengths alone tell it.
 */

/** Length of each symbol's code in bits: of every byte in turn. EOS, the last one, may never come. */
export const LENGTHS: readonly number[] = [
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

const ROOT = 0;
/**
 * A tree whose nodes have a branch for every byte: what the next eight bits lead to. Above zero, a node
 * further down; below, a symbol and how many of the bits are its own; zero, nothing. Grown when it is
 * first needed: a start would be 5 ms longer.
 */
let grown: Int32Array | undefined;

function grow(): Int32Array {
  const branches: number[] = Array.from({ length: 256 }, () => 0);
  let code = 0;
  for (let length = 1; length <= LENGTH_MAX; length++, code *= 2) {
    LENGTHS.forEach((one, symbol) => {
      if (one === length) plant(branches, code++, { length, symbol });
    });
  }
  return Int32Array.from(branches);
}

function plant(
  branches: number[],
  code: number,
  { length, symbol }: { length: number; symbol: number },
): void {
  let node = ROOT;
  let left = length;
  for (; left > 8; left -= 8) {
    const place = node + ((code >>> (left - 8)) & 0xff);
    if (branches[place] === 0) {
      branches[place] = branches.length;
      for (let branch = 0; branch < 256; branch++) branches.push(0);
    }
    node = branches[place] ?? ROOT;
  }
  // Whatever the bits behind it are.
  const first = node + ((code << (8 - left)) & 0xff);
  for (let place = first; place < first + (1 << (8 - left)); place++) {
    branches[place] = -(symbol * 16 + left);
  }
}

/** The bytes that were meant; undefined when the code is broken. */
export function unhuffman(coded: Uint8Array): Uint8Array | undefined {
  const tree = grown ??= grow();
  const bytes = new Uint8Array(Math.ceil(coded.length * EXPANSION_MAX));
  let count = 0;
  let node = ROOT;
  /** Bits read that belong to no symbol yet, and how many of them were not looked at. */
  let bits = 0;
  let fresh = 0;
  /** Bits since the last symbol. */
  let open = 0;
  for (let at = 0; at < coded.length; at++) {
    bits = ((bits << 8) | (coded[at] ?? 0)) & 0xffff;
    fresh += 8;
    open += 8;
    while (fresh >= 8) {
      const branch = tree[node + ((bits >> (fresh - 8)) & 0xff)] ?? 0;
      if (branch > 0) {
        node = branch;
        fresh -= 8;
        continue;
      }
      const symbol = -branch >> 4;
      if (branch === 0 || symbol === EOS) return undefined;
      bytes[count++] = symbol;
      fresh -= -branch & 15;
      open = fresh;
      node = ROOT;
    }
  }
  // Symbols may end in the last bits; behind them is the beginning of EOS, which is all ones.
  while (fresh > 0) {
    const branch = tree[node + ((bits << (8 - fresh)) & 0xff)] ?? 0;
    const used = -branch & 15;
    if (branch >= 0 || used > fresh) break;
    const symbol = -branch >> 4;
    if (symbol === EOS) return undefined;
    bytes[count++] = symbol;
    fresh -= used;
    open = fresh;
    node = ROOT;
  }
  const padding = (1 << fresh) - 1;
  return open < 8 && (bits & padding) === padding ? bytes.subarray(0, count) : undefined;
}
