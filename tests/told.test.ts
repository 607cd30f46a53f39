/** What the end of `npm test` says of failures, asked of both runners as they really print. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { folder } from "./support/commands.ts";
import { count, failures } from "./told.mjs";

const RUNNERS: Record<string, string[]> = {
  bun: ["test", "odd.test.ts"],
  deno: ["test", "-A", "--quiet", "--no-lock", "--no-check", "odd.test.ts"],
};
/** Enough that Bun names the failures once more at its end. */
const ODD = `import { describe, it } from "node:test";
describe("outer", () => {
  for (let n = 0; n < 40; n++) it("passes " + n, () => {});
  it("breaks", () => { throw new Error("snap"); });
  it.skip("is left out", () => {});
  describe("inner", () => {
    it("breaks deep", () => { throw new Error("crack\\n".repeat(500)); });
  });
});
`;

describe("the end of a test run", () => {
  for (const [runner, command] of Object.entries(RUNNERS)) {
    it(`tells each failure of ${runner} once, with its reason, and shortens long ones`, async () => {
      await using at = await folder({ "odd.test.ts": ODD });
      const program = fileURLToPath(new URL(`../node_modules/.bin/${runner}`, import.meta.url));
      const { stdout, stderr } = spawnSync(program, command, { cwd: at.path, encoding: "utf8" });
      const output = stdout + stderr;
      const [first = "", second = "", ...rest] = failures(output);

      assert.ok(count(output).failed > 0, output);
      assert.deepEqual(rest, []);
      assert.match(first, /breaks(?! deep)/);
      assert.match(first, /snap/);
      assert.doesNotMatch(first, /pass(?:es 0|\))/);
      assert.match(second, /breaks deep/);
      assert.match(second, /crack/);
      assert.ok(second.split("\n").length < 50, second);
    });
  }
});
