/**
 * The tree a Caddyfile is turned into: what a person would have written in YAML, each part with the place
 * in the Caddyfile that it comes from and the comments that stood there. Defaults and bounds are the
 * schema's business; this only collects.
 */

/** Where something stands, and what the Caddyfile calls it: `reverse_proxy.health_uri`. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly where: string;
}

export type Scalar = string | number | boolean | null;

/** What may be given where a node is wanted. */
export type Plain = Scalar | readonly Plain[] | WrittenNode;

export type WrittenNode = Leaf | WrittenList | WrittenMap;

export interface Leaf {
  readonly kind: "leaf";
  /** A text is one of YAML: `${NAME}` is the environment, and placeholders are ours. */
  readonly value: Scalar;
  readonly at: Place;
}

export interface Entry {
  /** Where the key comes from. */
  readonly at: Place;
  readonly node: WrittenNode;
}

/** Comments as they stood, "#" and all; `above` a thing on lines of their own, or `beside` it. */
export interface Comments {
  readonly above: readonly string[];
  readonly beside: string | undefined;
}

export const NO_COMMENTS: Comments = { above: [], beside: undefined };

/** All of these in one, above a thing, but for the last one's beside it. */
export function joinedComments(all: readonly Comments[]): Comments {
  const last = all.at(-1) ?? NO_COMMENTS;
  const above = all.slice(0, -1).flatMap((one) =>
    one.beside === undefined ? one.above : [...one.above, one.beside]
  );
  return { above: [...above, ...last.above], beside: last.beside };
}

/** A list that grows. */
export class WrittenList {
  readonly kind = "list";
  readonly at: Place;
  readonly items: WrittenNode[] = [];

  constructor(at: Place) {
    this.at = at;
  }

  add(value: Plain, at: Place): this {
    this.items.push(toNode(value, at));
    return this;
  }
}

/** A map that grows; keys keep the order in which they came. */
export class WrittenMap {
  readonly kind = "map";
  readonly at: Place;
  readonly entries = new Map<string, Entry>();
  readonly #comments = new Map<string, Comments>();

  constructor(at: Place) {
    this.at = at;
  }

  /** Sets a key, also one that was set before: in a Caddyfile the last one holds. */
  set(key: string, value: Plain, at: Place): this {
    this.entries.set(key, { at, node: toNode(value, at) });
    return this;
  }

  has(key: string): boolean {
    return this.entries.has(key);
  }

  get(key: string): WrittenNode | undefined {
    return this.entries.get(key)?.node;
  }

  delete(key: string): void {
    this.entries.delete(key);
  }

  /** The map at a key, made when there is none yet. */
  map(key: string, at: Place): WrittenMap {
    const known = this.get(key);
    if (known?.kind === "map") return known;
    const made = new WrittenMap(at);
    this.entries.set(key, { at, node: made });
    return made;
  }

  /** The list at a key, made when there is none yet. */
  list(key: string, at: Place): WrittenList {
    const known = this.get(key);
    if (known?.kind === "list") return known;
    const made = new WrittenList(at);
    this.entries.set(key, { at, node: made });
    return made;
  }

  /** Attaches comments to a key; those that are there already come first. */
  comment(key: string, { above, beside }: Comments): this {
    if (above.length === 0 && beside === undefined) return this;
    const known = this.commentsOf(key);
    const displaced = known.beside === undefined || beside === undefined ? [] : [known.beside];
    this.#comments.set(key, {
      above: [...known.above, ...displaced, ...above],
      beside: beside ?? known.beside,
    });
    return this;
  }

  /** Attaches comments to a key, before those that are there already. */
  lead(key: string, comments: Comments): this {
    const known = this.commentsOf(key);
    this.#comments.delete(key);
    return this.comment(key, comments).comment(key, known);
  }

  commentsOf(key: string): Comments {
    return this.#comments.get(key) ?? NO_COMMENTS;
  }
}

function toNode(value: Plain, at: Place): WrittenNode {
  if (Array.isArray(value)) {
    const list = new WrittenList(at);
    for (const item of value) list.add(item, at);
    return list;
  }
  return isNode(value) ? value : { kind: "leaf", value: isScalar(value) ? value : null, at };
}

function isNode(value: Plain): value is WrittenNode {
  return typeof value === "object" && value !== null && "kind" in value;
}

function isScalar(value: Plain): value is Scalar {
  return value === null || typeof value !== "object";
}
