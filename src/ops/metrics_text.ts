/**
 * Spells metrics as Prometheus reads them: its text format, version 0.0.4. Knows numbers and labels
 * and nothing of what they mean.
 */
import type { Metric } from "./metrics_names.ts";

export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Counts of what took how long. Observing makes nothing new. */
export class Histogram {
  readonly #boundsMs: readonly number[];
  /** One a bound, and one for what took longer than all of them. */
  readonly #counts: Float64Array;
  #sumMs = 0;

  constructor(boundsMs: readonly number[]) {
    this.#boundsMs = boundsMs;
    this.#counts = new Float64Array(boundsMs.length + 1);
  }

  observe(ms: number): void {
    const bounds = this.#boundsMs;
    let at = 0;
    // Most answers are quick, so a search from the least is over soon.
    while (at < bounds.length && ms > (bounds[at] ?? 0)) at++;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sumMs += ms;
  }

  writeTo(text: Exposition, labels: string): void {
    const comma = labels === "" ? "" : ",";
    let count = 0;
    for (const [at, more] of this.#counts.entries()) {
      count += more;
      const bound = this.#boundsMs[at];
      const le = bound === undefined ? "+Inf" : String(bound / 1000);
      text.sample(`${labels}${comma}le="${le}"`, count, "_bucket");
    }
    text.sample(labels, this.#sumMs / 1000, "_sum");
    text.sample(labels, count, "_count");
  }
}

/** The text as it grows, a family of samples after the other. */
export class Exposition {
  #name = "";
  #text = "";

  get text(): string {
    return this.#text;
  }

  /** Samples that come next are of this metric. */
  family({ name, type, help }: Metric): this {
    this.#name = name;
    const meaning = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
    this.#text += `# HELP ${name} ${meaning}\n# TYPE ${name} ${type}\n`;
    return this;
  }

  /** `labels` as `labelled` spells them, empty for none. */
  sample(labels: string, value: number, suffix = ""): void {
    const shown = labels === "" ? "" : `{${labels}}`;
    this.#text += `${this.#name}${suffix}${shown} ${value}\n`;
  }
}

/** `route="a",upstream="b"` */
export function labelled(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`).join(",");
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
