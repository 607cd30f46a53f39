/** Lists of trusted roots that browsers on Linux keep for each user: databases of NSS, which certutil changes. */
import type { Platform } from "../platform/platform.ts";
import { sudoHome } from "./storage_place.ts";
import { asOwner, type Root } from "./trust_root.ts";

/** Of Chromium and Chrome, below a user's home. */
const SHARED = [".pki/nssdb", "snap/chromium/current/.pki/nssdb"];
/** Where Firefox has its profiles, with a database each. */
const PROFILES = [
  ".mozilla/firefox",
  "snap/firefox/common/.mozilla/firefox",
  ".var/app/org.mozilla.firefox/.mozilla/firefox",
];
/** Profiles looked at in each place. */
const PROFILES_MAX = 50;
const MISSING = 127;

/** Databases of the user who asks, through sudo or not. */
async function databases(platform: Platform): Promise<readonly string[]> {
  const home = await sudoHome(platform) ?? platform.env("HOME");
  if (!home) return [];
  const profiles = await Promise.all(PROFILES.map(async (place) => {
    const names = await platform.listDirectory(`${home}/${place}`).catch(() => []);
    return names.slice(0, PROFILES_MAX).map((name) => `${place}/${name}`);
  }));
  const folders = [...SHARED, ...profiles.flat()].map((place) => `${home}/${place}`);
  const are = await Promise.all(folders.map((one) => platform.fileExists(`${one}/cert9.db`)));
  return folders.filter((_, at) => are[at]);
}

/** Has them trust the root that stands in the file. Says what it did; what it cannot do is said and no more. */
export async function tellBrowsers(
  root: Root,
  file: string,
  platform: Platform,
  say: (line: string) => void,
): Promise<void> {
  for (const folder of await databases(platform)) {
    if (await isIn(folder, root, platform)) {
      say(`${folder} has it already`);
      continue;
    }
    const words = ["-A", "-t", "C,,", "-n", nickname(root), "-i", file];
    say(outcome(await certutil(folder, words, platform), "Added it to", folder));
  }
}

export async function untellBrowsers(
  root: Root,
  platform: Platform,
  say: (line: string) => void,
): Promise<void> {
  for (const folder of await databases(platform)) {
    if (!await isIn(folder, root, platform)) continue;
    const words = ["-D", "-n", nickname(root)];
    say(outcome(await certutil(folder, words, platform), "Removed it from", folder));
  }
}

interface Ended {
  readonly code: number;
  readonly stderr: string;
}

function outcome({ code, stderr }: Ended, done: string, folder: string): string {
  if (code === 0) return `${done} ${folder}`;
  const why = code === MISSING
    ? "certutil is missing (package libnss3-tools or nss-tools)"
    : stderr.trim().split("\n")[0] ?? "";
  return `Left ${folder} as it is: ${why}`;
}

async function isIn(folder: string, root: Root, platform: Platform): Promise<boolean> {
  return (await certutil(folder, ["-L", "-n", nickname(root)], platform)).code === 0;
}

function nickname({ mark }: Root): string {
  return `understudy ${mark}`;
}

/** As the database's owner: in a folder of somebody else's, root leads nobody astray. */
async function certutil(folder: string, args: readonly string[], platform: Platform) {
  const owner = await platform.ownerOf(folder);
  const words = ["certutil", "-d", `sql:${folder}`, ...args];
  return owner === undefined
    ? { code: 1, stderr: "it is gone" }
    : await asOwner(owner, words, platform);
}
