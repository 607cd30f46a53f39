/**
 * Turns a parsed YAML document into plain values: environment filled in, secret files read, aliases and
 * merge keys resolved within bounds. Remembers where each value stands and which must not be shown.
 */
import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from "yaml";
import { fill } from "./environment.ts";
import { asText, isPlain, keyText, offsetOf } from "./nodes.ts";
import { isPem, isPemPath, isServedPem, PemFile } from "./pem.ts";
import { joined, placeKey, Places, type Spot } from "./places.ts";

export interface Sources {
  env(name: string): string | undefined;
  /** Text of a secret's file; throws or rejects with an error in words. */
  readSecret(path: string): string | Promise<string>;
  /** Names that a certificate is for. Throws an error in words where it or its key cannot be used. */
  certificateNames(chain: string, key: string): readonly string[];
}

export interface Tree {
  readonly value: unknown;
  readonly places: Places;
}

// Far beyond any real file; aliases of aliases reach it before they eat the memory.
const NODES_MAX = 50_000;
const DEPTH_MAX = 40;
const SECRET_SUFFIX = "_file";
// Assigning these on an object does not make a key; no setting and no header is called so.
const IMPOSSIBLE = new Set(["__proto__", "constructor", "prototype"]);

/** Reads the whole tree; never rejects on account of the document. */
export async function readTree(root: Node | null, sources: Sources): Promise<Tree> {
  const walk = new Walk(sources);
  const start = root?.range?.[0] ?? 0;
  const value = await walk.node(root, { path: [], where: "", keyOffset: start, depth: 0 });
  return { value, places: walk.places };
}

class Walk {
  readonly places = new Places();
  readonly #sources: Sources;
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  readonly #secretPaths = new Set<string>();
  #nodes = 0;

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  async node(node: unknown, spot: Spot): Promise<unknown> {
    const offset = offsetOf(node) ?? spot.keyOffset;
    this.places.note(spot, offset);
    if (this.#isSpent(offset)) return null;
    if (spot.depth > DEPTH_MAX) {
      const message = `Expected at most ${DEPTH_MAX} levels but received more`;
      this.places.tell(offset, "", message);
      return null;
    }

    if (isAlias(node)) return await this.#alias(node.source, offset, spot);
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return null;
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) {
      return await this.#text(this.#scalar(node.value, offset, spot), offset, spot);
    }

    this.#open.add(node);
    try {
      return isMap(node) ? await this.#map(node, spot) : await this.#list(node.items, spot);
    } finally {
      this.#open.delete(node);
    }
  }

