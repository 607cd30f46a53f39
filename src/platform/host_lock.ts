/**
 * A lock among processes, made of files alone so that it holds between runtimes, containers and machines.
 *
 * A lock is a folder of numbered claims, and the one with the highest number counts. Whoever finds it free,
 * or its holder dead, links a claim of its own under the next number, which only one can do. Claims stay when
 * they are over, so nobody who was slow to look can take a number that others have gone past.
 */
import { randomBytes } from "node:crypto";
import { link, open, readdir, readFile, readlink, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileError } from "./host.ts";
import { isMissing, makeDirectory } from "./host_folder.ts";
import type { Clock, Platform } from "./platform.ts";
import { textOf } from "./web.ts";

/** A holder shows that it lives so often. */
const BEAT_MS = 15_000;
/** And is taken for dead after so long a silence, where its process cannot be looked at. */
const SILENCE_MAX_MS = 60_000;
/** Claims that are over and stay, so that there is always a higher one to be seen by whoever was slow. */
const PAST_MAX = 10;
/** A claim's last word. Both take the same room, so that a full disk keeps nobody from releasing. */
const HELD = "held\n";
const FREE = "free\n";

/** Of a holder that may not see where it is. */
const NOWHERE = "-";

interface Claim {
  /** 0 where there is none. */
  readonly number: number;
  readonly text: string;
  /** By the file system's clock. */
  readonly touchedAt: number;
}

export function locker(clock: Pick<Clock, "after">): Platform["lockFile"] {
  return async (path) => {
    try {
      await makeDirectory(path);
      return await lock(path, clock);
    } catch (error) {
      throw fileError("lock", path, error);
    }
  };
}

async function lock(folder: string, clock: Pick<Clock, "after">) {
  const last = await lastClaim(folder);
  if (last === undefined) return undefined;
  const standing = await standingOf(last);
  if (standing === "held") return undefined;

  const draft = join(folder, `.${randomBytes(8).toString("hex")}`);
  const number = last.number + 1;
  const claim = `${await ownPlace()} ${process.pid} ${(await startOf(process.pid)) ?? "-"} `;
  const file = await open(draft, "wx", 0o600);
  let isOurs = false;
  try {
    await file.writeFile(claim + HELD);
    if (standing === "unknown" && await spokeLately(last, file)) return undefined;
    isOurs = await linked(draft, join(folder, String(number))) && await isLast(number, folder);
    return isOurs ? hold(file, claim, clock) : undefined;
  } finally {
    await unlink(draft).catch(() => {});
    if (isOurs) await sweep(folder, number).catch(() => {});
    else await free(file, claim);
  }
}

/** Undefined when it went while it was looked at: others are far past it by now. */
async function lastClaim(folder: string): Promise<Claim | undefined> {
  const number = await lastNumber(folder);
  if (number === 0) return { number, text: "", touchedAt: 0 };
  try {
    // Opened, as a file system on the network asks its server then.
    const file = await open(join(folder, String(number)), "r");
    try {
      const { mtimeMs } = await file.stat();
      return { number, text: await file.readFile("utf8"), touchedAt: mtimeMs };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function lastNumber(folder: string): Promise<number> {
  return Math.max(0, ...claimsAmong(await readdir(folder)));
}

function claimsAmong(names: readonly string[]): number[] {
  return names.filter((name) => /^[1-9]\d{0,14}$/.test(name)).map(Number);
}

/** How a claim stands, as far as can be told by its holder's process. */
async function standingOf({ number, text }: Claim): Promise<"free" | "held" | "unknown"> {
  if (number === 0) return "free";
  // After a power cut there may be anything in it.
  const [, place, pid, start, word] = /^(\S+) (\d+) (\S+) (\w+)\n$/.exec(text) ?? [];
  if (`${word}\n` === FREE) return "free";
  if (place === NOWHERE || place !== await ownPlace()) return "unknown";
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if (textOf(error, "code") === "ESRCH") return "free";
    // It is there, and another user's.
  }
  // Processes of others may be hidden, and not every system has the list.
  const startNow = await startOf(Number(pid));
  if (start === "-" || startNow === undefined) return "unknown";
  return start === startNow ? "held" : "free";
}

/** Where numbers of processes mean the same: this boot of this machine, and this container on it. */
async function ownPlace(): Promise<string> {
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
  const space = await readlink("/proc/self/ns/pid").catch(() => "");
  const isKnown = process.platform !== "linux" || (boot !== "" && space !== "");
  const name = ownName();
  return isKnown && name !== "" ? `${boot.trim()}/${space}/${encodeURIComponent(name)}` : NOWHERE;
}

/** Deno tells only whom it is allowed to tell. */
function ownName(): string {
  try {
    return hostname();
  } catch {
    return "";
  }
}

/** When a process began, in ticks since the boot, which tells it from another of the same number. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // Its name stands in brackets, and may have some of its own (proc(5)).
  const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // One that has died stays on the list until its parent asks how.
  return state === "Z" || state === "X" ? "ended" : fields[18];
}

/** By the file system's clock alone: those of machines differ. */
async function spokeLately({ touchedAt }: Claim, written: FileHandle): Promise<boolean> {
  return (await written.stat()).mtimeMs - touchedAt < SILENCE_MAX_MS;
}

/** False where another has that number already, and has swept our draft away maybe. */
async function linked(draft: string, own: string): Promise<boolean> {
  try {
    await link(draft, own);
    return true;
  } catch (error) {
    if (textOf(error, "code") === "EEXIST" || isMissing(error)) return false;
    throw error;
  }
}

/** Not so where it was slow: the numbers that others took meanwhile are higher. */
async function isLast(number: number, folder: string): Promise<boolean> {
  return await lastNumber(folder) === number;
}

function hold(
  file: FileHandle,
  claim: string,
  clock: Pick<Clock, "after">,
): () => Promise<void> {
  let beating: Promise<unknown> = Promise.resolve();
  let released: Promise<void> | undefined;
  const beat = (): void => {
    // Written anew the claim is the same but younger. A beat that fails is one less, no more.
    beating = file.write(claim + HELD, 0).catch(() => {});
    stop = clock.after(BEAT_MS, beat);
  };
  let stop = clock.after(BEAT_MS, beat);

  const release = async (): Promise<void> => {
    stop();
    await beating;
    await free(file, claim);
  };
  return () => (released ??= release());
}

async function free(file: FileHandle, claim: string): Promise<void> {
  try {
    await file.write(claim + FREE, 0);
  } finally {
    await file.close();
  }
}

/** Removes claims of long ago, and drafts: of those that died over them, or have lost by now. */
async function sweep(folder: string, number: number): Promise<void> {
  const names = await readdir(folder);
  const old = claimsAmong(names).filter((one) => one < number - PAST_MAX).map(String);
  const drafts = names.filter((name) => name.startsWith("."));
  for (const name of [...old, ...drafts]) await unlink(join(folder, name)).catch(() => {});
}
