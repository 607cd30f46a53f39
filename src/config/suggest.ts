/** Finds the known word a mistyped one was meant to be. Pure. */

/** The nearest of `known` words, if any is near enough to be meant. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > WORD_MAX) return undefined;
  const lower = word.toLowerCase().replaceAll("-", "_");
  let best: string | undefined;
  // A third of the letters may differ: less misses real slips, more suggests nonsense.
  let least = Math.max(1, Math.floor(lower.length / 3)) + 1;
  for (const candidate of known) {
    const apart = distance(lower, candidate.toLowerCase());
    if (apart >= least) continue;
    least = apart;
    best = candidate;
  }
  return best;
}

/** The tail of a message about `word`: `, did you mean "…"?`, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === undefined ? "" : `, did you mean "${meant}"?`;
}

const WORD_MAX = 64;

/** Edits that lead from one word to the other, two swapped neighbours being one (Damerau). */
function distance(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let row = 1; row <= one.length; row++) {
    const now = [row];
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1];
      let edits = Math.min(
        (last[column] ?? 0) + 1,
        (now[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && one[row - 1] === other[column - 2] &&
        one[row - 2] === other[column - 1];
      if (swapped) edits = Math.min(edits, (beforeLast[column - 2] ?? 0) + 1);
      now.push(edits);
    }
    beforeLast = last;
    last = now;
  }
  return last[other.length] ?? 0;
}
