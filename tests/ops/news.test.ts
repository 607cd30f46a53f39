/** What of all transitions is news, and how it is told. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compose, fold } from "../../src/ops/digest.ts";
import { headline, type Item, Reporter, sentence } from "../../src/ops/news.ts";
import type { Transition } from "../../src/ops/status.ts";
import type { News } from "../../src/rules.ts";

const POOL = "ollama.test/";

function transition(changes: Partial<Transition>): Transition {
  return { at: 0, poolId: POOL, upstream: "gpu", kind: "phase", reason: "", ...changes };
}

function phase(from: string, to: string, changes: Partial<Transition> = {}): Transition {
  return transition({ from, to, ...changes });
}

function chosen(from: string, to: string): Transition {
  return transition({ kind: "chosen", upstream: to, from, to, reason: "gpu is down" });
}

function reporter(): Reporter {
  const one = new Reporter();
  one.configure(new Map([[POOL, ["gpu", "mini", "cloud"]]]));
  return one;
}

describe("Reporter", () => {
  const cases: [string, Transition[], (News | undefined)[]][] = [
    ["an upstream that goes and returns", [phase("up", "down"), phase("down", "up")], [
      "down",
      "up",
    ]],
    ["one that is down at the start", [phase("unknown", "down")], ["down"]],
    ["none that is up at the start", [phase("unknown", "up")], [undefined]],
    ["failures", [transition({ kind: "penalised" })], ["penalised"]],
    ["an operator's doings", [
      transition({ kind: "drained" }),
      transition({ kind: "undrained" }),
    ], ["drained", "undrained"]],
    ["the way down and back up the list", [
      chosen("gpu", "mini"),
      chosen("mini", "cloud"),
      chosen("cloud", "mini"),
      chosen("mini", "gpu"),
    ], ["failover", "failover", "failback", "failback"]],
    ["the way to one that was found, and back", [
      chosen("cloud", "10.0.0.9"),
      chosen("10.0.0.9", "gpu"),
    ], [
      "failover",
      "failback",
    ]],
    ["no first choice", [chosen("", "gpu")], [undefined]],
    ["that nobody is left, and who came first", [
      chosen("gpu", ""),
      chosen("", "mini"),
      chosen("", "gpu"),
    ], ["unavailable", "failover", undefined]],
    ["that nobody is left, and the first is back", [chosen("gpu", ""), chosen("", "gpu")], [
      "unavailable",
      "failback",
    ]],
  ];
  for (const [title, transitions, expected] of cases) {
    it(`tells of ${title}`, () => {
      const one = reporter();
      assert.deepEqual(transitions.map((each) => one.newsOf(each)?.event), expected);
    });
  }
});

describe("sentence()", () => {
  const cases: [Item, string, string][] = [
    [
      { event: "down", transition: phase("up", "down", { reason: "refused the connection" }) },
      "gpu is down",
      "gpu is down: refused the connection (ollama.test/)",
    ],
    [
      { event: "up", transition: phase("down", "up", { reason: "answered 200" }) },
      "gpu is up again",
      "gpu is up again: answered 200 (ollama.test/)",
    ],
    [
      {
        event: "penalised",
        transition: transition({ kind: "penalised", at: 500, until: 30_500, reason: "status 500" }),
      },
      "gpu fails and is left out",
      "gpu fails and is left out for 30 s: status 500 (ollama.test/)",
    ],
    [
      { event: "failover", transition: chosen("gpu", "mini") },
      "mini answers now",
      "mini answers now instead of gpu: gpu is down (ollama.test/)",
    ],
    [
      { event: "unavailable", transition: chosen("gpu", "") },
      "nobody answers ollama.test/",
      "nobody answers ollama.test/: gpu is down",
    ],
    [
      { event: "drained", transition: transition({ kind: "drained", poolId: "*/" }) },
      "gpu is drained",
      "gpu is drained (/)",
    ],
  ];
  for (const [item, line, whole] of cases) {
    it(`tells of "${item.event}"`, () => {
      assert.deepEqual([headline(item), sentence(item)], [line, whole]);
    });
  }
});

describe("compose()", () => {
  function digestOf(...items: Item[]) {
    const [first, ...others] = items;
    assert.ok(first);
    return others.reduce((digest, item) => fold(digest, item), fold(undefined, first));
  }
  const down = (at: number): Item => ({ event: "down", transition: phase("up", "down", { at }) });
  const up = (at: number): Item => ({ event: "up", transition: phase("down", "up", { at }) });

  it("tells one thing as it is", () => {
    const message = compose(digestOf(down(5)));
    assert.deepEqual(message, {
      event: "down",
      title: "gpu is down",
      text: "gpu is down (ollama.test/)",
      pool: POOL,
      upstream: "gpu",
      certificate: "",
      from: "up",
      to: "down",
      reason: "",
      at: 5,
      count: 1,
    });
  });

  it("tells how it ended where several things happened once", () => {
    assert.equal(compose(digestOf(down(0), up(9))).text, "gpu is up again (ollama.test/)");
  });

  it("sums up flapping", () => {
    const message = compose(digestOf(down(0), up(4000), down(8000), up(9000), down(20_000)));
    assert.equal(message.count, 5);
    assert.equal(
      message.text,
      "gpu is down (ollama.test/), after down 3 times, up 2 times within 20 s",
    );
  });
});
