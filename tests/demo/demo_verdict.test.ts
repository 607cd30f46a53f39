/** What makes the script's show a good one, and what does not. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { judge } from "../../src/demo/script_verdict.ts";
import type { Answer } from "../../src/demo/stage_load.ts";

const CAST = { preferred: "gpu", spare: "slow" };
const KILLED_AT = 1000;
const BACK_AT = 2000;

function answer(startedAt: number, by: string | undefined, problem?: string): Answer {
  return { startedAt, endedAt: startedAt + 10, by, problem };
}

function act(from: number, by: string): Answer[] {
  return [0, 100, 200, 300].map((offset) => answer(from + offset, by));
}

const bothUp = act(0, "gpu");
const killed = act(KILLED_AT + 50, "slow");
const back = act(BACK_AT + 100, "gpu");
const good = [...bothUp, ...killed, ...back];

describe("judge()", () => {
  const cases: [string, readonly Answer[], number | undefined, boolean, RegExp][] = [
    [
      "passes when all went as it should",
      good,
      BACK_AT,
      true,
      /^Passed: 12 requests, none failed/m,
    ],
    [
      "fails when the spare is dead as well",
      [
        ...bothUp,
        ...act(KILLED_AT, "slow").map((one) => ({ ...one, problem: "status 502" })),
        ...back,
      ],
      BACK_AT,
      false,
      /^4 requests failed: status 502\nExpected slow to answer most requests in "gpu killed"$/m,
    ],
    [
      "fails when a single request failed",
      [...good, answer(KILLED_AT, undefined, "status 503")],
      BACK_AT,
      false,
      /^1 request failed: status 503$/m,
    ],
    [
      "fails when an answer broke off",
      [...good, answer(KILLED_AT - 5, "gpu", "an answer without its end")],
      BACK_AT,
      false,
      /^1 request failed: an answer without its end$/m,
    ],
    [
      "fails when the preferred upstream never answered",
      [...act(0, "slow"), ...killed, ...back],
      BACK_AT,
      false,
      /^Expected gpu to answer most requests in "both up"$/m,
    ],
    [
      "fails when the traffic does not return",
      [...bothUp, ...killed, ...act(BACK_AT + 100, "slow")],
      BACK_AT,
      false,
      /^Expected gpu to answer most requests in "gpu back"$/m,
    ],
    [
      "fails when the traffic returns for a moment only",
      [...bothUp, ...killed, answer(BACK_AT, "gpu"), ...act(BACK_AT + 20, "slow")],
      BACK_AT,
      false,
      /^Expected gpu to answer most requests in "gpu back"$/m,
    ],
    [
      "fails when the preferred upstream did not start again",
      [...bothUp, ...killed],
      undefined,
      false,
      /^Expected gpu to answer most requests in "gpu back"$/m,
    ],
    [
      "passes when a request straddles the kill and moves",
      [...good, answer(KILLED_AT - 5, "slow"), answer(BACK_AT + 30, "slow")],
      BACK_AT,
      true,
      /^Passed: 14 requests/m,
    ],
    [
      "fails when requests waited for the preferred upstream instead of moving",
      [
        ...bothUp,
        ...act(KILLED_AT + 50, "gpu").map((one) => ({ ...one, endedAt: BACK_AT + 50 })),
        ...back,
      ],
      BACK_AT,
      false,
      /^ {2}gpu killed +4 +4 +0 +0\n[^]+^Expected slow to answer most requests in "gpu killed"$/m,
    ],
    ["fails when nothing was asked", [], BACK_AT, false, /^Failed/m],
  ];
  for (const [title, answers, backAt, passed, text] of cases) {
    it(title, () => {
      const verdict = judge(answers, { killedAt: KILLED_AT, backAt }, CAST);
      assert.match(verdict.lines.join("\n"), text);
      assert.equal(verdict.passed, passed);
      assert.match(verdict.lines.at(-1) ?? "", passed ? /^Passed/ : /^Failed/);
    });
  }

  it("counts each act and says how long the moves took when it is done", () => {
    const { lines } = judge(good, { killedAt: KILLED_AT, backAt: BACK_AT }, CAST);
    assert.deepEqual(lines, [
      "                    requests       gpu      slow    failed",
      "  both up                  4         4         0         0",
      "  gpu killed               4         0         4         0",
      "  gpu back                 4         4         0         0",
      "  in all                  12         8         4         0",
      "",
      "Moved to slow 60 ms after the kill.",
      "Returned to gpu 110 ms after it listened again.",
      "Passed: 12 requests, none failed.",
    ]);
  });
});
