/** The places where systems keep the roots that they trust, and how they are told of a new one. */
import type { Platform } from "../platform/platform.ts";
import { type Root, TrustError } from "./trust_root.ts";

export interface SystemStore {
  /** Its absence means another kind of system. */
  readonly folder: string;
  /** Makes everybody's list of what lies in the folder. */
  readonly refresh: readonly string[];
  /** The same once something is gone from there. */
  readonly renew: readonly string[];
}

const STORES: readonly SystemStore[] = [
  // Fedora and what comes of it
  folder("/etc/pki/ca-trust/source/anchors", ["update-ca-trust", "extract"]),
  // Debian, Ubuntu, Alpine. Left to itself the program keeps links to what is gone.
  folder("/usr/local/share/ca-certificates", ["update-ca-certificates"], "--fresh"),
  // Arch
  folder("/etc/ca-certificates/trust-source/anchors", ["trust", "extract-compat"]),
  // openSUSE
  folder("/etc/pki/trust/anchors", ["update-ca-certificates"], "--fresh"),
];

function folder(path: string, refresh: readonly string[], ...more: readonly string[]): SystemStore {
  return { folder: path, refresh, renew: [...refresh, ...more] };
}

/** The list of Debian's Java, which is only ever added to. */
const JAVA = "/etc/ssl/certs/java/cacerts";

/** What this system has of it; undefined where it is none of these. */
export async function systemStore(platform: Platform): Promise<SystemStore | undefined> {
  for (const store of STORES) {
    const isThere = await platform.listDirectory(store.folder).then(() => true, () => false);
    if (isThere) return store;
  }
  return undefined;
}

export function fileIn({ folder }: SystemStore, { mark }: Pick<Root, "mark">): string {
  return `${folder}/understudy-${mark}.crt`;
}

/** Says line by line what it did. Rejects with `TrustError` or `FileError`. */
export async function putIn(
  store: SystemStore,
  root: Root,
  platform: Platform,
  say: (line: string) => void,
): Promise<void> {
  const file = fileIn(store, root);
  if (await platform.readIfAny(file) === root.pem) {
    say(`${file} is there already`);
  } else {
    await platform.writePrivate(file, root.pem);
    say(`Wrote ${file}`);
  }
  // Every program shall read it, whatever our umask says.
  await ran(["chmod", "0644", file], platform);
  await ran(store.refresh, platform);
  say(`Ran ${store.refresh.join(" ")}`);
}

export async function takeOut(
  store: SystemStore,
  root: Root,
  platform: Platform,
  say: (line: string) => void,
): Promise<void> {
  const file = fileIn(store, root);
  if (!await platform.fileExists(file)) return say(`${file} is not there`);
  await platform.removeFile(file);
  say(`Removed ${file}`);
  await ran(store.renew, platform);
  say(`Ran ${store.renew.join(" ")}`);
  if (!await platform.fileExists(JAVA)) return;
  const alias = `debian:understudy-${root.mark}.pem`;
  say(`Java may have it still: keytool -delete -noprompt -keystore ${JAVA} -alias ${alias}`);
}

/** Roots of understudy that are trusted here, of whatever authority. */
export async function filesIn({ folder }: SystemStore, platform: Platform) {
  const names = await platform.listFiles(folder);
  return names.filter((name) => /^understudy-[0-9a-f]+\.crt$/.test(name))
    .map((name) => `${folder}/${name}`);
}

async function ran(words: readonly string[], platform: Platform): Promise<void> {
  const [program = "", ...args] = words;
  const { code, stderr } = await platform.runProgram(program, args);
  if (code === 0) return;
  const why = code === 127 ? "there is no such program" : stderr.trim() || `exit code ${code}`;
  throw new TrustError(`Cannot do "${words.join(" ")}": ${why}`);
}
