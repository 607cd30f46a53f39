/**
 * What is kept on disk: accounts, keys and certificates in one folder of ours, and the turns that
 * processes and callers take there. Knows nothing of what the files say.
 */
import { type Clock, FileError, type PrivateFiles } from "../platform/platform.ts";
import { fileNameOf } from "./file_names.ts";
import type { Store } from "./issuer.ts";

/** Another process is asked for its lock so often. */
const POLL_MS = 250;
const LOCKS = "locks";

export interface StoreParts {
  readonly files: PrivateFiles;
  readonly clock: Pick<Clock, "sleep">;
}

export interface OpenedStore {
  readonly store: Store;
  /** What people should know of the folder: modes that were repaired, or could not be. */
  readonly notices: readonly string[];
}

/** Makes the folder where it is missing. Rejects with `FileError` where nothing can be kept in it. */
export async function openStore(folder: string, parts: StoreParts): Promise<OpenedStore> {
  await parts.files.makeDirectory(folder);
  const notices = await parts.files.keepPrivate(folder);
  return { store: new FolderStore(folder, parts), notices };
}

class FolderStore implements Store {
  readonly #folder: string;
  readonly #files: PrivateFiles;
  readonly #clock: StoreParts["clock"];
  /** By name, the end of the last one's turn within this process. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(folder: string, { files, clock }: StoreParts) {
    this.#folder = folder;
    this.#files = files;
    this.#clock = clock;
  }

  async read(path: string): Promise<string | undefined> {
    return await this.#files.readIfAny(this.#within(path));
  }

  async write(path: string, text: string): Promise<void> {
    const place = this.#within(path);
    await this.#files.makeDirectory(place.slice(0, place.lastIndexOf("/")));
    await this.#files.writePrivate(place, text);
  }

  async remove(path: string): Promise<void> {
    await this.#files.removeFile(this.#within(path));
  }

  async list(folder: string): Promise<readonly string[]> {
    return await this.#files.listFiles(this.#within(folder));
  }

  async exclusively<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(name) ?? Promise.resolve();
    const { promise: turn, resolve: over } = Promise.withResolvers<void>();
    // Whoever gives up waiting still has its turn, and passes it on at once when it comes.
    const after = before.then(() => turn);
    this.#turns.set(name, after);
    try {
      await orAborted(before, signal);
      const release = await this.#locked(name, signal);
      try {
        return await work();
      } finally {
        await release();
      }
    } finally {
      over();
      if (this.#turns.get(name) === after) this.#turns.delete(name);
    }
  }

  /** Bounded by the signal alone: how long another may need it, only the work knows. */
  async #locked(name: string, signal: AbortSignal): Promise<() => Promise<void>> {
    const path = this.#within(`${LOCKS}/${fileNameOf([name])}`);
    for (;;) {
      signal.throwIfAborted();
      const release = await this.#files.lockFile(path).catch(unlocked);
      if (release !== undefined) return release;
      // Aborted or not, the loop's beginning says.
      await this.#clock.sleep(POLL_MS, signal).catch(() => {});
    }
  }

  /** Throws where a path leads anywhere else, which is a bug of whoever made it. */
  #within(path: string): string {
    const isFine = path.split("/").every((part) => /^[^\\:\0]+$/.test(part) && !/^\.+$/.test(part));
    if (!isFine) throw new RangeError(`Expected a path within the store but received "${path}"`);
    return `${this.#folder}/${path}`;
  }
}

/** Where nothing can be written no other process can lock either: a certificate matters more than that. */
function unlocked(error: unknown): () => Promise<void> {
  if (error instanceof FileError && error.isOfDisk) return () => Promise.resolve();
  throw error;
}

async function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const give = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", give, { once: true });
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", give);
  }
}
