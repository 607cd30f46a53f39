/** Reads Prometheus' text format, strictly: what does not follow it is an error. */

export interface Family {
  readonly type: string;
  readonly help: string;
  /** By name and labels as they stand: `x_total{code="200"}`. */
  readonly samples: ReadonlyMap<string, number>;
}

const SAMPLE =
  /^([a-z_][a-z0-9_]*)((?:\{(?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)+\})?) ([+-]?(?:\d[\d.e+-]*|Inf)|NaN)$/;

export function readMetrics(text: string): ReadonlyMap<string, Family> {
  const families = new Map<string, Family>();
  let name = "";
  let help = "";
  let samples = new Map<string, number>();
  if (!text.endsWith("\n")) throw new Error("The last line has no end");
  for (const line of text.slice(0, -1).split("\n")) {
    const [, kind, of = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === "HELP") {
      if (families.has(of)) throw new Error(`Family "${of}" comes twice`);
      [name, help, samples] = [of, rest, new Map()];
    } else if (kind === "TYPE") {
      if (of !== name) throw new Error(`Type of "${of}" comes without its help`);
      families.set(name, { type: rest, help, samples });
    } else {
      const [, metric = "", labels = "", value = ""] = SAMPLE.exec(line) ?? [];
      if (metric.replace(/_(?:bucket|sum|count)$/, "") !== name && metric !== name) {
        throw new Error(`Line is none of "${name}": ${line}`);
      }
      if (samples.has(metric + labels)) throw new Error(`Sample comes twice: ${line}`);
      samples.set(metric + labels, Number(value.replace("Inf", "Infinity")));
    }
  }
  return families;
}

/** All samples of all families. */
export function samplesOf(text: string): ReadonlyMap<string, number> {
  return new Map([...readMetrics(text).values()].flatMap(({ samples }) => [...samples]));
}
