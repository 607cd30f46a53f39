/** Programs that are run with an environment and a time of their own. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { platform } from "#platform";
import { within } from "./support.ts";

function run(script: string, timeoutMs: number, signal = new AbortController().signal) {
  const options = { env: { OWN: "mine" }, timeoutMs, signal };
  return within("a program's end", platform.runProgram("sh", ["-c", script], options));
}

describe("runProgram()", () => {
  it("runProgram() adds variables to the environment", async () => {
    const { code, stdout } = await run('echo "$OWN $HOME"', 5000);
    assert.equal(code, 0);
    assert.equal(stdout, `mine ${platform.env("HOME")}\n`);
  });

  it("runProgram() kills what takes too long, also where a child of it lives on", async () => {
    const { code, stderr } = await run("sleep 2; echo late", 100);
    assert.deepEqual([code, stderr], [124, "no end in 100 ms"]);
  });

  it("runProgram() kills when nobody waits any more", async () => {
    const leaving = new AbortController();
    const running = run("sleep 2", 60_000, leaving.signal);
    leaving.abort();
    assert.deepEqual(await running, { code: 124, stdout: "", stderr: "nobody waits any more" });
    const late = await run("echo hello", 60_000, leaving.signal);
    assert.equal(late.code, 124);
  });
});
