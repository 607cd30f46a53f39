/**
 * A hundred reloads in a row while requests and streams run: none of them may notice.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { subjects, Understudy } from "../support/processes.ts";
import { StreamUpstream } from "../support/stream_upstream.ts";
import { RawRequest } from "../support/streams.ts";

const RELOADS = 100;
/** A GET and a POST each time: 100 requests a second. */
const EVERY_MS = 20;
const STREAM_EVERY_MS = 200;
const STREAM_PATH = "/ticks?every=100&count=30";
const KEPT_CLIENTS = 4;
/** So that reloads are about a tenth of a second apart. */
const ANSWERS_BETWEEN = 30;

function config(turn: number, main: string, spare: string): string {
  const rules = turn % 2 === 0
    ? `set: { X-Config: "${turn}", X-Other: even }`
    : `remove: [X-Upstream]\n        set: { X-Config: "${turn}" }`;
  const route = `
  - path: /added
    upstreams: ["${spare}"]`;
  return `
listen: 127.0.0.1:0
log: { level: ${turn % 3 === 0 ? "debug" : "info"} }
routes:${turn % 2 === 0 ? "" : route}
  - upstreams: ["${main}", "${spare}"]
    health: { uri: /, interval: ${turn % 2 === 0 ? "1s" : "2s"}, timeout: 5s }
    passive: { fail_duration: 5s }
    headers:
      response:
        ${rules}
`;
}

/** Requests that run until they are stopped, and what became of them. */
class Load {
  readonly #port: number;
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  readonly #running = new Set<Promise<void>>();
  #stopped = false;
  #afterAnswer: () => void = () => {};
  requests = 0;
  streams = 0;
  readonly failures: string[] = [];

  constructor(port: number) {
    this.#port = port;
    this.#timers.push(
      setInterval(() => {
        this.#ask("GET", "/", { path: "/" });
        this.#ask("POST", "/", { path: "/", method: "POST", body: "{}" });
      }, EVERY_MS),
      setInterval(() => {
        this.streams++;
        this.#ask("stream", STREAM_PATH, { path: STREAM_PATH });
      }, STREAM_EVERY_MS),
    );
    for (let client = 0; client < KEPT_CLIENTS; client++) this.#track(this.#keepAsking());
  }

  /** Settles after that many more answers. */
  async answered(count: number): Promise<void> {
    const goal = this.requests + count;
    await new Promise<void>((resolve) => {
      this.#afterAnswer = () => {
        if (this.requests >= goal) resolve();
      };
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timers.forEach(clearInterval);
    await Promise.all(this.#running);
  }

  #ask(what: string, path: string, options: { path: string; method?: string; body?: string }) {
    const request = new RawRequest(this.#port, options);
    this.#track(
      request.answer().then(({ status, end }) => {
        this.requests++;
        if (status !== 200 || end !== "whole") {
          this.failures.push(`${what} ${path}: ${status} ${end}`);
        }
      }),
    );
  }

  /** One request after the other on kept connections. */
  async #keepAsking(): Promise<void> {
    while (!this.#stopped) {
      try {
        const response = await fetch(`http://127.0.0.1:${this.#port}/silent?ms=20`);
        const text = await response.text();
        if (response.status !== 200) this.failures.push(`kept: ${response.status} ${text}`);
      } catch (error) {
        this.failures.push(`kept: ${String(error)}`);
      }
      this.#answer();
    }
  }

  #answer(): void {
    this.requests++;
    this.#afterAnswer();
  }

  #track(work: Promise<void>): void {
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }
}

for (const subject of subjects) {
  describe(`understudy (${subject.name}) under load`, () => {
    it(`loses no request and cuts no stream when it reloads ${RELOADS} times`, {
      timeout: 90_000,
    }, async () => {
      await using main = await StreamUpstream.open("main");
      await using spare = await StreamUpstream.open("spare");
      await using proxy = await Understudy.start(subject, config(0, main.url, spare.url));
      const load = new Load(proxy.port);
      for (let turn = 1; turn <= RELOADS; turn++) {
        await proxy.rewrite(config(turn, main.url, spare.url));
        proxy.kill("SIGHUP");
        await inForce(proxy, turn);
        await load.answered(ANSWERS_BETWEEN);
      }
      await load.stop();
      assert.deepEqual(load.failures, []);
      assert.ok(load.streams > RELOADS / 4, `Only ${load.streams} streams ran`);
      const changes = proxy.lines.filter(({ msg }) => msg === "health.changed");
      assert.deepEqual(changes.map(({ to }) => to), ["up", "up"]);
      assert.deepEqual(proxy.lines.filter(({ level }) => level === "error"), []);
      console.log(
        `${subject.name}: ${load.requests} requests and ${load.streams} streams over ${RELOADS} reloads`,
      );
    });
  });
}

/** Asks until the answer carries the mark of that turn. */
async function inForce(proxy: Understudy, turn: number): Promise<void> {
  for (let asked = 0; asked < 1000; asked++) {
    const request = new RawRequest(proxy.port);
    await request.end;
    if (/^x-config: *(\d+)/im.exec(request.head)?.[1] === String(turn)) return;
  }
  assert.fail(`Reload ${turn} was not taken over`);
}
