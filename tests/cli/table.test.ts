/** Tables at every width, with and without colours. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Cell, type Column, cut, painter, tableLines } from "../../src/cli/table.ts";

const COLUMNS: readonly Column[] = [
  { head: "NAME", rank: 0, least: 4 },
  { head: "COUNT", rank: 1, side: "right" },
  { head: "WHY", rank: 2, least: 5 },
];
const ROWS: readonly (readonly Cell[])[] = [
  [{ text: "gpu", colour: "bold" }, { text: "12" }, { text: "answered 200" }],
  [{ text: "always-on" }, { text: "3" }, { text: "down" }],
];
const plain = painter(false);

describe("tableLines()", () => {
  const cases: [string, number | undefined, string[]][] = [
    ["is as wide as it needs to be when nothing bounds it", undefined, [
      "NAME       COUNT  WHY",
      "gpu           12  answered 200",
      "always-on      3  down",
    ]],
    ["cuts the last column that may be cut", 26, [
      "NAME       COUNT  WHY",
      "gpu           12  answere…",
      "always-on      3  down",
    ]],
    ["leaves out what matters least when cutting is not enough", 22, [
      "NAME       COUNT",
      "gpu           12",
      "always-on      3",
    ]],
    ["cuts what a row is about when nothing else is left", 6, ["NAME", "gpu", "alway…"]],
    ["is too wide rather than empty", 1, ["NAME", "gpu", "always-on"]],
  ];
  for (const [title, width, expected] of cases) {
    it(title, () => {
      assert.deepEqual(tableLines(COLUMNS, ROWS, { width, paint: plain }), expected);
    });
  }

  it("paints words and not the room around them", () => {
    const [head, first] = tableLines(COLUMNS, ROWS, { width: undefined, paint: painter(true) });
    assert.equal(head, "\x1b[2mNAME\x1b[0m       \x1b[2mCOUNT\x1b[0m  \x1b[2mWHY\x1b[0m");
    assert.equal(first, "\x1b[1mgpu\x1b[0m           12  answered 200");
  });

  it("never exceeds a width that its smallest form fits in", () => {
    const text = fc.string({ maxLength: 30, unit: "grapheme" });
    const rows = fc.array(fc.tuple(text, text, text), { maxLength: 4 });
    fc.assert(fc.property(rows, fc.integer({ min: 4, max: 120 }), (texts, width) => {
      const cells = texts.map((row) => row.map((one): Cell => ({ text: one })));
      for (const line of tableLines(COLUMNS, cells, { width, paint: plain })) {
        assert.ok(Array.from(line).length <= width, JSON.stringify(line));
      }
    }));
  });
});

describe("cut()", () => {
  it("counts characters and marks what is missing", () => {
    assert.equal(cut("über", 4), "über");
    assert.equal(cut("𝒂𝒃𝒄𝒅", 3), "𝒂𝒃…");
  });
});
