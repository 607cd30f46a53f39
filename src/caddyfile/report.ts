/** What reading a Caddyfile has to say: problems with their places. Collected, never thrown. */
import type { Place } from "./written.ts";

/** One problem; `where` is what the Caddyfile calls the thing, empty for the file as such. */
export interface Problem extends Place {
  readonly message: string;
}

/** Shorter values are no secrets, and stand in too many words. */
const HIDDEN_LEAST_CHARS = 4;

/** Problems in the order they were found, each once. */
export class Report {
  readonly problems: Problem[] = [];
  readonly #seen = new Set<string>();
  readonly #hidden = new Map<string, string>();

  tell({ file, line, column }: Omit<Place, "where">, where: string, message: string): void {
    const shown = this.masked(message);
    const key = `${file}:${line}:${column}:${shown}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.problems.push({ file, line, column, where: this.masked(where), message: shown });
  }

  /** What the environment gave for `{$NAME}` may be a secret, and is called by its name from here on. */
  hide(name: string, value: string): void {
    if (value.length >= HIDDEN_LEAST_CHARS) this.#hidden.set(value, `{$${name}}`);
  }

  masked(text: string): string {
    let shown = text;
    for (const [value, name] of this.#hidden) shown = shown.replaceAll(value, () => name);
    return shown;
  }
}
