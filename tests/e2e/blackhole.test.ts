/**
 * A machine that is switched off says nothing at all: packets to it vanish. Whoever dials it waits
 * for the dial timeout and no longer, and nobody's request is lost.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Figures, Load, type Result } from "../support/load.ts";
import { Cable, FAR, NEAR, unavailable } from "../support/netns.ts";
import { StandIn, type Subject, subjects, Understudy } from "../support/processes.ts";
import { ask } from "../support/raw_client.ts";

const DIAL_MS = 1000;
/** What a busy machine adds. */
const SLACK_MS = 800;
const LOAD = { getsPerSecond: 50, postsPerSecond: 12 };
const OPTIONS = unavailable === undefined ? { timeout: 30_000 } : { skip: unavailable };

const config = (primary: number, spare: number, rules: string) => `
listen: "127.0.0.1:0"
routes:
  - upstreams:
      - { url: "http://${FAR}:${primary}", name: primary }
      - { url: "http://${NEAR}:${spare}", name: spare }
    transport: { dial_timeout: ${DIAL_MS}ms }
    ${rules}
`;
const PROBED = `health: { uri: /, interval: 500ms, timeout: 900ms, status: 200 }
    passive: { fail_duration: 30s }`;
const UNPROBED = "passive: { fail_duration: 0s }";

for (const subject of subjects) {
  describe(`a blackhole (${subject.name})`, () => {
    it("costs every request the dial timeout when nothing is remembered", OPTIONS, async () => {
      await using cable = Cable.open();
      cable.drop(true);
      await using spare = await StandIn.start("spare", ["--host", NEAR], cable.on("near"));
      const text = config(11434, spare.port, UNPROBED);
      await using proxy = await Understudy.start(subject, text, cable.on("near"));
      const place = await cable.door("near", "127.0.0.1", proxy.port);
      using load = new Load(place, "dial", LOAD);
      await load.pass(DIAL_MS);
      const figures = await load.stop();

      judge("dropped", subject, figures);
      assert.ok(figures.posts.every(({ answeredBy }) => answeredBy === "spare"));
      const quickest = Math.min(...figures.posts.map(({ headMs }) => headMs));
      assert.ok(quickest > DIAL_MS - 50, `a POST waited ${quickest} ms only`);
      await assertOnce(await cable.door("near", NEAR, spare.port));
    });

    for (
      const [fault, turn] of [
        ["dropped under load", (cable: Cable, on: boolean) => cable.drop(on)],
        ["pulled under load", (cable: Cable, on: boolean) => cable.pull(on)],
      ] as const
    ) {
      it(`loses nothing when the primary is ${fault}, and returns`, OPTIONS, async () => {
        await using cable = Cable.open();
        await using primary = await StandIn.start("primary", ["--host", FAR], cable.on("far"));
        await using spare = await StandIn.start("spare", ["--host", NEAR], cable.on("near"));
        const text = config(primary.port, spare.port, PROBED);
        await using proxy = await Understudy.start(subject, text, cable.on("near"));
        const place = await cable.door("near", "127.0.0.1", proxy.port);
        using load = new Load(place, "vanish", LOAD);
        await load.pass(500);
        const before = load.results.filter(({ answeredBy }) => answeredBy === "primary");
        assert.ok(before.length > 10, "connections to the primary are pooled");

        const lostAt = performance.now();
        turn(cable, true);
        await load.first(({ method, answeredBy, startedAt }) =>
          method === "POST" && answeredBy === "spare" && startedAt > lostAt
        );
        await load.pass(300);
        turn(cable, false);
        const backAt = performance.now();
        const back = await load.first(({ method, answeredBy, startedAt }) =>
          method === "GET" && answeredBy === "primary" && startedAt > backAt
        );
        const figures = await load.stop();

        judge(fault, subject, figures, back && back.startedAt - backAt);
        await assertOnce(
          await cable.door("near", NEAR, spare.port),
          await cable.door("far", FAR, primary.port),
        );
      });
    }
  });
}

/** Prints the figures and holds them to the promise. POSTs that had been sent go on waiting, and count when answered. */
function judge(fault: string, subject: Subject, figures: Figures, backMs?: number): void {
  const { gets, posts, unfinished } = figures;
  const bad = (results: readonly Result[]) => results.filter(({ verdict }) => verdict !== "ok");
  const slowest = (results: readonly Result[]) => Math.max(...results.map(({ headMs }) => headMs));
  const moved = posts.filter(({ answeredBy }) => answeredBy === "spare");
  console.log([
    `${fault.padEnd(18)} ${subject.name.padEnd(6)}`,
    `GET ${gets.length}, ${bad(gets).length} failed, slowest ${slowest(gets).toFixed(0)} ms`,
    `POST ${posts.length}, ${bad(posts).length} failed, slowest moved ${
      slowest(moved).toFixed(0)
    } ms`,
    ...(backMs === undefined ? [] : [`back after ${backMs.toFixed(0)} ms`]),
  ].join(" | "));
  assert.deepEqual(bad(gets), []);
  assert.deepEqual(bad(posts), []);
  assert.equal(unfinished, 0);
  // The models' own time to a first byte comes on top: a whole answer of five words takes 100 ms.
  assert.ok(slowest(gets) < DIAL_MS + SLACK_MS, `a GET took ${slowest(gets)} ms`);
  assert.ok(slowest(moved) < DIAL_MS + 100 + SLACK_MS, `a POST took ${slowest(moved)} ms`);
}

async function assertOnce(...places: readonly Parameters<typeof ask>[0][]): Promise<void> {
  const counts = new Map<string, number>();
  for (const place of places) {
    const { body } = await ask(place, { target: "/_stand-in/stats" });
    const stats: { generated: Record<string, number> } = JSON.parse(body.toString());
    for (const [tag, count] of Object.entries(stats.generated)) {
      counts.set(tag, (counts.get(tag) ?? 0) + count);
    }
  }
  assert.ok(counts.size > 0);
  assert.deepEqual([...counts].filter(([, count]) => count > 1), []);
}
