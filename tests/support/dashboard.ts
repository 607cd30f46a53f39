/** The queries of the dashboard, and what they name. */
import { readFile } from "node:fs/promises";

export interface Query {
  /** Title of its panel, or the name of its variable. */
  readonly of: string;
  readonly expr: string;
}

/** Every query that docs/grafana.json makes: those of panels, of notes on the time axis and of variables. */
export async function dashboardQueries(): Promise<readonly Query[]> {
  const dashboard = JSON.parse(
    await readFile(new URL("../../docs/grafana.json", import.meta.url), "utf8"),
  );
  const queries: Query[] = [];
  for (const { title, targets = [] } of dashboard.panels) {
    for (const { expr } of targets) queries.push({ of: title, expr });
  }
  for (const { name, expr } of dashboard.annotations.list) queries.push({ of: name, expr });
  for (const { name, definition } of dashboard.templating.list) {
    if (definition === undefined) continue;
    // `label_values(metric, label)` is Grafana's own, and asks for `group by (label) (metric)`.
    const [, expr = "", label = ""] = /^label_values\((.+), (\w+)\)$/.exec(definition) ?? [];
    queries.push({ of: name, expr: `group by (${label}) (${expr})` });
  }
  return queries;
}

/** A metric that a query names, with the labels that the query asks of it. */
export interface Named {
  readonly metric: string;
  readonly labels: readonly string[];
}

const WORDS = new Set(["and", "or", "unless", "bool", "offset", "group_left", "group_right"]);
const TOKEN = /"[^"]*"|[a-zA-Z_:][\w:]*|\[[^\]]*\]|=~|!~|!=|\S/g;

/** Labels of `by`, `on` and the like are asked of every metric of the query. */
export function namesIn(expr: string): readonly Named[] {
  const tokens = [...expr.replaceAll(/\$\{?\w+\}?/g, "").matchAll(TOKEN)].map(([text]) => text);
  const found: { metric: string; labels: string[] }[] = [];
  const shared: string[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] ?? "";
    const until = (end: string) => tokens.slice(at + 2, tokens.indexOf(end, at)).filter(isName);
    if (["by", "on", "without", "ignoring"].includes(token)) {
      shared.push(...until(")"));
      at = tokens.indexOf(")", at);
    } else if (token === "{") {
      found.at(-1)?.labels.push(...tokens.slice(at, tokens.indexOf("}", at)).filter(isName));
      at = tokens.indexOf("}", at);
    } else if (
      isName(token) && !WORDS.has(token) && tokens[at + 1] !== "(" && !isBy(tokens[at + 1])
    ) {
      found.push({ metric: token, labels: [] });
    }
  }
  return found.map(({ metric, labels }) => ({ metric, labels: [...labels, ...shared] }));
}

function isName(token: string): boolean {
  return /^[a-zA-Z_:]/.test(token);
}

/** `sum by (…)`: what stands before it is no metric. */
function isBy(token: string | undefined): boolean {
  return token === "by" || token === "without";
}
