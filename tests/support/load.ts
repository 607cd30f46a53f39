/**
 * Clients that go on asking whatever happens: requests start by the clock and not when others end,
 * as in life. Every request is judged by its bytes: whole, visibly failed, or silently short.
 */
import { ask, fieldOf, type Heard, type Place } from "./raw_client.ts";

export interface LoadOptions {
  readonly getsPerSecond: number;
  readonly postsPerSecond: number;
}

/** How one request fared. `silent` is what must never be: an answer that looks whole and is not. */
export interface Result {
  readonly method: "GET" | "POST";
  /** `x-request-tag` of a POST. */
  readonly tag: string;
  readonly status: number;
  readonly answeredBy: string;
  readonly verdict: "ok" | "failed" | "silent";
  /** On the clock of `performance.now()`, in milliseconds. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly headMs: number;
}

export interface Figures {
  readonly gets: readonly Result[];
  readonly posts: readonly Result[];
  /** Requests that had no end when the load was stopped. */
  readonly unfinished: number;
}

/** Whole answers, short streams and long ones, as chat clients ask for them. */
const POSTS = [
  { stream: false, options: { num_predict: 5 } },
  { stream: true, options: { num_predict: 8 } },
  { stream: true, options: { num_predict: 50 } },
];

/** How often the clock is looked at, in milliseconds. */
const BEAT_MS = 5;

/** A running load. Ends with its scope at the latest. */
export class Load implements Disposable {
  readonly results: Result[] = [];
  readonly #place: Place;
  readonly #name: string;
  readonly #running = new Set<Promise<void>>();
  readonly #watchers = new Set<() => void>();
  readonly #timer: ReturnType<typeof setInterval>;
  #gets = 0;
  #posts = 0;

  /** Starts at once. `name` keeps the tags of one load apart from those of others. */
  constructor(place: Place, name: string, { getsPerSecond, postsPerSecond }: LoadOptions) {
    this.#place = place;
    this.#name = name;
    const began = performance.now();
    this.#timer = setInterval(() => {
      const seconds = (performance.now() - began) / 1000;
      while (this.#gets < seconds * getsPerSecond) this.#start(this.#get(this.#gets++));
      while (this.#posts < seconds * postsPerSecond) this.#start(this.#post(this.#posts++));
    }, BEAT_MS);
  }

  /** The first result that fits, of those that came or will come; undefined after `capMs`. */
  async first(fits: (result: Result) => boolean, capMs = 10_000): Promise<Result | undefined> {
    const found = () => this.results.find(fits);
    if (found() !== undefined) return found();
    let look = () => {};
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      look = () => void (found() !== undefined && resolve());
      this.#watchers.add(look);
      timer = setTimeout(resolve, capMs);
    });
    clearTimeout(timer);
    this.#watchers.delete(look);
    return found();
  }

  /** Lets so much of the load go by: settles with the end of a request that starts `ms` from now or later. */
  async pass(ms: number): Promise<void> {
    const from = performance.now() + ms;
    await this.first(({ startedAt }) => startedAt >= from);
  }

  /** Starts no more, and waits for those under way for at most `capMs`. */
  async stop(capMs = 10_000): Promise<Figures> {
    clearInterval(this.#timer);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, capMs)));
    await Promise.race([Promise.all(this.#running), late]);
    clearTimeout(timer);
    const of = (method: string) => this.results.filter((result) => result.method === method);
    return { gets: of("GET"), posts: of("POST"), unfinished: this.#running.size };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #start(running: Promise<void>): void {
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
  }

  async #get(index: number): Promise<void> {
    const startedAt = performance.now();
    const target = index % 2 === 0 ? "/api/tags" : "/";
    const heard = await ask(this.#place, { target });
    const whole = index % 2 === 0 ? isJson(heard) : heard.body.toString() === "Ollama is running";
    this.#note("GET", "", heard, { startedAt, whole });
  }

  async #post(index: number): Promise<void> {
    const startedAt = performance.now();
    const tag = `${this.#name}-${index}`;
    const body = JSON.stringify({ model: "llama3.2", prompt: "hi", ...POSTS[index % 3] });
    const headers = [["X-Request-Tag", tag], ["Content-Type", "application/json"]] as const;
    const heard = await ask(this.#place, {
      method: "POST",
      target: "/api/generate",
      headers,
      body,
    });
    this.#note("POST", tag, heard, { startedAt, whole: isDone(heard) });
  }

  #note(
    method: Result["method"],
    tag: string,
    heard: Heard,
    { startedAt, whole }: { startedAt: number; whole: boolean },
  ): void {
    const ok = heard.status === 200 && heard.end === "whole";
    this.results.push({
      method,
      tag,
      status: heard.status,
      answeredBy: fieldOf(heard, "x-answered-by") ?? "",
      verdict: !ok ? "failed" : whole ? "ok" : "silent",
      startedAt,
      endedAt: performance.now(),
      headMs: heard.headMs,
    });
    for (const look of this.#watchers) look();
  }
}

/** A generation is whole when its last line says so. */
function isDone({ body }: Heard): boolean {
  const last = body.toString().trimEnd().split("\n").at(-1) ?? "";
  return last.endsWith("}") && last.includes('"done":true');
}

function isJson({ body }: Heard): boolean {
  try {
    return typeof JSON.parse(body.toString()) === "object";
  } catch {
    return false;
  }
}
