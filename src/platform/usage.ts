/** What this process takes of the machine, alike on both runtimes. */
import { readdirSync } from "node:fs";
import process from "node:process";
import type { ProcessUsage } from "./platform.ts";

export function usage(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  return {
    residentBytes: process.memoryUsage.rss(),
    cpuMs: (user + system) / 1000,
    openFiles: openFiles(),
  };
}

/** Only Linux keeps this list. Reading it opens one more, which is left out. */
function openFiles(): number | undefined {
  try {
    return readdirSync("/proc/self/fd").length - 1;
  } catch {
    return undefined;
  }
}
