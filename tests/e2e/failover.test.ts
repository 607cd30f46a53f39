/**
 * The main promise, measured: under load the preferred upstream is killed, absent, or stopped, and
 * no request is lost that need not be, none is done twice, none ends short unseen.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Figures, Load, type Result } from "../support/load.ts";
import { StandIn, type Subject, subjects, Understudy } from "../support/processes.ts";

const INTERVAL_MS = 500;
/** A strained machine must not make the spare look down, as then nobody is left. */
const TIMEOUT_MS = 900;
/** Jitter of the probes, and what a busy machine adds. */
const SLACK_MS = 300;
/** The same for a request that has to be asked twice. */
const LATE_SLACK_MS = 800;
const LOAD = { getsPerSecond: 50, postsPerSecond: 12 };
/** A request so close to the kill may have reached the primary after its last count and before its end. */
const COUNTED_MS = 300;
/** How long each stage of a fault goes on, in milliseconds. */
const STAGE_MS = 500;

/** The seed's setup with shorter times. */
const seed = (primary: StandIn, spare: StandIn) => `
listen: "127.0.0.1:0"
routes:
  - upstreams:
      - url: ${primary.url}
        name: primary
      - url: ${spare.url}
        name: spare
    health: { uri: /, interval: ${INTERVAL_MS}ms, timeout: ${TIMEOUT_MS}ms, status: 200 }
    passive: { fail_duration: 30s }
`;

interface Story {
  readonly fault: string;
  readonly subject: Subject;
  readonly figures: Figures;
  /** What the stand-ins say they generated, by tag; one entry a process. */
  readonly generated: readonly Readonly<Record<string, unknown>>[];
  /** When the primary was there again, by `performance.now()`. */
  readonly backAt: number;
}

for (const subject of subjects) {
  describe(`failing over (${subject.name})`, () => {
    it(
      "loses nothing but what ran there when the primary is killed",
      { timeout: 30_000 },
      async () => {
        await using primary = await StandIn.start("primary");
        await using spare = await StandIn.start("spare");
        await using proxy = await Understudy.start(subject, seed(primary, spare));
        using load = new Load({ port: proxy.port }, "kill", LOAD);
        await load.pass(STAGE_MS);

        const before = await generatedBy(primary);
        primary.kill("SIGKILL");
        const killedAt = performance.now();
        await load.pass(STAGE_MS);
        await using again = await primary.revive();
        const backAt = performance.now();
        await load.first((result) => isBack(result, backAt));
        await load.pass(STAGE_MS);
        const figures = await load.stop();

        const generated = [before, await generatedBy(spare), await generatedBy(again)];
        judge({ fault: "SIGKILL", subject, figures, generated, backAt });
        for (const { tag, startedAt } of failed(figures.posts)) {
          const entry = await proxy.line((line) => JSON.stringify(line).includes(`"${tag}"`));
          const told = JSON.stringify(entry);
          assert.match(told, /truncated|\(sent\)/);
          const ranThere = tag in before || Math.abs(killedAt - startedAt) < COUNTED_MS;
          assert.ok(ranThere, `${tag} came ${startedAt - killedAt} ms after the kill: ${told}`);
        }
      },
    );

    it(
      "loses nothing when the primary is not there from the start",
      { timeout: 30_000 },
      async () => {
        await using primary = await StandIn.start("primary");
        primary.kill("SIGKILL");
        await primary.exited;
        await using spare = await StandIn.start("spare");
        await using proxy = await Understudy.start(subject, seed(primary, spare));
        using load = new Load({ port: proxy.port }, "absent", LOAD);
        await load.pass(STAGE_MS);
        await using again = await primary.revive();
        const backAt = performance.now();
        await load.first((result) => isBack(result, backAt));
        await load.pass(STAGE_MS);
        const figures = await load.stop();

        const generated = [await generatedBy(spare), await generatedBy(again)];
        judge({ fault: "absent", subject, figures, generated, backAt });
        await assertNoneFailed(figures, proxy);
      },
    );

    it(
      "loses nothing when the primary is killed between two loads",
      { timeout: 30_000 },
      async () => {
        await using primary = await StandIn.start("primary");
        await using spare = await StandIn.start("spare");
        await using proxy = await Understudy.start(subject, seed(primary, spare));
        using earlier = new Load({ port: proxy.port }, "earlier", LOAD);
        await earlier.pass(STAGE_MS);
        await assertNoneFailed(await earlier.stop(), proxy);

        // Connections to it are left over from before, and nobody has noticed yet.
        primary.kill("SIGKILL");
        await primary.exited;
        using load = new Load({ port: proxy.port }, "refused", LOAD);
        await load.pass(STAGE_MS);
        await using again = await primary.revive();
        const backAt = performance.now();
        await load.first((result) => isBack(result, backAt));
        const figures = await load.stop();

        const generated = [await generatedBy(spare), await generatedBy(again)];
        judge({ fault: "refused", subject, figures, generated, backAt });
        await assertNoneFailed(figures, proxy);
      },
    );

    it(
      "moves GETs and keeps POSTs waiting when the primary is stopped",
      { timeout: 30_000 },
      async () => {
        await using primary = await StandIn.start("primary");
        await using spare = await StandIn.start("spare");
        await using proxy = await Understudy.start(subject, seed(primary, spare));
        using load = new Load({ port: proxy.port }, "stop", LOAD);
        await load.pass(STAGE_MS);

        primary.kill("SIGSTOP");
        const stoppedAt = performance.now();
        await load.pass(INTERVAL_MS + TIMEOUT_MS + STAGE_MS);
        primary.kill("SIGCONT");
        const backAt = performance.now();
        await load.first((result) => isBack(result, backAt));
        await load.pass(STAGE_MS);
        const figures = await load.stop();

        const generated = [await generatedBy(spare), await generatedBy(primary)];
        judge({ fault: "SIGSTOP", subject, figures, generated, backAt });
        await assertNoneFailed(figures, proxy);
        const waited = figures.posts.filter((post) => post.startedAt < backAt - STAGE_MS / 2)
          .filter(({ startedAt, headMs }) => startedAt + headMs > backAt);
        assert.ok(waited.length > 0, "POSTs that were sent wait for the primary");
        assert.ok(waited.every(({ answeredBy }) => answeredBy === "primary"));
        const moved = figures.gets.filter((get) => get.startedAt > stoppedAt && get.headMs > 100);
        assert.ok(moved.some(({ answeredBy }) => answeredBy === "spare"), "waiting GETs move");
      },
    );
  });
}

