/** Loads configurations from a few lines of YAML, for the tests of single settings. */
import assert from "node:assert/strict";
import { formatProblem, load, type LoadSources } from "../../src/config/load.ts";
import type { Action, Config, PoolRules, Route, Step } from "../../src/rules.ts";
import { poolsOf } from "../../src/steps.ts";

/** PEM in form; nothing looks further into it. */
export const CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";
/** Stands in a certificate that its key does not go with. */
const WRONG = "MIIBWRON";
export const KEY = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----";

const FILES: Readonly<Record<string, string>> = {
  "/ca.pem": `${CERTIFICATE}\n`,
  "/cert.pem": CERTIFICATE,
  "/wrong.pem": CERTIFICATE.replace("MIIB", WRONG),
  "/key.pem": KEY,
  "/locked.pem": KEY.replaceAll("PRIVATE", "ENCRYPTED PRIVATE"),
  "/torn.pem": `${CERTIFICATE}\n-----BEGIN CERTIFICATE-----\nMIIB`,
  "/words.txt": "hush\n",
};

const SOURCES: LoadSources = {
  path: "c.yaml",
  env: (name) => name === "CODE" ? "204" : undefined,
  readSecret: (path) => FILES[path] ?? Promise.reject(new Error("no such file")),
  certificateNames(chain) {
    if (chain.includes(WRONG)) throw new Error("the key is another one's");
    return ["ollama.example.com", "*.wild.example.com"];
  },
};

/** Stands after the file's name in problems, so that tables may leave it out. */
export async function problems(text: string): Promise<string[]> {
  const result = await load(text, SOURCES);
  assert.equal(result.kind, "refused", "the configuration was taken");
  const all = result.kind === "refused" ? result.problems : [];
  return all.map((problem) => formatProblem(problem).replace(/^c\.yaml:/, ""));
}

export async function config(text: string): Promise<Config> {
  const result = await load(text, SOURCES);
  if (result.kind === "loaded") return result.config;
  return assert.fail(result.problems.map(formatProblem).join("\n"));
}

export async function onlyRoute(text: string): Promise<Route> {
  const [route] = (await config(text)).routes;
  return route ?? assert.fail();
}

/** A file with a pool of two and one more line at its route; that line is the third, from column 5. */
export function withPool(line: string): string {
  return `routes:\n  - upstreams: [http://a, http://b]\n    ${line}\n`;
}

export async function pool(line: string): Promise<PoolRules> {
  const [first] = poolsOf((await config(withPool(line))).routes);
  return first ?? assert.fail();
}

/** A file whose one step is the third line, from column 9. */
export function withStep(step: string): string {
  return `routes:\n  - steps:\n      - ${step}\n`;
}

export async function step(text: string): Promise<Step> {
  const [first] = (await onlyRoute(withStep(text))).steps;
  return first ?? assert.fail();
}

export async function action(text: string): Promise<Action> {
  return (await step(text)).action;
}
