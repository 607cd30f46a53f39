/** Other programs run to their end, and lines asked of whoever sits at the terminal. Alike on both runtimes. */
import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { clearInterval, setInterval } from "node:timers";
import type { ProgramOptions, ProgramResult } from "./platform.ts";
import { clock } from "./web.ts";

/** Runs without a shell, so that no word can be taken for more than a word. */
export function runProgram(
  file: string,
  args: readonly string[],
  options?: ProgramOptions,
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const child = spawn(file, [...args], {
      stdio: ["ignore", "pipe", "pipe"],
      ...(options && { env: { ...process.env, ...options.env } }),
    });
    let [stdout, stderr] = ["", ""];
    const forget = options && cutShort(options, (why) => {
      child.kill("SIGKILL");
      // What it started itself may hold on to these for longer.
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ code: 124, stdout, stderr: why });
    });
    const settle = (result: ProgramResult): void => {
      forget?.();
      resolve(result);
    };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.once("error", (error) => settle({ code: 127, stdout, stderr: error.message }));
    child.once("close", (code) => settle({ code: code ?? 1, stdout, stderr }));
  });
}

/** Calls once nobody waits any longer, unless the returned function is called before. */
function cutShort(
  { timeoutMs, signal }: ProgramOptions,
  cut: (why: string) => void,
): () => void {
  const leave = (): void => end("nobody waits any more");
  const stopTimer = clock.after(timeoutMs, () => end(`no end in ${timeoutMs} ms`));
  const forget = (): void => {
    stopTimer();
    signal.removeEventListener("abort", leave);
  };
  function end(why: string): void {
    forget();
    cut(why);
  }
  if (signal.aborted) leave();
  else signal.addEventListener("abort", leave, { once: true });
  return forget;
}

export function askLine(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY) return Promise.resolve(undefined);
  const lines = createInterface({ input: process.stdin, output: process.stdout, terminal: true });
  return new Promise((resolve) => {
    // Ctrl-C is a key while a line is edited; it shall mean what it always means.
    lines.once("SIGINT", () => {
      lines.close();
      process.kill(process.pid, "SIGINT");
    });
    lines.once("close", () => resolve(undefined));
    lines.question(question, (answer) => {
      resolve(answer);
      lines.close();
    });
  });
}

/** A timer that holds the process, which those of the clock do not. */
export function stayAwake(): () => void {
  const timer = setInterval(() => {}, 60_000);
  return () => clearInterval(timer);
}
