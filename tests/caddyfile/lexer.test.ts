/** Words, quotes, escapes, heredocs, comments; and that no text makes the lexer throw. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { lex } from "../../src/caddyfile/lexer.ts";
import { parse } from "../../src/caddyfile/parser.ts";
import { Report } from "../../src/caddyfile/report.ts";

function lexed(text: string, env: Readonly<Record<string, string>> = {}) {
  const report = new Report();
  const lexemes = lex(text, { file: "Caddyfile", env: (name) => env[name], report });
  return { lexemes, problems: report.problems.map(({ message }) => message) };
}

/** Lines of words; a line end within a word is spelled out. */
function words(text: string, env?: Readonly<Record<string, string>>): string {
  return lexed(text, env).lexemes
    .map((lexeme) => {
      if (lexeme.kind === "end") return "/";
      return lexeme.kind === "word"
        ? `[${lexeme.token.text.replaceAll("\n", "\\n")}]`
        : lexeme.text;
    })
    .join("");
}

const CASES: readonly (readonly [string, string, string])[] = [
  ["words", "a b\tc", "[a][b][c]/"],
  ["line ends of Windows", "a\r\nb\r\n", "[a]/[b]//"],
  ["a byte order mark", "\uFEFFa", "[a]/"],
  ["a quoted word", 'a "b c"', "[a][b c]/"],
  ["an escaped quote", '"say \\"hi\\""', '[say "hi"]/'],
  ["other escapes as they are", '"a\\nb" c\\d', "[a\\nb][c\\d]/"],
  ["backquotes, in which nothing is special", '`a "b" \\`', '[a "b" \\]/'],
  ["a quoted word over lines", '"a\nb"', "[a\\nb]/"],
  ["a word right behind a quoted one", '"a"b', "[a][b]/"],
  ["a quote within a word", 'a"b', '[a"b]/'],
  ["a continued line", "a \\\n b", "[a][b]/"],
  ["a continued line of Windows", "a \\\r\n b", "[a][b]/"],
  ["a comment", "a # b c\nd", "[a]# b c/[d]/"],
  ["a # within a word", "a#b", "[a#b]/"],
  ["an escaped brace", "a \\{b", "[a][\\{b]/"],
  ["a heredoc", "a <<END\n  x\n    y\n  END b", "[a][x\\n  y][b]/"],
  ["an empty heredoc", "a <<E\nE", "[a][]/"],
  ["an escaped heredoc", "a \\<<END", "[a][<<END]/"],
];

describe("lex()", () => {
  for (const [title, text, expected] of CASES) {
    it(`takes ${title}`, () => assert.equal(words(text), expected));
  }

  it("fills the environment in before it takes words", () => {
    assert.equal(words("a {$X} {$Y:d e} {$Z}b", { X: "1 2" }), "[a][1][2][d][e][b]/");
  });

  it("keeps the places of the file behind a filled reference", () => {
    const { lexemes } = lexed("{$X} a\nb", { X: "long\nand longer" });
    const places = lexemes.flatMap((lexeme) =>
      lexeme.kind === "word" ? [`${lexeme.token.line}:${lexeme.token.column}`] : []
    );
    assert.deepEqual(places, ["1:1", "1:1", "1:1", "1:6", "2:1"]);
  });

  it("tells of quotes and heredocs that nothing closes", () => {
    assert.deepEqual(lexed('a "b').problems, ['Expected a closing " but the file ends before it']);
    assert.deepEqual(lexed("a `b").problems, ["Expected a closing ` but the file ends before it"]);
    assert.deepEqual(lexed("a <<X\nb").problems, [
      'Expected a line "X" that ends the heredoc but received none',
    ]);
  });

  it("takes any text, and so does parse()", () => {
    const piece = fc.constantFrom(
      ...[
        "a",
        '"',
        "`",
        "\\",
        "{",
        "}",
        "\n",
        " ",
        "#",
        "<<E\n",
        "E",
        "\r\n",
        "{$X}",
        "{$X:",
        ",",
        "(",
        "é",
      ],
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 40 }).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(text, (one) => {
        const report = new Report();
        const lexemes = lex(one, { file: "f", env: () => '"{\n', report });
        parse(lexemes, report);
        const last = one.split("\n").length;
        for (const lexeme of lexemes) {
          if (lexeme.kind === "word") {
            assert.ok(lexeme.token.line >= 1 && lexeme.token.line <= last);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
