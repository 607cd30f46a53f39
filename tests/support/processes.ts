/**
 * Real processes for end-to-end tests: understudy itself, as source on this runtime or as the
 * compiled binary, and stand-ins for Ollama. Each is ended, whatever happens, when its scope ends.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url).href);
const main = join(root, "src/main.ts");
const bun = join(root, "node_modules/.bin/bun");
const deno = join(root, "node_modules/.bin/deno");

/** A way to run understudy. */
export interface Subject {
  readonly name: "bun" | "deno" | "binary";
  readonly command: readonly string[];
}

const ALL: Record<Subject["name"], Subject> = {
  bun: { name: "bun", command: [bun, "run", main] },
  deno: { name: "deno", command: [deno, "run", "-A", "--no-lock", "--quiet", main] },
  binary: { name: "binary", command: [join(root, "dist/understudy")] },
};

/** `ENGINE=wire` or `ENGINE=web` tries that engine; without it the subject's own default. */
const engineName = process.env["ENGINE"];
export const engineFlags: readonly string[] = engineName === undefined
  ? []
  : ["--engine", engineName];

/**
 * What end-to-end tests run: this runtime from source, and under Bun the binary too where it is built.
 * `SUBJECTS=binary,deno` chooses others.
 */
export const subjects: readonly Subject[] = chosen();

/** The same for what only the wire engine does: a run of the other one tries none of it again. */
export const wireSubjects: readonly Subject[] = engineName === "web" ? [] : subjects;

/** The one to use where the subject makes no difference. */
export const subject: Subject = subjects.at(-1) ?? ALL.bun;

function chosen(): Subject[] {
  const named = process.env["SUBJECTS"];
  if (named !== undefined) {
    return Object.values(ALL).filter(({ name }) => named.split(",").includes(name));
  }
  if (!("bun" in process.versions)) return [ALL.deno];
  return existsSync(ALL.binary.command[0] ?? "") ? [ALL.bun, ALL.binary] : [ALL.bun];
}

/** Deno says this once a process, of a signal whose late abort does no harm here. */
const DENO_NOTICE = /^Deno\.serve: request\.signal aborts on successful responses[^\n]*\n/;

/** A line that a process printed, parsed where it is JSON. */
export type LogLine = Readonly<Record<string, unknown>>;

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Words before the command: `["ip", "netns", "exec", "x"]`. */
  readonly prefix?: readonly string[];
  /** What carries the bytes, for tests of one engine; else as `ENGINE` says. */
  readonly engine?: "wire" | "web";
}

/** A child with its output. Ends with its scope: `await using child = …`. */
export class Child implements AsyncDisposable {
  readonly process: ChildProcess;
  readonly lines: LogLine[] = [];
  stdout = "";
  stderr = "";
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  readonly #watchers = new Set<() => void>();
  #ended = false;

