/** Names of files made of the names that certificates are for: safe on every system, and never the same for two. Pure. */

/** Room for an ending within the 255 bytes that file systems give a name. */
const NAME_MAX = 180;

/**
 * `*.example.com` is `wildcard_.example.com`, `fd00::1` is `fd00__1`. Of several names in any order the first
 * by the alphabet stands for all, with their number and what tells them from others: `a.example+2-9f0c…`.
 */
export function fileNameOf(names: readonly string[]): string {
  const [first = "", ...rest] = [...new Set(names.map((name) => name.toLowerCase()))].sort();
  const spelled = spell(first);
  if (rest.length === 0 && spelled !== "" && spelled.length <= NAME_MAX) return spelled;
  return `${spelled.slice(0, NAME_MAX)}+${rest.length}-${digest([first, ...rest].join(" "))}`;
}

const SPELLINGS: Readonly<Record<string, string>> = { "*": "wildcard_", ":": "_" };

/** What neither names nor addresses contain is written as its bytes, and so is a dot that would hide the file. */
function spell(name: string): string {
  return name.replace(/^\.|[^a-z0-9.-]/gu, (letter) => SPELLINGS[letter] ?? bytesOf(letter));
}

function bytesOf(letter: string): string {
  const bytes = [...new TextEncoder().encode(letter)];
  return bytes.map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
}

const FNV_START = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;

/** FNV-1a over 64 bits: the names are the operator's own, who gains nothing by two that fall together. */
function digest(text: string): string {
  let hash = FNV_START;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * FNV_PRIME);
  }
  return hash.toString(16).padStart(16, "0");
}
