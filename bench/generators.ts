/**
 * Debian's load generators and how their reports read: wrk for as many requests as will go through,
 * h2load for an exact number of them. Anything but success stops the bench.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { CLEAR, type Door, urlOf } from "./door.ts";
import { run } from "./processes.ts";

/** What a load did and saw: requests, streams, transfers or chunks. */
export interface Report {
  readonly count: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const MS_PER_UNIT: Readonly<Record<string, number>> = { us: 1e-3, ms: 1, s: 1e3, m: 6e4 };

/**
 * Asks for `/small` on so many connections, one request after the other on each. HTTP/1.1 alone. Takes
 * up the session of the connection before where it dials again with TLS.
 */
export async function wrk(
  port: number,
  { connections, seconds, door = CLEAR, closing = false, body, folder }: {
    readonly connections: number;
    readonly seconds: number;
    readonly door?: Door;
    /** Asks for an end of the connection with each request. */
    readonly closing?: boolean;
    /** Posted instead of asking with GET. */
    readonly body?: string;
    readonly folder: string;
  },
): Promise<Report> {
  const script = `${folder}/wrk.lua`;
  if (body !== undefined) {
    writeFileSync(script, `wrk.method = "POST"\nwrk.body = ${JSON.stringify(body)}\n`);
  }
  const printed = await run([
    "wrk",
    ...["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "--latency"],
    ...(body === undefined ? [] : ["-s", script]),
    ...(closing ? ["-H", "Connection: close"] : []),
    `${urlOf(door, port)}/small`,
  ], `${folder}/wrk.err`);
  if (/Non-2xx|Socket errors/.test(printed)) throw new Error(`wrk saw failures:\n${printed}`);

  const total = /(\d+) requests in ([\d.]+)(m|s)/.exec(printed);
  return {
    count: Number(total?.[1]),
    seconds: duration(total?.[2], total?.[3]) / 1000,
    p50Ms: percentile(printed, "50"),
    p99Ms: percentile(printed, "99"),
  };
}

/**
 * Asks for `target` exactly `requests` times, so many at a time; posts `bodyFile` when there is one. Never
 * takes up a session of TLS again.
 */
export async function h2load(
  port: number,
  { target, requests, connections, streams = 1, door = CLEAR, bodyFile, folder }: {
    readonly target: string;
    readonly requests: number;
    readonly connections: number;
    /** Requests at a time on each connection; HTTP/2 alone. */
    readonly streams?: number;
    readonly door?: Door;
    readonly bodyFile?: string;
    readonly folder: string;
  },
): Promise<Report> {
  const log = `${folder}/h2load.log`;
  // It appends.
  writeFileSync(log, "");
  const printed = await run([
    "h2load",
    ...(door.protocol === "h1" ? ["--h1"] : ["--npn-list", "h2", "--no-tls-proto", "h2c"]),
    ...["-n", String(requests), "-c", String(connections), "-m", String(streams)],
    ...["--log-file", log],
    ...(bodyFile === undefined ? [] : ["-d", bodyFile]),
    `${urlOf(door, port)}${target}`,
  ], `${folder}/h2load.err`);
  if (!printed.includes(` ${requests} 2xx`)) throw new Error(`h2load saw failures:\n${printed}`);

  const finished = /finished in ([\d.]+)(us|ms|s|m)/.exec(printed);
  // A line holds the start, the status and how long it took, in microseconds.
  const tookMs = readFileSync(log, "utf8").trim().split("\n")
    .map((line) => Number(line.split("\t")[2]) / 1000)
    .toSorted((a, b) => a - b);
  const at = (share: number) => tookMs[Math.floor((tookMs.length - 1) * share)] ?? NaN;
  return {
    count: requests,
    seconds: duration(finished?.[1], finished?.[2]) / 1000,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

function percentile(printed: string, which: string): number {
  const found = new RegExp(`^ +${which}% +([\\d.]+)(us|ms|s|m)$`, "m").exec(printed);
  return duration(found?.[1], found?.[2]);
}

function duration(amount: string | undefined, unit: string | undefined): number {
  return Number(amount) * (MS_PER_UNIT[unit ?? ""] ?? NaN);
}
