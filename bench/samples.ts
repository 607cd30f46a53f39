/// <reference types="bun" />
/** How the figures of a row are taken: a load put through a proxy, and what came of it. */
import { h2load, wrk } from "./generators.ts";
import { holdStreams } from "./load.ts";
import type { Subject } from "./peers.ts";
import { residentBytes } from "./processes.ts";
import type { Measured, Sample, Stage } from "./stage.ts";

export const BULK_BYTES = 100 * 1024 ** 2;
const BULKS_PER_GIB = 1024 ** 3 / BULK_BYTES;
export const IDLE_STREAMS = 2000;
/** How long idle streams are held before they are weighed. */
const SETTLE_MS = 2000;

/** As many small requests as will go through. */
export async function closedLoop(
  { load, quick, folder }: Stage,
  subject: Subject,
  what: Omit<Parameters<typeof wrk>[1], "seconds" | "folder">,
): Promise<Sample> {
  const seconds = quick ? 1 : 4;
  return countedBy(
    await load(subject, (port) => wrk(port, { ...what, seconds, folder })),
    (cpuMicros) => cpuMicros,
  );
}

/** Whole transfers, four at a time, each on a connection. */
export async function bulk(
  { load, quick, folder }: Stage,
  subject: Subject,
  what: Pick<Parameters<typeof h2load>[1], "target" | "bodyFile" | "door">,
): Promise<Sample> {
  // CPU time is counted in ticks of 10 ms, and a single transfer takes only a few of them.
  const requests = quick ? 8 : 40;
  return countedBy(
    await load(subject, (port) => h2load(port, { requests, connections: 4, folder, ...what })),
    (cpuMicros) => cpuMicros / 1000 * BULKS_PER_GIB,
  );
}

export async function weighIdleStreams(stage: Stage, subject: Subject): Promise<Sample> {
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
export function countedBy(
  { report, cost }: Measured,
  value: (cpuMicros: number) => number,
): Sample {
  const { count, seconds, p50Ms, p99Ms } = report;
  const seen = { perSecond: count / seconds, p50Ms, p99Ms };
  if (cost === undefined) return { value: NaN, ...seen };
  const cpuMicros = cost.cpuMicros / count;
  return { value: value(cpuMicros), cpuMicros, memoryMiB: cost.memoryMiB, ...seen };
}
