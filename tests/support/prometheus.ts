/** A real Prometheus for tests: Debian's, with a configuration, a port and data of its own. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { Child } from "./processes.ts";

const PROGRAM = "/usr/bin/prometheus";
const PROMTOOL = "/usr/bin/promtool";

/** Why there is no Prometheus here; undefined when there is. */
export const unavailable: string | undefined = existsSync(PROGRAM) && existsSync(PROMTOOL) &&
    spawnSync(PROMTOOL, ["--version"]).status === 0
  ? undefined
  : "needs prometheus";

/** One series of an answer, and its value now. */
export interface Found {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const configOf = (target: string) => `
global: { scrape_interval: 200ms, scrape_timeout: 200ms }
scrape_configs:
  - job_name: understudy
    static_configs: [{ targets: ["${target}"] }]
`;

/** What `promtool check metrics` has to say of a scrape; empty when all is well. */
export async function promtoolComplaints(text: string): Promise<string> {
  const child = spawn(PROMTOOL, ["check", "metrics"], { stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => said += data);
  child.stdin.end(text);
  const [code] = await once(child, "close");
  return code === 0 ? said : `${said}\nexit code ${code}`;
}

export class PrometheusServer implements AsyncDisposable {
  readonly #child: Child;
  readonly #folder: string;
  #url = "";

  private constructor(folder: string) {
    this.#folder = folder;
    this.#child = new Child([
      PROGRAM,
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      "--web.listen-address=127.0.0.1:0",
      "--log.format=json",
    ]);
  }

  /** Scrapes `target`, a host and port, every 200 ms from when it is returned. */
  static async start(target: string): Promise<PrometheusServer> {
    const folder = await mkdtemp(join(tmpdir(), "understudy-prometheus-"));
    await writeFile(join(folder, "prometheus.yml"), configOf(target));
    const server = new PrometheusServer(folder);
    const address = () =>
      /"address":"(127\.0\.0\.1:[1-9]\d*)","[^\n]*"Listening on"/.exec(server.#child.stderr)?.[1];
    try {
      await server.#child.until(() => address() !== undefined);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    server.#url = `http://${address()}`;
    return server;
  }

  /** Asks for a query's value now. Rejects with its own words where it does not take the query. */
  async query(expr: string): Promise<readonly Found[]> {
    const response = await fetch(`${this.#url}/api/v1/query`, {
      method: "POST",
      body: new URLSearchParams({ query: expr }),
    });
    const { status, error, data } = await response.json();
    if (status !== "success") throw new Error(`${error} in ${expr}`);
    return data.result.map((
      { metric, value }: { metric: Found["labels"]; value: [0, string] },
    ) => ({
      labels: metric,
      value: Number(value[1]),
    }));
  }

  /** Asks until the answer fits, as scrapes come when they come. */
  async until(
    expr: string,
    fits: (found: readonly Found[]) => boolean,
    capMs = 15_000,
  ): Promise<readonly Found[]> {
    const began = performance.now();
    let found: readonly Found[] = [];
    while (performance.now() - began < capMs) {
      // It answers 503 until it has read its own data.
      found = await this.query(expr).catch(() => []);
      if (fits(found)) return found;
    }
    throw new Error(`${expr} is ${JSON.stringify(found)} after ${capMs} ms\n${this.#child.stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
