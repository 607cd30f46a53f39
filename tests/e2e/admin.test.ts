/** The operator's view of a real process: what the API and its events tell, and what a drain does to streams. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import type { Status } from "../../src/ops/status.ts";
import { Child, StandIn, subjects, Understudy } from "../support/processes.ts";
import { RawRequest } from "../support/streams.ts";
import { Listening } from "../support/admin_lab.ts";
import { folder } from "../support/commands.ts";

function config(admin: string, ...urls: readonly string[]): string {
  return `
listen: "127.0.0.1:0"
admin: ${admin}
routes:
  - upstreams:
${
    urls.map((url, at) => `      - { url: "${url}", name: ${at === 0 ? "gpu" : "spare"} }`).join(
      "\n",
    )
  }
    health: { uri: /, interval: 200ms, timeout: 5s }
`;
}

async function adminOf(proxy: Understudy): Promise<string> {
  const started = await proxy.line(({ msg }) => msg === "proxy.started");
  return String(started["admin"]);
}

async function statusOf(admin: string): Promise<Status> {
  return await (await fetch(`${admin}/api/status`)).json();
}

async function listen(admin: string): Promise<Listening> {
  const leaving = new AbortController();
  const { body } = await fetch(`${admin}/api/events`, { signal: leaving.signal });
  assert.ok(body);
  return new Listening(body, leaving);
}

for (const subject of subjects) {
  describe(`the admin listener of ${subject.name}`, () => {
    it("tells within a second that the primary was killed", async () => {
      await using gpu = await StandIn.start("gpu");
      await using spare = await StandIn.start("spare");
      await using proxy = await Understudy.start(
        subject,
        config("127.0.0.1:0", gpu.url, spare.url),
      );
      await proxy.phase("gpu", "up");
      await proxy.phase("spare", "up");
      const admin = await adminOf(proxy);
      await using events = await listen(admin);
      await events.next("summary");

      const killedAt = Date.now();
      gpu.kill("SIGKILL");
      const fallen = await events.next("transition", ({ to }) => to === "down");
      assert.equal(fallen.upstream, "gpu");
      assert.equal((await events.next("transition")).to, "spare");
      const status = await statusOf(admin);
      const tookMs = Date.now() - killedAt;
      const [pool] = status.routes[0]?.pools ?? [];
      assert.deepEqual([pool?.chosen, pool?.upstreams[0]?.phase], ["spare", "down"]);
      assert.ok(tookMs < 1_000, `it took ${tookMs} ms`);
    });

    it("drains: a running stream finishes, and nothing new is sent", async () => {
      await using gpu = await StandIn.start("gpu", ["--token-every", "60ms", "--tokens", "20"]);
      await using spare = await StandIn.start("spare", ["--token-every", "1ms"]);
      await using proxy = await Understudy.start(
        subject,
        config("127.0.0.1:0", gpu.url, spare.url),
      );
      await proxy.phase("spare", "up");
      await proxy.phase("gpu", "up");
      const admin = await adminOf(proxy);
      const body = JSON.stringify({ model: "llama3.2", prompt: "Hi" });
      const { promise: flows, resolve } = Promise.withResolvers<void>();
      const onLine = () => resolve();
      const running = new RawRequest(proxy.port, {
        ...{ path: "/api/generate", method: "POST", body, onLine },
      });
      await flows;

      const drained = await fetch(`${admin}/api/upstreams/gpu/drain`, { method: "POST" });
      assert.equal(drained.status, 200);
      for (let count = 0; count < 3; count++) {
        const response = await fetch(`${proxy.url}/api/generate`, { method: "POST", body });
        await response.text();
      }
      const { end } = await running.answer();
      assert.equal(end, "whole");
      const [pool] = (await statusOf(admin)).routes[0]?.pools ?? [];
      assert.deepEqual(pool?.upstreams.map(({ requests }) => requests), [1, 3]);
    });

    it("reloads when told to, and says what is wrong", async () => {
      await using gpu = await StandIn.start("gpu");
      await using proxy = await Understudy.start(subject, config("127.0.0.1:0", gpu.url));
      const admin = await adminOf(proxy);
      const fine = await fetch(`${admin}/api/reload`, { method: "POST" });
      assert.equal(fine.status, 200);
      await fine.body?.cancel();
      await using events = await listen(admin);
      await proxy.rewrite(config("127.0.0.1:0", gpu.url).replace("interval", "intervall"));
      const refused = await events.next("config");
      assert.match(refused.problems[0] ?? "", /did you mean "interval"/);
      const again = await fetch(`${admin}/api/reload`, { method: "POST" });
      assert.equal(again.status, 422);
      assert.match(JSON.stringify(await again.json()), /did you mean/);
      assert.equal((await statusOf(admin)).config.problems.length, 1);
    });

    it("tells that it ends, while it waits for the last streams", async () => {
      await using gpu = await StandIn.start("gpu", ["--token-every", "60ms", "--tokens", "80"]);
      await using proxy = await Understudy.start(subject, config("127.0.0.1:0", gpu.url));
      const admin = await adminOf(proxy);
      const body = JSON.stringify({ model: "llama3.2", prompt: "Hi" });
      const { promise: flows, resolve } = Promise.withResolvers<void>();
      const onLine = () => resolve();
      const running = new RawRequest(proxy.port, {
        ...{ path: "/api/generate", method: "POST", body, onLine },
      });
      await flows;
      await using events = await listen(admin);
      proxy.kill("SIGTERM");
      await events.next("summary", ({ draining }) => draining);
      assert.equal((await fetch(`${admin}/readyz`)).status, 503);
      assert.equal((await running.answer()).end, "whole");
      assert.equal((await proxy.exited).code, 0);
    });

    it("is no reason not to start where its default port is taken, and is one where it was written", async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      try {
        const at = server.address();
        const port = typeof at === "object" && at !== null ? at.port : 0;
        await using files = await folder({
          "config.yaml": config(`127.0.0.1:${port}`, "http://127.0.0.1:1"),
        });
        await using child = new Child([
          ...subject.command,
          "run",
          "--config",
          `${files.path}/config.yaml`,
        ]);
        assert.equal((await child.exited).code, 1);
        assert.match(
          child.stderr,
          new RegExp(`Cannot listen on 127.0.0.1:${port}: the port is taken`),
        );
      } finally {
        server.close();
      }
    });
  });
}
