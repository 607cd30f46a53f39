/**
 * The text of one Caddyfile with `{$NAME}` filled in from the environment, as Caddy does before it
 * reads anything else. Knows where each character stood before that.
 */

export interface FilledText {
  readonly text: string;
  /** Line and column, from 1, in the file as it was written. */
  position(offset: number): { readonly line: number; readonly column: number };
}

const REFERENCE = /\{\$([^{}\s:]+)(?::([^{}]*))?\}/g;

/** Fills the environment in. An unset name without default is empty, as in Caddy. */
export function fillText(written: string, env: (name: string) => string | undefined): FilledText {
  // The mark that editors of Windows lead files with.
  const source = written.startsWith("\uFEFF") ? ` ${written.slice(1)}` : written;
  const lineStarts = startsOf(source);
  /** Where a reference was: offset in the filled text, its length there, offset and length in the source. */
  const gaps: { at: number; length: number; from: number; taken: number }[] = [];
  let text = "";
  let end = 0;
  for (const match of source.matchAll(REFERENCE)) {
    const [whole, name = "", fallback = ""] = match;
    text += source.slice(end, match.index);
    const value = env(name) ?? fallback;
    gaps.push({ at: text.length, length: value.length, from: match.index, taken: whole.length });
    text += value;
    end = match.index + whole.length;
  }
  text += source.slice(end);

  return {
    text,
    position(offset) {
      const gap = gaps.findLast(({ at }) => at <= offset);
      if (gap === undefined) return lineAndColumn(lineStarts, offset);
      const within = offset < gap.at + gap.length;
      const original = within ? gap.from : gap.from + gap.taken + (offset - gap.at - gap.length);
      return lineAndColumn(lineStarts, original);
    },
  };
}

function startsOf(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function lineAndColumn(starts: readonly number[], offset: number) {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
}
