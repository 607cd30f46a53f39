/**
 * Short-lived things of end-to-end tests: a command run to its end, a folder of files, and the
 * smallest configuration that forwards.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child, type StartOptions, type Subject } from "./processes.ts";

/** Runs a command to its end. */
export async function run(
  { command }: Subject,
  args: readonly string[],
  options: StartOptions = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  await using child = new Child([...command, ...args], options);
  const { code } = await child.exited;
  return { code, stdout: child.stdout, stderr: child.stderr };
}

/** A folder of its own, gone with its scope. */
export async function folder(files: Readonly<Record<string, string>> = {}) {
  const path = await mkdtemp(join(tmpdir(), "understudy-e2e-"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Everything to one upstream. `more` stands at the top level. */
export function configFor(url: string, more = "", listen = "127.0.0.1:0"): string {
  return `
listen: "${listen}"
${more}
routes:
  - upstreams: ["${url}"]
`;
}

/** Where nobody listens. */
export const NOWHERE = "http://127.0.0.1:9";
