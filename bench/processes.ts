/// <reference types="bun" />
/**
 * Processes of the bench: each is started on a core of its own choice, watched through /proc and
 * ended by its number, also when the bench itself is interrupted.
 */
import { readdirSync, readFileSync } from "node:fs";

/** Upstream, load generator and the bench share the first; the proxy has the second to itself. */
export const CORE = { load: 0, proxy: 1 } as const;

/** Kernel ticks a second in /proc/PID/stat; the same on every Linux there is. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;
/** How long a process may take to end by itself. */
const STOP_MS = 1000;
/** Memory is looked at this often while a load runs; seldom enough to cost nothing. */
const WATCH_MS = 250;

export interface Running {
  readonly pid: number;
  readonly stdout: ReadableStream<Uint8Array> | undefined;
  readonly exited: Promise<number>;
  stop(): Promise<void>;
}

export interface Launch {
  readonly command: readonly string[];
  readonly core: number;
  readonly env?: Readonly<Record<string, string>>;
  /** File that takes standard output; without it the caller may read it. */
  readonly output?: string;
  /** File that takes what it complains about. */
  readonly complaints: string;
}

const running = new Set<Running>();
let closing = false;

export function start({ command, core, env, output, complaints }: Launch): Running {
  if (closing) throw new Error("Cannot start anything as the bench is ending");
  // taskset replaces itself by the program, so this is the program's own number.
  const child = Bun.spawn(["taskset", "-c", String(core), ...command], {
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ...env },
    stdin: "ignore",
    stdout: output === undefined ? "pipe" : Bun.file(output),
    stderr: Bun.file(complaints),
  });
  const self: Running = {
    pid: child.pid,
    stdout: child.stdout instanceof ReadableStream ? child.stdout : undefined,
    exited: child.exited,
    async stop() {
      const family = tree(child.pid);
      child.kill("SIGTERM");
      await Promise.race([child.exited, Bun.sleep(STOP_MS)]);
      killAll(family.filter((pid) => pid !== child.pid || child.exitCode === null));
      await child.exited;
      running.delete(self);
    },
  };
  running.add(self);
  return self;
}

/** Ends everything; nothing can be started any more. */
export async function stopAll(): Promise<void> {
  closing = true;
  await Promise.all([...running].map((one) => one.stop()));
}

/** Runs a program to its end and hands back what it printed. Throws when it fails. */
export async function run(command: readonly string[], complaints: string): Promise<string> {
  const child = start({ command, core: CORE.load, complaints });
  const printed = await new Response(child.stdout).text();
  const code = await child.exited;
  await child.stop();
  if (code === 0) return printed;
  throw new Error(`${command.join(" ")} failed: ${printed}${readFileSync(complaints, "utf8")}`);
}

export interface Cost {
  readonly cpuMicros: number;
  /** Most that was resident at any look. */
  readonly memoryMiB: number;
}

/** What a process and its children spend while `work` runs. */
export async function watch<T>(
  pid: number,
  work: () => Promise<T>,
): Promise<{ readonly cost: Cost; readonly result: T }> {
  let memoryBytes = 0;
  const look = () => memoryBytes = Math.max(memoryBytes, residentBytes(pid));
  const looking = setInterval(look, WATCH_MS);
  const before = cpuTicks(pid);
  try {
    const result = await work();
    look();
    const cpuMicros = (cpuTicks(pid) - before) / TICKS_PER_SECOND * 1e6;
    return { cost: { cpuMicros, memoryMiB: memoryBytes / 1024 ** 2 }, result };
  } finally {
    clearInterval(looking);
  }
}

/** Resident memory of a process and its children; what they share counts for each. */
export function residentBytes(pid: number): number {
  const pages = tree(pid).map((one) => Number(proc(`${one}/statm`).split(" ")[1] ?? 0));
  return sum(pages) * PAGE_BYTES;
}

/** User and system time of a process and its children, those that have ended included. */
function cpuTicks(pid: number): number {
  return sum(
    tree(pid).map((one) => {
      const stat = proc(`${one}/stat`);
      // The name in parentheses may hold spaces; utime, stime, cutime and cstime are fields 14 to 17.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return sum(fields.slice(11, 15).map(Number));
    }),
  );
}

function tree(pid: number): number[] {
  const threads = list(`/proc/${pid}/task`);
  const children = threads.flatMap((thread) =>
    proc(`${pid}/task/${thread}/children`).split(" ").filter(Boolean).map(Number)
  );
  return [pid, ...children.flatMap(tree)];
}

function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

/** A process may end between two looks, and then weighs nothing. */
function proc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    return "";
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