/** Prints the figures of a fault and holds them to what every fault must give. */
function judge({ fault, subject, figures, generated, backAt }: Story): void {
  const { gets, posts, unfinished } = figures;
  const tags = generated.flatMap((stats) => Object.entries(stats));
  const counts = new Map<string, number>();
  for (const [tag, count] of tags) counts.set(tag, (counts.get(tag) ?? 0) + Number(count));
  const duplicated = [...counts].filter(([, count]) => count > 1);
  const silent = [...gets, ...posts].filter(({ verdict }) => verdict === "silent");
  const slowestMs = Math.max(...gets.map(({ headMs }) => headMs));
  const back = gets.filter((result) => isBack(result, backAt)).map(({ startedAt }) => startedAt);
  const backMs = Math.min(...back) - backAt;

  console.log([
    `${fault.padEnd(8)} ${subject.name.padEnd(6)}`,
    `GET ${gets.length}, ${failed(gets).length} failed, slowest ${slowestMs.toFixed(0)} ms`,
    `POST ${posts.length}, ${failed(posts).length} caught, ${duplicated.length} done twice`,
    `${silent.length} silently short`,
    `back after ${backMs.toFixed(0)} ms`,
  ].join(" | "));

  assert.deepEqual(failed(gets), []);
  assert.deepEqual(silent, []);
  assert.deepEqual(duplicated, []);
  assert.equal(unfinished, 0);
  assert.ok(slowestMs < INTERVAL_MS + TIMEOUT_MS + LATE_SLACK_MS, `a GET took ${slowestMs} ms`);
  assert.ok(backMs <= INTERVAL_MS + SLACK_MS, `back after ${backMs} ms`);
  const before = [...gets, ...posts].filter(({ startedAt }) => startedAt < backAt);
  assert.ok(before.some(({ answeredBy }) => answeredBy === "spare"), "the spare answered");
}

function isBack({ method, answeredBy, startedAt }: Result, backAt: number): boolean {
  return method === "GET" && answeredBy === "primary" && startedAt >= backAt;
}

function failed(results: readonly Result[]): Result[] {
  return results.filter(({ verdict }) => verdict === "failed");
}

/** Shows what the proxy has to say about a request that failed. */
async function assertNoneFailed({ posts }: Figures, proxy: Understudy): Promise<void> {
  for (const post of failed(posts)) {
    const line = await proxy.line((entry) => JSON.stringify(entry).includes(`"${post.tag}"`));
    assert.fail(`${JSON.stringify(post)} failed: ${JSON.stringify(line)}`);
  }
}

async function generatedBy(standIn: StandIn): Promise<Record<string, unknown>> {
  const { generated } = await standIn.stats();
  return Object.fromEntries(Object.entries(generated ?? {}));
}
