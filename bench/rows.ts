/// <reference types="bun" />
/**
 * The rows of the table: what goes through which proxies, what of it is compared, and how much of
 * a peer's figure understudy may need.
 */
import { h2load, wrk } from "./generators.ts";
import { askAtRate, holdStreams, now, readStreams } from "./load.ts";
import { PEERS, type Subject } from "./peers.ts";
import { residentBytes } from "./processes.ts";
import type { Measured, Sample, Stage } from "./stage.ts";

/** `ratioMax` bounds understudy's value divided by the peer's, `valueMax` understudy's own. */
export type Goal =
  | { readonly kind: "ratio"; readonly to: Subject; readonly ratioMax: number }
  | { readonly kind: "value"; readonly valueMax: number };

export interface Row {
  readonly name: string;
  readonly title: string;
  /** What the compared value is. */
  readonly unit: string;
  readonly subjects: readonly Subject[];
  readonly goals: readonly Goal[];
  /** Rounds beside the usual number, for what is short and jumpy. */
  readonly rounds?: { readonly full: number; readonly quick: number };
  readonly accessLog?: boolean;
  /** The value of `direct` in the same round is taken off. */
  readonly added?: boolean;
  sample(stage: Stage, subject: Subject): Promise<Sample>;
}

const BULK_BYTES = 100 * 1024 ** 2;
const BULKS_PER_GIB = 1024 ** 3 / BULK_BYTES;
const CHUNKS = 200;
const IDLE_STREAMS = 2000;
/** How long idle streams are held before they are weighed. */
const SETTLE_MS = 2000;
const REQUEST_CPU = "CPU µs/request";

const ratios = (limits: Partial<Record<Subject, number>>): Goal[] =>
  PEERS.flatMap((to) => {
    const ratioMax = limits[to];
    return ratioMax === undefined ? [] : [{ kind: "ratio", to, ratioMax }];
  });

const small = (connections: number, goals: readonly Goal[] = []): Row => ({
  name: `small-${connections}`,
  title: `small GET, ${connections} connections`,
  unit: REQUEST_CPU,
  subjects: PEERS,
  goals,
  sample: (stage, subject) => closedLoop(stage, subject, connections),
});

