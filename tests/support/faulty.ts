/** An upstream that fails as it is told, as tests hold it: `await using primary = await Faulty.start("primary")`. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Mode } from "./faults.ts";
import { Child, type StartOptions } from "./processes.ts";

const program = fileURLToPath(new URL("faults.ts", import.meta.url).href);
const bun = fileURLToPath(new URL("../../node_modules/.bin/bun", import.meta.url).href);

export interface FaultyOptions extends StartOptions {
  readonly host?: string;
  readonly port?: number;
}

/** Ends with its scope. */
export class Faulty extends Child {
  readonly name: string;
  readonly folder: string;
  readonly host: string;
  port = 0;

  private constructor(
    name: string,
    folder: string,
    { host = "127.0.0.1", port = 0, ...rest }: FaultyOptions,
  ) {
    super([bun, "run", program, name, host, String(port), join(folder, "control.sock")], rest);
    this.name = name;
    this.folder = folder;
    this.host = host;
  }

  static async start(name: string, options: FaultyOptions = {}): Promise<Faulty> {
    const folder = await mkdtemp(join(tmpdir(), "understudy-faulty-"));
    const child = new Faulty(name, folder, options);
    await child.until(() => child.stdout.includes("ready\n"));
    child.port = Number(/^port (\d+)$/m.exec(child.stdout)?.[1]);
    return child;
  }

  get url(): string {
    return `http://${this.host}:${this.port}`;
  }

  /** Settles once the upstream behaves so. */
  async turn(mode: Mode): Promise<void> {
    const control = connect({ path: join(this.folder, "control.sock") });
    control.write(mode);
    await once(control, "data");
    control.destroy();
  }

  /** Tags of the requests it took on, once for each time. */
  get taken(): string[] {
    return [...this.stdout.matchAll(/^took (\S+)$/gm)].map(([, tag = ""]) => tag);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }
}
