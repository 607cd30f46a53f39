/** Folders made for us alone, and what is in them written down for good. Alike on both runtimes. */
import { chmod, mkdir, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import { fileError } from "./host.ts";
import { textOf } from "./web.ts";

const OURS_ALONE = 0o700;

export async function makeDirectory(path: string): Promise<void> {
  try {
    await make(path);
  } catch (error) {
    throw fileError("make directory", path, error);
  }
}

/** One by one, as a recursive `mkdir` leaves the modes of those in between to the umask. */
async function make(path: string): Promise<void> {
  try {
    await mkdir(path, OURS_ALONE);
  } catch (error) {
    if (textOf(error, "code") === "EEXIST" && (await stat(path)).isDirectory()) return;
    const parent = dirname(path);
    if (textOf(error, "code") !== "ENOENT" || parent === path) throw error;
    await make(parent);
    return await make(path);
  }
  await chmod(path, OURS_ALONE);
  await syncFolder(dirname(path));
}

/** Has the names in a folder outlast a power cut. Windows opens no folders, and needs none of this. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(textOf(error, "code"));
}
