/**
 * Judges what the script's client saw: nothing failed, the traffic moved, the traffic returned.
 * Pure, so that a bad show can be judged without staging one.
 */
import type { Answer } from "./stage_load.ts";
import { spelledMs } from "./timeline.ts";

/** `elapsed` times of what was done to the preferred upstream. */
export interface Moments {
  readonly killedAt: number;
  /** When it listened again; undefined when it never did. */
  readonly backAt: number | undefined;
}

export interface Cast {
  readonly preferred: string;
  readonly spare: string;
}

export interface Verdict {
  readonly passed: boolean;
  /** For people: the counts of each act, then what follows from them. */
  readonly lines: readonly string[];
}

interface Act {
  readonly title: string;
  readonly answers: readonly Answer[];
  /** Who should have answered most of it. */
  readonly expected: string;
}

const TITLE_CHARS = 16;
const COUNT_CHARS = 10;

export function judge(answers: readonly Answer[], moments: Moments, cast: Cast): Verdict {
  const { preferred, spare } = cast;
  const { killedAt, backAt } = moments;
  const moved = firstBy(spare, answers, killedAt);
  const returned = firstBy(preferred, answers, backAt);
  const between = (from: number, to: number) =>
    answers.filter(({ startedAt }) => startedAt >= from && startedAt < to);
  // Of its answers, the first to end need not be the first that began; and one that began before
  // `backAt` waited, as there was nobody to go to.
  const begun = wholeBy(preferred, answers, backAt).map(({ startedAt }) => startedAt);
  const returnAt = Math.max(backAt ?? killedAt, Math.min(...begun));
  const acts: readonly Act[] = [
    { title: "both up", answers: between(-Infinity, killedAt), expected: preferred },
    { title: `${preferred} killed`, answers: between(killedAt, returnAt), expected: spare },
    { title: `${preferred} back`, answers: between(returnAt, Infinity), expected: preferred },
  ];

  const problems = [
    ...failuresOf(answers),
    ...acts.filter(isOff).map(({ title, expected }) =>
      `Expected ${expected} to answer most requests in "${title}"`
    ),
  ];
  const passed = problems.length === 0;
  return {
    passed,
    lines: [
      ...table(acts, cast),
      "",
      ...timing(`Moved to ${spare}`, moved, { since: killedAt, event: "the kill" }),
      ...timing(`Returned to ${preferred}`, returned, {
        since: backAt,
        event: "it listened again",
      }),
      ...problems,
      passed
        ? `Passed: ${answers.length} requests, none failed.`
        : "Failed: it did not go as it should.",
    ],
  };
}

/** Whole answers by `name` that ended after a moment; none when it never came. */
function wholeBy(name: string, answers: readonly Answer[], after = Infinity): readonly Answer[] {
  return answers.filter(({ by, problem, endedAt }) =>
    by === name && problem === undefined && endedAt > after
  );
}

/** The first of them to end. */
function firstBy(name: string, answers: readonly Answer[], after: number | undefined) {
  return wholeBy(name, answers, after).toSorted((one, other) => one.endedAt - other.endedAt)[0];
}

function timing(
  what: string,
  first: Answer | undefined,
  { since, event }: { since: number | undefined; event: string },
): string[] {
  if (first === undefined || since === undefined) return [];
  return [`${what} ${spelledMs(first.endedAt - since)} after ${event}.`];
}

/**
 * Most and not all: a request on its way at the border of two acts may be answered by either, and
 * a probe that a busy machine delays past its timeout moves the traffic for a moment, rightly.
 */
function isOff({ answers, expected }: Act): boolean {
  return countBy(expected, answers) * 2 <= answers.length;
}

function failuresOf(answers: readonly Answer[]): string[] {
  const counts = new Map<string, number>();
  for (const { problem } of answers) {
    if (problem !== undefined) counts.set(problem, (counts.get(problem) ?? 0) + 1);
  }
  return [...counts].map(([problem, count]) =>
    `${count} ${count === 1 ? "request" : "requests"} failed: ${problem}`
  );
}

function table(acts: readonly Act[], { preferred, spare }: Cast): string[] {
  const all = { title: "in all", answers: acts.flatMap(({ answers }) => answers) };
  const rows = [...acts, all].map(({ title, answers }) => {
    const failed = answers.filter(({ problem }) => problem !== undefined).length;
    const counts = [answers.length, countBy(preferred, answers), countBy(spare, answers), failed];
    return row(title, counts.map(String));
  });
  return [row("", ["requests", preferred, spare, "failed"]), ...rows];
}

function row(title: string, cells: readonly string[]): string {
  return `  ${title.padEnd(TITLE_CHARS)}${
    cells.map((cell) => cell.padStart(COUNT_CHARS)).join("")
  }`;
}

function countBy(name: string, answers: readonly Answer[]): number {
  return wholeBy(name, answers, -Infinity).length;
}
