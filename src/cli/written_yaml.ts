/** Prints a written tree as YAML, with the comments that came along. */
import { Document, isMap, isScalar, isSeq, type Node, type YAMLMap, type YAMLSeq } from "yaml";
import { plainOf } from "../caddyfile/plain.ts";
import type { WrittenList, WrittenMap, WrittenNode } from "../caddyfile/written.ts";

/** Lists of words longer than this are written line by line. */
const FLOW_MAX_CHARS = 60;

export function toYaml(root: WrittenMap): string {
  const document = new Document(plainOf(root), { aliasDuplicateObjects: false });
  if (document.contents !== null) dress(document.contents, root);
  // Folded lines would be right as well, but nobody writes them.
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function dress(node: unknown, written: WrittenNode): void {
  if (isMap(node) && written.kind === "map") dressMap(node, written);
  if (isSeq(node) && written.kind === "list") dressList(node, written);
}

function dressMap(map: YAMLMap, written: WrittenMap): void {
  for (const { key, value } of map.items) {
    const name = isScalar(key) ? String(key.value) : "";
    const { above, beside } = written.commentsOf(name);
    const inner = written.get(name);
    const isOnLine = isScalar(value) && value.value !== null &&
      !(typeof value.value === "string" && value.value.includes("\n"));
    const before = beside === undefined || isOnLine ? above : [...above, beside];
    if (isScalar(key)) putBefore(key, before);
    if (isOnLine && beside !== undefined) value.comment = bare(beside);
    if (isSeq(value)) value.flow = name !== "upstreams" && isShort(value);
    if (inner !== undefined) dress(value, inner);
  }
}

function dressList(list: YAMLSeq, written: WrittenList): void {
  for (const [at, item] of list.items.entries()) {
    const inner = written.items[at];
    if (inner !== undefined) dress(item, inner);
    if (!isMap(item)) continue;
    // A comment within "- key" would stand behind the dash.
    const [first] = item.items;
    if (!isScalar(first?.key) || typeof first.key.commentBefore !== "string") continue;
    item.commentBefore = first.key.commentBefore;
    first.key.commentBefore = null;
  }
}

function isShort({ items }: YAMLSeq): boolean {
  const isPlain = items.every((item) => isScalar(item));
  const length = items.reduce<number>((sum, item) => sum + String(item).length + 2, 0);
  return isPlain && length <= FLOW_MAX_CHARS;
}

function putBefore(node: Node, comments: readonly string[]): void {
  if (comments.length > 0) node.commentBefore = comments.map(bare).join("\n");
}

/** A comment without its first "#", which the printer puts there. */
function bare(comment: string): string {
  return comment.replace(/^#/, "");
}
