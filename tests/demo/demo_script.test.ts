/** The demo as whoever runs it sees it: real processes, their exit codes, and nothing left behind. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import process from "node:process";
import { describe, it } from "node:test";
import { Child, subject, subjects } from "../support/processes.ts";

/** Longest that the whole show may take on a busy machine. */
const SHOW_LIMIT_MS = 40_000;

describe("demo", () => {
  for (const { name, command } of subjects) {
    it(`passes and leaves nothing behind when it plays its script on ${name}`, {
      timeout: SHOW_LIMIT_MS,
    }, async () => {
      await using child = new Child([...command, "demo", "--script", "--port", "0"]);
      await child.until(() => child.stdout.includes("requests, none failed."), SHOW_LIMIT_MS);

      const { code } = await child.exited;
      assert.equal(code, 0, child.stdout + child.stderr);
      assert.match(child.stdout, /gpu {5}killed {4}SIGKILL to process \d+/);
      assert.match(
        child.stdout,
        /gpu {5}up {8}answered 200[^]+gpu {5}down[^]+gpu {5}up {8}answered 200/,
      );
      assert.match(child.stdout, /slow {4}200 POST \/api\/generate/);
      assert.match(child.stdout, /Moved to slow .+ after the kill\.\nReturned to gpu .+ after/);
      assert.match(child.stdout, /\nPassed: \d+ requests, none failed\.\n$/);
      await assertNothingLeft(child);
    });
  }

  it("plays its script when there is no terminal, and says so when it is stopped", async () => {
    await using child = new Child([...subject.command, "demo", "--port", "0"]);
    await child.until(() => child.stdout.includes("200 GET"), SHOW_LIMIT_MS);
    child.kill("SIGTERM");
    assert.deepEqual(await child.exited, { code: 1, signal: null });
    assert.match(child.stderr, /Stopped before its end\n$/);
    await assertNothingLeft(child);
  });

  it("teaches when it is asked for help", async () => {
    await using child = new Child([...subject.command, "demo", "--help"]);
    assert.equal((await child.exited).code, 0);
    await child.until(() => child.stdout.includes("Exit codes"));
    for (const line of child.stdout.split("\n")) assert.ok(line.length <= 80, line);
  });

  it("refuses a port that is none", async () => {
    await using child = new Child([...subject.command, "demo", "--port", "http"]);
    assert.equal((await child.exited).code, 2);
    assert.match(child.stderr, /Expected --port to be a number/);
  });
});

async function assertNothingLeft({ stdout }: Child): Promise<void> {
  const ports = [...stdout.matchAll(/^ {2}\w+ +http:\/\/127\.0\.0\.1:(\d+)/gm)].map(([, port]) =>
    Number(port)
  );
  assert.equal(ports.length, 3, stdout);
  for (const port of ports) assert.equal(await dial(port), "ECONNREFUSED");
  for (const [, pid] of stdout.matchAll(/process (\d+)/g)) {
    assert.throws(() => process.kill(Number(pid), 0), { code: "ESRCH" });
  }
}

function dial(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve("connected");
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code));
  });
}
