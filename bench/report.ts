/**
 * From samples to the table: medians over the rounds, understudy's share of each peer, and whether
 * the goal was met. Pure; the same table goes to the terminal and to docs/bench.md.
 */
import type { Subject } from "./peers.ts";
import type { Goal, Row } from "./row.ts";
import type { Sample } from "./stage.ts";

/** Samples of a row by subject, in the order of the rounds. */
export type Samples = ReadonlyMap<Subject, readonly Sample[]>;

export interface RowResult {
  readonly row: Row;
  readonly samples: Samples;
  /** What went wrong, in words. */
  readonly failures: readonly string[];
}

/** The machine and the run, a line each. */
export type Facts = readonly (readonly [name: string, value: string])[];

const HEADINGS = [
  "row",
  "proxy",
  "compared",
  "per second",
  "CPU µs each",
  "p50 ms",
  "p99 ms",
  "memory MiB",
  "ratio",
  "goal",
] as const;

/** Added latencies under this are noise, and no ratio is made of noise. */
const RESOLUTION_MS = 0.05;

/** Takes the figures of `direct` off those of the same round. */
export function less(samples: Samples): Samples {
  const direct = samples.get("direct") ?? [];
  return new Map([...samples].map(([subject, rounds]) => [
    subject,
    rounds.map((sample, round) => ({
      ...sample,
      value: sample.value - (direct[round]?.value ?? NaN),
    })),
  ]));
}

/** The lines of one row, the heading's columns each. */
export function linesOf({ row, samples }: RowResult): string[][] {
  const own = middle(samples.get("understudy"), "value");
  return row.subjects.map((subject, index) => {
    const rounds = samples.get(subject);
    const value = middle(rounds, "value");
    const ratio = subject === "understudy" || subject === "direct" ? NaN : share(row, own, value);
    const goal = row.goals.find((one) =>
      one.kind === "ratio" ? one.to === subject : subject === "understudy"
    );
    return [
      index === 0 ? row.title : "",
      subject,
      subject === "direct" || Number.isNaN(value) ? "–" : `${number(value)} ${row.unit}`,
      number(middle(rounds, "perSecond")),
      number(middle(rounds, "cpuMicros")),
      number(middle(rounds, "p50Ms")),
      number(middle(rounds, "p99Ms")),
      number(middle(rounds, "memoryMiB")),
      Number.isNaN(ratio) ? "" : ratio.toFixed(2),
      goal === undefined ? "" : verdict(goal, goal.kind === "ratio" ? ratio : own),
    ];
  });
}

/** The table for a terminal. */
export function plainTable(results: readonly RowResult[]): string {
  const lines = [[...HEADINGS], ...results.flatMap(linesOf)];
  const widths = HEADINGS.map((_, column) =>
    Math.max(...lines.map((line) => (line[column] ?? "").length))
  );
  return lines
    .map((line) =>
      line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()
    )
    .join("\n");
}

/** The page docs/bench.md. */
export function page(results: readonly RowResult[], facts: Facts): string {
  const lines = [[...HEADINGS], HEADINGS.map(() => "---"), ...results.flatMap(linesOf)];
  const failures = results.flatMap(({ failures }) => failures);
  return `# Bench

Written by \`npm run bench\`; do not edit by hand. understudy (the compiled binary, wire engine) beside
Caddy, nginx and HAProxy from Debian, with equivalent settings: one worker or thread each, connections
to the upstream kept, \`X-Forwarded-For\` added, nothing buffered, no access log unless the row says so.
The proxy has one core to itself; upstream, load generator and the bench share another. Everything
stays on loopback. Within a row the proxies take turns, and the figures are medians over the rounds.

${facts.map(([name, value]) => `- ${name}: ${value}`).join("\n")}

${lines.map((line) => `| ${line.join(" | ")} |`).join("\n")}

- _compared_ is what the ratio is made of, less being better: _ratio_ is understudy divided by that
  proxy, and _goal_ the most it may be.
- _CPU µs each_ is user and system time of the proxy's whole process tree, for each request, stream,
  transfer or chunk that _per second_ counts.
- _memory_ is the most that was resident under load, counted several times where processes share it.
- _added p99_ is the 99th percentile through the proxy less the one straight to the upstream in the
  same round; under ${RESOLUTION_MS} ms it counts as ${RESOLUTION_MS} ms. At a fixed rate requests do not wait for
  each other's answers.
- _idle streams_ are weighed above the same process before its first stream.
- _TLS_ is TLS 1.3 and nothing older, with one certificate for all (ECDSA on P-256), from a file, and
  the ciphers that each proxy prefers. A _full handshake_ is a new connection for one request; one
  that is _resumed_ takes up the session of the connection before. \`h2c\` is HTTP/2 without TLS.
- _web engine_ is understudy with \`--engine web\`, _floor_ the least that a forwarder on \`Bun.serve\`
  and \`fetch\` can be (\`bench/floor.ts\`).
${failures.length === 0 ? "" : `\nFailed:\n\n${failures.map((one) => `- ${one}`).join("\n")}\n`}`;
}

function share({ added }: Row, own: number, peer: number): number {
  const least = added === true ? RESOLUTION_MS : 0;
  return Math.max(own, least) / Math.max(peer, least);
}

function verdict(goal: Goal, value: number): string {
  const bound = goal.kind === "ratio" ? `≤ ${goal.ratioMax}` : `≤ ${goal.valueMax}`;
  if (Number.isNaN(value)) return bound;
  const max = goal.kind === "ratio" ? goal.ratioMax : goal.valueMax;
  return `${bound} ${value <= max ? "ok" : "MISS"}`;
}

/** The median of a figure over the rounds that have it. NaN without any. */
function middle(samples: readonly Sample[] | undefined, figure: keyof Sample): number {
  const sorted = (samples ?? []).map((sample) => sample[figure] ?? NaN)
    .filter((value) => !Number.isNaN(value))
    .toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
  return (upper + lower) / 2;
}

/** Three digits that matter. */
function number(value: number): string {
  if (Number.isNaN(value)) return "–";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
