/// <reference types="bun" />
/**
 * `npm run bench`: understudy side by side with Caddy, nginx and HAProxy. Plays the rows one after
 * the other, lets the proxies of a row take turns, prints the table and writes docs/bench.md.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { build, factsOf, format, installTools, pinSelf } from "./machine.ts";
import type { Subject } from "./peers.ts";
import { stopAll } from "./processes.ts";
import { less, linesOf, page, plainTable, type RowResult } from "./report.ts";
import type { Row } from "./row.ts";
import { ROWS } from "./rows.ts";
import { openStage, PLAIN, type Sample, type Stage } from "./stage.ts";

const HELP = `Usage: npm run bench [-- --rows NAME,… --quick]

  --rows NAMES   Only these, separated by commas; "small" is every row "small-…"
  --quick        One short round, to see that all rows work; the figures mean little

Rows: ${ROWS.map(({ name }) => name).join(" ")}

A whole run writes docs/bench.md; one with --rows or --quick only prints its table.
`;
const PAGE = `${import.meta.dir}/../docs/bench.md`;
const ROUNDS = { full: 5, quick: 1 };

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rows: { type: "string" },
      quick: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const rows = chosen(values.rows);
  if (values.help || rows.length === 0) {
    console.log(HELP);
    return values.help ? 0 : 2;
  }

  const { quick } = values;
  const asked = process.argv.slice(2).join(" ");
  installTools();
  build();
  pinSelf();
  const facts = factsOf(
    `npm run bench${asked === "" ? "" : ` -- ${asked}`}`,
    quick ? "one short round" : `${ROUNDS.full} rounds`,
  );
  const results = await play(rows, quick);

  console.log(`\n${plainTable(results)}\n`);
  for (const [name, value] of facts) console.log(`${name}: ${value}`);
  const failures = results.flatMap((result) => result.failures);
  for (const failure of failures) console.log(`failed: ${failure}`);
  if (!quick && values.rows === undefined) {
    writeFileSync(PAGE, page(results, facts));
    format(PAGE);
  }
  return failures.length === 0 ? 0 : 1;
}

/** Rows by their names or by what stands before the dash. */
function chosen(names: string | undefined): readonly Row[] {
  if (names === undefined) return ROWS;
  const wanted = new Set(names.split(","));
  return ROWS.filter(({ name }) => wanted.has(name) || wanted.has(name.split("-")[0] ?? ""));
}

async function play(rows: readonly Row[], quick: boolean): Promise<RowResult[]> {
  const folder = mkdtempSync(`${tmpdir()}/understudy-bench-`);
  const close = async () => {
    await stopAll();
    rmSync(folder, { recursive: true, force: true });
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => void close().then(() => process.exit(130)));
  }

  try {
    const stage = await openStage(folder, quick);
    const results: RowResult[] = [];
    for (const row of rows) {
      console.log(`\n${row.title}`);
      const result = await playRow(row, stage);
      for (const line of linesOf(result)) console.log(`  ${line.slice(1).join("  ")}`);
      for (const failure of result.failures) console.log(`  failed: ${failure}`);
      results.push(result);
    }
    return results;
  } finally {
    await close();
  }
}

/** Each proxy once a round, so that whatever else the machine does hits all alike. */
async function playRow(row: Row, stage: Stage): Promise<RowResult> {
  const samples = new Map<Subject, Sample[]>(row.subjects.map((subject) => [subject, []]));
  const failures: string[] = [];
  const rounds = (row.rounds ?? ROUNDS)[stage.quick ? "quick" : "full"];
  await stage.clear({ ...PLAIN, ...row.manner });

  for (let round = 0; round < rounds; round++) {
    for (const subject of row.subjects) {
      try {
        samples.get(subject)?.push(await row.sample(stage, subject));
      } catch (error) {
        // A round without a figure keeps its place: rounds are compared with each other.
        samples.get(subject)?.push({ value: NaN });
        failures.push(`${row.title}, ${subject}: ${firstLine(error)}`);
      }
    }
  }
  await stage.clear(PLAIN);
  return { row, samples: row.added === true ? less(samples) : samples, failures };
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s+/g, " ").slice(0, 200);
}
