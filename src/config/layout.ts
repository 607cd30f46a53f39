/**
 * Collects the lines of a formatted file. Lines of content know their depth when they come; a comment
 * on a line of its own gets the depth of what it stood at in the old file, which its column tells.
 */

/** A block that is open: the column it had, and the one it gets. */
export interface Level {
  readonly was: number;
  readonly is: number;
}

interface Content {
  readonly kind: "content";
  readonly level: Level;
  text: string;
  /** Blocks open at its end, outermost first. */
  open: readonly Level[];
}

type Line =
  | Content
  | { readonly kind: "comment"; readonly text: string; readonly was: number }
  | { readonly kind: "blank" }
  /** Of a text over several lines, as it stands. */
  | { readonly kind: "raw"; readonly text: string };

export class Layout {
  readonly #lines: Line[] = [];
  #current: Content | undefined;
  /** A comment stands on the current line. */
  #isBegun = false;

  get isAtStart(): boolean {
    return this.#current === undefined;
  }

  /** Columns taken on the current line; those that one beginning at `level` would take at first. */
  width(level: Level): number {
    return this.#current === undefined
      ? level.is
      : this.#current.level.is + this.#current.text.length + 1;
  }

  /** Depth of the current line, or of one that would begin now. */
  depth(level: Level): number {
    return this.#current?.level.is ?? level.is;
  }

  /** Adds a word; `level` is where it stands when it begins a line. */
  word(
    text: string,
    level: Level,
    { open, glued }: { open: readonly Level[]; glued: boolean },
  ): void {
    if (this.#current === undefined) {
      this.#current = { kind: "content", text, level, open };
      this.#lines.push(this.#current);
      return;
    }
    this.#current.text += glued ? text : ` ${text}`;
    this.#current.open = open;
  }

  comment(text: string, was: number): void {
    const trimmed = text.trimEnd();
    if (this.#current !== undefined) this.#current.text += ` ${trimmed}`;
    else this.#lines.push({ kind: "comment", text: trimmed, was });
    this.#isBegun = true;
  }

  /** Ends the line; one with nothing in it is a blank line. */
  newline(): void {
    if (this.#current === undefined && !this.#isBegun) this.#lines.push({ kind: "blank" });
    this.end();
  }

  /** Ends the line, if there is one. */
  end(): void {
    this.#current = undefined;
    this.#isBegun = false;
  }

  raw(text: string): void {
    this.end();
    this.#lines.push({ kind: "raw", text });
  }

  toString(): string {
    const texts: string[] = [];
    let isBlank = true;
    for (const [at, line] of this.#lines.entries()) {
      if (line.kind === "blank" && isBlank) continue;
      isBlank = line.kind === "blank";
      texts.push(this.#spelled(line, at));
    }
    if (isBlank) texts.pop();
    return texts.length === 0 ? "" : `${texts.join("\n")}\n`;
  }

  #spelled(line: Line, at: number): string {
    switch (line.kind) {
      case "blank":
        return "";
      case "raw":
        return line.text;
      case "content":
        return `${" ".repeat(line.level.is)}${line.text}`;
      case "comment":
        return `${" ".repeat(this.#depthOf(line.was, at))}${line.text}`;
    }
  }

  /** A comment no deeper than what follows belongs to that; a deeper one to a block that ends above it. */
  #depthOf(was: number, at: number): number {
    const next = this.#lines.slice(at + 1, at + LOOKED_MAX).find(isContent);
    if (next !== undefined && was <= next.level.was) return next.level.is;
    const before = this.#lines.slice(Math.max(0, at - LOOKED_MAX), at).findLast(isContent);
    // A list may begin in the column of its key; a comment there that no item follows is of the key.
    const open = before?.open.find((level) => level.was === was) ??
      before?.open.findLast((level) => level.was <= was);
    return open?.is ?? next?.level.is ?? 0;
  }
}

/** Comments longer than this find their depth by guess. */
const LOOKED_MAX = 1_000;

function isContent(line: Line): line is Content {
  return line.kind === "content";
}
