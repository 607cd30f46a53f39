/**
 * Clients of every kind that go on asking while an upstream fails, and what is to be said of it:
 * what failed before their eyes, what was done twice, what ended short unseen, how soon they were
 * served elsewhere, and how soon at home again. Requests start by the clock, not when others end.
 */
import { Buffer } from "node:buffer";
import { WebSocket } from "ws";
import { STREAM_LINES } from "./faults.ts";
import { ask, fieldOf, type Heard, RawClient } from "./raw_client.ts";

/** Kinds of requests, and how many of each start in a second. */
export const KINDS = {
  GET: 50,
  POST: 25,
  stream: 12,
  upload: 12,
  WebSocket: 12,
} as const;
export type Kind = keyof typeof KINDS;

/** How one request fared. `silent` is what must never be: an answer that looks whole and is not. */
export interface Result {
  readonly kind: Kind;
  readonly tag: string;
  readonly status: number;
  readonly answeredBy: string;
  readonly verdict: "ok" | "failed" | "silent";
  /** On the clock of `performance.now()`, in milliseconds. */
  readonly startedAt: number;
  /** When the answer's head, or a WebSocket's first message, was there. */
  readonly answeredAt: number;
}

const UPLOAD_PIECES = 8;
const PIECE = Buffer.alloc(32 * 1024, "0123456789abcdef");
const PIECE_EVERY_MS = 20;
const WORDS = ["one", "two", "three", "four", "five", "six"];
const WORD_EVERY_MS = 30;
/** How often the clock is looked at, in milliseconds. */
const BEAT_MS = 5;

/** A running load of one kind. Ends with its scope at the latest. */
export class Traffic implements Disposable {
  readonly results: Result[] = [];
  readonly #port: number;
  readonly #kind: Kind;
  readonly #running = new Set<Promise<void>>();
  readonly #watchers = new Set<() => void>();
  readonly #timer: ReturnType<typeof setInterval>;
  #asked = 0;

