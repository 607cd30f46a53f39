/**
 * The preferred upstream fails at random, again and again, while 50 requests a second go on: no
 * request is lost that need not be, and the process grows in neither memory nor descriptors.
 * `SOAK_MINUTES=20 bun test --timeout 3600000 tests/hard/soak.test.ts` is the long one, `SOAK_SEED`
 * another run of luck; `npm run test:hard` takes half a minute, a plain run some seconds.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { Faulty } from "../support/faulty.ts";
import { type Mode } from "../support/faults.ts";
import { subject, Understudy } from "../support/processes.ts";
import { type Kind, type Result, Traffic } from "../support/verdicts.ts";
import { type Chance, chance } from "../wire/mutate.ts";

const MINUTES = Number(process.env["SOAK_MINUTES"] ?? (process.env["HARD"] === "1" ? 0.5 : 0.1));
const SEED = Number(process.env["SOAK_SEED"] ?? 1);
/** Fifty a second in all. */
const LOAD: readonly (readonly [Kind, number])[] = [
  ["GET", 24],
  ["POST", 12],
  ["stream", 6],
  ["upload", 2],
  ["WebSocket", 6],
];
const FAULTS: readonly (Mode | "SIGKILL" | "SIGSTOP")[] = [
  "SIGKILL",
  "SIGSTOP",
  "close",
  "reset",
  "cut_head",
  "cut_body",
  "cut_chunk",
  "error",
  "sick",
  "slow",
  "flapping",
];
const STAGE_MS = { least: 400, most: 2500 };
const SAMPLE_MS = 1000;
/** Connections to upstreams are kept for 55 s after their last request; only then do they go as they come. */
const WARM_SAMPLES = 70;
/** What the runtime's heap may breathe between two quarters of a run. */
const GROWTH_MAX_BYTES = 24 * 1024 ** 2;
const DESCRIPTORS_GROWTH_MAX = 10;

const config = (primary: Faulty, spare: Faulty) => `
listen: "127.0.0.1:0"
routes:
  - upstreams:
      - { url: "${primary.url}", name: primary }
      - { url: "${spare.url}", name: spare }
    health: { uri: /health, interval: 500ms, timeout: 300ms, expect_body: done }
    passive: { fail_duration: 30s, unhealthy_status: [5xx] }
    retry: { status: [5xx] }
`;

interface Sample {
  readonly residentBytes: number;
  readonly descriptors: number;
}

describe(`a soak of ${MINUTES} minutes (${subject.name})`, () => {
  it("loses nothing that need not be, and grows in nothing", {
    timeout: MINUTES * 60_000 + 60_000,
  }, async () => {
    let primary = await Faulty.start("primary");
    const taken: string[] = [];
    await using spare = await Faulty.start("spare");
    await using proxy = await Understudy.start(subject, config(primary, spare), { engine: "wire" });
    using traffics = new DisposableStack();
    const loads = LOAD.map(([kind, rate]) =>
      traffics.use(new Traffic(proxy.port, kind, "soak", rate))
    );
    const samples: Sample[] = [];
    const sampling = setInterval(
      () => void sample(proxy).then((one) => samples.push(one)),
      SAMPLE_MS,
    );
    traffics.defer(() => clearInterval(sampling));

    const dice = chance(SEED);
    const played = new Map<string, number>();
    const endsAt = performance.now() + MINUTES * 60_000;
    try {
      while (performance.now() < endsAt) {
        await loads[0]?.pass(stageMs(dice));
        const fault = FAULTS[dice.below(FAULTS.length)] ?? "reset";
        played.set(fault, (played.get(fault) ?? 0) + 1);
        await begin(primary, fault);
        await loads[0]?.pass(stageMs(dice));
        if (fault === "SIGKILL") {
          taken.push(...primary.taken);
          primary = await reborn(primary);
        } else await end(primary, fault);
      }
      for (const load of loads) await load.stop();
      const results = loads.flatMap((load) => load.results);
      taken.push(...primary.taken, ...spare.taken);
      report(results, samples, played);
      judge(results, taken);
      assert.equal(loads.reduce((sum, { running }) => sum + running, 0), 0);
      assertFlat(samples);
    } finally {
      await primary[Symbol.asyncDispose]();
    }
  });
});

