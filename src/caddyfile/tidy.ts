/** Puts steps and matchers into the form that reads best without saying anything else. */
import { type WrittenList, WrittenMap, type WrittenNode } from "./written.ts";

/** Steps that only hold steps without a matcher are those steps; one that holds one is that one. */
export function merged(list: WrittenList): WrittenList {
  const items = list.items.flatMap((item): WrittenNode[] => {
    if (item.kind !== "map") return [item];
    const inner = item.get("steps");
    if (inner?.kind !== "list") return [item];
    if (!item.has("match")) return withComments(inner.items, item);
    const [only, ...others] = inner.items;
    return only?.kind === "map" && others.length === 0 && !only.has("match")
      ? [joined(item, only)]
      : [item];
  });
  list.items.splice(0, list.items.length, ...items);
  return list;
}

/** Actions after which no step follows. */
const ANSWERING = ["proxy", "respond", "redirect", "error", "copy_response"];

/** Takes away, and returns, the steps and branches behind one that answers every request. */
export function withoutUnreached(list: WrittenList): readonly WrittenNode[] {
  const late = list.items.flatMap((item) => {
    const branches = branchesOf(item);
    return branches === undefined ? [] : branches.items.splice(endOf(branches, takesAll));
  });
  return [...late, ...list.items.splice(endOf(list, answers))];
}

/** Behind the first item that is so. */
function endOf({ items }: WrittenList, isEnd: (item: WrittenNode) => boolean): number {
  const at = items.findIndex(isEnd);
  return at < 0 ? items.length : at + 1;
}

function takesAll(item: WrittenNode): boolean {
  return item.kind === "map" && !item.has("match");
}

/** Whether no request gets past this step. */
function answers(item: WrittenNode): boolean {
  if (item.kind !== "map" || item.has("match")) return false;
  if (ANSWERING.some((key) => item.has(key)) || holdsAnswer(item)) return true;
  const branches = branchesOf(item)?.items ?? [];
  return branches.some(takesAll) && branches.every(holdsAnswer);
}

function holdsAnswer(item: WrittenNode): boolean {
  const inner = item.kind === "map" ? item.get("steps") : undefined;
  return inner?.kind === "list" && inner.items.some(answers);
}

function branchesOf(item: WrittenNode): WrittenList | undefined {
  const branches = item.kind === "map" ? item.get("first_of") : undefined;
  return branches?.kind === "list" ? branches : undefined;
}

/** The first of these bears the comments of what held them. */
function withComments(items: readonly WrittenNode[], outer: WrittenMap): WrittenNode[] {
  const [first] = items;
  const [key] = first?.kind === "map" ? first.entries.keys() : [];
  if (first?.kind === "map" && key !== undefined) first.lead(key, outer.commentsOf("steps"));
  return [...items];
}

function joined(outer: WrittenMap, inner: WrittenMap): WrittenMap {
  const step = new WrittenMap(outer.at);
  for (const [key, { node, at }] of outer.entries) {
    if (key !== "steps") step.set(key, node, at).comment(key, outer.commentsOf(key));
  }
  for (const [key, { node, at }] of inner.entries) {
    step.set(key, node, at).comment(key, inner.commentsOf(key));
  }
  return step;
}

/** A matcher with lists of one written as that one. */
export function unwrapped(matcher: WrittenMap | undefined): WrittenMap | undefined {
  if (matcher === undefined) return undefined;
  const made = new WrittenMap(matcher.at);
  for (const [key, { node, at }] of matcher.entries) made.set(key, unwrappedNode(node), at);
  return made;
}

function unwrappedNode(node: WrittenNode): WrittenNode {
  if (node.kind === "map") return unwrapped(node) ?? node;
  if (node.kind === "leaf") return node;
  const [only, ...others] = node.items;
  if (only !== undefined && others.length === 0) return unwrappedNode(only);
  const items = node.items.map(unwrappedNode);
  node.items.splice(0, node.items.length, ...items);
  return node;
}

/** The same map with these keys first, in this order. */
export function inOrder(map: WrittenMap, keys: readonly string[]): WrittenMap {
  const made = new WrittenMap(map.at);
  for (const key of new Set([...keys, ...map.entries.keys()])) {
    const entry = map.entries.get(key);
    if (entry !== undefined) made.set(key, entry.node, entry.at).comment(key, map.commentsOf(key));
  }
  return made;
}

/** A list of one as that one. */
export function single(list: WrittenList): WrittenNode {
  const [only, ...others] = list.items;
  return only !== undefined && others.length === 0 ? only : list;
}
