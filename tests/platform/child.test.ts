/** A child of the platform takes one signal after another: the demo stops and continues its machines. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { it } from "node:test";
import { platform } from "#platform";
import type { ChildProcess } from "../../src/platform/platform.ts";

it("kill() stops, continues and ends a child when called again and again", async () => {
  const child = platform.spawnSelf(["stand-in"]);
  try {
    for await (const line of child.lines) if (line.includes("listening on")) break;
    child.kill("SIGSTOP");
    await untilState(child, /T/);
    child.kill("SIGCONT");
    await untilState(child, /[SR]/);
  } finally {
    child.kill("SIGKILL");
  }
  assert.equal(await child.exited, 137);
  child.kill("SIGKILL");
});

/** Waits until the system shows the process in such a state, at most two seconds. */
async function untilState({ pid }: ChildProcess, state: RegExp): Promise<void> {
  const began = platform.clock.elapsed();
  for (;;) {
    const found = /^State:\s+(\S)/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1] ?? "";
    if (state.test(found)) return;
    if (platform.clock.elapsed() - began > 2000) assert.fail(`${pid} is ${found}, not ${state}`);
    await platform.clock.sleep(5);
  }
}
