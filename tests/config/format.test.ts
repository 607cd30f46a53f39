/** Formatting of configurations: what changes, what never does. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parse, stringify } from "yaml";
import { format } from "../../src/config/format.ts";

function formatted(text: string): string {
  const result = format(text, "c.yaml");
  return result.kind === "formatted" ? result.text : assert.fail(result.problems.join("\n"));
}

describe("format()", () => {
  const cases: [string, string, string][] = [
    ["indents by two", "a:\n     b:\n      - c\n", "a:\n  b:\n    - c\n"],
    [
      "indents lists below their key",
      "a:\n- b\n- c: d\n  e: f\n",
      "a:\n  - b\n  - c: d\n    e: f\n",
    ],
    [
      "sets blanks in braces and none in brackets",
      "a: {b: [ c,d ],e: {}, f: []}\n",
      "a: { b: [c, d], e: {}, f: [] }\n",
    ],
    ["keeps one blank line of several", "a: 1\n\n\n\nb: 2\n", "a: 1\n\nb: 2\n"],
    ["takes blanks from line ends and adds the last line break", "a: 1   \nb: 2", "a: 1\nb: 2\n"],
    [
      "keeps quotes and the way numbers are written",
      "a: 'x'\nb: \"y\"\nc: 0x10\nd: ~\n",
      "a: 'x'\nb: \"y\"\nc: 0x10\nd: ~\n",
    ],
    ["keeps texts of several lines", "a: |\n     one\n       two\n", "a: |\n  one\n    two\n"],
    [
      "keeps comments above, beside and below",
      "# top\n\na:   1     # beside\n# above\nb:\n    # within\n    - c # last\n# end\n",
      "# top\n\na: 1 # beside\n# above\nb:\n  # within\n  - c # last\n# end\n",
    ],
    [
      "keeps anchors, aliases and merge keys",
      "a: &x   {b: c}\nd:\n   <<: *x\n   e:    *x\n",
      "a: &x { b: c }\nd:\n  <<: *x\n  e: *x\n",
    ],
    ["keeps the order of keys", "z: 1\na: 2\n", "z: 1\na: 2\n"],
    ["makes Unix line ends", "a: 1\r\nb: 2\r\n", "a: 1\nb: 2\n"],
    ["keeps a file of comments", "# nothing yet\n", "# nothing yet\n"],
    ["keeps an empty file", "", ""],
    [
      "leaves what is too wide for a line in its lines, indented",
      `a: { ${"b".repeat(60)}: c,\n ${"d".repeat(60)}: [e,f]\n}\n`,
      `a: { ${"b".repeat(60)}: c,\n    ${"d".repeat(60)}: [e, f]\n  }\n`,
    ],
    [
      "keeps comments within brackets",
      "a: [b, # why\n c]\nd: [\n # e\n ]\n",
      "a: [b, # why\n    c]\nd: [\n  # e\n  ]\n",
    ],
    ["keeps lists in lists", "-   - a\n    - b\n-   -   c\n", "- - a\n  - b\n- - c\n"],
    [
      "keeps a number of blanks a text asks for",
      "a:\n    b: |2\n        c\n       d\n",
      "a:\n  b: |2\n      c\n     d\n",
    ],
    [
      "keeps texts over several lines",
      "a: b\n      c\n\n\n      d\ne: 'f\n\n  g'\n",
      "a: b\n  c\n\n\n  d\ne: 'f\n\n  g'\n",
    ],
    [
      "leaves comments with what they are about",
      "a:\n- b\n# of a\n- c\n  # of c\n\n# of d\nd:\n    e: f\n    # of e\n    g:\n      - h\n      # of h\n    # of i\n    i: j\n# end\n",
      "a:\n  - b\n  # of a\n  - c\n  # of c\n\n# of d\nd:\n  e: f\n  # of e\n  g:\n    - h\n    # of h\n  # of i\n  i: j\n# end\n",
    ],
    [
      "joins what was broken over lines and fits into one",
      "a: [b,\n  c,\n  { d: e,\n    f: g }]\n",
      "a: [b, c, { d: e, f: g }]\n",
    ],
  ];
  for (const [title, text, expected] of cases) {
    it(title, () => {
      assert.equal(formatted(text), expected);
      assert.equal(formatted(expected), expected);
    });
  }

  const wrong: [string, string[]][] = [
    ["a: [b\nc: d\n", [
      "c.yaml:2:1: Cannot read this as YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
    ]],
    ["a: 1\na: 2\n", ['c.yaml:2:1: Expected each key once but received "a" again']],
  ];
  for (const [text, expected] of wrong) {
    it(`refuses ${JSON.stringify(text)} by its place`, () => {
      const result = format(text, "c.yaml");
      assert.ok(result.kind === "refused");
      assert.equal(result.problems[0], expected[0]);
    });
  }

  it("changes nothing a file says, and nothing when asked again, whatever the file", () => {
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        fc.string(),
        fc.string({ unit: "grapheme", maxLength: 120 }),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("tree"), { maxLength: 4 }),
        fc.dictionary(fc.string(), tie("tree"), { maxKeys: 4 }),
      ),
    }));
    const style = fc.record({
      indent: fc.integer({ min: 1, max: 8 }),
      collectionStyle: fc.constantFrom("any" as const, "flow" as const, "block" as const),
      indentSeq: fc.boolean(),
    });
    fc.assert(
      fc.property(tree, style, (value, options) => {
        const text = stringify(value, options);
        const result = format(text, "c.yaml");
        if (result.kind === "refused") return;
        assert.deepEqual(parse(result.text), parse(text));
        assert.equal(formatted(result.text), result.text);
      }),
      { numRuns: 400 },
    );
  });

  it("never throws when given any text", () => {
    const pieces = fc.constantFrom(
      "a: ",
      "\n",
      "  ",
      "- ",
      "{",
      "}",
      "[",
      "]",
      ", ",
      "&a ",
      "*a",
      "# c",
      "|\n",
      '"',
      "? ",
      "---\n",
      "\t",
      "x",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 20 }), (all) => {
        const result = format(all.join(""), "c.yaml");
        if (result.kind === "formatted") assert.equal(formatted(result.text), result.text);
      }),
      { numRuns: 1_000 },
    );
  });

  it("leaves config.yaml as it is", async () => {
    const text = await readFile(new URL("../../config.yaml", import.meta.url), "utf8");
    assert.equal(formatted(text), text);
  });
});
