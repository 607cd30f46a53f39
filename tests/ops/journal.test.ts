/** What is remembered of the last day, and of which requests. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Account } from "../../src/model.ts";
import { Journal, kindOf, NOTABLE_MAX, TRANSITIONS_MAX } from "../../src/ops/journal.ts";
import type { Notable, Transition } from "../../src/ops/status.ts";
import { FakeExchange } from "../support/fake_exchange.ts";

const HOUR_MS = 3_600_000;

function account(changes: Partial<Account> = {}): Account {
  return {
    requestId: "id-1",
    startedAt: 5,
    durationMs: 20,
    firstByteMs: 10,
    exchange: new FakeExchange({ target: "/p?token=hush" }),
    clientIp: "192.0.2.1",
    user: undefined,
    routeId: "r",
    upstream: "a",
    attempts: 1,
    status: 200,
    readBytes: 0,
    bodyBytes: 0,
    replyFields: undefined,
    outcome: "answered",
    failures: [],
    lost: [],
    logged: true,
    ...changes,
  };
}

function transition(at: number): Transition {
  return { at, poolId: "r", upstream: "a", kind: "drained", reason: "" };
}

function journal(): { journal: Journal; heard: (Transition | Notable)[] } {
  const heard: (Transition | Notable)[] = [];
  const hear = (one: Transition | Notable) => void heard.push(one);
  return { journal: new Journal({ transition: hear, notable: hear }), heard };
}

describe("kindOf()", () => {
  const failures = ["b: refused (not sent)"];
  const cases: [string, Partial<Account>, string | undefined][] = [
    ["an answer", {}, undefined],
    ["an answer after a failure", { failures }, "failed_over"],
    ["an answer after a long wait", { firstByteMs: 1_001 }, "slow"],
    ["a long answer that began soon", { durationMs: 100_000 }, undefined],
    ["an answer that broke off", { outcome: "truncated" }, "cut"],
    ["no answer from anyone", { outcome: "failed", failures }, "failed"],
    ["nobody there", { outcome: "unavailable" }, "failed"],
    ["a bug", { outcome: "error" }, "failed"],
    ["a client that left", { outcome: "abandoned" }, undefined],
    [
      "a client that waited long and left",
      { outcome: "abandoned", firstByteMs: undefined, durationMs: 2_000 },
      "slow",
    ],
    ["no route", { outcome: "unrouted" }, undefined],
    ["a request at fault", { outcome: "refused" }, undefined],
  ];
  for (const [title, changes, expected] of cases) {
    it(`takes ${title} for ${expected ?? "ordinary"}`, () => {
      assert.equal(kindOf(account(changes), 1_000), expected);
    });
  }
});

describe("Journal", () => {
  it("remembers notable requests, newest first, without secrets, and tells of each", () => {
    const { journal: kept, heard } = journal();
    kept.account(account());
    kept.account(account({ requestId: "one", outcome: "failed" }));
    kept.account(account({ requestId: "two", outcome: "truncated" }));
    assert.deepEqual(kept.notable().map(({ requestId, kind }) => [requestId, kind]), [
      ["two", "cut"],
      ["one", "failed"],
    ]);
    assert.equal(kept.notable()[0]?.uri, "/p?token=REDACTED");
    assert.equal(heard.length, 2);
  });

  it("keeps so many at most, the newest ones", () => {
    const { journal: kept } = journal();
    for (let count = 0; count < NOTABLE_MAX + 5; count++) {
      kept.account(account({ requestId: String(count), outcome: "failed" }));
    }
    for (let at = 0; at < TRANSITIONS_MAX + 5; at++) kept.turn(transition(at));
    assert.equal(kept.notable().length, NOTABLE_MAX);
    assert.equal(kept.notable()[0]?.requestId, String(NOTABLE_MAX + 4));
    assert.equal(kept.transitions(0).length, TRANSITIONS_MAX);
    assert.equal(kept.transitions(0)[0]?.at, TRANSITIONS_MAX + 4);
  });

  it("forgets transitions after a day", () => {
    const { journal: kept } = journal();
    kept.turn(transition(HOUR_MS));
    kept.turn(transition(2 * HOUR_MS));
    assert.deepEqual(kept.transitions(25.5 * HOUR_MS).map(({ at }) => at), [2 * HOUR_MS]);
  });
});
