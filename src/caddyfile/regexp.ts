/**
 * Puts a regular expression of Go's RE2 into JavaScript's words. They agree in most; the rest is
 * translated, or refused where it would mean something else. Pure.
 */

export type Regexp =
  | { readonly kind: "pattern"; readonly source: string }
  | { readonly kind: "refused"; readonly reason: string };

const POSIX: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\x00-\\x7F",
  blank: "\\t ",
  cntrl: "\\x00-\\x1F\\x7F",
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: "!-\\/:-@\\[-`{-~",
  space: "\\t\\n\\v\\f\\r ",
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};

interface Flags {
  /** `(?i)`: letters of both cases. */
  readonly isCaseless: boolean;
  /** `(?s)`: a dot takes line ends as well. */
  readonly isDotAll: boolean;
}

/** One construct: an escape, a class of POSIX, a group's opening, a range, or a single character. */
const PIECE =
  /\\Q[\s\S]*?(?:\\E|$)|\\[\s\S]?|\[:\^?\w+:\]|\(\?(?:P?<\w+>|[^:)]*[:)]?)|[A-Za-z]-[A-Za-z]|[\s\S]/g;

export function toJavaScript(written: string): Regexp {
  const flagged = /^\(\?([is]+)\)/.exec(written);
  const words = flagged?.[1] ?? "";
  const flags: Flags = { isCaseless: words.includes("i"), isDotAll: words.includes("s") };
  let source = "";
  let isInClass = false;
  for (const [piece] of written.slice(flagged?.[0].length ?? 0).matchAll(PIECE)) {
    const made = translate(piece, isInClass, flags);
    if (made === undefined) return refused(piece);
    // "[" within a class is itself to JavaScript as well; only the first one opens.
    if (piece === "[") isInClass = true;
    if (piece === "]") isInClass = false;
    source += made;
  }
  try {
    new RegExp(source);
  } catch {
    // Runtimes word this error differently, so their words stay out.
    return { kind: "refused", reason: "it is no regular expression" };
  }
  return { kind: "pattern", source };
}

function translate(piece: string, isInClass: boolean, flags: Flags): string | undefined {
  if (piece.startsWith("\\Q")) return quoted(piece.slice(2).replace(/\\E$/, ""));
  if (piece.startsWith("\\")) return escape(piece);
  if (piece.startsWith("[:")) return isInClass ? posix(piece) : piece;
  if (piece.startsWith("(?")) return isInClass ? piece : group(piece);
  if (piece === "." && flags.isDotAll && !isInClass) return "[\\s\\S]";
  return flags.isCaseless && /[A-Za-z]/.test(piece) ? caseless(piece, isInClass) : piece;
}

/** A letter, or what looks like a range of them, in both cases. */
function caseless(piece: string, isInClass: boolean): string | undefined {
  const lower = piece.toLowerCase();
  const upper = piece.toUpperCase();
  if (!isInClass) {
    return piece.replace(
      /[A-Za-z]/g,
      (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`,
    );
  }
  // From one case to the other takes what stands between them along.
  if (piece.length > 1 && piece !== lower && piece !== upper) return undefined;
  return `${lower}${upper}`;
}

function escape(piece: string): string | undefined {
  if (piece === "\\A") return "^";
  if (piece === "\\z") return "$";
  if (piece === "\\a") return "\\x07";
  // One byte, character classes of Unicode, octals: rare, and other in JavaScript without its flags.
  return /^\\[CpPEkZu]$/.test(piece) || /^\\\d$/.test(piece) || piece === "\\" ? undefined : piece;
}

function posix(piece: string): string | undefined {
  // A negated class within a class has no counterpart.
  return POSIX[piece.slice(2, -2)];
}

function group(piece: string): string | undefined {
  const name = /^\(\?P?<(\w+)>$/.exec(piece)?.[1];
  if (name !== undefined) return `(?<${name}>`;
  return piece === "(?:" ? piece : undefined;
}

function quoted(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

/** A text as a pattern that matches just that. */
export function literalPattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

function refused(piece: string): Regexp {
  return { kind: "refused", reason: `"${piece}" has no counterpart in JavaScript` };
}
