/**
 * Debian's chromium in the hands of playwright-core. Started here and spoken to over a socket, as
 * the pipes that playwright would use are not to be had on every runtime.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const CHROMIUM = "/usr/bin/chromium";
const START_LIMIT_MS = 20_000;
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-default-apps",
  "--remote-debugging-port=0",
];

/** Else it opens its own start page, and whoever attaches meanwhile may wait for ever. */
const BLANK = "about:blank";

/** Why tests in a browser cannot run here; false where they can. */
export const noBrowser: string | false = !("bun" in process.versions)
  ? "the browser is driven from Bun alone"
  : existsSync(CHROMIUM)
  ? false
  : "chromium is not installed";

export interface ChromiumOptions {
  readonly flags?: readonly string[];
  /** Of the user, whose list of trusted roots is in there; ours where undefined. */
  readonly home?: string;
  /** Asked by HTTP/3 alone, `host:port`. */
  readonly quic?: readonly string[];
}

export class Chromium implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #browser: Browser;

  private constructor(child: ChildProcess, folder: string, browser: Browser) {
    this.#child = child;
    this.#folder = folder;
    this.#browser = browser;
  }

  static async open({ flags = [], home, quic = [] }: ChromiumOptions = {}): Promise<Chromium> {
    const folder = await mkdtemp(join(tmpdir(), "understudy-browser-"));
    const forced = quic.length === 0
      ? "--disable-quic"
      : `--origin-to-force-quic-on=${quic.join(",")}`;
    const own = [`--user-data-dir=${folder}`, ...FLAGS, forced];
    const child = spawn(CHROMIUM, [...own, ...flags, BLANK], {
      stdio: "ignore",
      env: { ...process.env, ...(home === undefined ? {} : { HOME: home }) },
    });
    try {
      const endpoint = `http://127.0.0.1:${await portIn(join(folder, "DevToolsActivePort"))}`;
      return new Chromium(child, folder, await chromium.connectOverCDP(endpoint));
    } catch (error) {
      await end(child, folder);
      throw error;
    }
  }

  /** A page with nothing kept from others. Its requests and complaints are noted. */
  async page(url: string, options: BrowserContextOptions = {}): Promise<Visit> {
    const context = await this.#browser.newContext(options);
    const page = await context.newPage();
    const visit = new Visit(page);
    await page.goto(url);
    return visit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close().catch(() => {});
    await end(this.#child, this.#folder);
  }
}

export class Visit implements AsyncDisposable {
  readonly page: Page;
  readonly requests: string[] = [];
  /** Errors of the script and of the policy. */
  readonly complaints: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on("request", (request) => this.requests.push(request.url()));
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      const text = message.text();
      // What fetch itself prints of an answer or a connection that a test has made bad.
      if (message.type() === "error" && !text.startsWith("Failed to load resource")) {
        this.complaints.push(text);
      }
    });
  }

  /** What axe finds wrong, a line each. */
  async audit(): Promise<string[]> {
    await this.page.evaluate(axe.source);
    // The names of axe's own API; the page has no types for what was put into it.
    return await this.page.evaluate(`axe.run(document, { resultTypes: ["violations"] }).then(
      ({ violations }) => violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => id + ": " + html + " " + failureSummary)))`);
  }

  /** How far the page can be scrolled sideways, in CSS pixels. */
  async overhang(): Promise<number> {
    const root = "document.documentElement";
    return await this.page.evaluate(`${root}.scrollWidth - ${root}.clientWidth`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close().catch(() => {});
  }
}

/** Chromium writes where it listens into a file. */
async function portIn(path: string): Promise<number> {
  const until = Date.now() + START_LIMIT_MS;
  while (Date.now() < until) {
    const text = await readFile(path, "utf8").catch(() => "");
    const port = Number(text.split("\n")[0]);
    if (port > 0) return port;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`Chromium did not start within ${START_LIMIT_MS} ms`);
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGKILL");
    await gone;
  }
  // Its helpers may write for a moment longer.
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
