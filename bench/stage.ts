/// <reference types="bun" />
/**
 * What a row plays on: the one upstream, the proxies that the row asked for, started when it first
 * asks, and the cost of each while a load runs through it.
 */
import { writeFileSync } from "node:fs";
import { makeCertificate } from "./certificate.ts";
import { CLEAR } from "./door.ts";
import { h2load, type Report, wrk } from "./generators.ts";
import { type Manner, type Place, type Proxy, startProxy, type Subject } from "./peers.ts";
import { CORE, type Cost, start, watch } from "./processes.ts";

const BUN = `${import.meta.dir}/../node_modules/.bin/bun`;
const BODY_FILE_BYTES = 100 * 1024 ** 2;

/** What one run through one proxy gave. What a row does not measure is missing. */
export interface Sample {
  /** What the row compares, in the row's unit; less is better. */
  readonly value: number;
  readonly perSecond?: number;
  /** Per request, stream, transfer or whatever the row counts. */
  readonly cpuMicros?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly memoryMiB?: number;
}

export interface Stage extends Place {
  readonly quick: boolean;
  /** A file to upload. */
  readonly bodyFile: string;
  /** Starts a proxy of the caller's own, cold. */
  readonly fresh: (subject: Subject) => Promise<Proxy>;
  /** Puts a load through a warm proxy. */
  readonly load: (
    subject: Subject,
    work: (port: number) => Promise<Report>,
  ) => Promise<Measured>;
  /** Ends the proxies of a row; those of the next one are set up like this. */
  clear(manner: Manner): Promise<void>;
}

/** What rows ask for that say nothing of it. */
export const PLAIN: Manner = { accessLog: false, door: CLEAR };

export interface Measured {
  readonly report: Report;
  /** Undefined where there was no proxy. */
  readonly cost: Cost | undefined;
}

export async function openStage(folder: string, quick: boolean): Promise<Stage> {
  const upstreamPort = await startUpstream(folder);
  const bodyFile = `${folder}/body`;
  writeFileSync(bodyFile, new Uint8Array(BODY_FILE_BYTES).fill(120));
  const proxies = new Map<Subject, Proxy>();
  const place = { folder, upstreamPort, certificate: makeCertificate(`${folder}/certificates`) };
  let manner = PLAIN;

  const fresh = async (subject: Subject) => {
    if (subject === "direct") throw new TypeError("Cannot start a proxy where there is none");
    return await startProxy(subject, place, manner);
  };
  const warm = async (subject: Subject) => {
    const known = proxies.get(subject);
    if (known !== undefined) return known;
    const proxy = await fresh(subject);
    proxies.set(subject, proxy);
    // Compilers need a while to see what matters; peers get the same.
    const { door } = manner;
    if (door.protocol === "h1") {
      await wrk(proxy.port, { connections: 64, seconds: quick ? 1 : 5, door, folder });
    } else {
      const requests = quick ? 2000 : 40_000;
      const load = { target: "/small", requests, connections: 16, streams: 10 };
      await h2load(proxy.port, { ...load, door, folder });
    }
    return proxy;
  };

  return {
    ...place,
    quick,
    bodyFile,
    fresh,
    async load(subject, work) {
      if (subject === "direct") return { report: await work(upstreamPort), cost: undefined };
      const { pid, port } = await warm(subject);
      const { cost, result } = await watch(pid, () => work(port));
      return { report: result, cost };
    },
    async clear(next) {
      manner = next;
      await Promise.all([...proxies.values()].map((proxy) => proxy.stop()));
      proxies.clear();
    },
  };
}

async function startUpstream(folder: string): Promise<number> {
  const { stdout } = start({
    command: [BUN, `${import.meta.dir}/upstream.ts`],
    core: CORE.load,
    complaints: `${folder}/upstream.err`,
  });
  // The port is all it ever prints.
  for await (const bytes of stdout ?? []) return Number(new TextDecoder().decode(bytes));
  throw new Error("The upstream ended before it listened");
}
