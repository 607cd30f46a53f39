/**
 * Files that hold secrets: for us alone to read, replaced whole or not at all, in folders of ours.
 * Alike on both runtimes, whatever the umask says.
 */
import { randomBytes } from "node:crypto";
import { chmod, lstat, open, readdir, readFile, rename, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileError } from "./host.ts";
import { isMissing, makeDirectory, syncFolder } from "./host_folder.ts";
import { locker } from "./host_lock.ts";
import { FileError, type Owner, type PrivateFiles } from "./platform.ts";
import { clock } from "./web.ts";

export const privateFiles: PrivateFiles = {
  userId: () => process.geteuid?.(),
  makeDirectory,
  keepPrivate,
  ownerOf,
  readIfAny,
  listFiles,
  writePrivate,
  removeFile,
  lockFile: locker(clock),
};

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
const MODE_BITS = 0o7777;
const OTHERS = 0o077;
const ROOT = 0;

async function keepPrivate(path: string): Promise<readonly string[]> {
  try {
    const { uid, mode } = await folderAt(path);
    const us = process.geteuid?.();
    const notices = us === undefined
      ? []
      : [...ownerNotices(path, uid, us), ...await modeNotices(path, mode & MODE_BITS)];
    await tryOut(path);
    return notices;
  } catch (error) {
    throw fileError("keep secrets in", path, error);
  }
}

/** Deno's `access` goes by the mode alone, which knows neither groups nor disks that are read-only. */
async function tryOut(folder: string): Promise<void> {
  const draft = draftIn(folder);
  await (await open(draft, "wx", PRIVATE_FILE)).close();
  await unlink(draft);
}

function draftIn(folder: string): string {
  return join(folder, `.${randomBytes(8).toString("hex")}`);
}

async function folderAt(path: string) {
  const found = await stat(path);
  if (found.isDirectory()) return found;
  throw new FileError(`Cannot keep secrets in "${path}": it is no directory`);
}

/** Root may read everything anyway, so a folder of its is as good as one of ours. */
function ownerNotices(path: string, owner: number, us: number): readonly string[] {
  if (owner === us || owner === ROOT) return [];
  if (us !== ROOT) {
    throw new FileError(
      `Cannot keep secrets in "${path}": it belongs to user ${owner}, and this is user ${us}`,
    );
  }
  return [`"${path}" belongs to user ${owner}, who can read and replace what is kept there`];
}

async function modeNotices(path: string, mode: number): Promise<readonly string[]> {
  const isOurs = (mode & PRIVATE_FOLDER) === PRIVATE_FOLDER;
  if (isOurs && (mode & OTHERS) === 0) return [];
  // A folder of root's that we were let into, or a file system that knows no modes, stays as it is.
  await chmod(path, PRIVATE_FOLDER).catch(() => {});
  const left = (await stat(path)).mode & MODE_BITS;
  if ((left & OTHERS) !== 0) {
    return [`"${path}" is open to others (mode ${octal(left)}), and cannot be closed to them`];
  }
  return left === mode
    ? []
    : [`"${path}" had mode ${octal(mode)} and has ${octal(left)} now, so that it is ours alone`];
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

async function ownerOf(path: string): Promise<Owner | undefined> {
  if (process.geteuid === undefined) return undefined;
  try {
    const { uid, gid } = await stat(path);
    return { userId: uid, groupId: gid };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw fileError("look at", path, error);
  }
}

async function readIfAny(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw fileError("read", path, error);
  }
}

async function listFiles(path: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    // What begins with a dot is on its way to another name, or was left by a process that died.
    return entries.flatMap((one) => one.isFile() && !one.name.startsWith(".") ? [one.name] : []);
  } catch (error) {
    if (isMissing(error)) return [];
    throw fileError("list", path, error);
  }
}

async function writePrivate(path: string, text: string): Promise<void> {
  const folder = dirname(path);
  const draft = draftIn(folder);
  try {
    await writeDraft(draft, text);
    try {
      await rename(draft, path);
    } catch (error) {
      await unlink(draft);
      throw error;
    }
    await syncFolder(folder);
  } catch (error) {
    throw fileError("write", path, error);
  }
}

/** On the disk with all its bytes, or not there. */
async function writeDraft(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", PRIVATE_FILE);
  try {
    try {
      // The umask may have taken something from the mode.
      await file.chmod(PRIVATE_FILE);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await unlink(path);
    throw error;
  }
}

async function removeFile(path: string): Promise<void> {
  try {
    // Deno's `unlink` takes empty directories as well.
    if ((await lstat(path)).isDirectory()) {
      throw new FileError(`Cannot remove "${path}": it is a directory`);
    }
    await unlink(path);
    await syncFolder(dirname(path));
  } catch (error) {
    if (!isMissing(error)) throw fileError("remove", path, error);
  }
}
