/**
 * Gives a configuration that was made from something else than YAML the form the loader reads: a node
 * for each value, its range being the number of the place it came from.
 */
import { Document, isMap, isScalar, isSeq, type Node } from "yaml";
import type { Path } from "./places.ts";

/** Where something stands in the file a person wrote. Lines and columns count from 1. */
export interface WrittenPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** What that language calls it; the setting's name when left out. */
  readonly where?: string;
}

/**
 * Where the value of a path stands, or what stands for its key (a directive's name, say). Undefined takes
 * the place of the value around it.
 */
export type PlaceOf = (path: Path, part: "key" | "value") => WrittenPlace | undefined;

export interface WrittenTree {
  readonly root: Node;
  /** The place behind an offset of the nodes. */
  place(offset: number): WrittenPlace;
  /** Orders offsets: by file as they first appear, then by line and column. */
  compare(one: number, other: number): number;
}

export function writtenTree(value: unknown, placeOf: PlaceOf, file: string): WrittenTree {
  const start: WrittenPlace = { file, line: 1, column: 1 };
  const places: WrittenPlace[] = [start];
  const files = new Map<string, number>([[file, 0]]);
  const root = new Document().createNode(value, { aliasDuplicateObjects: false });

  const mark = (node: unknown, place: WrittenPlace | undefined, around: number): number => {
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return around;
    let at = around;
    if (place !== undefined) {
      at = places.push(place) - 1;
      if (!files.has(place.file)) files.set(place.file, files.size);
    }
    node.range = [at, at, at];
    return at;
  };
  const walk = (node: unknown, path: Path, around: number): void => {
    const at = mark(node, placeOf(path, "value"), around);
    if (isSeq(node)) node.items.forEach((item, index) => walk(item, [...path, index], at));
    if (!isMap(node)) return;
    for (const { key, value: inner } of node.items) {
      const below = [...path, isScalar(key) ? String(key.value) : ""];
      walk(inner, below, mark(key, placeOf(below, "key"), at));
    }
  };
  walk(root, [], 0);

  const place = (offset: number): WrittenPlace => places[offset] ?? start;
  const rank = (offset: number): number => files.get(place(offset).file) ?? 0;
  return {
    root,
    place,
    compare: (one, other) =>
      rank(one) - rank(other) || place(one).line - place(other).line ||
      place(one).column - place(other).column,
  };
}
