/**
 * Writes the tokens of a YAML file anew: every word as it stands and in its order, blanks and line
 * breaks by rule. Two spaces a level, lists below their key one level deeper.
 */
import { type CST, Parser } from "yaml";
import { flat } from "./flat.ts";
import { Layout, type Level } from "./layout.ts";

const WIDTH_MAX = 100;
const ROOT: Level = { was: 0, is: 0 };

/** Where the walk is: the place of a word that begins a line, and the blocks around it. */
interface Spot {
  readonly level: Level;
  readonly open: readonly Level[];
}

export function print(text: string): string {
  const printer = new Printer(text);
  for (const token of new Parser().parse(text)) printer.token(token, { level: ROOT, open: [] });
  return printer.toString();
}

class Printer {
  readonly #layout = new Layout();
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#layout.toString();
  }

  token(token: CST.Token, spot: Spot): void {
    switch (token.type) {
      case "document":
        this.#all(token.start, spot);
        if (token.value !== undefined) this.token(token.value, spot);
        return this.#all(token.end ?? [], spot);
      case "block-map":
      case "block-seq":
        return this.#block(token, spot);
      case "flow-collection":
        return this.#flow(token, spot);
      case "block-scalar":
        return this.#blockScalar(token, spot);
      case "alias":
      case "scalar":
      case "single-quoted-scalar":
      case "double-quoted-scalar":
        this.#scalar(token, spot);
        return this.#all(token.end ?? [], spot);
      case "doc-end":
        this.#word(token.source, spot);
        return this.#all(token.end ?? [], spot);
      case "newline":
        return this.#layout.newline();
      case "comment":
        return this.#comment(token);
      case "space":
      case "byte-order-mark":
      case "error":
        return;
      default:
        this.#word(token.source, spot);
    }
  }

  #all(tokens: readonly CST.Token[], spot: Spot): void {
    for (const token of tokens) this.token(token, spot);
  }

  #word(text: string, { level, open }: Spot, glued = false): void {
    this.#layout.word(text, level, { open, glued });
  }

  #comment({ source, offset }: CST.SourceToken): void {
    const start = this.#text.lastIndexOf("\n", offset - 1) + 1;
    this.#layout.comment(source, offset - start);
  }

  #block(block: CST.BlockMap | CST.BlockSequence, { level, open }: Spot): void {
    const own: Level = { was: block.indent, is: level.is };
    const spot: Spot = { level: own, open: [...open, own] };
    const within: Spot = { level: { was: own.was + 2, is: own.is + 2 }, open: spot.open };
    for (const { start, key, sep, value } of block.items) {
      this.#all(start, spot);
      const isExplicit = start.some(({ type }) => type === "explicit-key-ind");
      if (key !== undefined && key !== null) this.token(key, isExplicit ? within : spot);
      this.#separator(sep ?? [], key, within, spot);
      if (value !== undefined) this.token(value, within);
    }
  }

  /** The colon at its key; the name of an alias would take it in. */
  #separator(
    tokens: readonly CST.SourceToken[],
    key: CST.Token | null | undefined,
    within: Spot,
    spot: Spot,
  ): void {
    for (const token of tokens) {
      const isColon = token.type === "map-value-ind";
      const isBound = key !== undefined && key !== null && key.type !== "alias";
      if (isColon) this.#word(token.source, spot, isBound);
      else this.token(token, within);
    }
  }

  #scalar({ source }: CST.FlowScalar, { level, open }: Spot): void {
    const [first = "", ...others] = source.split("\n");
    const depth = this.#layout.isAtStart ? level.is : this.#layout.depth(level) + 2;
    this.#word(first, { level, open });
    for (const line of others) {
      const words = line.trimStart();
      this.#layout.end();
      // A blank line within a text is a line break of that text.
      if (words === "") this.#layout.raw("");
      else this.#word(words, { level: { was: level.was, is: Math.max(depth, level.is) }, open });
    }
  }

  #blockScalar({ props, source }: CST.BlockScalar, spot: Spot): void {
    this.#all(props, spot);
    const header = props.find(({ type }) => type === "block-scalar-header");
    const [style = "", digit] =
      /^[|>][+-]?(\d)?/.exec(header !== undefined && "source" in header ? header.source : "") ?? [];
    const lines = source.replace(/\n$/, "").split("\n");
    const lead = lines.find((line) => line.trim() !== "")?.search(/[^ ]/) ?? 0;
    const [was, is] = digit === undefined
      ? [lead, Math.max(2, spot.level.is)]
      : [spot.level.was - 2 + Number(digit), spot.level.is - 2 + Number(digit)];
    const kept = style.includes("+")
      ? lines.length
      : lines.findLastIndex((line) => line.trim() !== "") + 1;
    for (const line of lines.slice(0, kept)) {
      this.#layout.raw(line.length <= was ? "" : `${" ".repeat(is)}${line.slice(was)}`);
    }
    for (const _ of lines.slice(kept)) this.#layout.newline();
  }

  #flow(flow: CST.FlowCollection, spot: Spot): void {
    const line = flat(flow);
    const closing = flow.end.findIndex(({ type }) => type.endsWith("-end"));
    const [start, end] = [flow.offset, flow.end[closing]?.offset ?? flow.offset];
    const isBroken = this.#text.slice(start, end).includes("\n");
    const fits = line !== undefined &&
      (!isBroken || this.#layout.width(spot.level) + line.length <= WIDTH_MAX);
    if (fits) {
      this.#word(line, spot);
      return this.#all(flow.end.slice(closing + 1), spot);
    }

    const depth = this.#layout.depth(spot.level);
    const at = (more: number): Spot => ({
      level: { was: spot.level.was, is: depth + more },
      open: spot.open,
    });
    const isMap = flow.start.type === "flow-map-start";
    this.#word(flow.start.source, spot);
    for (const [index, { start: before, key, sep, value }] of flow.items.entries()) {
      for (const token of before) {
        if (token.type === "comma") this.#word(",", at(4), true);
        else this.token(token, at(4));
      }
      const isFirst = index === 0 && !isMap && !this.#layout.isAtStart;
      if (key !== undefined && key !== null) this.#part(key, at(4), isFirst);
      this.#separator(sep ?? [], key, at(4), at(4));
      if (value !== undefined) this.#part(value, at(4), isFirst && key === undefined);
    }
    for (const [index, token] of flow.end.entries()) {
      if (index === closing) this.#word(token.source, at(2), !isMap);
      else this.token(token, index < closing ? at(4) : spot);
    }
  }

  #part(token: CST.Token, spot: Spot, glued: boolean): void {
    if (glued && "source" in token && !token.source.includes("\n")) {
      this.#word(token.source, spot, true);
      if ("end" in token) this.#all(token.end ?? [], spot);
    } else this.token(token, spot);
  }
}
