/** The rows with TLS and HTTP/2: what a handshake costs, and what requests and transfers cost behind it. */
import type { Door } from "./door.ts";
import { h2load, type Report } from "./generators.ts";
import { PEERS } from "./peers.ts";
import { REQUEST_CPU, type Row } from "./row.ts";
import { bulk, BULK_BYTES, closedLoop, countedBy } from "./samples.ts";

const TLS_H1: Door = { tls: true, protocol: "h1" };
const TLS_H2: Door = { tls: true, protocol: "h2" };
const H2C: Door = { tls: false, protocol: "h2" };

const HANDSHAKE_CPU = "CPU µs/handshake";
/** Connections that come at once; well under what any of the proxies lets wait. */
const CROWD = 500;
const CONNECTIONS = 16;
const STREAMS = 10;

const multiplexed = (name: string, door: Door, words: string): Row => ({
  name,
  title: `small GET over ${words}, ${CONNECTIONS} connections of ${STREAMS} streams`,
  unit: REQUEST_CPU,
  subjects: PEERS,
  goals: [],
  manner: { door },
  async sample({ load, quick, folder }, subject) {
    const requests = quick ? 5000 : 40_000;
    const what = { target: "/small", requests, connections: CONNECTIONS, streams: STREAMS };
    return countedBy(
      await load(subject, (port) => h2load(port, { ...what, door, folder })),
      (cpuMicros) => cpuMicros,
    );
  },
});

const download = (name: string, door: Door, words: string): Row => ({
  name,
  title: `download of 100 MiB over ${words}, 4 at a time`,
  unit: "CPU ms/GiB",
  subjects: PEERS,
  goals: [],
  manner: { door },
  sample: (stage, subject) => bulk(stage, subject, { target: `/bulk?bytes=${BULK_BYTES}`, door }),
});

export const TLS_ROWS: readonly Row[] = [
  {
    name: "tls-handshake",
    title: `full TLS handshakes, ${CROWD} at once`,
    unit: HANDSHAKE_CPU,
    subjects: PEERS,
    goals: [],
    manner: { door: TLS_H1 },
    async sample({ load, quick, folder }, subject) {
      const what = { target: "/small", requests: CROWD, connections: CROWD, door: TLS_H1, folder };
      const measured = await load(subject, async (port) => {
        const crowds: Report[] = [];
        while (crowds.length < (quick ? 1 : 4)) crowds.push(await h2load(port, what));
        return together(crowds);
      });
      return countedBy(measured, (cpuMicros) => cpuMicros);
    },
  },
  {
    name: "tls-resumed",
    title: "resumed TLS handshakes, 64 connections",
    unit: HANDSHAKE_CPU,
    subjects: PEERS,
    goals: [],
    manner: { door: TLS_H1 },
    sample: (stage, subject) =>
      closedLoop(stage, subject, { connections: 64, door: TLS_H1, closing: true }),
  },
  {
    name: "tls-h1",
    title: "small GET over TLS, 64 connections",
    unit: REQUEST_CPU,
    subjects: PEERS,
    goals: [],
    manner: { door: TLS_H1 },
    sample: (stage, subject) => closedLoop(stage, subject, { connections: 64, door: TLS_H1 }),
  },
  multiplexed("tls-h2", TLS_H2, "TLS and HTTP/2"),
  multiplexed("h2c", H2C, "h2c"),
  download("tls-download", TLS_H1, "TLS"),
  download("tls-download-h2", TLS_H2, "TLS and HTTP/2"),
];

/** The times of requests are not those of the handshakes before them, and are left out. */
function together(reports: readonly Report[]): Report {
  const sum = (figure: "count" | "seconds") =>
    reports.reduce((total, report) => total + report[figure], 0);
  return { count: sum("count"), seconds: sum("seconds"), p50Ms: NaN, p99Ms: NaN };
}
