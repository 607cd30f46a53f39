/**
 * Header fields as they were sent: order, case and repetition kept, which `Headers` cannot do.
 * A flat list, as a request has a dozen fields and is looked at a dozen times. Never parses values.
 */

/** Compares field names without regard to case; cheap where lengths or ends differ, as they mostly do. */
export function sameName(one: string, other: string): boolean {
  const { length } = one;
  if (length !== other.length) return false;
  if (one === other) return true;
  // Bit 5 is what tells a letter's cases apart; whatever else it tells apart, `toLowerCase` decides below.
  if (((one.charCodeAt(0) ^ other.charCodeAt(0)) & ~0x20) !== 0) return false;
  if (((one.charCodeAt(length - 1) ^ other.charCodeAt(length - 1)) & ~0x20) !== 0) return false;
  return lowerName(one) === lowerName(other);
}

/** Names seen so far in lower case. Bounded, as clients make names up. */
const LOWER_NAMES = new Map<string, string>();
const LOWER_NAMES_MAX = 1000;

/** A field name in lower case, without making the text anew for names that come in every message. */
export function lowerName(name: string): string {
  const known = LOWER_NAMES.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  if (LOWER_NAMES.size < LOWER_NAMES_MAX && name.length <= 64) LOWER_NAMES.set(name, lower);
  return lower;
}

/** Fields that belong to one connection or to the framing, which are nobody's to write but the engine's. */
export const FRAMING_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** An ordered list of header fields. Names are compared case-insensitively (RFC 9110 section 5.1). */
export class Fields {
  /** Name, value, name, value… */
  readonly #flat: string[];

  private constructor(flat: string[]) {
    this.#flat = flat;
  }

  static empty(): Fields {
    return new Fields([]);
  }

  /** Takes a list of name, value, name, value… over without copying it. */
  static fromFlat(flat: string[]): Fields {
    return new Fields(flat);
  }

  static from(pairs: Iterable<readonly [string, string]>): Fields {
    const fields = Fields.empty();
    for (const [name, value] of pairs) fields.append(name, value);
    return fields;
  }

  /** Name, value, name, value… as they stand; not to be changed. */
  get flat(): readonly string[] {
    return this.#flat;
  }

  /** Number of fields. */
  get size(): number {
    return this.#flat.length / 2;
  }

  /** Value of the first field of that name. */
  get(name: string): string | undefined {
    const at = this.#find(name, 0);
    return at < 0 ? undefined : this.#flat[at + 1];
  }

  /** Values of all fields of that name joined by ", " (RFC 9110 section 5.3). */
  joined(name: string): string | undefined {
    let value: string | undefined;
    for (let at = this.#find(name, 0); at >= 0; at = this.#find(name, at + 2)) {
      const next = this.#flat[at + 1] ?? "";
      value = value === undefined ? next : `${value}, ${next}`;
    }
    return value;
  }

  has(name: string): boolean {
    return this.#find(name, 0) >= 0;
  }

  append(name: string, value: string): void {
    this.#flat.push(name, value);
  }

  /** Puts the value where the first field of that name stands, else at the end; other fields of that name go. */
  set(name: string, value: string): void {
    const first = this.#find(name, 0);
    if (first < 0) return this.append(name, value);
    this.#flat[first + 1] = value;
    for (let at = this.#find(name, first + 2); at >= 0; at = this.#find(name, at)) {
      this.#flat.splice(at, 2);
    }
  }

  delete(name: string): void {
    for (let at = this.#find(name, 0); at >= 0; at = this.#find(name, at)) {
      this.#flat.splice(at, 2);
    }
  }

  deleteWhere(matches: (name: string) => boolean): void {
    const flat = this.#flat;
    let kept = 0;
    for (let at = 0; at < flat.length; at += 2) {
      const name = flat[at] ?? "";
      if (matches(name)) continue;
      flat[kept] = name;
      flat[kept + 1] = flat[at + 1] ?? "";
      kept += 2;
    }
    flat.length = kept;
  }

  /** Rewrites the value of every field of that name. */
  replace(name: string, rewrite: (value: string) => string): void {
    for (let at = this.#find(name, 0); at >= 0; at = this.#find(name, at + 2)) {
      this.#flat[at + 1] = rewrite(this.#flat[at + 1] ?? "");
    }
  }

  clone(): Fields {
    return new Fields(this.#flat.slice());
  }

  *[Symbol.iterator](): Generator<[string, string]> {
    for (let at = 0; at < this.#flat.length; at += 2) {
      yield [this.#flat[at] ?? "", this.#flat[at + 1] ?? ""];
    }
  }

  #find(name: string, from: number): number {
    for (let at = from; at < this.#flat.length; at += 2) {
      if (sameName(this.#flat[at] ?? "", name)) return at;
    }
    return -1;
  }
}
