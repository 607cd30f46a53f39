/** Holds docs/grafana.json and docs/metrics.md to the metrics that there are. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { METRICS } from "../../src/ops/metrics_names.ts";
import { dashboardQueries, namesIn } from "../support/dashboard.ts";

/** Labels that Prometheus adds to whatever it scrapes. */
const OF_THE_SCRAPE = ["job", "instance"];

/** Labels by the names under which Prometheus keeps samples. */
const known = new Map<string, readonly string[]>();
for (const { name, type, labels } of Object.values(METRICS)) {
  const all = [...labels, ...OF_THE_SCRAPE];
  if (type !== "histogram") known.set(name, all);
  else {
    known.set(`${name}_bucket`, [...all, "le"]);
    known.set(`${name}_sum`, all).set(`${name}_count`, all);
  }
}

describe("docs/grafana.json", () => {
  it("asks only for metrics that exist, by labels that they have", async () => {
    const strays = (await dashboardQueries()).flatMap(({ of, expr }) =>
      namesIn(expr).flatMap(({ metric, labels }) => {
        const has = known.get(metric);
        if (has === undefined) return [`${of}: no metric "${metric}"`];
        return labels.filter((label) => !has.includes(label))
          .map((label) => `${of}: "${metric}" has no label "${label}"`);
      })
    );
    assert.deepEqual(strays, []);
  });

  it("shows every metric", async () => {
    const asked = (await dashboardQueries()).flatMap(({ expr }) => namesIn(expr))
      .map(({ metric }) => metric.replace(/_bucket$/, ""));
    const missing = Object.values(METRICS).filter(({ name }) => !asked.includes(name));
    assert.deepEqual(missing.map(({ name }) => name), []);
  });
});

describe("namesIn()", () => {
  it("finds metrics, and the labels asked of each", () => {
    const expr =
      'histogram_quantile(0.9, sum by (le, a) (rate(x_bucket{b=~"$b"}[5m]))) > 0 and y{c="by"}';
    assert.deepEqual(namesIn(expr), [
      { metric: "x_bucket", labels: ["b", "le", "a"] },
      { metric: "y", labels: ["c", "le", "a"] },
    ]);
  });
});

describe("docs/metrics.md", () => {
  it("has a row for every metric, and for nothing else", async () => {
    const text = await readFile(new URL("../../docs/metrics.md", import.meta.url), "utf8");
    const rows = [...text.matchAll(/^\| `(\w+)`\s*\|([^|]*)\|([^|]*)\|([^|]*)\|$/gm)]
      .map((cells) => cells.slice(1).map((cell) => cell.trim()));
    const listed = Object.values(METRICS).map(({ name, type, labels, help }) => [
      name,
      type,
      labels.map((label) => `\`${label}\``).join(", "),
      help,
    ]);
    assert.deepEqual(rows, listed);
  });
});
