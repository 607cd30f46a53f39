/** The written tree as the loader takes it: plain values, and the place of each by its path. Pure. */
import type { Place, WrittenNode } from "./written.ts";

type Path = readonly (string | number)[];

/** Maps, lists and scalars, as a YAML file would give them. */
export function plainOf(node: WrittenNode): unknown {
  switch (node.kind) {
    case "leaf":
      return node.value;
    case "list":
      return node.items.map(plainOf);
    case "map":
      return Object.fromEntries(
        [...node.entries].map(([key, entry]) => [key, plainOf(entry.node)]),
      );
  }
}

/** Tells where the value of a path comes from, or its key. */
export function placeIn(
  root: WrittenNode,
): (path: Path, part: "key" | "value") => Place | undefined {
  return (path, part) => {
    const above = nodeAt(root, path.slice(0, -1));
    const last = path.at(-1);
    if (last === undefined) return root.at;
    if (above?.kind === "list") return typeof last === "number" ? above.items[last]?.at : undefined;
    if (above?.kind !== "map") return undefined;
    const entry = above.entries.get(String(last));
    return part === "key" ? entry?.at : entry?.node.at;
  };
}

function nodeAt(root: WrittenNode, path: Path): WrittenNode | undefined {
  return path.reduce<WrittenNode | undefined>((node, key) => {
    if (node?.kind === "map") return node.get(String(key));
    return node?.kind === "list" && typeof key === "number" ? node.items[key] : undefined;
  }, root);
}
