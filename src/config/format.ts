/**
 * Formats a configuration: two spaces a level, one blank line at most, `[a, b]` and `{ a: b }` in one
 * line while it fits. Values, their order and their quotes stay, and comments stay where they belong.
 */
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type Node, visit } from "yaml";
import { formatProblem, type Problem } from "./load.ts";
import { asText } from "./nodes.ts";
import { print } from "./printer.ts";
import { parseYaml, positionOf } from "./syntax.ts";

export type Formatted =
  | { readonly kind: "formatted"; readonly text: string }
  /** Lines for people. */
  | { readonly kind: "refused"; readonly problems: readonly string[] };

// One round and one to see that nothing is left; what comes out wider may need another.
const ROUNDS_MAX = 10;

/** Formats the text of a file, which problems call `path`. Formatting the result changes nothing. */
export function format(text: string, path: string): Formatted {
  let now = text.replace(/\r\n?/g, "\n");
  const { document, lines, faults } = parseYaml(now);
  if (document === undefined || faults.length > 0) {
    const problems = faults.map(({ offset, ...fault }): Problem => ({
      path,
      ...fault,
      ...positionOf(lines, offset),
    }));
    return { kind: "refused", problems: problems.map(formatProblem) };
  }

  const content = contentOf(document);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const next = print(now);
    if (next === now) {
      return sameContent(content, now) ? { kind: "formatted", text: now } : unsafe(path);
    }
    now = next;
  }
  return unsafe(path);
}

/** Rare forms of YAML are not worth a rule each; where one would come out changed, the file stays as it is. */
function unsafe(path: string): Formatted {
  return {
    kind: "refused",
    problems: [`${path}: Cannot format this file without changing what it says`],
  };
}

interface Content {
  readonly values: readonly string[];
  readonly comments: readonly string[];
}

/** All that a document says, in order; comments in any order, as they may belong to the next thing. */
function contentOf(document: Document.Parsed): Content {
  const values: string[] = [];
  const comments: string[] = [];
  const remark = (comment: string | null | undefined): void => {
    for (const line of comment?.split("\n") ?? []) {
      if (line.trim() !== "") comments.push(line.trim());
    }
  };
  remark(document.commentBefore);
  remark(document.comment);
  visit(document, (_, node) => {
    if (!isNode(node)) return;
    remark(node.commentBefore);
    remark(node.comment);
    values.push(spelled(node));
  });
  return { values, comments: comments.toSorted() };
}

function spelled(node: Node): string {
  if (isAlias(node)) return `*${node.source}`;
  const tag = `${node.tag ?? ""}${
    isScalar(node) || isMap(node) || isSeq(node) ? node.anchor ?? "" : ""
  }`;
  if (isScalar(node)) return `${tag} ${typeof node.value} ${asText(node.value)}`;
  const size = isMap(node) || isSeq(node) ? node.items.length : 0;
  return `${tag} ${isMap(node) ? "map" : "list"} ${size}`;
}

function sameContent(before: Content, text: string): boolean {
  const { document } = parseYaml(text);
  if (document === undefined) return false;
  const after = contentOf(document);
  return same(before.values, after.values) && same(before.comments, after.comments);
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, at) => text === other[at]);
}
