/** The demo's upstreams, its client and its keys, on processes and answers that are made up. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StagedUpstream } from "../../src/demo/stage.ts";
import { press } from "../../src/demo/stage_keys.ts";
import { ask, Beat, GENERATE, LIST, type Question } from "../../src/demo/stage_load.ts";
import type { ChildProcess } from "../../src/platform/platform.ts";
import { LeapClock } from "./leap_clock.ts";

/** A process that says where it listens, and ends when it is killed or told to. */
class PretendedChild implements ChildProcess {
  readonly pid = 4711;
  readonly signals: string[] = [];
  readonly exited: Promise<number>;
  end: (code: number) => void = () => {};
  readonly #port: number | undefined;

  constructor(port: number | undefined) {
    this.#port = port;
    this.exited = new Promise((resolve) => (this.end = resolve));
  }

  get lines(): AsyncIterable<string> {
    return this.#say();
  }

  kill(signal: Parameters<ChildProcess["kill"]>[0]): void {
    this.signals.push(signal);
    if (signal === "SIGKILL") this.end(137);
  }

  async *#say(): AsyncGenerator<string> {
    if (this.#port === undefined) return;
    yield `stand-in gpu listening on http://127.0.0.1:${this.#port}`;
    await this.exited;
  }
}

function stage(port: number | undefined = 40_000) {
  const children: PretendedChild[] = [];
  const spawned: (readonly string[])[] = [];
  const told: string[] = [];
  const clock = new LeapClock();
  clock.limitMs = 0;
  const upstream = new StagedUpstream({ name: "gpu", tokenEveryMs: 15, tokens: 24 }, {
    platform: {
      clock,
      spawnSelf: (args) => {
        const child = new PretendedChild(port);
        spawned.push(args);
        children.push(child);
        return child;
      },
    },
    tell: (_, event) => void told.push(event),
  });
  return { upstream, children, spawned, told };
}

describe("StagedUpstream", () => {
  it("start() takes the old port when it was killed", async () => {
    const { upstream, spawned, told } = stage();
    assert.equal(await upstream.start(), true);
    await upstream.kill();
    assert.equal(upstream.state, "ended");
    assert.equal(await upstream.start(), true);
    assert.deepEqual(spawned.map((args) => args[2]), ["--port=0", "--port=40000"]);
    assert.deepEqual(told, ["killed", "started"]);
    assert.equal(upstream.url, "http://127.0.0.1:40000");
  });

  it("start() says no when the process ends without listening", async () => {
    const { upstream, children, told } = stage(undefined);
    const starting = upstream.start();
    children[0]?.end(1);
    assert.equal(await starting, false);
    assert.equal(upstream.state, "ended");
    assert.deepEqual(told, ["ended"]);
  });

  it("end() kills in silence when the process is suspended", async () => {
    const { upstream, children, told } = stage();
    await upstream.start();
    upstream.suspend();
    await Promise.all([upstream.end(), upstream.end()]);
    assert.deepEqual(children[0]?.signals, ["SIGSTOP", "SIGKILL"]);
    assert.deepEqual(told, ["suspended"]);
  });
});

describe("StagedUpstream", () => {
  it("end() waits until the process is gone when it is called twice", async () => {
    const { upstream, children } = stage();
    await upstream.start();
    const [child] = children;
    assert.ok(child);
    child.kill = () => {};
    void upstream.end();
    let gone = false;
    const second = upstream.end().then(() => assert.equal(gone, true));
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    gone = true;
    child.end(137);
    await second;
  });
});

describe("press()", () => {
  const cases: [string, string, string[]][] = [
    ["kills and starts when given k and s", "ks", ["killed", "started"]],
    ["says that nothing runs when given k twice", "kk", ["killed", "key k"]],
    ["says that it runs already when given s", "s", ["key s"]],
    ["suspends and continues when given z twice", "zz", ["suspended", "continued"]],
    ["continues a suspended one when given s", "zs", ["suspended", "continued"]],
    ["kills a suspended one when given k", "zk", ["suspended", "killed"]],
    ["takes capitals when given K", "K", ["killed"]],
    ["quits when given q", "q", ["quit"]],
    ["does nothing when given any other key", "x\u001b[A", []],
  ];
  for (const [title, keys, expected] of cases) {
    it(title, async () => {
      const { upstream, told } = stage();
      await upstream.start();
      const say = (word: string) => void told.push(word);
      for (const key of keys) {
        press(key, { preferred: upstream, load: [], say, quit: () => say("quit") });
        // A start takes some turns of the queue before it is told.
        for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      }
      assert.deepEqual(told, expected);
    });
  }
});

function client(respond: (signal: AbortSignal) => Promise<Response>, answerLimitMs = 10_000) {
  const clock = new LeapClock();
  clock.limitMs = 5000;
  return {
    platform: {
      clock,
      fetch: (_: string, { signal }: { signal: AbortSignal }) => respond(signal),
      explain: () => ({ dialFailed: true, code: "refused", detail: "it was refused" }) as const,
    },
    url: "http://127.0.0.1:1",
    signal: new AbortController().signal,
    answerLimitMs,
  };
}

function signed(body: string, status = 200): () => Promise<Response> {
  return () => Promise.resolve(new Response(body, { status, headers: { "x-answered-by": "gpu" } }));
}

describe("ask()", () => {
  const cases: [string, Question, () => Promise<Response>, string | undefined][] = [
    ["finds no fault when a list is whole", LIST, signed('{"models":[]}'), undefined],
    [
      "finds no fault when a stream is whole",
      GENERATE,
      signed('{"done":false}\n{"done":true}\n'),
      undefined,
    ],
    [
      "sees it when a stream ends early",
      GENERATE,
      signed('{"done":false}\n'),
      "an answer without its end",
    ],
    ["sees it when the status is bad", LIST, signed('{"models":[]}', 502), "status 502"],
    ["sees it when nobody answers", LIST, () => Promise.reject(new Error("no")), "it was refused"],
  ];
  for (const [title, question, respond, problem] of cases) {
    it(title, async () => {
      const answer = await ask(question, client(respond));
      assert.equal(answer.problem, problem);
      if (problem !== "it was refused") assert.equal(answer.by, "gpu");
    });
  }

  it("gives up when the answer takes longer than it may", async () => {
    const late = (signal: AbortSignal) =>
      new Promise<Response>((_, reject) => {
        if (signal.aborted) reject(signal.reason);
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    const { problem } = await ask(LIST, client(late, 3000));
    assert.equal(problem, "no whole answer in 3 s");
  });
});

describe("Beat", () => {
  it("rest() waits for the running answer when it asks no more", async () => {
    let give: () => void = () => {};
    const gate = new Promise<void>((resolve) => (give = resolve));
    const seen: (string | undefined)[] = [];
    const deps = client(() => gate.then(signed('{"models":[]}')));
    deps.platform.clock.limitMs = 0;
    const beat = new Beat(LIST, 1000, deps, ({ by }) => void seen.push(by));

    beat.start();
    assert.equal(beat.going, true);
    const resting = beat.rest();
    assert.equal(beat.going, false);
    assert.deepEqual(seen, []);
    give();
    await resting;
    assert.deepEqual(seen, ["gpu"]);
  });
});