  async #alias(name: string, offset: number, spot: Spot): Promise<unknown> {
    const node = this.#anchors.get(name);
    if (node === undefined) {
      return this.places.fail(
        spot,
        offset,
        `Expected an anchor "&${name}" above but received none`,
      );
    }
    if (this.#open.has(node)) {
      return this.places.fail(
        spot,
        offset,
        `Expected an alias to something else but "*${name}" holds itself`,
      );
    }
    return await this.node(node, { ...spot, depth: spot.depth + 1 });
  }

  /** Certificates and keys are named by their files, also without `_file`. */
  async #text(value: unknown, offset: number, spot: Spot): Promise<unknown> {
    const isFile = typeof value === "string" && isPemPath(spot.path) && !isPem(value) &&
      !this.#secretPaths.has(placeKey(spot.path));
    return isFile ? this.#pem(value, await this.#secret(value, offset, spot), spot) : value;
  }

  #pem(path: unknown, text: unknown, spot: Spot): unknown {
    const isServed = typeof path === "string" && typeof text === "string" && isServedPem(spot.path);
    return isServed ? new PemFile(path, text) : text;
  }

  #scalar(value: unknown, offset: number, spot: Spot): unknown {
    if (typeof value !== "string") return isPlain(value) ? value : asText(value);
    const { text, names, faults } = fill(value, (name) => this.#sources.env(name));
    for (const fault of faults) this.places.fail(spot, offset, fault);
    if (names.length > 0 && faults.length === 0) {
      this.places.note(
        spot,
        offset,
        `the value of ${names.map((name) => `\${${name}}`).join(" and ")}`,
      );
    }
    return text;
  }

  async #list(items: readonly unknown[], spot: Spot): Promise<unknown[]> {
    const values: unknown[] = [];
    for (const [index, item] of items.entries()) {
      const keyOffset = offsetOf(item) ?? spot.keyOffset;
      values.push(
        await this.node(item, {
          path: [...spot.path, index],
          where: `${spot.where}[${index}]`,
          keyOffset,
          depth: spot.depth + 1,
        }),
      );
    }
    return values;
  }

  async #map(map: YAMLMap<unknown, unknown>, spot: Spot): Promise<Record<string, unknown>> {
    const values: Record<string, unknown> = {};
    const merged: Pair<unknown, unknown>[] = [];
    for (const pair of map.items) {
      if (keyText(pair.key) === "<<") merged.push(pair);
      else await this.#pair(pair, { values, spot, isMerged: false });
    }
    for (const { key, value } of merged) await this.#merge(key, value, values, spot);
    return values;
  }

  async #pair(
    { key, value }: Pair<unknown, unknown>,
    { values, spot, isMerged }: { values: Record<string, unknown>; spot: Spot; isMerged: boolean },
  ): Promise<void> {
    const written = keyText(key);
    const keyOffset = offsetOf(key) ?? spot.keyOffset;
    const isSecret = written.endsWith(SECRET_SUFFIX) && written !== SECRET_SUFFIX;
    const name = isSecret ? written.slice(0, -SECRET_SUFFIX.length) : written;
    const at: Spot = {
      path: [...spot.path, name],
      where: joined(spot.where, written),
      keyOffset,
      depth: spot.depth + 1,
    };
    if (IMPOSSIBLE.has(name)) {
      this.places.tell(keyOffset, at.where, `Expected a known key but received "${name}"`);
      return;
    }
    if (Object.hasOwn(values, name)) {
      if (isMerged) return;
      const other = isSecret ? name : `${name}${SECRET_SUFFIX}`;
      // The parser has reported the same key twice already; here it is the key and its file.
      if (isSecret !== this.#secretPaths.has(placeKey(at.path))) {
        this.places.tell(
          keyOffset,
          at.where,
          `Expected either "${other}" or "${written}" but received both`,
        );
      }
      return;
    }
    if (isSecret) this.#secretPaths.add(placeKey(at.path));
    const plain = await this.node(value, at);
    values[name] = isSecret
      ? this.#pem(plain, await this.#secret(plain, offsetOf(value) ?? keyOffset, at), at)
      : plain;
  }

  async #secret(path: unknown, offset: number, spot: Spot): Promise<unknown> {
    if (this.places.isBroken(spot.path)) return null;
    if (typeof path !== "string" || path === "") {
      return this.places.fail(
        spot,
        offset,
        'Expected the path of a file such as "/run/secrets/token"',
      );
    }
    try {
      const text = await this.#sources.readSecret(path);
      this.places.note(spot, offset, `what the file ${JSON.stringify(path)} holds`);
      return text.replace(/\r?\n$/, "");
    } catch (error) {
      const reason = error instanceof Error ? error.message : "it cannot be read";
      return this.places.fail(
        spot,
        offset,
        `Expected a readable file but received ${JSON.stringify(path)}: ${reason}`,
      );
    }
  }

  /** Adds the keys that the map does not have itself, of one alias or of a list of them. */
  async #merge(
    key: unknown,
    value: unknown,
    values: Record<string, unknown>,
    spot: Spot,
  ): Promise<void> {
    for (const one of isSeq(value) ? value.items : [value]) {
      const source = isAlias(one) ? this.#anchors.get(one.source) : one;
      if (isMap(source) && !this.#open.has(source) && spot.depth < DEPTH_MAX) {
        const inner = { ...spot, depth: spot.depth + 1 };
        for (const pair of source.items) {
          if (this.#isSpent(spot.keyOffset)) return;
          if (keyText(pair.key) === "<<") await this.#merge(pair.key, pair.value, values, inner);
          else await this.#pair(pair, { values, spot: inner, isMerged: true });
        }
        continue;
      }
      const offset = offsetOf(one) ?? offsetOf(key) ?? spot.keyOffset;
      this.places.tell(offset, joined(spot.where, "<<"), "Expected an alias to a map above");
    }
  }

  /** Counts one value; tells once when there were too many, and nothing is read from then on. */
  #isSpent(offset: number): boolean {
    this.#nodes += 1;
    if (this.#nodes === NODES_MAX + 1) {
      this.places.tell(
        offset,
        "",
        `Expected at most ${NODES_MAX} values, aliases counted, but received more`,
      );
    }
    return this.#nodes > NODES_MAX;
  }
}
