/** What a reload keeps and what it starts afresh. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Board } from "../../src/health/board.ts";
import { health, poolRules, upstream } from "../support/fake_route.ts";
import { ManualClock } from "../support/manual_clock.ts";

const PROBED = poolRules({ health: health() });
const NONE: ReadonlySet<string> = new Set();

function bench(): { board: Board; heard: string[]; fail: (id: string) => void } {
  const clock = new ManualClock();
  const heard: string[] = [];
  const board = new Board(clock, (routeId, name, { kind }) => {
    heard.push(`${routeId} ${name} ${kind}`);
  });
  const verdict = {
    passed: false,
    silent: true,
    reason: "refused",
    startedAt: clock.now(),
    durationMs: 1,
    status: undefined,
  };
  return { board, heard, fail: (id) => board.entry(id)?.judge(verdict, clock.elapsed()) };
}

describe("Board.adopt()", () => {
  it("keeps what was learned when the same upstream is configured again", () => {
    const { board, fail } = bench();
    board.adopt([PROBED], NONE);
    fail("r/a");
    const [pool] = board.adopt([{ ...PROBED, health: health({ intervalMs: 99 }) }], NONE);
    assert.deepEqual(pool?.members.map(({ standing }) => standing.phase), ["down", "unknown"]);
  });

  it("starts afresh and ends the waits of the old one when an upstream moved", async () => {
    const { board, fail } = bench();
    board.adopt([PROBED], NONE);
    const waiting = board.entry("r/a")?.firstVerdict;
    assert.ok(waiting);
    board.adopt([PROBED], new Set(["r/a"]));
    await waiting;
    assert.ok(board.entry("r/a")?.firstVerdict);

    fail("r/a");
    board.adopt([PROBED], new Set(["r/a"]));
    assert.equal(board.entry("r/a")?.phase, "unknown");
  });

  it("ends the waits of an upstream that is gone", async () => {
    const { board } = bench();
    board.adopt([PROBED], NONE);
    const waiting = board.entry("r/b")?.firstVerdict;
    board.adopt([{ ...PROBED, upstreams: [upstream("a")] }], NONE);
    await waiting;
    assert.equal(board.entry("r/b"), undefined);
  });

  it("keeps the choice of a route by its id, and forgets it with the route", () => {
    const { board } = bench();
    const [before] = board.adopt([PROBED], NONE);
    assert.ok(before);
    before.held.upstreamId = "r/b";
    const [after] = board.adopt([PROBED], NONE);
    assert.equal(after?.held, before.held);

    board.adopt([], NONE);
    assert.equal(board.adopt([PROBED], NONE)[0]?.held.upstreamId, undefined);
  });

  it("keeps an upstream drained, also where it moved to", () => {
    const { board } = bench();
    board.adopt([PROBED], NONE);
    board.entry("r/a")?.drain(true);
    board.adopt([PROBED], NONE);
    assert.equal(board.entry("r/a")?.drained, true);
    board.adopt([PROBED], new Set(["r/a"]));
    assert.equal(board.entry("r/a")?.drained, true);
    assert.equal(board.entry("r/b")?.drained, false);
  });

  it("tells of each change once, by route and name", () => {
    const { board, heard, fail } = bench();
    board.adopt([PROBED], NONE);
    board.adopt([PROBED], NONE);
    fail("r/a");
    fail("r/a");
    assert.deepEqual(heard, ["r a phase"]);
  });
});

describe("Board.release()", () => {
  it("lets every route forget which upstream it holds", () => {
    const { board } = bench();
    const [pool] = board.adopt([PROBED], NONE);
    assert.ok(pool);
    pool.held.upstreamId = "r/b";
    board.release();
    assert.equal(pool.held.upstreamId, undefined);
  });

  it("lets only the route forget that is named", () => {
    const { board } = bench();
    const [pool] = board.adopt([PROBED], NONE);
    assert.ok(pool);
    pool.held.upstreamId = "r/b";
    board.release("other");
    assert.equal(pool.held.upstreamId, "r/b");
    board.release("r");
    assert.equal(pool.held.upstreamId, undefined);
  });
});
