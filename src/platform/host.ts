/**
 * The machine around the process, alike on both runtimes: files, directory watching, the
 * terminal, keys, and this same program run again as a child.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { statSync, watch, writeSync } from "node:fs";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import process from "node:process";
import type { Readable } from "node:stream";
import { isatty } from "node:tty";
import { type ChildProcess, FileError, type Terminal } from "./platform.ts";
import { clock, messageOf, textOf } from "./web.ts";

const FILE_WORDS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  ENOTDIR: "no such file",
  EISDIR: "it is a directory",
  EEXIST: "something else has that name",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
};

export const files = { readText, writeText, fileExists, listDirectory, watchDirectory };

/** Puts what the system says into words; what is in words already stays. */
export function fileError(action: string, path: string, error: unknown): FileError {
  if (error instanceof FileError) return error;
  const words = FILE_WORDS[textOf(error, "code")] ?? messageOf(error);
  return new FileError(`Cannot ${action} "${path}": ${words}`, { cause: error });
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw fileError("read", path, error);
  }
}

async function writeText(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    throw fileError("write", path, error);
  }
}

async function fileExists(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

async function listDirectory(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    throw fileError("list", path, error);
  }
}

/** Watches the directory, as a watch on a file goes deaf once the file is replaced. Throws `FileError`. */
function watchDirectory(path: string, changed: () => void): () => void {
  try {
    // Deno's `watch` reports a missing directory as an event, Bun's throws.
    statSync(path);
    const watcher = watch(path, { persistent: false }, () => changed());
    watcher.on("error", () => watcher.close());
    return () => watcher.close();
  } catch (error) {
    throw fileError("watch", path, error);
  }
}

/** Writes at once and whole, so that nothing is lost when the process ends right after. */
export function terminal(fd: 1 | 2): Terminal {
  return {
    isTerminal: isatty(fd),
    get columns() {
      return sizeOf(fd).columns || undefined;
    },
    get rows() {
      return sizeOf(fd).rows || undefined;
    },
    write(text) {
      const bytes = new TextEncoder().encode(text);
      let written = 0;
      while (written < bytes.length) {
        try {
          written += writeSync(fd, bytes, written);
        } catch (error) {
          // A pipe that whoever started us made non-blocking, and that is full for the moment.
          if (textOf(error, "code") !== "EAGAIN") return; // EPIPE: nobody reads any more.
          pauseThread(1);
        }
      }
    },
  };
}

/** Undefined where it is no terminal, 0 where the terminal does not tell. */
function sizeOf(fd: 1 | 2): { readonly columns?: number; readonly rows?: number } {
  return fd === 1 ? process.stdout : process.stderr;
}

function pauseThread(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Without it Bun and Deno end the process, and with it every stream that runs. */
export function onUncaught(handler: (error: unknown) => void): () => void {
  const names = ["uncaughtException", "unhandledRejection"] as const;
  for (const name of names) process.on(name, handler);
  return () => {
    for (const name of names) process.off(name, handler);
  };
}

const CTRL_C = "\u0003";

/** Key presses as they come; an arrow and the like arrive as one escape sequence. No terminal, no keys. */
export function onKey(handler: (key: string) => void): () => void {
  const input = process.stdin;
  if (!input.isTTY) return () => {};

  const read = (chunk: Uint8Array | string): void => {
    const text = typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk);
    for (const key of text.startsWith("\u001b") ? [text] : text) {
      // Raw mode turns Ctrl-C into a key; it shall go on meaning what it always means.
      if (key === CTRL_C) process.kill(process.pid, "SIGINT");
      else handler(key);
    }
  };
  const stop = (): void => {
    input.off("data", read);
    input.setRawMode(false);
    input.pause();
    process.off("exit", stop);
  };

  input.setRawMode(true);
  input.on("data", read);
  input.resume();
  process.on("exit", stop);
  return stop;
}

/** Names the process that a child must not outlive. */
const PARENT_VARIABLE = "UNDERSTUDY_PARENT";
const PARENT_CHECK_MS = 250;

/** Ends this process once the one that spawned it is gone, however that died. */
export function followParent(exit: (code: number) => void): void {
  const parent = Number(process.env[PARENT_VARIABLE]);
  delete process.env[PARENT_VARIABLE];
  // Windows leaves the number of a dead parent in place: there is nothing to see there.
  if (!Number.isInteger(parent) || parent <= 1 || process.platform === "win32") return;

  const check = (): void => {
    // An orphan is handed to another process.
    if (process.ppid !== parent) return exit(1);
    clock.after(PARENT_CHECK_MS, check);
  };
  check();
}

export function spawnChild(file: string, args: readonly string[]): ChildProcess {
  const env = { ...process.env, [PARENT_VARIABLE]: String(process.pid) };
  const child: ChildProcessByStdio<null, Readable, null> = spawn(file, [...args], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const kill = (signal: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void => {
    const running = child.pid !== undefined && child.exitCode === null && child.signalCode === null;
    // Not `child.kill`: on Deno that works once, and a stopped child could never go on.
    if (running) process.kill(child.pid, signal);
  };
  const last = (): void => kill("SIGKILL");
  process.on("exit", last);

  const exited = new Promise<number>((resolve) => {
    // Died of a signal: 128 and more, as a shell would report it.
    child.once("exit", (code, signal) => resolve(code ?? (signal === "SIGKILL" ? 137 : 143)));
    child.once("error", () => resolve(127));
  });
  void exited.then(() => process.off("exit", last));
  return { pid: child.pid ?? -1, lines: linesOf(child.stdout), exited, kill };
}

async function* linesOf(stream: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  if (rest !== "") yield rest;
}
