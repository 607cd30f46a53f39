/**
 * A new configuration is taken over whole or not at all: what runs, runs on; what waits is served
 * by the new upstreams; what was learned of upstreams stays.
 */
import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { subjects, Understudy } from "../support/processes.ts";
import { StreamUpstream } from "../support/stream_upstream.ts";
import { ask, freePort, RawRequest } from "../support/streams.ts";

/** A configuration that marks its answers, so that a client sees which one is in force. */
function marked(mark: string, url: string, more = ""): string {
  return `
listen: 127.0.0.1:0
routes:
  - upstreams: [{ url: "${url}", name: main }]
    headers: { response: { set: { X-Config: ${mark} } } }
${more}
`;
}

async function markOf(port: number): Promise<string | undefined> {
  const request = new RawRequest(port);
  await request.end;
  return /^x-config: *(\S+)/im.exec(request.head)?.[1];
}

/** Waits for one more line of that message than `before`. */
function more(proxy: Understudy, msg: string, before: number): Promise<void> {
  return proxy.until(() => count(proxy, msg) > before, 10_000, msg);
}

function count(proxy: Understudy, msg: string): number {
  return proxy.lines.filter((line) => line["msg"] === msg).length;
}

type Change = (proxy: Understudy, config: string) => Promise<void>;

const changes: readonly [string, Change][] = [
  ["is replaced by an atomic rename", (proxy, config) => proxy.rewrite(config)],
  ["is written in place", (proxy, config) => writeFile(proxy.configPath, config)],
  ["vanishes and comes back", async (proxy, config) => {
    await rm(proxy.configPath);
    await more(proxy, "config.unreadable", 0);
    await writeFile(proxy.configPath, config);
  }],
];

