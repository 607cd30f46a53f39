/// <reference types="bun" />
/**
 * The rows of the table: what goes through which proxies, what of it is compared, and how much of
 * a peer's figure understudy may need.
 */
import { h2load } from "./generators.ts";
import { askAtRate, now, readStreams } from "./load.ts";
import { PEERS } from "./peers.ts";
import { type Goal, ratios, REQUEST_CPU, type Row } from "./row.ts";
import { TLS_ROWS } from "./rows_tls.ts";
import {
  bulk,
  BULK_BYTES,
  closedLoop,
  countedBy,
  IDLE_STREAMS,
  weighIdleStreams,
} from "./samples.ts";

const CHUNKS = 200;

const small = (connections: number, goals: readonly Goal[] = []): Row => ({
  name: `small-${connections}`,
  title: `small GET, ${connections} connections`,
  unit: REQUEST_CPU,
  subjects: PEERS,
  goals,
  sample: (stage, subject) => closedLoop(stage, subject, { connections }),
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
    sample: (stage, subject) =>
      closedLoop(stage, subject, { connections: 64, body: "x".repeat(1024) }),
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
    manner: { accessLog: true },
    sample: (stage, subject) => closedLoop(stage, subject, { connections: 64 }),
  },
  {
    name: "observability",
    title: "small GET, 64 connections, watched and unwatched",
    unit: REQUEST_CPU,
    subjects: ["understudy", "admin off"],
    goals: [{ kind: "ratio", to: "admin off", ratioMax: 1.15 }],
    sample: (stage, subject) => closedLoop(stage, subject, { connections: 64 }),
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
  ...TLS_ROWS,
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
    sample: (stage, subject) => closedLoop(stage, subject, { connections: 64 }),
  },
];
