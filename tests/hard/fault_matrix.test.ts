/**
 * Every way an upstream fails, met by every kind of request, on real processes: what may fail is
 * written down before, what did is measured. `npm run test:hard` plays all cells, a plain run a
 * few; `WRITE_DOCS=1 npm run test:hard` puts the figures into docs/failover.md.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { CELLS, type Fault, INTERVAL_MS, type May, TIMEOUT_MS } from "../support/fault_cells.ts";
import { FLAP_MS } from "../support/faults.ts";
import { Stage } from "../support/fault_stage.ts";
import { unavailable } from "../support/netns.ts";
import { subject } from "../support/processes.ts";
import { type Figures, figuresOf, type Kind, type Result } from "../support/verdicts.ts";

const HARD = process.env["HARD"] === "1";
/** What a plain run plays. */
const FEW = ["RST POST", "cut in body GET"];
/** What a busy machine adds, and a whole upload. */
const SLACK_MS = 800;
/** How long after the fault began a request may still begin that will fail. */
const LEAVING_MS = 400;
const LINES: string[] = [];

describe(`the fault matrix (${subject.name})`, () => {
  for (const [fault, kind, may] of CELLS) {
    const few = HARD || FEW.includes(`${fault.name} ${kind}`);
    const lacking = fault.name === "blackhole" ? unavailable : undefined;
    const skip = few ? lacking ?? false : "played by npm run test:hard";
    const title = `${fault.name} × ${kind}: ${may === "nothing" ? may : `what ${may}`} fails`;
    it(title, { skip, timeout: 40_000 }, async () => {
      await using stage = await Stage.open(fault, kind);
      const { results, moments } = await stage.play();
      const figures = figuresOf(results, stage.taken, moments);
      note(fault, kind, { may, figures });
      assert.deepEqual(figures.silent, []);
      assert.deepEqual(figures.twice, []);
      assert.equal(stage.unfinished, 0);

      // A WebSocket that breaks says nothing of the machine, so a probe has to.
      const byProbe = fault.sign === "by a probe" || (kind === "WebSocket" && may === "had begun");
      const byItself = fault.recurs ? FLAP_MS : 0;
      const foundMs = byProbe ? 1.05 * INTERVAL_MS + TIMEOUT_MS : byItself;
      const leavingMs = foundMs + LEAVING_MS;
      const since = ({ startedAt }: Result) => startedAt - moments.faultAt;
      for (const result of figures.failed) {
        await judge(result, may, stage);
        assert.ok(fault.recurs || since(result) <= leavingMs, told(result));
      }
      const switchMs = foundMs + SLACK_MS;
      assert.ok((figures.switchMs ?? Infinity) <= switchMs, `switched in ${figures.switchMs} ms`);
      const returnMs = 1.05 * INTERVAL_MS + SLACK_MS;
      assert.ok((figures.returnMs ?? Infinity) <= returnMs, `returned in ${figures.returnMs} ms`);
    });
  }
  after(() => {
    if (process.env["WRITE_DOCS"] === "1") writeDocs();
  });
});

/** Holds one visible failure to what may fail. */
async function judge(result: Result, may: May, stage: Stage): Promise<void> {
  assert.notEqual(may, "nothing", told(result));
  // The client itself has seen an answer begin.
  if (result.status === 200 || result.status === 101) return;
  assert.equal(may, "was sent", told(result));
  assert.equal(result.status, 502, told(result));
  const line = JSON.stringify(await stage.line(result.tag));
  assert.match(line, /\(sent\)/, line);
}

function told(result: Result): string {
  return JSON.stringify(result);
}

function note(fault: Fault, kind: Kind, { may, figures }: { may: May; figures: Figures }): void {
  const ms = (value: number | undefined) =>
    value === undefined ? "never" : `${Math.round(value)} ms`;
  const { asked, failed, twice, silent, switchMs, returnMs } = figures;
  const cells = [fault.name, kind, may, `${failed.length} of ${asked}`];
  cells.push(String(twice.length), String(silent.length), ms(switchMs), ms(returnMs));
  LINES.push(`| ${cells.join(" | ")} |`);
  console.log(LINES.at(-1));
}

function writeDocs(): void {
  const path = fileURLToPath(new URL("../../docs/failover.md", import.meta.url).href);
  const head = [
    "| fault | request | may fail | failed | done twice | silently short | to switch | to return |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
  ];
  const table = [...head, ...LINES].join("\n");
  const text = readFileSync(path, "utf8");
  writeFileSync(
    path,
    text.replace(/<!-- matrix -->[^]*<!-- end -->/, `<!-- matrix -->\n\n${table}\n\n<!-- end -->`),
  );
  const deno = fileURLToPath(new URL("../../node_modules/.bin/deno", import.meta.url).href);
  spawnSync(deno, ["fmt", "--quiet", path]);
}