  constructor(command: readonly string[], { env, cwd, prefix = [] }: StartOptions = {}) {
    const [program = "", ...args] = [...prefix, ...command];
    this.process = spawn(program, args, {
      cwd: cwd ?? root,
      env: { ...process.env, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    // Not "exit": what it printed last may still be on its way then.
    this.exited = once(this.process, "close").then(([code, signal]) => {
      this.#ended = true;
      this.#wake();
      return { code, signal };
    });
    let rest = "";
    this.process.stdout?.on("data", (data) => {
      this.stdout += data;
      const parts = (rest + data).split("\n");
      rest = parts.pop() ?? "";
      this.lines.push(...parts.map(parsed));
      this.#wake();
    });
    this.process.stderr?.on("data", (data) => {
      this.stderr += data;
      this.#wake();
    });
  }

  get pid(): number {
    return this.process.pid ?? -1;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Not the child's own `kill`: on Deno that one works once, and a stopped process could never go on. */
  kill(signal: NodeJS.Signals): void {
    if (!this.#ended) process.kill(this.pid, signal);
  }

  /** The first line that fits, from those printed so far or later. Rejects after `capMs` or when the process ends. */
  async line(fits: (line: LogLine) => boolean, capMs = 10_000): Promise<LogLine> {
    await this.until(() => this.lines.some(fits), capMs, String(fits));
    return this.lines.find(fits) ?? {};
  }

  /** Waits until `holds`, asked whenever the process prints something. */
  async until(holds: () => boolean, capMs = 10_000, what = String(holds)): Promise<void> {
    if (holds()) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string) => {
        reject(
          new Error(
            `${why} while waiting for ${what}\n${this.stdout.slice(-2000)}\n${this.stderr}`,
          ),
        );
      };
      const look = () => {
        if (holds()) resolve();
        else if (this.#ended) fail("Process ended");
        else return;
        this.#watchers.delete(look);
      };
      this.#watchers.add(look);
      timer = setTimeout(() => fail(`${capMs} ms passed`), capMs);
    }).finally(() => clearTimeout(timer));
  }

  /** Resident memory now, in bytes. */
  async residentBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    // A stopped process takes no SIGTERM, and tests of the orderly end send their own.
    this.kill("SIGKILL");
    await this.exited;
  }

  #wake(): void {
    for (const look of this.#watchers) look();
  }
}

/** understudy serving a configuration file of its own. */
export class Understudy extends Child {
  readonly folder: string;
  url = "";
  port = 0;

  private constructor(command: readonly string[], folder: string, options: StartOptions) {
    super(command, options);
    this.folder = folder;
  }

  /** Starts it and waits until it listens. Use `listen: "127.0.0.1:0"`. */
  static async start(
    { command }: Subject,
    config: string,
    options: StartOptions = {},
  ): Promise<Understudy> {
    const folder = await mkdtemp(join(tmpdir(), "understudy-"));
    const path = join(folder, "config.yaml");
    await writeFile(path, config);
    const flags = options.engine === undefined ? engineFlags : ["--engine", options.engine];
    const line = [...command, "run", "--config", path, ...flags];
    // Never root's own, where it would find what others have left.
    const env = { STATE_DIRECTORY: join(folder, "state"), ...options.env };
    const child = new Understudy(line, folder, { ...options, env });
    const started = await orEnd(child, child.line(({ msg }) => msg === "proxy.started"));
    child.url = String((started["listening"] as string[])[0]);
    child.port = Number(new URL(child.url).port);
    return child;
  }

  get configPath(): string {
    return join(this.folder, "config.yaml");
  }

  /** Replaces the file by an atomic rename, as editors and deployments do. */
  async rewrite(config: string): Promise<void> {
    await writeFile(`${this.configPath}.new`, config);
    await rename(`${this.configPath}.new`, this.configPath);
  }

  /** Waits for the log line of a change of phase that comes after the lines printed so far. */
  async phase(upstream: string, to: "up" | "down", since = 0, capMs = 10_000): Promise<LogLine> {
    const fits = (line: LogLine) =>
      line["msg"] === "health.changed" && line["upstream"] === upstream && line["to"] === to;
    await this.until(() => this.lines.slice(since).some(fits), capMs, `${upstream} to be ${to}`);
    return this.lines.slice(since).find(fits) ?? {};
  }

  /** Fails where it told of a bug, or said anything beside its log: no test is one in which it may. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
    const bugs = this.lines.filter(({ msg }) => msg === "bug.caught");
    const said = this.stderr.replace(DENO_NOTICE, "");
    if (bugs.length > 0 || said !== "") {
      throw new Error(`understudy told of a bug:\n${JSON.stringify(bugs)}\n${said}`);
    }
  }
}

/** A stand-in Ollama. `port` stays the same when it is started again after its death. */
export class StandIn extends Child {
  readonly name: string;
  port = 0;

  private constructor(name: string, args: readonly string[], options: StartOptions) {
    // Always on Bun: it is the peer and not the subject.
    super([bun, "run", main, "stand-in", "--name", name, ...args], options);
    this.name = name;
  }

  static async start(
    name: string,
    args: readonly string[] = [],
    options: StartOptions = {},
  ): Promise<StandIn> {
    const child = new StandIn(name, args, options);
    await orEnd(child, child.until(() => child.stdout.includes("listening on")));
    child.port = Number(/:(\d+)\s*$/m.exec(child.stdout)?.[1]);
    return child;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts a new process on the port of this dead one. */
  revive(args: readonly string[] = []): Promise<StandIn> {
    return StandIn.start(this.name, ["--port", String(this.port), ...args]);
  }

  async stats(): Promise<Record<string, unknown>> {
    return await (await fetch(`${this.url}/_stand-in/stats`)).json();
  }

  async faults(faults: Record<string, unknown>): Promise<void> {
    await fetch(`${this.url}/_stand-in/faults`, { method: "POST", body: JSON.stringify(faults) });
  }
}

/** A child that does not start as it should has no scope yet to end it. */
function orEnd<T>(child: Child, started: Promise<T>): Promise<T> {
  return started.catch(async (error: unknown) => {
    await child[Symbol.asyncDispose]();
    throw error;
  });
}

function parsed(line: string): LogLine {
  try {
    return JSON.parse(line);
  } catch {
    return { text: line };
  }
}
