/**
 * Builds lines and their blocks from words. Knows braces and comments, nothing of what words mean;
 * imports are still lines of their own. Never throws.
 */
import { type Directive, shown, type Token } from "./directive.ts";
import type { Lexeme } from "./lexer.ts";
import type { Report } from "./report.ts";
import type { Comments } from "./written.ts";

/** Far beyond any real file, and short of what would exhaust the stack. */
const DEPTH_MAX = 50;

export interface Parsed {
  readonly lines: readonly Directive[];
  /** Comments after the last line. */
  readonly rest: readonly string[];
}

export function parse(lexemes: readonly Lexeme[], report: Report): Parsed {
  return new Parser(lexemes, report).file();
}

class Parser {
  readonly #lexemes: readonly Lexeme[];
  readonly #report: Report;
  #at = 0;
  /** Comments on lines of their own that wait for what they stand above. */
  #pending: string[] = [];

  constructor(lexemes: readonly Lexeme[], report: Report) {
    this.#lexemes = lexemes;
    this.#report = report;
  }

  file(): Parsed {
    const lines: Directive[] = [];
    while (this.#at < this.#lexemes.length) {
      lines.push(...this.#block(0));
      const stray = this.#peekWord();
      if (stray === undefined) break;
      this.#report.tell(stray, "", 'Expected an opening "{" before this "}" but received none');
      this.#at += 1;
    }
    return { lines, rest: this.#pending };
  }

  /** Lines up to the "}" that closes them, which stays. */
  #block(depth: number): Directive[] {
    const lines: Directive[] = [];
    while (this.#at < this.#lexemes.length) {
      const lexeme = this.#lexemes[this.#at];
      if (lexeme?.kind === "word") {
        if (isBrace(lexeme.token, "}")) break;
        lines.push(this.#line(depth));
        continue;
      }
      if (lexeme?.kind === "comment") this.#pending.push(lexeme.text);
      this.#at += 1;
    }
    return lines;
  }

  #line(depth: number): Directive {
    const above = this.#pending;
    this.#pending = [];
    const { words, open, beside } = this.#words(depth === 0);
    const [name, ...args] = words;
    const first = name ?? open;
    if (first === undefined) throw new Error("A line has a word, as it was begun by one");

    const block = open === undefined ? undefined : this.#blockOf(open, depth);
    // A block without a name is the one of global options.
    const own: Token = name ?? { ...first, text: "" };
    return { name: own, args, block, comments: { above, beside } };
  }

  /** Words up to the end of the line, or to the "{" that ends it. */
  #words(isTop: boolean): { words: Token[]; open: Token | undefined; beside: Comments["beside"] } {
    const words: Token[] = [];
    let open: Token | undefined;
    let beside: string | undefined;
    for (;;) {
      const lexeme = this.#lexemes[this.#at];
      if (lexeme === undefined) break;
      this.#at += 1;
      if (lexeme.kind === "end") {
        // Addresses of a site go on behind a comma.
        const last = isTop && open === undefined ? words.at(-1) : undefined;
        if (last?.quoted !== undefined || !last?.text.endsWith(",")) break;
        continue;
      }
      if (lexeme.kind === "comment") {
        beside = lexeme.text;
        continue;
      }
      if (open !== undefined) {
        this.#report.tell(open, "", 'Expected the "{" of a block to end its line');
        this.#at -= 1;
        break;
      }
      if (isBrace(lexeme.token, "{")) {
        open = lexeme.token;
        continue;
      }
      if (isBrace(lexeme.token, "}")) {
        this.#report.tell(lexeme.token, "", 'Expected "}" on a line of its own');
        this.#at -= 1;
        break;
      }
      words.push(lexeme.token);
    }
    return { words, open, beside };
  }

  #blockOf(open: Token, depth: number): Directive[] {
    if (depth >= DEPTH_MAX) {
      this.#report.tell(open, "", `Expected at most ${DEPTH_MAX} levels but received more`);
      this.#at = this.#lexemes.length;
      return [];
    }
    const lines = this.#block(depth + 1);
    const close = this.#peekWord();
    if (close === undefined) {
      this.#report.tell(open, "", 'Expected a "}" for this "{" but the file ends before it');
    }
    this.#at += 1;
    return this.#withRest(lines);
  }

  /** Comments before the "}" stay with the line above them. */
  #withRest(lines: Directive[]): Directive[] {
    const last = lines.at(-1);
    if (last === undefined || this.#pending.length === 0) return lines;
    const { above, beside } = last.comments;
    const comments = { above: [...above, ...this.#pending], beside };
    this.#pending = [];
    return [...lines.slice(0, -1), { ...last, comments }];
  }

  #peekWord(): Token | undefined {
    const lexeme = this.#lexemes[this.#at];
    return lexeme?.kind === "word" ? lexeme.token : undefined;
  }
}

function isBrace({ text, quoted }: Token, brace: "{" | "}"): boolean {
  return quoted === undefined && text === brace;
}

/** A line as one would write it, for messages. */
export function spelled({ name, args }: Directive): string {
  return shown([name, ...args].map(({ text }) => text).join(" "));
}
