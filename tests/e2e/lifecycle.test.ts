/**
 * How the process ends: running exchanges first, within the time that the operator gave them, and
 * at once when asked twice.
 */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { performance } from "node:perf_hooks";
import { describe, it } from "node:test";
import { configFor, NOWHERE } from "../support/commands.ts";
import { subjects, Understudy } from "../support/processes.ts";
import { StreamUpstream } from "../support/stream_upstream.ts";
import { ask, RawRequest } from "../support/streams.ts";

for (const subject of subjects) {
  describe(`understudy (${subject.name}) ends in good order`, () => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      it(`lets a running stream end, takes nothing new and exits with 0 on ${signal}`, {
        timeout: 20_000,
      }, async () => {
        await using upstream = await StreamUpstream.open();
        await using proxy = await Understudy.start(subject, configFor(upstream.url));
        let lines = 0;
        const stream = new RawRequest(proxy.port, {
          path: "/ticks?every=100&count=15",
          onLine: () => lines++,
        });
        assert.equal(await stream.status, 200);
        proxy.kill(signal);
        const began = await proxy.line(({ msg }) => msg === "drain.began");
        assert.equal(began["running"], 1);
        assert.equal((await ask(proxy.port)).status, 0, "A new connection was served");
        assert.equal(await stream.end, "whole");
        assert.equal(lines, 15);
        assert.deepEqual(await proxy.exited, { code: 0, signal: null });
      });
    }

    it("answers with Connection: close when a kept connection asks during a drain", {
      timeout: 20_000,
    }, async () => {
      await using upstream = await StreamUpstream.open();
      await using proxy = await Understudy.start(subject, configFor(upstream.url));
      const silent = new RawRequest(proxy.port, {
        path: "/silent?ms=500",
        headers: { Connection: "keep-alive" },
      });
      await upstream.until(() => upstream.calls.length === 1);
      proxy.kill("SIGTERM");
      assert.equal(await silent.status, 200);
      assert.match(silent.head, /^connection: *close/im);
      assert.deepEqual(await proxy.exited, { code: 0, signal: null });
    });

    it("exits with 0 although a client keeps an idle connection open", {
      timeout: 20_000,
    }, async () => {
      await using upstream = await StreamUpstream.open();
      await using proxy = await Understudy.start(subject, configFor(upstream.url));
      const mute = connect(proxy.port, "127.0.0.1");
      mute.on("error", () => {});
      const kept = connect(proxy.port, "127.0.0.1");
      kept.on("error", () => {});
      kept.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      await new Promise((resolve) => kept.once("data", resolve));
      const at = performance.now();
      proxy.kill("SIGTERM");
      assert.deepEqual(await proxy.exited, { code: 0, signal: null });
      assert.ok(performance.now() - at < 5000, "Idle connections held it");
      mute.destroy();
      kept.destroy();
    });

    it("cuts what still runs when grace_period is over", { timeout: 20_000 }, async () => {
      await using upstream = await StreamUpstream.open();
      const config = configFor(upstream.url, "grace_period: 500ms");
      await using proxy = await Understudy.start(subject, config);
      const stream = new RawRequest(proxy.port, { path: "/ticks?every=50&count=1000" });
      const waiting = new RawRequest(proxy.port, { path: "/hang" });
      await upstream.until(() => upstream.calls.length === 2);
      assert.equal(await stream.status, 200);
      proxy.kill("SIGTERM");
      assert.equal(await stream.end, "cut");
      assert.notEqual(await waiting.status, 200);
      assert.deepEqual(await proxy.exited, { code: 0, signal: null });
      const ended = await proxy.line(({ msg }) => msg === "drain.ended");
      assert.equal(ended["cut"], 2);
    });

    it("exits at once with 1 when a second signal comes", { timeout: 20_000 }, async () => {
      await using upstream = await StreamUpstream.open();
      await using proxy = await Understudy.start(subject, configFor(upstream.url));
      const stream = new RawRequest(proxy.port, { path: "/ticks?every=50&count=1000" });
      assert.equal(await stream.status, 200);
      proxy.kill("SIGTERM");
      await proxy.line(({ msg }) => msg === "drain.began");
      proxy.kill("SIGINT");
      assert.deepEqual(await proxy.exited, { code: 1, signal: null });
      assert.equal(await stream.end, "cut");
    });

    it("ends at once when nothing runs, whatever grace_period says", {
      timeout: 20_000,
    }, async () => {
      await using proxy = await Understudy.start(subject, configFor(NOWHERE));
      proxy.kill("SIGTERM");
      assert.deepEqual(await proxy.exited, { code: 0, signal: null });
      assert.equal(proxy.stderr, "");
    });
  });
}
