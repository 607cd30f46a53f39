/**
 * What is to be kept on disk and could not be so far, as the disk is full, say. Tried again whenever somebody
 * comes by; what was stored before stays as it is.
 */
import { failureOf } from "./course.ts";
import type { Store } from "./issuer.ts";

export class Unsaved {
  #file: { readonly path: string; readonly text: string } | undefined;
  #reason: string | undefined;

  /** Why something is not stored; undefined where all is. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** In the place of what was to be kept before. */
  keep(path: string, text: string): void {
    this.#file = { path, text };
  }

  /** Tells why it cannot be stored, once for the same reason. */
  async save(store: Pick<Store, "write">): Promise<string | undefined> {
    const file = this.#file;
    if (file === undefined) return undefined;
    const before = this.#reason;
    try {
      await store.write(file.path, file.text);
      this.#drop();
    } catch (error) {
      this.#reason = failureOf(error).reason;
    }
    return this.#reason === before ? undefined : this.#reason;
  }

  /** The same some time later, when `isOld` may find that another process has stored a newer one since. */
  async saveLate(
    store: Pick<Store, "write" | "exclusively">,
    isOld: () => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    if (this.#file === undefined) return undefined;
    return await store.exclusively(this.#file.path, signal, async () => {
      if (!await isOld()) return await this.save(store);
      this.#drop();
      return undefined;
    });
  }

  #drop(): void {
    this.#file = undefined;
    this.#reason = undefined;
  }
}
