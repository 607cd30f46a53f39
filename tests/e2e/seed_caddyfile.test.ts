/**
 * The Caddyfile that this product began with, word for word: as the body of a site, where Debian's Caddy
 * runs beside it, and as a whole file, which Caddy refuses. Traffic goes to A while it is up, to B once A
 * is really killed, and back to A when it returns.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Served, unavailable as noCaddy } from "../support/beside.ts";
import { folder, run } from "../support/commands.ts";
import { isWire } from "../support/engine.ts";
import { Cable, unavailable as noNamespaces } from "../support/netns.ts";
import { StandIn, type Subject, subjects } from "../support/processes.ts";
import { ask, fieldOf, type Place } from "../support/raw_client.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url).href);
const SHARED = here("../../../shared/seed-caddy-failover.txt");
const COPY = here("./beside/seed.Caddyfile");

/** `health_interval` with its jitter, a probe, and what a busy machine adds. */
const PROBED_MS = 10_500 + 1_500;
/** Caddy forgives only when `fail_duration` has passed too, and counts it from the last failure. */
const FORGIVEN_MS = 30_000 + PROBED_MS;
/** How long both are watched while A is away. */
const AWAY_MS = 2_000;
const PAUSE_MS = 100;
const OPTIONS = { timeout: 60_000 };

/** The snippet as the seed has it, which our copy must not leave. */
async function seed(): Promise<string> {
  const copy = await readFile(COPY, "utf8");
  if (!existsSync(SHARED)) return copy;
  const page = await readFile(SHARED, "utf8");
  const snippet = page.slice(
    page.indexOf("@ollama host"),
    page.indexOf("Explanation of the Configuration"),
  );
  assert.equal(copy, snippet);
  return snippet;
}

/** All that is changed of it: the two machines are ports of this one. */
function onLoopback(snippet: string, a: StandIn, b: StandIn): string {
  const mapped = snippet
    .replace("192.168.1.5:11434", `127.0.0.1:${a.port}`)
    .replace("192.168.1.6:11434", `127.0.0.1:${b.port}`);
  assert.ok(!mapped.includes("192.168"));
  return mapped;
}

/** Who answers a request now; a status where nobody does. */
async function asked(place: Place): Promise<string> {
  const heard = await ask(place, {
    target: "/api/tags",
    headers: [["Host", "ollama.example.com"]],
  });
  return fieldOf(heard, "x-answered-by") ?? String(heard.status);
}

/** Answers one after the other until `until` has been heard or `capMs` passed, and how long that took. */
async function listened(place: Place, { until, capMs }: { until?: string; capMs: number }) {
  const began = performance.now();
  const answers: string[] = [];
  while (performance.now() - began < capMs) {
    const answer = await asked(place);
    if (answer === until) break;
    answers.push(answer);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return { answers: [...new Set(answers)], ms: performance.now() - began };
}

interface Scene {
  /** What the first request after the kill gets there, and within what time traffic is back. */
  readonly places: readonly (readonly [place: Place, first: string, backMs: number])[];
  readonly a: StandIn;
  /** Starts A again after its death. */
  readonly revive: () => Promise<StandIn>;
}

/** What the seed describes, in each of the places. */
async function follows({ places, a, revive }: Scene): Promise<void> {
  const each = (tell: (place: Place, first: string, backMs: number) => Promise<void>) =>
    Promise.all(places.map((one) => tell(...one)));

  await each(async (place) => assert.equal(await asked(place), "a"));
  a.kill("SIGKILL");
  await a.exited;
  await each(async (place, first) => assert.equal(await asked(place), first));
  await each(async (place) => {
    assert.deepEqual((await listened(place, { capMs: AWAY_MS })).answers, ["b"]);
  });

  await using _revived = await revive();
  await each(async (place, _, backMs) => {
    const { answers, ms } = await listened(place, { until: "a", capMs: backMs });
    assert.deepEqual(answers.filter((answer) => answer !== "b"), []);
    assert.ok(ms < backMs, `back on a after ${Math.round(ms)} ms`);
    assert.equal(await asked(place), "a");
  });
}

const NO_ADMIN = "{\n\tadmin off\n}\n";

/** As the body of a site, in understudy and, where it is wanted, in Caddy in front of the same machines. */
async function asSite(subject: Subject, isBesideCaddy: boolean): Promise<void> {
  await using a = await StandIn.start("a");
  await using b = await StandIn.start("b");
  const site = `http://:{$PORT} {\n${onLoopback(await seed(), a, b)}}\n`;
  await using at = await folder({ Caddyfile: NO_ADMIN + site });
  await using ours = await Served.ours(subject, join(at.path, "Caddyfile"));
  await using caddy = isBesideCaddy ? await Served.caddy(join(at.path, "Caddyfile")) : undefined;
  await follows({
    // Section 9: no client gets 502, and a pass of a probe ends a penalty. In Caddy neither is so.
    places: [
      [{ port: ours.port }, "b", PROBED_MS],
      ...(caddy === undefined ? [] : [[{ port: caddy.port }, "502", FORGIVEN_MS] as const]),
    ],
    a,
    revive: () => a.revive(),
  });
}

/** As a whole file. Without an address it listens on :8080, so it gets a machine of its own. */
async function asFile(subject: Subject): Promise<void> {
  await using cable = Cable.open();
  const near = cable.on("near");
  await using a = await StandIn.start("a", [], near);
  await using b = await StandIn.start("b", [], near);
  await using at = await folder({ Caddyfile: onLoopback(await seed(), a, b) });
  await using _ours = await Served.ours(subject, join(at.path, "Caddyfile"), near);
  const place = await cable.door("near", "127.0.0.1", 8080);
  const revive = () => StandIn.start("a", ["--port", String(a.port)], near);
  await follows({ places: [[place, "b", PROBED_MS]], a, revive });
}

const isBesideCaddy = (subject: Subject) =>
  subject === subjects[0] && isWire && noCaddy === undefined;

describe("the seed's Caddyfile", () => {
  const stories = new Map<string, Promise<void>>();
  const begin = (name: string, story: Promise<void>) => {
    // Whoever asks for it hears of its failure.
    story.catch(() => {});
    stories.set(name, story);
  };

  // Most of it is waiting, so all of it is done at once.
  before(() => {
    for (const subject of subjects) {
      begin(`${subject.name} site`, asSite(subject, isBesideCaddy(subject)));
      if (noNamespaces === undefined) begin(`${subject.name} file`, asFile(subject));
    }
  });

  for (const subject of subjects) {
    const { name } = subject;
    const beside = isBesideCaddy(subject) ? ", beside Caddy" : "";
    it(`is followed as the body of a site (${name}${beside})`, OPTIONS, async () => {
      await stories.get(`${name} site`);
    });

    it(`is followed as a whole file (${name})`, unless(noNamespaces), async () => {
      await stories.get(`${name} file`);
    });
  }

  it("is refused by Caddy as a whole file", unless(noCaddy), async () => {
    await using at = await folder({ Caddyfile: await seed() });
    const caddy = { name: "binary", command: ["/usr/bin/caddy"] } as const;
    const words = ["adapt", "--config", join(at.path, "Caddyfile")];
    const { code, stderr } = await run(caddy, words);
    assert.notEqual(code, 0);
    assert.match(stderr, /cannot define a matcher outside of a site block: '@ollama'/);
  });
});

function unless(obstacle: string | undefined): { timeout: number } | { skip: string } {
  return obstacle === undefined ? OPTIONS : { skip: obstacle };
}