export const ROWS: readonly Row[] = [
  small(16),
  small(64, ratios({ Caddy: 0.3, HAProxy: 1.5 })),
  small(256),
  small(1024, ratios({ Caddy: 0.3, HAProxy: 1.5 })),
  {
    name: "post",
    title: "POST of 1 KiB, 64 connections",
    unit: REQUEST_CPU,
    subjects: PEERS,
    goals: [],
    sample: (stage, subject) => closedLoop(stage, subject, 64, "x".repeat(1024)),
  },
  {
    name: "ndjson",
    title: `NDJSON streams of ${CHUNKS} chunks, 100 at a time`,
    unit: "CPU µs/chunk",
    subjects: PEERS,
    goals: [],
    async sample({ load, quick, folder }, subject) {
      const target = `/stream?chunks=${CHUNKS}&every=10`;
      const requests = quick ? 100 : 300;
      return countedBy(
        await load(subject, (port) => h2load(port, { target, requests, connections: 100, folder })),
        (cpuMicros) => cpuMicros / CHUNKS,
      );
    },
  },
  {
    name: "download",
    title: "download of 100 MiB, 4 at a time",
    unit: "CPU ms/GiB",
    subjects: PEERS,
    goals: ratios({ HAProxy: 1.2 }),
    sample: (stage, subject) => bulk(stage, subject, { target: `/bulk?bytes=${BULK_BYTES}` }),
  },
  {
    name: "upload",
    title: "upload of 100 MiB, 4 at a time",
    unit: "CPU ms/GiB",
    subjects: PEERS,
    goals: ratios({ HAProxy: 1.2 }),
    sample: (stage, subject) => bulk(stage, subject, { target: "/", bodyFile: stage.bodyFile }),
  },
  {
    name: "idle",
    title: `${IDLE_STREAMS} idle streams`,
    unit: "KiB/stream",
    subjects: PEERS,
    goals: ratios({ Caddy: 0.25 }),
    rounds: { full: 3, quick: 1 },
    sample: weighIdleStreams,
  },
  {
    name: "log",
    title: "small GET, 64 connections, access log to a file",
    unit: REQUEST_CPU,
    subjects: ["understudy", "Caddy"],
    goals: ratios({ Caddy: 0.45 }),
    accessLog: true,
    sample: (stage, subject) => closedLoop(stage, subject, 64),
  },
  {
    name: "observability",
    title: "small GET, 64 connections, watched and unwatched",
    unit: REQUEST_CPU,
    subjects: ["understudy", "admin off"],
    goals: [{ kind: "ratio", to: "admin off", ratioMax: 1.15 }],
    sample: (stage, subject) => closedLoop(stage, subject, 64),
  },
  {
    name: "rate",
    title: "small GET at 2,000 requests/s",
    unit: "added p99 ms",
    subjects: ["direct", ...PEERS],
    goals: ratios({ HAProxy: 1.2 }),
    added: true,
    async sample({ load, quick }, subject) {
      const pace = { perSecond: 2000, seconds: quick ? 2 : 5, connections: 100 };
      const measured = await load(subject, (port) => askAtRate(port, pace));
      return { ...countedBy(measured, () => 0), value: measured.report.p99Ms };
    },
  },
  {
    name: "chunk",
    title: "500 streams, a chunk each 100 ms",
    unit: "added p99 ms",
    subjects: ["direct", ...PEERS],
    goals: ratios({ HAProxy: 1.2 }),
    added: true,
    async sample({ load, quick }, subject) {
      const pace = { streams: 500, chunks: quick ? 20 : 60, everyMs: 100 };
      const measured = await load(subject, (port) => readStreams(port, pace));
      return { ...countedBy(measured, () => 0), value: measured.report.p99Ms };
    },
  },
  {
    name: "start",
    title: "start to first answer",
    unit: "ms",
    subjects: PEERS,
    goals: [{ kind: "value", valueMax: 100 }],
    rounds: { full: 10, quick: 2 },
    async sample({ fresh }, subject) {
      const beganMs = now();
      const proxy = await fresh(subject);
      const value = now() - beganMs;
      await proxy.stop();
      return { value };
    },
  },
  {
    name: "floor",
    title: "small GET, 64 connections, beside fetch",
    unit: REQUEST_CPU,
    subjects: ["understudy", "web engine", "floor"],
    goals: [],
    sample: (stage, subject) => closedLoop(stage, subject, 64),
  },
];

async function closedLoop(
  { load, quick, folder }: Stage,
  subject: Subject,
  connections: number,
  body?: string,
): Promise<Sample> {
  const seconds = quick ? 1 : 4;
  const posted = body === undefined ? {} : { body };
  return countedBy(
    await load(subject, (port) => wrk(port, { connections, seconds, folder, ...posted })),
    (cpuMicros) => cpuMicros,
  );
}

async function bulk(
  { load, quick, folder }: Stage,
  subject: Subject,
  what: { readonly target: string; readonly bodyFile?: string },
): Promise<Sample> {
  // CPU time is counted in ticks of 10 ms, and a single transfer takes only a few of them.
  const requests = quick ? 8 : 40;
  return countedBy(
    await load(subject, (port) => h2load(port, { requests, connections: 4, folder, ...what })),
    (cpuMicros) => cpuMicros / 1000 * BULKS_PER_GIB,
  );
}

async function weighIdleStreams(stage: Stage, subject: Subject): Promise<Sample> {
  const { port, pid, stop } = await stage.fresh(subject);
  try {
    const emptyBytes = residentBytes(pid);
    const end = await holdStreams(port, IDLE_STREAMS);
    await Bun.sleep(SETTLE_MS);
    const fullBytes = residentBytes(pid);
    end();
    return {
      value: (fullBytes - emptyBytes) / IDLE_STREAMS / 1024,
      memoryMiB: fullBytes / 1024 ** 2,
    };
  } finally {
    await stop();
  }
}

/** A sample of a load that counted things; `value` comes of the CPU time each took. */
function countedBy({ report, cost }: Measured, value: (cpuMicros: number) => number): Sample {
  const { count, seconds, p50Ms, p99Ms } = report;
  const seen = { perSecond: count / seconds, p50Ms, p99Ms };
  if (cost === undefined) return { value: NaN, ...seen };
  const cpuMicros = cost.cpuMicros / count;
  return { value: value(cpuMicros), cpuMicros, memoryMiB: cost.memoryMiB, ...seen };
}
