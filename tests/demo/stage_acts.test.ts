/** What the buttons of the demo's page do, on processes that are made up. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { playAct } from "../../src/demo/stage_acts.ts";
import { StagedUpstream } from "../../src/demo/stage.ts";
import type { ChildProcess } from "../../src/platform/platform.ts";
import { LeapClock } from "./leap_clock.ts";

function stage() {
  const told: string[] = [];
  const clock = new LeapClock();
  clock.limitMs = 0;
  const upstream = new StagedUpstream({ name: "gpu", tokenEveryMs: 15, tokens: 24 }, {
    platform: { clock, spawnSelf: child },
    tell: (_, event) => void told.push(event),
  });
  return { upstream, told };
}

/** Listens at once, and is gone as soon as it is killed. */
function child(): ChildProcess {
  let end: (code: number) => void = () => {};
  const exited = new Promise<number>((resolve) => (end = resolve));
  async function* lines() {
    yield "stand-in gpu listening on http://127.0.0.1:40000";
    await exited;
  }
  return {
    pid: 4711,
    exited,
    lines: lines(),
    kill: (signal) => {
      if (signal === "SIGKILL") end(137);
    },
  };
}

describe("playAct()", () => {
  const cases: [string, string[], string[], string | undefined][] = [
    ["kills and revives when told to", ["kill", "revive"], ["killed", "started"], undefined],
    ["continues a suspended one when told to revive", ["suspend", "revive"], [
      "suspended",
      "continued",
    ], undefined],
    ["kills a suspended one", ["suspend", "kill"], ["suspended", "killed"], undefined],
    [
      "says so when it is dead already",
      ["kill", "kill"],
      ["killed"],
      "gpu does not run; revive it first",
    ],
    [
      "says so when nothing is there to suspend",
      ["kill", "suspend"],
      ["killed"],
      "gpu does not run; revive it first",
    ],
    ["says so when it runs already", ["revive"], [], "gpu runs already"],
    ["knows no other acts", ["explode"], [], "Nobody can explode an upstream"],
  ];
  for (const [title, acts, events, answer] of cases) {
    it(title, async () => {
      const { upstream, told } = stage();
      await upstream.start();
      let last: string | undefined;
      for (const act of acts) last = await playAct([upstream], "gpu", act);
      assert.deepEqual(told, events);
      assert.equal(last, answer);
      await upstream.end();
    });
  }

  it("knows no other upstreams", async () => {
    const { upstream } = stage();
    assert.match(await playAct([upstream], "moon", "kill") ?? "", /no upstream "moon"/);
  });
});
