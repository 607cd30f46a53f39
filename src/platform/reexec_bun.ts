/// <reference types="bun" />
/**
 * Begins the program anew with settings that Bun reads once, as it starts. Imports nothing of the
 * program: whatever is loaded before is loaded twice.
 */
import process from "node:process";

const START_VARIABLES: Readonly<Record<string, string>> = {
  // Requests under way at once: with Bun's 256, a 257th stream would wait for one to end. This is the most.
  BUN_CONFIG_MAX_HTTP_REQUESTS: "65535",
  // Bun remembers addresses for 30 s, which outlasts many a move of an upstream.
  BUN_CONFIG_DNS_TIME_TO_LIVE_SECONDS: "2",
};

/** Replaces the process by itself unless that has been done, and does not return then. */
export function reexec(): void {
  const missing = Object.keys(START_VARIABLES).filter((name) => process.env[name] === undefined);
  // Another image in the same process: same number, same files, same parent. Windows has no such thing.
  if (missing.length === 0 || process.execve === undefined || process.platform === "win32") return;
  const args = isCompiled()
    ? [process.execPath, ...process.argv.slice(2)]
    : [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  process.execve(process.execPath, args, { ...START_VARIABLES, ...process.env });
}

/** Whether this is the compiled binary: its files live in a file system of its own. */
export function isCompiled(): boolean {
  return Bun.main.startsWith("/$bunfs/") || /^B:[\\/]~BUN/i.test(Bun.main);
}