for (const subject of subjects) {
  describe(`understudy (${subject.name}) follows its configuration`, () => {
    for (const [title, change] of changes) {
      it(`when the file ${title}, twice`, { timeout: 20_000 }, async () => {
        await using upstream = await StreamUpstream.open();
        await using proxy = await Understudy.start(subject, marked("a", upstream.url));
        assert.equal(await markOf(proxy.port), "a");
        await change(proxy, marked("b", upstream.url));
        await more(proxy, "config.reloaded", 0);
        assert.equal(await markOf(proxy.port), "b");
        await proxy.rewrite(marked("c", upstream.url));
        await more(proxy, "config.reloaded", 1);
        assert.equal(await markOf(proxy.port), "c");
      });
    }

    for (const signal of ["SIGHUP", "SIGUSR1"] as const) {
      it(`when ${signal} comes, also without a change`, { timeout: 20_000 }, async () => {
        await using upstream = await StreamUpstream.open();
        await using proxy = await Understudy.start(subject, marked("a", upstream.url));
        for (let reloads = 0; reloads < 2; reloads++) {
          proxy.kill(signal);
          await more(proxy, "config.reloaded", reloads);
        }
        assert.equal(await markOf(proxy.port), "a");
      });
    }

    it("and changes nothing but a log line with every problem when the file is bad", {
      timeout: 20_000,
    }, async () => {
      await using upstream = await StreamUpstream.open();
      await using proxy = await Understudy.start(subject, marked("a", upstream.url));
      const bad = marked("b", upstream.url, "    failback: never\n    polcy: first\n");
      await proxy.rewrite(`grace_period: 10\n${bad}`);
      const refused = await proxy.line(({ msg }) => msg === "config.refused");
      const problems = JSON.stringify(refused["problems"]);
      assert.equal(problems.match(/config\.yaml:\d+:\d+ /g)?.length, 3, problems);
      assert.match(problems, /did you mean/);
      assert.equal(await markOf(proxy.port), "a");

      proxy.kill("SIGHUP");
      await more(proxy, "config.refused", 1);
      assert.equal(await markOf(proxy.port), "a");
      await proxy.rewrite(marked("c", upstream.url));
      await more(proxy, "config.reloaded", 0);
      assert.equal(await markOf(proxy.port), "c");
    });

    it("and changes nothing when a new address cannot be listened on", {
      timeout: 20_000,
    }, async () => {
      await using upstream = await StreamUpstream.open();
      await using proxy = await Understudy.start(subject, marked("a", upstream.url));
      const free = await freePort();
      const listen = `[ "127.0.0.1:${free}", "127.0.0.1:${upstream.port}" ]`;
      await proxy.rewrite(marked("b", upstream.url).replace("127.0.0.1:0", listen));
      const refused = await proxy.line(({ msg }) => msg === "config.refused");
      assert.match(JSON.stringify(refused["problems"]), /Cannot listen on .*the port is taken/);
      assert.equal(await markOf(proxy.port), "a");
      assert.equal((await ask(free)).status, 0, "The other new address was left open");
    });

    it("and moves to a new address while a stream on the old one ends whole", {
      timeout: 20_000,
    }, async () => {
      await using upstream = await StreamUpstream.open();
      await using proxy = await Understudy.start(subject, marked("a", upstream.url));
      const stream = new RawRequest(proxy.port, { path: "/ticks?every=100&count=15" });
      assert.equal(await stream.status, 200);
      const port = await freePort();
      await proxy.rewrite(marked("b", upstream.url).replace("127.0.0.1:0", `127.0.0.1:${port}`));
      await more(proxy, "config.reloaded", 0);
      assert.equal(await markOf(port), "b");
      assert.equal((await ask(proxy.port)).status, 0, "The old address was left open");
      assert.equal(await stream.end, "whole");
      proxy.kill("SIGTERM");
      assert.deepEqual(await proxy.exited, { code: 0, signal: null });
    });

    it("and keeps what it knows of upstreams", { timeout: 20_000 }, async () => {
      await using main = await StreamUpstream.open("main");
      await using spare = await StreamUpstream.open("spare");
      const dead = await freePort();
      const config = (mark: string, name = "spare") => `
listen: 127.0.0.1:0
routes:
  - upstreams: ["http://127.0.0.1:${dead}", { url: "${main.url}", name: main }, { url: "${spare.url}", name: ${name} }]
    health: { uri: /probe, interval: 1h, timeout: 1s }
    headers: { response: { set: { X-Config: ${mark} } } }
`;
      const probes = (upstream: StreamUpstream) =>
        upstream.calls.filter(({ target }) => target === "/probe").length;
      await using proxy = await Understudy.start(subject, config("a"));
      await proxy.phase("main", "up");
      await proxy.phase("spare", "up");
      await proxy.phase(`127.0.0.1:${dead}`, "down");
      const changed = count(proxy, "health.changed");

      await proxy.rewrite(config("b"));
      await more(proxy, "config.reloaded", 0);
      assert.equal(await markOf(proxy.port), "b");
      assert.equal((await ask(proxy.port)).body, "main");
      assert.equal(count(proxy, "health.changed"), changed, "A phase was learned again");
      assert.deepEqual([probes(main), probes(spare)], [1, 1]);

      // Only what is new is probed.
      await proxy.rewrite(config("c", "renamed"));
      await proxy.phase("renamed", "up");
      assert.deepEqual([probes(main), probes(spare)], [1, 2]);
      assert.equal(count(proxy, "health.changed"), changed + 1);
    });

    const parkings = [
      ["for which no upstream could be reached", ""],
      ["for which no upstream is up", "    health: { uri: /, interval: 100ms, timeout: 90ms }\n"],
    ] as const;
    for (const [title, health] of parkings) {
      it(`and serves a waiting request ${title} by the new upstream`, {
        timeout: 20_000,
      }, async () => {
        await using upstream = await StreamUpstream.open("new");
        const dead = `http://127.0.0.1:${await freePort()}`;
        const config = (url: string) =>
          marked("a", url, `    retry: { for: 1m, interval: 50ms }\n${health}`);
        await using proxy = await Understudy.start(subject, config(dead));
        if (health !== "") await proxy.phase("main", "down");
        const get = ask(proxy.port, "/waits");
        const post = ask(proxy.port, { path: "/waits", method: "POST", body: "{}" });
        // Reloads that leave the upstream alone must not end the wait either.
        proxy.kill("SIGHUP");
        await more(proxy, "config.reloaded", 0);
        await proxy.rewrite(config(upstream.url));
        assert.deepEqual(await get, { status: 200, body: "new", end: "whole" });
        assert.deepEqual(await post, { status: 200, body: "new", end: "whole" });
        const waits = upstream.calls.filter(({ target }) => target === "/waits");
        assert.equal(waits.length, 2);
      });
    }
  });
}
