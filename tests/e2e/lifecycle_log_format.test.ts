/**
 * The log in its other forms: for people, silent, and down to what went wrong.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { configFor, folder, NOWHERE } from "../support/commands.ts";
import { Child, type Subject, subjects } from "../support/processes.ts";
import { StreamUpstream } from "../support/stream_upstream.ts";
import { ask, freePort } from "../support/streams.ts";

/** Starts without the harness's wait for a JSON line, which other formats do not print. */
async function startPlain({ command }: Subject, config: string) {
  const files = await folder({ "config.yaml": config });
  const child = new Child([...command, "run", "--config", `${files.path}/config.yaml`]);
  return {
    child,
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]();
      await files[Symbol.asyncDispose]();
    },
  };
}

/** Asks again and again until somebody listens on the port. */
async function untilServed(port: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if ((await ask(port)).status !== 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`Nobody listens on ${port}`);
}

for (const subject of subjects) {
  describe(`the log of understudy (${subject.name})`, () => {
    it("is for people when the format is text", { timeout: 20_000 }, async () => {
      await using upstream = await StreamUpstream.open();
      const config = configFor(upstream.url, "log: { format: text }");
      await using plain = await startPlain(subject, config);
      const { child } = plain;
      await child.until(() => child.stdout.includes("proxy.started"));
      const port = Number(/listening=\["http:\/\/127\.0\.0\.1:(\d+)/.exec(child.stdout)?.[1]);
      await ask(port, { path: "/x?token=hidden", headers: { Host: "name.test" } });
      await child.until(() => child.stdout.includes("/x"));
      const [line = ""] = child.stdout.split("\n").filter((text) => text.includes("/x"));
      assert.match(
        line,
        /^\d\d:\d\d:\d\d 200 GET +name\.test\/x\?token=REDACTED → 127\.0\.0\.1:\d+ [\d.]+ ms, 3 B$/,
      );
    });

    it("is silent when the format is off", { timeout: 20_000 }, async () => {
      await using upstream = await StreamUpstream.open();
      const port = await freePort();
      const config = configFor(upstream.url, "log: { format: off }", `127.0.0.1:${port}`);
      await using plain = await startPlain(subject, config);
      await untilServed(port);
      plain.child.kill("SIGTERM");
      assert.deepEqual(await plain.child.exited, { code: 0, signal: null });
      assert.equal(plain.child.stdout, "");
    });

    it("has failures only when the level is error", { timeout: 20_000 }, async () => {
      await using upstream = await StreamUpstream.open();
      const port = await freePort();
      const config = configFor(upstream.url, "log: { level: error }", `127.0.0.1:${port}`);
      const failing = `  - { host: failing.test, upstreams: ["${NOWHERE}"] }\n`;
      await using plain = await startPlain(subject, config + failing);
      await untilServed(port);
      await ask(port, { path: "/fails", headers: { Host: "failing.test" } });
      plain.child.kill("SIGTERM");
      assert.deepEqual(await plain.child.exited, { code: 0, signal: null });
      const seen = plain.child.lines.map(({ level, status }) => [level, status]);
      assert.deepEqual(seen, [["error", 502]]);
    });
  });
}
