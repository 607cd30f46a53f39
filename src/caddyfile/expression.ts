/**
 * Reads the part of CEL that Caddyfiles use for matching: comparisons, `in`, calls and methods on
 * texts, lists and maps, joined by `&&`, `||` and `!`. Says what it cannot read. Pure.
 */

export type Expression =
  | { readonly kind: "and" | "or"; readonly of: readonly Expression[] }
  | { readonly kind: "not"; readonly of: Expression }
  | {
    readonly kind: "compare";
    readonly operator: "==" | "!=" | "<" | "<=" | ">" | ">=" | "in";
    readonly left: Expression;
    readonly right: Expression;
  }
  /** `path("/a")`, or with `on`: `{path}.startsWith("/a")`. */
  | {
    readonly kind: "call";
    readonly name: string;
    readonly on: Expression | undefined;
    readonly args: readonly Expression[];
  }
  /** Without its braces, as written: `method`, `rp.status_code`. */
  | { readonly kind: "placeholder"; readonly name: string }
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "truth"; readonly value: boolean }
  | { readonly kind: "list"; readonly items: readonly Expression[] }
  | { readonly kind: "map"; readonly entries: readonly (readonly [Expression, Expression])[] };

export type ReadExpression =
  | { readonly kind: "read"; readonly expression: Expression }
  | { readonly kind: "refused"; readonly reason: string };

export function readExpression(text: string): ReadExpression {
  try {
    return { kind: "read", expression: new Reader(text).whole() };
  } catch (error) {
    if (error instanceof Unreadable) return { kind: "refused", reason: error.message };
    throw error;
  }
}

/** Leaves the descent; never leaves this file. */
class Unreadable extends Error {}

const DEPTH_MAX = 40;
const OPERATOR = /(?:==|!=|<=|>=|<|>|in(?=[\s[({]))/y;
const PLACEHOLDER = /\{([A-Za-z_][\w.:-]*)\}/y;
const NUMBER = /-?\d+(?:\.\d+)?/y;
const NAME = /[A-Za-z_]\w*/y;
const TEXT = /(r?)(?:"((?:\\[\s\S]|[^"\\])*)"|'((?:\\[\s\S]|[^'\\])*)')/y;
const BACKQUOTED = /`([^`]*)`/y;

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Expression {
    const expression = this.#either();
    this.#space();
    if (this.#at < this.#text.length) throw this.#unreadable("an operator");
    return expression;
  }

  #either(): Expression {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw new Unreadable(`it nests more than ${DEPTH_MAX} levels`);
    const of = this.#joined("||", () => this.#joined("&&", () => this.#relation(), "and"), "or");
    this.#depth -= 1;
    return of;
  }

  #joined(sign: string, part: () => Expression, kind: "and" | "or"): Expression {
    const first = part();
    const of = [first];
    while (this.#take(sign)) of.push(part());
    return of.length === 1 ? first : { kind, of };
  }

  #relation(): Expression {
    const left = this.#unary();
    this.#space();
    const operator = this.#match(OPERATOR)?.[0];
    if (operator === undefined) return left;
    const known = (["==", "!=", "<=", ">=", "<", ">", "in"] as const).find((o) => o === operator);
    if (known === undefined) throw this.#unreadable("an operator");
    return { kind: "compare", operator: known, left, right: this.#unary() };
  }

  #unary(): Expression {
    this.#space();
    let negations = 0;
    while (this.#text[this.#at] === "!" && this.#text[this.#at + 1] !== "=") {
      this.#at += 1;
      negations += 1;
      this.#space();
    }
    const of = this.#postfix();
    return negations % 2 === 1 ? { kind: "not", of } : of;
  }

  #postfix(): Expression {
    let on = this.#primary();
    while (this.#take(".")) {
      const name = this.#match(NAME)?.[0];
      if (name === undefined || !this.#take("(")) throw this.#unreadable("a method");
      on = { kind: "call", name, on, args: this.#list(")") };
    }
    return on;
  }

  #primary(): Expression {
    this.#space();
    if (this.#take("(")) {
      const inner = this.#either();
      this.#need(")");
      return inner;
    }
    if (this.#take("[")) return { kind: "list", items: this.#list("]") };
    const placeholder = this.#match(PLACEHOLDER)?.[1];
    if (placeholder !== undefined) return { kind: "placeholder", name: placeholder };
    if (this.#take("{")) return this.#map();

    const text = this.#string();
    if (text !== undefined) return { kind: "text", value: text };
    const number = this.#match(NUMBER)?.[0];
    if (number !== undefined) return { kind: "number", value: Number(number) };
    const name = this.#match(NAME)?.[0];
    if (name === "true" || name === "false") return { kind: "truth", value: name === "true" };
    if (name !== undefined && this.#take("(")) {
      return { kind: "call", name, on: undefined, args: this.#list(")") };
    }
    throw this.#unreadable("a value");
  }

  #string(): string | undefined {
    const backquoted = this.#match(BACKQUOTED)?.[1];
    if (backquoted !== undefined) return backquoted;
    const found = this.#match(TEXT);
    if (found === null) return undefined;
    const [, raw = "", double, single = ""] = found;
    const body = double ?? single;
    if (raw !== "") return body;
    const named: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };
    return body.replace(/\\([\s\S])/g, (_, char: string) => named[char] ?? char);
  }

  #list(close: ")" | "]"): Expression[] {
    const items: Expression[] = [];
    while (!this.#take(close)) {
      items.push(this.#either());
      if (this.#take(",")) continue;
      this.#need(close);
      break;
    }
    return items;
  }

  #map(): Expression {
    const entries: [Expression, Expression][] = [];
    while (!this.#take("}")) {
      const key = this.#primary();
      this.#need(":");
      entries.push([key, this.#either()]);
      if (this.#take(",")) continue;
      this.#need("}");
      break;
    }
    return { kind: "map", entries };
  }

  #need(sign: string): void {
    if (!this.#take(sign)) throw this.#unreadable(`"${sign}"`);
  }

  #take(sign: string): boolean {
    this.#space();
    if (!this.#text.startsWith(sign, this.#at)) return false;
    this.#at += sign.length;
    return true;
  }

  #space(): void {
    this.#match(/\s+/y);
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    this.#at += found?.[0].length ?? 0;
    return found;
  }

  #unreadable(expected: string): Unreadable {
    const rest = this.#text.slice(this.#at, this.#at + 20);
    return new Unreadable(
      rest === ""
        ? `${expected} is missing at its end`
        : `${expected} is expected before "${rest}"`,
    );
  }
}
