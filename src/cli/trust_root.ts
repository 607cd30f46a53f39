/** Gets the root of the local authority, as whoever owns the folder that it is kept in: what root would make there, its owner could not use. */
import type { Platform } from "../platform/platform.ts";
import { InternalAuthority } from "../tls/internal.ts";
import { openStore } from "../tls/store.ts";

/** Something is in the way of trust, in words. */
export class TrustError extends Error {
  override readonly name = "TrustError";
}

export interface Root {
  readonly pem: string;
  /** What tells it from others, in names of files and the like. */
  readonly mark: string;
  readonly subject: string;
  readonly fingerprint: string;
  /** Wall clock, in milliseconds. */
  readonly validTo: number;
}

/** Characters of the fingerprint that tell one root from another. */
const MARK_LENGTH = 8;

/** Makes the root where there is none. Rejects with `TrustError`, `FileError` or `IssueError`. */
export async function rootOf(folder: string, platform: Platform): Promise<Root> {
  const owner = platform.userId() === 0 ? await ownerAbove(folder, platform) : undefined;
  if (owner !== undefined && owner.userId !== 0) {
    const words = [...platform.program, "trust", "--print", "--storage", folder];
    const { code, stdout, stderr } = await asOwner(owner, words, platform);
    if (code === 0) return factsOf(stdout, platform);
    throw new TrustError(
      `Cannot get the root from "${folder}" as its owner, user ${owner.userId}:\n${stderr.trim()}`,
    );
  }

  const { store, notices } = await openStore(folder, { files: platform, clock: platform.clock });
  for (const notice of notices) platform.stderr.write(`${notice}\n`);
  const authority = new InternalAuthority({
    store: () => Promise.resolve(store),
    clock: platform.clock,
    randomBytes: (count) => platform.randomBytes(count),
    certificateFacts: (chain) => platform.certificateFacts(chain),
  });
  return factsOf(await authority.root(new AbortController().signal), platform);
}

export function factsOf(pem: string, platform: Platform): Root {
  const { issuer, fingerprint, validTo } = platform.certificateFacts(pem);
  const mark = fingerprint.slice(0, MARK_LENGTH);
  return { pem, mark, subject: issuer.replace(/^CN=/, ""), fingerprint, validTo };
}

interface Owner {
  readonly userId: number;
  readonly groupId: number;
}

/** Whose the folder is, or will be when it is made. */
async function ownerAbove(folder: string, platform: Platform): Promise<Owner | undefined> {
  for (let path = folder;; path = path.slice(0, path.lastIndexOf("/"))) {
    const owner = await platform.ownerOf(path === "" ? "/" : path);
    if (owner !== undefined) return owner;
    if (!path.includes("/")) return await platform.ownerOf(".");
  }
}

/** Runs words as another user, and without our groups; as they are where we are that user. */
export async function asOwner(owner: Owner, words: readonly string[], platform: Platform) {
  const { userId, groupId } = owner;
  const ids = ["--reuid", String(userId), "--regid", String(groupId), "--clear-groups"];
  const [program = "", ...args] = userId === platform.userId()
    ? words
    : ["setpriv", ...ids, ...words];
  return await platform.runProgram(program, args);
}
