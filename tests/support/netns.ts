/**
 * Two machines of a test's own: network namespaces joined by a cable, where packets can be dropped
 * and links pulled. As a program of its own it is the door into one, from a unix socket to a port.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Child } from "./processes.ts";
import type { Place } from "./raw_client.ts";

const self = fileURLToPath(import.meta.url);
const bun = fileURLToPath(new URL("../../node_modules/.bin/bun", import.meta.url).href);

/** The machine of the proxy, and the machine that gets lost. */
export const NEAR = "10.99.0.1";
export const FAR = "10.99.0.2";
/** Nobody has this hardware address, so what is sent there is dropped. */
const NOWHERE = "02:00:00:00:00:99";

/** Why there can be no namespaces here; undefined when there can. */
export const unavailable: string | undefined = obstacle();

function obstacle(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs root on Linux";
  if (spawnSync("ip", ["-V"]).status !== 0) return "needs ip of iproute2";
  const name = `us${process.pid}-try`;
  const made = spawnSync("ip", ["netns", "add", name]).status === 0;
  spawnSync("ip", ["netns", "del", name]);
  return made ? undefined : "may not make network namespaces";
}

/** Ends with its scope, and leaves nothing behind even when a run before it was killed. */
export class Cable implements AsyncDisposable {
  static #count = 0;
  readonly #near: string;
  readonly #far: string;
  readonly #doors: Child[] = [];
  readonly #folders: string[] = [];

  private constructor(name: string) {
    this.#near = `${name}-near`;
    this.#far = `${name}-far`;
  }

  static open(): Cable {
    sweep();
    const cable = new Cable(`us${process.pid}-${++Cable.#count}`);
    const near = cable.#near;
    const far = cable.#far;
    ip("netns", "add", near);
    ip("netns", "add", far);
    ip(
      "-n",
      near,
      "link",
      "add",
      "name",
      "wire",
      "type",
      "veth",
      "peer",
      "name",
      "wire",
      "netns",
      far,
    );
    for (const [name, address] of [[near, NEAR], [far, FAR]] as const) {
      ip("-n", name, "link", "set", "lo", "up");
      ip("-n", name, "addr", "add", `${address}/24`, "dev", "wire");
      ip("-n", name, "link", "set", "wire", "up");
    }
    return cable;
  }

  /** Words that run a command on the machine. */
  on(machine: "near" | "far"): { readonly prefix: readonly string[] } {
    return { prefix: ["ip", "netns", "exec", machine === "near" ? this.#near : this.#far] };
  }

  /** Drops every packet to the far machine, or no more: it looks switched off to whoever dials it. */
  drop(on: boolean): void {
    const neighbour = ["-n", this.#near, "neigh", on ? "replace" : "del", FAR, "dev", "wire"];
    ip(...neighbour, ...(on ? ["lladdr", NOWHERE, "nud", "permanent"] : []));
  }

  /** Pulls the cable at the far end, or puts it back. */
  pull(out: boolean): void {
    ip("-n", this.#far, "link", "set", "wire", out ? "down" : "up");
  }

  /** A way from here to a port of a machine, since loopback ends at the namespace. */
  async door(machine: "near" | "far", host: string, port: number): Promise<Place> {
    const folder = await mkdtemp(join(tmpdir(), "understudy-door-"));
    this.#folders.push(folder);
    const path = join(folder, "door.sock");
    const child = new Child([bun, "run", self, path, host, String(port)], this.on(machine));
    this.#doors.push(child);
    await child.until(() => child.stdout.includes("open"));
    return { path };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const door of this.#doors) await door[Symbol.asyncDispose]();
    for (const folder of this.#folders) await rm(folder, { recursive: true, force: true });
    ip("netns", "del", this.#near);
    ip("netns", "del", this.#far);
  }
}

/** Removes the namespaces of processes that are no more. */
function sweep(): void {
  const { stdout } = spawnSync("ip", ["netns", "list"], { encoding: "utf8" });
  for (const [name, pid] of stdout.matchAll(/^us(\d+)-\S+/gm)) {
    if (!existsSync(`/proc/${pid}`)) spawnSync("ip", ["netns", "del", name]);
  }
}

function ip(...args: string[]): void {
  const { status, stderr } = spawnSync("ip", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr.trim()}`);
}

/** Passes bytes and ends both ways. */
function serveDoor(path: string, host: string, port: number): void {
  createServer((inner) => {
    const outer = connect({ host, port });
    for (const [one, other] of [[inner, outer], [outer, inner]] as const) {
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  }).listen(path, () => process.stdout.write("open\n"));
}

if (import.meta.main) {
  const [path = "", host = "", port = ""] = process.argv.slice(2);
  serveDoor(path, host, Number(port));
}
