/** A store that keeps everything in memory and lets one in at a time, as the one on disk does. */
import type { Store } from "../../src/tls/issuer.ts";

export class MemoryStore implements Store {
  readonly files = new Map<string, string>();
  /** Why nothing can be written. */
  full: string | undefined;
  /** Called within every turn before its work. */
  inTurn: () => void = () => {};
  readonly #turns = new Map<string, Promise<unknown>>();

  read(path: string): Promise<string | undefined> {
    return Promise.resolve(this.files.get(path));
  }

  write(path: string, text: string): Promise<void> {
    if (this.full !== undefined) return Promise.reject(new Error(this.full));
    this.files.set(path, text);
    return Promise.resolve();
  }

  remove(path: string): Promise<void> {
    this.files.delete(path);
    return Promise.resolve();
  }

  list(folder: string): Promise<readonly string[]> {
    const inside = [...this.files.keys()].filter((path) => path.startsWith(`${folder}/`));
    return Promise.resolve(inside.map((path) => path.slice(folder.length + 1)));
  }

  async exclusively<T>(name: string, _: AbortSignal, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(() => {
      this.inTurn();
      return work();
    });
    this.#turns.set(name, turn.catch(() => {}));
    return await turn;
  }
}