  /** Starts at once. `name` keeps the tags of one load apart from those of others. */
  constructor(port: number, kind: Kind, name: string, perSecond: number = KINDS[kind]) {
    this.#port = port;
    this.#kind = kind;
    const began = performance.now();
    this.#timer = setInterval(() => {
      const seconds = (performance.now() - began) / 1000;
      while (this.#asked < seconds * perSecond) this.#start(`${name}-${kind}-${this.#asked++}`);
    }, BEAT_MS);
  }

  /** Requests without an end yet. */
  get running(): number {
    return this.#running.size;
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
  async stop(capMs = 15_000): Promise<void> {
    clearInterval(this.#timer);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, capMs)));
    await Promise.race([Promise.all(this.#running), late]);
    clearTimeout(timer);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #start(tag: string): void {
    const startedAt = performance.now();
    const running = ASKING[this.#kind](this.#port, tag).then((fared) => {
      this.results.push({ kind: this.#kind, tag, startedAt, ...fared });
      for (const look of [...this.#watchers]) look();
    });
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
  }
}

type Fared = Pick<Result, "status" | "answeredBy" | "verdict" | "answeredAt">;

const ASKING: Readonly<Record<Kind, (port: number, tag: string) => Promise<Fared>>> = {
  GET: (port) => plain(port, {}),
  POST: (port, tag) =>
    plain(port, { method: "POST", headers: [["X-Request-Tag", tag]], body: "b" }),
  stream,
  upload,
  WebSocket: converse,
};

async function plain(port: number, what: Parameters<typeof ask>[1]): Promise<Fared> {
  const began = performance.now();
  return judged(await ask({ port }, what), began, (text) => text.endsWith('"done":true}'));
}

async function stream(port: number, tag: string): Promise<Fared> {
  const began = performance.now();
  const headers = [["X-Request-Tag", tag]] as const;
  const heard = await ask({ port }, { method: "POST", target: "/stream", headers, body: "b" });
  return judged(
    heard,
    began,
    (text) => text.endsWith('"done":true}\n') && text.split("\n").length === STREAM_LINES + 1,
  );
}

/** A body that comes in pieces, so that faults meet it half-way. */
async function upload(port: number, tag: string): Promise<Fared> {
  const began = performance.now();
  const bytes = UPLOAD_PIECES * PIECE.length;
  using client = await RawClient.open({ port });
  client.write(
    `POST /upload HTTP/1.1\r\nHost: app.test\r\nX-Request-Tag: ${tag}\r\nContent-Length: ${bytes}\r\n\r\n`,
  );
  let sent = 0;
  const timer = setInterval(() => {
    client.write(PIECE);
    if (++sent === UPLOAD_PIECES) clearInterval(timer);
  }, PIECE_EVERY_MS);
  const heard = await client.hear({ method: "POST" });
  clearInterval(timer);
  return judged(heard, began, (text) => text.includes(`"bytes":${bytes},`) && text.endsWith("}"));
}

/** Hears a name, has every word echoed, and closes. */
function converse(port: number, tag: string): Promise<Fared> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`, {
    headers: { "X-Request-Tag": tag },
  });
  const heard: string[] = [];
  let answeredAt = NaN;
  let status = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  socket.on("open", () => void (status = 101));
  socket.on("message", (data: Buffer) => {
    heard.push(data.toString());
    if (heard.length > 1) return;
    answeredAt = performance.now();
    let said = 0;
    timer = setInterval(() => {
      const word = WORDS[said++];
      if (word === undefined) socket.close(1000);
      else if (socket.readyState === WebSocket.OPEN) socket.send(word);
    }, WORD_EVERY_MS);
  });
  socket.on("error", () => {});
  return new Promise((resolve) => {
    socket.on("close", (code) => {
      clearInterval(timer);
      const [answeredBy = "", ...echoes] = heard;
      const whole = echoes.join() === WORDS.join();
      const clean = code !== 1006;
      const verdict = !clean ? "failed" : whole ? "ok" : "silent";
      resolve({ status, answeredBy, verdict, answeredAt });
    });
  });
}

function judged(heard: Heard, began: number, isWhole: (text: string) => boolean): Fared {
  const ok = heard.status === 200 && heard.end === "whole";
  return {
    status: heard.status,
    answeredBy: fieldOf(heard, "x-answered-by") ?? "",
    verdict: !ok ? "failed" : isWhole(heard.body.toString()) ? "ok" : "silent",
    answeredAt: began + heard.headMs,
  };
}

/** When the primary began to fail and when it was well again, by `performance.now()`. */
export interface Moments {
  readonly faultAt: number;
  readonly backAt: number;
}

export interface Figures {
  readonly asked: number;
  readonly failed: readonly Result[];
  readonly silent: readonly Result[];
  /** Tags that were taken on more than once, be it by one upstream or by two. */
  readonly twice: readonly string[];
  /** From the fault to the first answer of the spare; undefined when none came. */
  readonly switchMs: number | undefined;
  /** From the end of the fault to the start of the first request that the primary answered. */
  readonly returnMs: number | undefined;
}

export function figuresOf(
  results: readonly Result[],
  taken: readonly string[],
  { faultAt, backAt }: Moments,
): Figures {
  const counts = new Map<string, number>();
  for (const tag of taken) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  const good = results.filter(({ verdict }) => verdict === "ok");
  const elsewhere = good.filter(({ answeredBy }) => answeredBy === "spare");
  const atHome = good.filter((one) => one.answeredBy === "primary" && one.startedAt >= backAt);
  return {
    asked: results.length,
    failed: results.filter(({ verdict }) => verdict === "failed"),
    silent: results.filter(({ verdict }) => verdict === "silent"),
    twice: [...counts].filter(([, count]) => count > 1).map(([tag]) => tag),
    switchMs: earliest(elsewhere.map(({ answeredAt }) => answeredAt - faultAt)),
    returnMs: earliest(atHome.map(({ startedAt }) => startedAt - backAt)),
  };
}

function earliest(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : Math.min(...times);
}
