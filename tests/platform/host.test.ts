/** Time, files, the terminal and child processes: alike on both runtimes. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { platform } from "#platform";
import { FileError } from "../../src/platform/platform.ts";
import { answering, within } from "./support.ts";

const { clock } = platform;

describe("clock", () => {
  it("sleep() settles after its time, and elapsed() has gone on by it", async () => {
    const startedAt = clock.elapsed();
    await within("a sleep", clock.sleep(20));
    // Timers of both runtimes round to milliseconds.
    assert.ok(clock.elapsed() - startedAt >= 19);
  });

  it("sleep() rejects when its signal aborts", async () => {
    const control = new AbortController();
    const asleep = clock.sleep(60_000, control.signal);
    control.abort();
    await assert.rejects(asleep, /cut short/);
    await assert.rejects(clock.sleep(60_000, control.signal), /cut short/);
  });

  it("soon() calls behind what is at hand, and ahead of what is waited for", async () => {
    const order: string[] = [];
    const waited = clock.sleep(1).then(() => order.push("timer"));
    clock.soon(() => order.push("soon"));
    void Promise.resolve().then(() => order.push("promise"));
    order.push("now");
    await within("a timer", waited);
    assert.deepEqual(order, ["now", "promise", "soon", "timer"]);
  });

  it("after() does not call once it was cancelled", async () => {
    let calls = 0;
    const cancel = clock.after(1, () => calls += 1);
    cancel();
    await within("a moment", clock.sleep(10));
    assert.equal(calls, 0);
  });

  it("after() does not call at once when asked for more than a timer holds", async () => {
    let calls = 0;
    const cancels = [2 ** 31, 1e12, Infinity].map((ms) => clock.after(ms, () => calls += 1));
    await within("a moment", clock.sleep(10));
    for (const cancel of cancels) cancel();
    assert.equal(calls, 0);
  });
});

describe("files", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "understudy-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("readText() returns what writeText() wrote", async () => {
    const path = join(folder, "a.txt");
    assert.equal(await platform.fileExists(path), false);
    await platform.writeText(path, "grüße\n");
    assert.equal(await platform.readText(path), "grüße\n");
    assert.equal(await platform.fileExists(path), true);
    assert.equal(await platform.fileExists(folder), false);
    assert.deepEqual(await platform.listDirectory(folder), [path.slice(folder.length + 1)]);
  });

  it("readText() and writeText() reject in words", async () => {
    const missing = join(folder, "none", "a.txt");
    await assert.rejects(
      platform.readText(missing),
      new FileError(`Cannot read "${missing}": no such file`),
    );
    await assert.rejects(
      platform.readText(folder),
      new FileError(`Cannot read "${folder}": it is a directory`),
    );
    await assert.rejects(
      platform.writeText(missing, ""),
      new FileError(`Cannot write "${missing}": no such file`),
    );
  });

  it("watchDirectory() sees a file replaced by a rename, again and again, until stopped", async () => {
    const path = join(folder, "config.yaml");
    await writeFile(path, "0");
    let seen = Promise.withResolvers<void>();
    const stop = platform.watchDirectory(folder, () => seen.resolve());
    // A watch may begin a moment late: replace until it is noticed.
    for (let round = 1; round <= 3; round += 1) {
      seen = Promise.withResolvers<void>();
      let noticed = false;
      void seen.promise.then(() => noticed = true);
      const replace = async (): Promise<void> => {
        while (!noticed) {
          await writeFile(`${path}.new`, String(round));
          await rename(`${path}.new`, path);
          await clock.sleep(20);
        }
      };
      await within(`change ${round}`, replace());
    }
    stop();
  });

  it("watchDirectory() throws in words when the directory is missing", () => {
    const path = join(folder, "none");
    assert.throws(
      () => platform.watchDirectory(path, () => {}),
      new FileError(`Cannot watch "${path}": no such file`),
    );
  });
});

describe("processes", () => {
  it("reexec() lets more requests run at once than Bun's 256", async () => {
    const { out } = await run("many_requests.ts");
    assert.equal(out, "300\n");
  });

  it("fetch() takes no proxy from the environment", async () => {
    const nowhere = "http://127.0.0.1:9";
    const { out } = await run("many_requests.ts", [], { HTTP_PROXY: nowhere, http_proxy: nowhere });
    assert.equal(out, "300\n");
  });

  it("errand() takes the proxy of the environment, also after a fetch that does not", async () => {
    await using upstream = await answering("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\ndirect");
    await using proxy = await answering("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nproxy");
    const place = `http://127.0.0.1:${proxy.port}`;
    const { out } = await run("errand_by_proxy.ts", [], {
      ...{ HTTP_PROXY: place, http_proxy: place, UPSTREAM: `http://127.0.0.1:${upstream.port}/` },
    });
    assert.equal(out, "direct proxy\n");
  });

  it("onUncaught() hears of what nobody caught, and the process goes on", async () => {
    const { out, err } = await run("uncaught.ts");
    assert.deepEqual([out, err], ["microtask promise socket timer\n", ""]);
  });

  it("serve() cuts the client off without a word when an answer breaks off", async () => {
    const { out, err } = await run("broken_stream.ts");
    assert.equal(out, "cut\n");
    assert.equal(err, "");
  });

  it("spawnChild() passes lines on and says how the child ended", async () => {
    const { out } = await run("parent.ts", ["stop"]);
    const lines = out.replace(/^\d+ /gm, "").split("\n");
    assert.deepEqual(lines, ["one", "two\r", "last", "exited 143", ""]);
  });

  it("spawnChild() leaves no child behind when its parent is killed", async () => {
    const parent = start("parent.ts", []);
    const [first] = await within("the child's first line", once(parent.stdout, "data"));
    const child = parseInt(String(first), 10);
    assert.ok(child > 0);
    parent.kill("SIGKILL");
    const gone = async (): Promise<void> => {
      while (await isRunning(child)) await clock.sleep(20);
    };
    await within("the child's end", gone());
  });

  it("onSignal() calls until it is stopped", async () => {
    const seen = Promise.withResolvers<void>();
    const stop = platform.onSignal("SIGUSR2", () => seen.resolve());
    process.kill(process.pid, "SIGUSR2");
    await within("the signal", seen.promise);
    stop();
  });
});

function start(fixture: string, args: string[], env: Record<string, string> = {}) {
  const file = fileURLToPath(new URL(`./fixtures/${fixture}`, import.meta.url).href);
  const runtime = platform.runtime.startsWith("Bun")
    ? ["run"]
    : ["run", "-A", "--no-lock", "--quiet", "--unstable-no-legacy-abort"];
  return spawn(process.execPath, [...runtime, file, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function run(fixture: string, args: string[] = [], env: Record<string, string> = {}) {
  const child = start(fixture, args, env);
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => out += String(chunk));
  child.stderr.on("data", (chunk) => err += String(chunk));
  try {
    await within(`the end of ${fixture}`, once(child, "close"));
  } finally {
    child.kill("SIGKILL");
  }
  return { out, err };
}

/** Whether the process still runs; one that is dead but not yet reaped does not. */
async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    return !/\) Z /.test(stat);
  } catch {
    return false;
  }
}
