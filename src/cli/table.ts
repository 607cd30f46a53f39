/**
 * Lays cells out in columns for people: as wide as they need to be, narrower where the terminal is,
 * and without the least important columns where it is narrower still. Pure.
 */

export type Colour = "red" | "green" | "yellow" | "cyan" | "dim" | "bold";
export type Paint = (colour: Colour, text: string) => string;

export interface Cell {
  readonly text: string;
  readonly colour?: Colour;
}

export interface Column {
  readonly head: string;
  readonly side?: "right";
  /** Where room is short, columns of higher rank go first; those of rank 0 stay. */
  readonly rank: number;
  /** Characters it may be cut down to; undefined cuts nothing. */
  readonly least?: number;
}

export interface Layout {
  /** Characters a line may have; undefined for as many as it takes. */
  readonly width: number | undefined;
  readonly paint: Paint;
}

const CODES: Readonly<Record<Colour, number>> = {
  red: 31,
  green: 32,
  yellow: 33,
  cyan: 36,
  dim: 2,
  bold: 1,
};
const GAP = 2;
const EMPTY: Cell = { text: "" };

/** Colours where they are wanted, else the text as it is. */
export function painter(colours: boolean): Paint {
  return (colour, text) => colours && text !== "" ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text;
}

/** Lines of a table, its head first. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  { width = Infinity, paint }: Layout,
): readonly string[] {
  const natural = columns.map(({ head }, at) =>
    Math.max(length(head), ...rows.map((row) => length(row[at]?.text ?? "")))
  );
  const widths = fitted(columns, natural, width);
  const line = (cells: readonly Cell[]): string => {
    const shown = columns.flatMap(({ side }, at) => {
      const room = widths[at];
      if (room === undefined) return [];
      const { text, colour } = cells[at] ?? EMPTY;
      const short = cut(text, room);
      const space = " ".repeat(room - length(short));
      const painted = colour === undefined ? short : paint(colour, short);
      return [side === "right" ? space + painted : painted + space];
    });
    return shown.join(" ".repeat(GAP)).trimEnd();
  };
  const head = columns.map((column): Cell => ({ text: column.head, colour: "dim" }));
  return [line(head), ...rows.map(line)];
}

/** Widths of the columns; undefined for one that there is no room for. */
function fitted(
  columns: readonly Column[],
  natural: readonly number[],
  width: number,
): readonly (number | undefined)[] {
  const kept = columns.map(() => true);
  while (true) {
    const last = leastOf(columns, kept);
    // What a row is about is cut only when nothing else is left.
    const widths = shrunk(columns, natural.map((one, at) => kept[at] ? one : undefined), {
      width,
      isCut: ({ rank }) => rank > 0 || last === undefined,
    });
    if (widths !== undefined) return widths;
    // Nothing more can go: lines will be too long, which is better than empty ones.
    if (last === undefined) return natural.map((one, at) => kept[at] ? one : undefined);
    kept[last] = false;
  }
}

/** Which of the kept columns matters least; undefined where only those are left that stay. */
function leastOf(columns: readonly Column[], kept: readonly boolean[]): number | undefined {
  let least: number | undefined;
  let most = 0;
  for (const [at, { rank }] of columns.entries()) {
    if (kept[at] !== true || rank <= most) continue;
    most = rank;
    least = at;
  }
  return least;
}

interface Fit {
  readonly width: number;
  /** Whether a column may be cut. */
  readonly isCut: (column: Column) => boolean;
}

/** The widths, those that may be cut being cut until all fit; undefined when they do not. */
function shrunk(
  columns: readonly Column[],
  natural: readonly (number | undefined)[],
  { width, isCut }: Fit,
): readonly (number | undefined)[] | undefined {
  const widths = [...natural];
  const shown = widths.filter((one) => one !== undefined);
  let surplus = shown.reduce((sum, one) => sum + one, 0) + GAP * (shown.length - 1) - width;
  // The last column first: it is the one with the longest texts.
  for (const [at, column] of [...columns.entries()].reverse()) {
    const [now, least] = [widths[at], column.least];
    if (surplus <= 0 || now === undefined || least === undefined || !isCut(column)) continue;
    const taken = Math.max(0, Math.min(surplus, now - least));
    widths[at] = now - taken;
    surplus -= taken;
  }
  return surplus > 0 ? undefined : widths;
}

/** At most so many characters, the last one an ellipsis where some are missing. */
export function cut(text: string, most: number): string {
  const characters = Array.from(text);
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`;
}

/** Characters of a text; those of two columns, as in names of some scripts, are not known here. */
function length(text: string): number {
  return Array.from(text).length;
}