async function begin(primary: Faulty, fault: (typeof FAULTS)[number]): Promise<void> {
  if (fault !== "SIGKILL" && fault !== "SIGSTOP") return await primary.turn(fault);
  primary.kill(fault);
  if (fault === "SIGKILL") await primary.exited;
}

async function end(primary: Faulty, fault: (typeof FAULTS)[number]): Promise<void> {
  if (fault === "SIGSTOP") primary.kill("SIGCONT");
  else await primary.turn("well");
}

async function reborn(dead: Faulty): Promise<Faulty> {
  await dead[Symbol.asyncDispose]();
  return await Faulty.start("primary", { port: dead.port });
}

async function sample(proxy: Understudy): Promise<Sample> {
  // What it printed is not looked at, and would fill this process in twenty minutes.
  proxy.lines.length = 0;
  proxy.stdout = "";
  const descriptors = readdirSync(`/proc/${proxy.pid}/fd`).length;
  return { residentBytes: await proxy.residentBytes(), descriptors };
}

function judge(results: readonly Result[], taken: readonly string[]): void {
  assert.deepEqual(results.filter(({ verdict }) => verdict === "silent"), []);
  assert.equal(new Set(taken).size, taken.length, "a tagged request was taken on twice");
  for (const result of results.filter(({ verdict }) => verdict === "failed")) {
    const begun = result.status === 200 || result.status === 101;
    const repeatable = result.kind === "GET" || result.kind === "WebSocket";
    assert.ok(begun || (!repeatable && result.status === 502), JSON.stringify(result));
  }
}

/** Compares the second quarter of what came when all was warm with the last. */
function assertFlat(samples: readonly Sample[]): void {
  const warm = samples.slice(WARM_SAMPLES);
  const quarter = Math.floor(warm.length / 4);
  // A run of seconds has no quarters to speak of.
  if (quarter < 5) return;
  const [early, late] = [warm.slice(quarter, 2 * quarter), warm.slice(-quarter)];
  const growth = (of: (sample: Sample) => number) => median(late.map(of)) - median(early.map(of));
  const bytes = growth(({ residentBytes }) => residentBytes);
  assert.ok(bytes < GROWTH_MAX_BYTES, `resident memory grew by ${bytes} bytes`);
  const descriptors = growth((one) => one.descriptors);
  assert.ok(descriptors < DESCRIPTORS_GROWTH_MAX, `grew by ${descriptors} descriptors`);
}

function report(
  results: readonly Result[],
  samples: readonly Sample[],
  played: ReadonlyMap<string, number>,
): void {
  console.log([...played].map(([fault, times]) => `${fault} ${times}`).join(", "));
  for (const [kind] of LOAD) {
    const own = results.filter((result) => result.kind === kind);
    const failed = own.filter(({ verdict }) => verdict === "failed").length;
    console.log(`| ${kind} | asked ${own.length} | failed visibly ${failed} |`);
  }
  const quarter = Math.floor(samples.length / 4);
  for (let at = 0; at < 4 && quarter > 0; at++) {
    const part = samples.slice(at * quarter, (at + 1) * quarter);
    const mib = median(part.map(({ residentBytes }) => residentBytes)) / 1024 ** 2;
    const descriptors = median(part.map((one) => one.descriptors));
    const most = Math.max(...part.map((one) => one.descriptors));
    console.log(
      `| quarter ${at + 1} | ${mib.toFixed(1)} MiB | ${descriptors} descriptors, ${most} at most |`,
    );
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}

function stageMs(dice: Chance): number {
  return STAGE_MS.least + dice.below(STAGE_MS.most - STAGE_MS.least);
}
