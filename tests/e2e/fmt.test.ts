/** `understudy fmt` as people and scripts use it. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { folder, run } from "../support/commands.ts";
import { subjects } from "../support/processes.ts";

const UGLY = "routes:\n- upstreams:   [ a,b ]   # two\n\n\n\n# end\n";
const NICE = "routes:\n  - upstreams: [a, b] # two\n\n# end\n";

for (const subject of subjects) {
  describe(`understudy fmt (${subject.name})`, () => {
    it("prints, checks and writes the formatted file", { timeout: 30_000 }, async () => {
      await using place = await folder({ "c.yaml": UGLY });
      const path = join(place.path, "c.yaml");
      assert.deepEqual(await run(subject, ["fmt", path]), { code: 0, stdout: NICE, stderr: "" });
      assert.deepEqual(await run(subject, ["fmt", "--check", path]), {
        code: 1,
        stdout: "",
        stderr: `${path} is not formatted\n`,
      });
      assert.equal(await readFile(path, "utf8"), UGLY);

      assert.deepEqual(await run(subject, ["fmt", "--write", path]), {
        code: 0,
        stdout: "",
        stderr: "",
      });
      assert.equal(await readFile(path, "utf8"), NICE);
      assert.equal((await run(subject, ["fmt", "--check", path])).code, 0);
    });

    it("refuses broken files, Caddyfiles and contradictions", { timeout: 30_000 }, async () => {
      await using place = await folder({ "c.yaml": "a: 1\na: 2\n", Caddyfile: ":80\n" });
      const at = (name: string): string => join(place.path, name);
      const cases: [string[], number, RegExp][] = [
        [
          ["--write", at("c.yaml")],
          1,
          /c\.yaml:2:1: Expected each key once but received "a" again/,
        ],
        [[at("Caddyfile")], 1, /received a Caddyfile; "caddy fmt" formats it/],
        [[at("none.yaml")], 1, /Cannot read ".*none\.yaml"/],
        [["--check", "--write", at("c.yaml")], 2, /either --check or --write but received both/],
      ];
      for (const [words, code, stderr] of cases) {
        const result = await run(subject, ["fmt", ...words]);
        assert.deepEqual([result.code, result.stdout], [code, ""]);
        assert.match(result.stderr, stderr);
      }
      assert.equal(await readFile(at("c.yaml"), "utf8"), "a: 1\na: 2\n");
    });
  });
}
