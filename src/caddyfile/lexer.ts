/**
 * Splits a Caddyfile into words, line ends and comments: quotes, backquotes, heredocs, escapes and
 * continued lines as Caddy reads them. Never throws; what cannot be read is told of and read on.
 */
import type { Token } from "./directive.ts";
import type { Report } from "./report.ts";
import { type FilledText, fillText } from "./text.ts";

export type Lexeme =
  | { readonly kind: "word"; readonly token: Token }
  | { readonly kind: "end" }
  | { readonly kind: "comment"; readonly text: string; readonly isAlone: boolean };

export interface LexOptions {
  readonly file: string;
  readonly env: (name: string) => string | undefined;
  readonly report: Report;
}

export function lex(written: string, options: LexOptions): readonly Lexeme[] {
  const { file, env, report } = options;
  if (written.length > TEXT_LIMIT_CHARS) {
    report.tell({ file, line: 1, column: 1 }, "", "Expected a file of at most 4 MB");
    return [];
  }
  const named = (name: string): string | undefined => {
    const value = env(name);
    if (value !== undefined) report.hide(name, value);
    return value;
  };
  const lexer = new Lexer(fillText(written, named), options);
  while (lexer.step());
  return lexer.lexemes;
}

const TEXT_LIMIT_CHARS = 4_000_000;
const SPACE = /[^\S\n]+/y;
const HEREDOC = /<<([A-Za-z0-9_-]+)\r?\n/y;

class Lexer {
  readonly lexemes: Lexeme[] = [];
  readonly #source: FilledText;
  readonly #text: string;
  readonly #options: LexOptions;
  #at = 0;
  /** Whether nothing but space was seen on this line. */
  #isFresh = true;

  constructor(source: FilledText, options: LexOptions) {
    this.#source = source;
    this.#text = source.text;
    this.#options = options;
  }

  /** Takes one thing off the text; false at its end. */
  step(): boolean {
    this.#skip(SPACE);
    const char = this.#text[this.#at];
    if (char === undefined) {
      this.lexemes.push({ kind: "end" });
      return false;
    }
    if (char === "\n") this.#endLine();
    else if (char === "#") this.#comment();
    else if (this.#skip(/\\\r?\n/y) !== undefined) return true;
    else if (char === '"' || char === "`") this.#quoted(char);
    else if (!this.#heredoc()) this.#bare();
    return true;
  }

  #endLine(): void {
    this.#at += 1;
    this.#isFresh = true;
    this.lexemes.push({ kind: "end" });
  }

  #comment(): void {
    const [text = ""] = this.#match(/[^\n]*/y) ?? [];
    this.#at += text.length;
    this.lexemes.push({ kind: "comment", text: text.trimEnd(), isAlone: this.#isFresh });
  }

  #quoted(quote: '"' | "`"): void {
    const start = this.#at;
    // Between backquotes nothing is special; between quotes only a quote can be escaped.
    const inside = quote === "`" ? /`([^`]*)(`?)/y : /"((?:\\[\s\S]|[^"\\]+)*)("?)/y;
    const [whole = quote, body = "", close = ""] = this.#match(inside) ?? [];
    this.#at += whole.length;
    if (close === "") this.#tell(start, `Expected a closing ${quote} but the file ends before it`);
    const text = quote === "`" ? body : body.replaceAll('\\"', '"');
    this.#push(start, text.replaceAll("\r\n", "\n"), quote);
  }

  /** `<<MARK`, lines, and the mark alone on the last; its indentation is taken off every line. */
  #heredoc(): boolean {
    const [opening, mark = ""] = this.#match(HEREDOC) ?? [];
    if (opening === undefined) return false;
    const start = this.#at;
    const from = start + opening.length;
    const closing = new RegExp(String.raw`^([ \t]*)${mark}(?![A-Za-z0-9_-])`, "gm");
    closing.lastIndex = from;
    const found = closing.exec(this.#text);
    if (found === null) {
      this.#tell(start, `Expected a line "${mark}" that ends the heredoc but received none`);
      this.#at = this.#text.length;
      return true;
    }
    const [line, indent = ""] = found;
    this.#at = found.index + line.length;
    const body = this.#text.slice(from, Math.max(from, found.index - 1)).replaceAll("\r\n", "\n");
    const lines = body.split("\n").map((one) => {
      if (one.startsWith(indent)) return one.slice(indent.length);
      if (one.trim() !== "") {
        this.#tell(start, `Expected each line of the heredoc to be indented as its "${mark}" is`);
      }
      return one.trimStart();
    });
    this.#push(start, lines.join("\n").replace(/\r$/, ""), "<");
    return true;
  }

  #bare(): void {
    const start = this.#at;
    // A backslash before the line end continues the line; elsewhere it stays, as placeholders know it too.
    const [text = this.#text[start] ?? ""] = this.#match(/(?:\\(?!\r?\n)[^\s]?|[^\s\\]+)+/y) ?? [];
    this.#at += text.length;
    this.#push(start, text.startsWith("\\<") ? text.slice(1) : text, undefined);
  }

  #push(start: number, text: string, quoted: Token["quoted"]): void {
    this.#isFresh = false;
    const token = { text, file: this.#options.file, ...this.#source.position(start), quoted };
    this.lexemes.push({ kind: "word", token });
  }

  #tell(offset: number, message: string): void {
    const place = { file: this.#options.file, ...this.#source.position(offset) };
    this.#options.report.tell(place, "", message);
  }

  #skip(pattern: RegExp): string | undefined {
    const [text] = this.#match(pattern) ?? [];
    this.#at += text?.length ?? 0;
    return text;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text);
  }
}
