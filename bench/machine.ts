/// <reference types="bun" />
/**
 * What the bench needs of the machine: Debian's tools, a freshly built binary, the bench itself on
 * the load's core; and what of it belongs beside the figures.
 */
import { cpus, loadavg, release } from "node:os";
import { CORE } from "./processes.ts";
import type { Facts } from "./report.ts";

const ROOT = `${import.meta.dir}/..`;
const BIN = `${ROOT}/node_modules/.bin`;

/** Program → Debian's package. */
const TOOLS = {
  wrk: "wrk",
  h2load: "nghttp2-client",
  haproxy: "haproxy",
  nginx: "nginx-light",
  caddy: "caddy",
  openssl: "openssl",
  taskset: "util-linux",
} as const;

/** Installs what is missing where that is allowed. Throws when something stays missing. */
export function installTools(): void {
  if (process.getuid?.() === 0 && missingTools().length > 0) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const quiet = { env, stdout: "ignore", stderr: "ignore" } as const;
    Bun.spawnSync(["apt-get", "update"], quiet);
    Bun.spawnSync(
      ["apt-get", "install", "-y", "--no-install-recommends", ...missingTools()],
      quiet,
    );
  }
  const missing = missingTools();
  if (missing.length > 0) {
    throw new Error(`Cannot run the bench without Debian's ${missing.join(", ")}`);
  }
  if (cpus().length < 2) throw new Error("Cannot run the bench on less than two cores");
}

export function build(): void {
  const { success } = Bun.spawnSync([`${BIN}/bun`, "run", "build.ts"], {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (!success) throw new Error("Cannot run the bench as the binary does not build");
}

/** Keeps the bench, its timers and its load off the proxy's core. */
export function pinSelf(): void {
  Bun.spawnSync(["taskset", "-a", "-c", "-p", String(CORE.load), String(process.pid)]);
}

export function factsOf(command: string, rounds: string): Facts {
  const versions = [
    `Bun ${Bun.version}`,
    `Caddy ${version("caddy", "version")}`,
    `nginx ${version("nginx", "-v")}`,
    `HAProxy ${version("haproxy", "-v")}`,
    `wrk ${version("wrk", "-v")}`,
    `h2load ${version("h2load", "--version")}`,
    `Linux ${release()}`,
  ];
  const commit = said("git", "-C", ROOT, "rev-parse", "--short", "HEAD").trim();
  const changed = said("git", "-C", ROOT, "status", "--porcelain", "src").trim() !== "";
  return [
    ["date", new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC"],
    ["machine", `${cpus()[0]?.model.trim()}, ${cpus().length} cores`],
    ["load average before", loadavg().map((load) => load.toFixed(2)).join(" ")],
    ["understudy", `commit ${commit}${changed ? " with changes" : ""}`],
    ["versions", versions.join(", ")],
    ["command", `\`${command}\`, ${rounds}`],
  ];
}

/** Lays the page out as the repository's formatter would. */
export function format(path: string): void {
  Bun.spawnSync([`${BIN}/deno`, "fmt", "--quiet", path], { cwd: ROOT });
}

function missingTools(): string[] {
  return Object.entries(TOOLS)
    .filter(([program]) => Bun.which(program) === null)
    .map(([, name]) => name);
}

function version(...command: string[]): string {
  return /\d+\.\d+(\.\d+)?/.exec(said(...command))?.[0] ?? "?";
}

/** What a program prints, on whichever stream it likes. */
function said(...command: string[]): string {
  const { stdout, stderr } = Bun.spawnSync(command);
  return stdout.toString() + stderr.toString();
}
