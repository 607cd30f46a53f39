/**
 * An upstream of the demo: a stand-in as a process of its own that can be killed, suspended and
 * started again on its old port. Nothing here outlives `end()`.
 */
import type { ChildProcess, Platform } from "../platform/platform.ts";

export interface Role {
  readonly name: string;
  readonly tokenEveryMs: number;
  readonly tokens: number;
}

export interface StageDeps {
  readonly platform: Pick<Platform, "clock" | "spawnSelf">;
  /** Told of what became of the process, its first start aside. */
  readonly tell: (name: string, event: StageEvent, detail: string) => void;
}

export type StageEvent = "started" | "killed" | "suspended" | "continued" | "ended";

/** From the spawn to the line that says where it listens. */
const START_LIMIT_MS = 10_000;

export class StagedUpstream {
  readonly role: Role;
  readonly #deps: StageDeps;
  #child: ChildProcess | undefined;
  /** Settles when the last process is gone, whoever ended it. */
  #exited: Promise<unknown> = Promise.resolve();
  #state: "ended" | "starting" | "running" | "suspended" = "ended";
  #port = 0;

  constructor(role: Role, deps: StageDeps) {
    this.role = role;
    this.#deps = deps;
  }

  get name(): string {
    return this.role.name;
  }

  get state(): "ended" | "starting" | "running" | "suspended" {
    return this.#state;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Settles once it listens, with true, or has ended instead. The port is the same every time. */
  async start(): Promise<boolean> {
    if (this.#state !== "ended") return false;
    this.#state = "starting";
    const { name, tokenEveryMs, tokens } = this.role;
    const child = this.#deps.platform.spawnSelf([
      "stand-in",
      `--name=${name}`,
      `--port=${this.#port}`,
      `--token-every=${tokenEveryMs}ms`,
      `--tokens=${tokens}`,
    ]);
    this.#child = child;
    this.#exited = child.exited.then((code) => this.#gone(child, code));

    const stopTimer = this.#deps.platform.clock.after(START_LIMIT_MS, () => child.kill("SIGKILL"));
    const port = await portSaid(child.lines);
    stopTimer();
    if (port === undefined) await child.exited;
    if (port === undefined || this.#child !== child) return false;

    const again = this.#port !== 0;
    this.#port = port;
    this.#state = "running";
    if (again) this.#tell("started", `process ${child.pid}, on its old port ${port}`);
    return true;
  }

  /** Kills it the hard way. Settles when it is gone and its port refuses connections. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#leave();
    this.#tell("killed", `SIGKILL to process ${child.pid}`);
    child.kill("SIGKILL");
    await child.exited;
  }

  /** Stops it where it stands: it keeps its connections and answers nothing, like a host put to sleep. */
  suspend(): void {
    if (this.#state !== "running") return;
    this.#child?.kill("SIGSTOP");
    this.#state = "suspended";
    this.#tell("suspended", "SIGSTOP: it holds its connections and says nothing");
  }

  resume(): void {
    if (this.#state !== "suspended") return;
    this.#child?.kill("SIGCONT");
    this.#state = "running";
    this.#tell("continued", "SIGCONT");
  }

  /** Ends it without a word. By SIGKILL, as a suspended process takes no other signal. */
  async end(): Promise<void> {
    const child = this.#child;
    this.#leave();
    child?.kill("SIGKILL");
    // Also when it is being killed already: whoever asks wants it gone.
    await this.#exited;
  }

  #leave(): void {
    this.#child = undefined;
    this.#state = "ended";
  }

  #gone(child: ChildProcess, code: number): void {
    // Ended by us, and perhaps another runs by now.
    if (this.#child !== child) return;
    this.#leave();
    this.#tell("ended", `process ${child.pid}, exit code ${code}`);
  }

  #tell(event: StageEvent, detail: string): void {
    this.#deps.tell(this.name, event, detail);
  }
}

/** Reads up to the line with the port; undefined when the output ends first. */
async function portSaid(lines: AsyncIterable<string>): Promise<number | undefined> {
  // Not `for await`: leaving that would close the pipe under a process that still runs.
  const iterator = lines[Symbol.asyncIterator]();
  for (;;) {
    const step = await iterator.next();
    if (step.done === true) return undefined;
    const port = /listening on .*:(\d+)$/.exec(step.value)?.[1];
    if (port !== undefined) return Number(port);
  }
}
