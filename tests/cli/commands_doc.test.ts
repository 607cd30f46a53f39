/** docs/commands.md names every command, and each of its promises about flags is one that a command keeps. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { COMMANDS } from "../../src/cli/front_door.ts";

const PAGE = fileURLToPath(new URL("../../docs/commands.md", import.meta.url).href);

describe("docs/commands.md", () => {
  it("has every command in its table", async () => {
    const rows = (await readFile(PAGE, "utf8")).split("\n").filter((line) => line.startsWith("|"));
    const missing = COMMANDS.filter(({ name, summary }) =>
      summary !== undefined && !rows.some((row) => new RegExp(`\`${name}[ \`]`).test(row))
    );
    assert.deepEqual(missing.map(({ name }) => name), []);
  });

  it("names only flags that there are", async () => {
    const flags = new Set(COMMANDS.flatMap((command) => Object.keys(command.flags)));
    const named = [...(await readFile(PAGE, "utf8")).matchAll(/(?<![-\w])--([a-z][a-z-]*)/g)];
    const unknown = named.map(([, flag = ""]) => flag).filter((flag) => !flags.has(flag));
    assert.deepEqual(unknown, []);
  });
});

describe("help texts", () => {
  it("name every flag, and fit 80 columns", () => {
    for (const { name, help, flags } of COMMANDS) {
      for (const flag of Object.keys(flags)) {
        assert.ok(help.includes(`--${flag}`), `${name} --${flag}`);
      }
      for (const line of help.split("\n")) assert.ok(line.length <= 80, `${name}: ${line}`);
    }
  });
});
