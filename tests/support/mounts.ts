/**
 * A view of this machine's files of a test's own, where the system's trusted roots can be changed and nobody
 * else sees it: a mount namespace, gone with the process that holds it.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

const TOOLS = ["unshare", "nsenter", "update-ca-certificates", "certutil", "curl", "openssl"];

/** Why there can be none here; undefined when there can. */
export const noMounts: string | undefined = obstacle();

function obstacle(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs root on Linux";
  const missing = TOOLS.find((tool) => spawnSync("which", [tool]).status !== 0);
  if (missing !== undefined) return `needs ${missing}`;
  return spawnSync("unshare", ["-m", "true"]).status === 0 ? undefined : "may not mount";
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Machine implements AsyncDisposable {
  readonly folder: string;
  /** Of the user here; holds a database of NSS, as after the first start of Chromium. */
  readonly home: string;
  readonly #holder: ChildProcess;

  private constructor(folder: string, holder: ChildProcess) {
    this.folder = folder;
    this.home = join(folder, "home");
    this.#holder = holder;
  }

  static async open(): Promise<Machine> {
    const folder = await mkdtemp(join(tmpdir(), "understudy-machine-"));
    await cp("/etc/ssl/certs", join(folder, "certs"), { recursive: true, verbatimSymlinks: true });
    const mounts = [
      "mount -t tmpfs -o mode=755 none /usr/local/share/ca-certificates",
      `mount --bind ${folder}/certs /etc/ssl/certs`,
      // Java's list is not only in there.
      "mount -t tmpfs none /etc/ca-certificates/update.d",
      "echo ready",
      "exec cat",
    ];
    const holder = spawn("unshare", ["-m", "sh", "-e", "-c", mounts.join("\n")], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const machine = new Machine(folder, holder);
    try {
      const [said] = await Promise.race([
        once(holder.stdout, "data"),
        once(holder, "exit").then(() => ["gone"]),
      ]);
      if (String(said) !== "ready\n") throw new Error("Cannot mount what the test needs");
      await mkdir(join(machine.home, ".pki/nssdb"), { recursive: true });
      const database = `sql:${machine.home}/.pki/nssdb`;
      await machine.run(["certutil", "-N", "--empty-password", "-d", database]);
      return machine;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs a command there to its end, with this environment and no other. */
  async run(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const enter = ["-t", String(this.#holder.pid), "-m", "--wd=/", ...words];
    const child = spawn("nsenter", enter, {
      env: { PATH: process.env["PATH"] ?? "", HOME: this.home, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (data) => stdout += String(data));
    child.stderr.on("data", (data) => stderr += String(data));
    const [code] = await once(child, "close");
    return { code, stdout, stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const isOver = this.#holder.exitCode !== null || this.#holder.signalCode !== null;
    if (!isOver) {
      this.#holder.stdin?.end();
      await once(this.#holder, "exit");
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
