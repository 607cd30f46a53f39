/**
 * A request that may not be repeated waits at an upstream that has died without a word, and no
 * timeout is set: `retry.side_probe` finds out, and `retry.rescue` says whether it goes elsewhere.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Faulty, type FaultyOptions } from "../support/faulty.ts";
import { Cable, FAR, NEAR, unavailable } from "../support/netns.ts";
import { subject, Understudy } from "../support/processes.ts";
import { ask, fieldOf, type Heard } from "../support/raw_client.ts";

const SIDE_PROBE_MS = 500;
const PROBE_MS = 300;
const DIAL_MS = 700;
const SLACK_MS = 400;
const POST = { method: "POST", headers: [["X-Request-Tag", "waits"]], body: "b" } as const;
const HEALTH = `health: { uri: /health, interval: 400ms, timeout: ${PROBE_MS}ms }`;

function config(primary: Faulty, spare: Faulty, more: string): string {
  return `
listen: "127.0.0.1:0"
routes:
  - upstreams:
      - { url: "${primary.url}", name: primary }
      - { url: "${spare.url}", name: spare }
    transport: { dial_timeout: ${DIAL_MS}ms }
    passive: { fail_duration: 30s }
    ${more}
`;
}

const rescue = (on: boolean) => `retry: { side_probe: ${SIDE_PROBE_MS}ms, rescue: ${on} }`;

function assertFate(heard: Heard, rescued: boolean): void {
  console.log(`| ${rescued ? "rescued" : "given up"} | ${Math.round(heard.endMs)} ms |`);
  assert.deepEqual(
    [heard.status, fieldOf(heard, "x-answered-by")],
    rescued ? [200, "spare"] : [502, undefined],
  );
}

describe(`a POST that waits at a suspended upstream (${subject.name})`, () => {
  for (const rescued of [false, true]) {
    const end = rescued ? "is answered by the next one" : "ends with 502";
    it(`${end} once a probe finds the upstream dead`, { timeout: 20_000 }, async () => {
      await using primary = await Faulty.start("primary");
      await using spare = await Faulty.start("spare");
      const text = config(primary, spare, `${HEALTH}\n    ${rescue(rescued)}`);
      await using proxy = await Understudy.start(subject, text, { engine: "wire" });
      assert.equal((await ask(proxy, { target: "/" })).status, 200);

      primary.kill("SIGSTOP");
      const heard = await ask(proxy, POST);
      assertFate(heard, rescued);
      const capMs = 400 * 1.05 + SIDE_PROBE_MS + PROBE_MS + SLACK_MS;
      assert.ok(heard.endMs < capMs, `took ${heard.endMs} ms`);
      if (!rescued) assert.ok(heard.endMs >= SIDE_PROBE_MS, "not before its time");
      const line = await proxy.line((entry) => JSON.stringify(entry).includes('"waits"'));
      assert.match(JSON.stringify(line), /went_down \(sent\)/);
      assert.deepEqual(spare.taken, rescued ? ["waits"] : []);
    });
  }

  it("goes on waiting while the upstream answers probes, be it with 503", {
    timeout: 20_000,
  }, async () => {
    await using primary = await Faulty.start("primary");
    await using spare = await Faulty.start("spare");
    const text = config(primary, spare, `${HEALTH}\n    retry: { side_probe: 100ms }`);
    await using proxy = await Understudy.start(subject, text, { engine: "wire" });
    assert.equal((await ask(proxy, { target: "/" })).status, 200);
    await primary.turn("slow");
    const waiting = ask(proxy, POST);
    await primary.until(() => primary.taken.length > 0);
    await primary.turn("sick");
    await proxy.phase("primary", "down");
    const heard = await waiting;
    assert.deepEqual([heard.status, fieldOf(heard, "x-answered-by")], [200, "primary"]);
  });
});

describe(`a POST that waits at a machine that has vanished (${subject.name})`, () => {
  const options = unavailable === undefined ? { timeout: 20_000 } : { skip: unavailable };
  for (const rescued of [false, true]) {
    const end = rescued ? "is answered by the next one" : "ends with 502";
    it(`${end} once a dial fails, where nothing is probed`, options, async () => {
      await using cable = Cable.open();
      const on = (machine: "near" | "far", host: string): FaultyOptions => ({
        ...cable.on(machine),
        host,
      });
      await using primary = await Faulty.start("primary", on("far", FAR));
      await using spare = await Faulty.start("spare", on("near", NEAR));
      const text = config(primary, spare, rescue(rescued));
      await using proxy = await Understudy.start(subject, text, {
        ...cable.on("near"),
        engine: "wire",
      });
      const place = await cable.door("near", "127.0.0.1", proxy.port);

      await primary.turn("slow");
      const waiting = ask(place, POST);
      await primary.until(() => primary.taken.length > 0);
      primary.kill("SIGSTOP");
      cable.drop(true);
      const heard = await waiting;
      assertFate(heard, rescued);
      assert.ok(heard.endMs < SIDE_PROBE_MS + DIAL_MS + SLACK_MS, `took ${heard.endMs} ms`);
      assert.deepEqual(spare.taken, rescued ? ["waits"] : []);
    });
  }
});
