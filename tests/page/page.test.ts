/** The document as a whole: its size, and that its script is one that a browser can read. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";
import { page } from "../../src/ops/page/page.ts";
import { bare, SCRIPT } from "../../src/ops/page/script.ts";

const FOLDER = fileURLToPath(new URL("../../src/ops/page", import.meta.url));
const BYTES_MAX = 60 * 1024;
const LINES_MAX = 250;

describe("page()", () => {
  it("is small", () => {
    const bytes = new TextEncoder().encode(page()).length;
    console.log(`the page: ${(bytes / 1024).toFixed(1)} KiB`);
    assert.ok(bytes < BYTES_MAX, `${bytes} bytes`);
  });

  it("names nothing that lies elsewhere", () => {
    const elsewhere = page().match(/(?:https?:)?\/\/[a-z0-9][\w.-]+/gi) ?? [];
    assert.deepEqual(elsewhere.filter((url) => url !== "http://www.w3.org"), []);
  });
});

describe("SCRIPT", () => {
  it("is a script", () => {
    assert.doesNotThrow(() => new Script(SCRIPT));
  });

  it("is whole: no module is missing, and no two have a name in common", async () => {
    const files = (await readdir(`${FOLDER}/client`)).filter((name) => name.endsWith(".js"));
    const texts = await Promise.all(
      files.map((name) => readFile(`${FOLDER}/client/${name}`, "utf8")),
    );
    for (const [at, text] of texts.entries()) {
      assert.ok(SCRIPT.includes(bare(text)), `${files[at]} is missing`);
      assert.ok(text.split("\n").length <= LINES_MAX, `${files[at]} is long`);
    }
    const names = texts.flatMap((text) =>
      [...text.matchAll(/^(?:export )?(?:async )?(?:function|class|const|let) (\w+)/gm)]
        .map(([, name]) => name)
    );
    assert.deepEqual(names.filter((name, at) => names.indexOf(name) !== at), []);
    assert.doesNotMatch(SCRIPT, /^(?:import|export) /m);
    assert.doesNotMatch(SCRIPT, /<\/script/i);
  });
});
