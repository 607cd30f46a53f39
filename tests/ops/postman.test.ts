/** When news is sent again, when it is given up, and that nobody waits for it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Letter } from "../../src/ops/letter.ts";
import { Postman } from "../../src/ops/postman.ts";
import { ManualClock, settled } from "../support/manual_clock.ts";

const LETTER: Letter = { url: "https://hooks.test/secret", headers: [], body: "news" };

/** A status, a failure, or silence. */
type Answer = number | Error | undefined;

function office(...answers: Answer[]) {
  const clock = new ManualClock();
  const sent: { body: string; at: number }[] = [];
  const warnings: Record<string, unknown>[] = [];
  const postman = new Postman({
    clock,
    post: ({ body }, signal) => {
      sent.push({ body, at: clock.elapsed() });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer instanceof Error) return Promise.reject(answer);
      if (answer !== undefined) return Promise.resolve(answer);
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
      });
    },
    warn: (event, fields) => warnings.push({ event, ...fields }),
  });
  return { clock, sent, warnings, postman };
}

describe("Postman", () => {
  const HOUR = 3_600_000;
  const failed = (reason: string) => [{ event: "notify.failed", to: "hooks.test", reason }];
  const cases: [string, Answer[], number[], Record<string, unknown>[]][] = [
    ["sends once what is taken", [204], [0], []],
    ["tries again after a failure", [new Error("refused"), 200], [0, 1000], []],
    ["tries again after 503 and 429", [503, 429, 200], [0, 1000, 6000], []],
    ["gives up at once on a refusal", [403], [0], failed("status 403")],
    ["waits for no answer for ever", [undefined, 200], [0, 11_000], []],
    [
      "gives up after some tries",
      [500],
      [0, 1000, 6000, 36_000, 156_000],
      failed("status 500"),
    ],
  ];
  for (const [title, answers, moments, told] of cases) {
    it(title, async () => {
      const { clock, sent, warnings, postman } = office(...answers);
      postman.take(LETTER);
      await clock.advance(HOUR);
      assert.deepEqual(sent.map(({ at }) => at), moments);
      assert.deepEqual(warnings, told);
      assert.equal(clock.pending, 0);
    });
  }

  it("keeps the order, and the newest of too many", async () => {
    const { clock, sent, warnings, postman } = office(new Error("refused"), 200);
    for (let at = 0; at < 60; at++) postman.take({ ...LETTER, body: String(at) });
    await clock.advance(HOUR);
    const bodies = sent.map(({ body }) => Number(body));
    assert.deepEqual(bodies, [0, 0, ...Array.from({ length: 50 }, (_, at) => at + 10)]);
    assert.equal(warnings.filter(({ event }) => event === "notify.dropped").length, 9);
  });

  it("leaves nothing behind when it is closed", async () => {
    for (const answer of [undefined, 500]) {
      const { clock, sent, warnings, postman } = office(answer);
      postman.take(LETTER);
      postman.take(LETTER);
      await settled();
      postman.close();
      postman.take(LETTER);
      await clock.advance(HOUR);
      assert.equal(sent.length, 1);
      assert.deepEqual([clock.pending, warnings], [0, []]);
    }
  });
});
