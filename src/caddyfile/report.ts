/** What reading a Caddyfile has to say: problems with their places. Collected, never thrown. */
import type { Place } from "./written.ts";

/** One problem; `where` is what the Caddyfile calls the thing, empty for the file as such. */
export interface Problem extends Place {
  readonly message: string;
}

/** Problems in the order they were found, each once. */
export class Report {
  readonly problems: Problem[] = [];
  readonly #seen = new Set<string>();

  tell({ file, line, column }: Omit<Place, "where">, where: string, message: string): void {
    const key = `${file}:${line}:${column}:${message}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.problems.push({ file, line, column, where, message });
  }
}
