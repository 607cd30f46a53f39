/**
 * What is known of each value of a file beside the value: where it stands, what to call it, whether it
 * may be shown. Collects what is wrong on the way.
 */

export interface Place {
  /** The path in words: `routes[0].health.uri`. */
  readonly where: string;
  readonly offset: number;
  /** Where its key stands; that of the value for list items. */
  readonly keyOffset: number;
  /** What to show instead of a value that came from outside the file. */
  readonly mask: string | undefined;
  /** It could not be read, so nothing more is said of it. */
  readonly isBroken: boolean;
}

export interface Fault {
  readonly offset: number;
  readonly where: string;
  readonly message: string;
}

export type Path = readonly (string | number)[];

export function placeKey(path: Path): string {
  return JSON.stringify(path);
}

/** Where the walk is. */
export interface Spot {
  readonly path: Path;
  readonly where: string;
  readonly keyOffset: number;
  readonly depth: number;
}

export class Places {
  readonly all = new Map<string, Place>();
  readonly faults: Fault[] = [];

  /** Notes where a value stands; `mask` is shown in its stead. */
  note({ path, where, keyOffset }: Spot, offset: number, mask?: string): void {
    const isBroken = this.isBroken(path);
    this.all.set(placeKey(path), { where, offset, keyOffset, mask, isBroken });
  }

  /** Tells of a fault and marks the value, so that nothing more is said of it. */
  fail({ path, where, keyOffset }: Spot, offset: number, message: string): null {
    this.all.set(placeKey(path), { where, offset, keyOffset, mask: undefined, isBroken: true });
    this.tell(offset, where, message);
    return null;
  }

  tell(offset: number, where: string, message: string): void {
    this.faults.push({ offset, where, message });
  }

  isBroken(path: Path): boolean {
    return this.all.get(placeKey(path))?.isBroken ?? false;
  }

  /** The place of a path, or of the nearest thing above it that is in the file. */
  nearest(written: Path): Place {
    const path = this.#singled(written);
    for (let length = path.length; length >= 0; length--) {
      const place = this.all.get(placeKey(path.slice(0, length)));
      if (place === undefined) continue;
      const where = path.slice(length).reduce<string>(
        (above, key) => typeof key === "number" ? `${above}[${key}]` : joined(above, key),
        place.where,
      );
      return { ...place, where };
    }
    return { where: "", offset: 0, keyOffset: 0, mask: undefined, isBroken: false };
  }

  /** Where one may stand for a list of one, its first item is the whole of it. */
  #singled(path: Path): Path {
    const at = path.findIndex((key, index) =>
      key === 0 && !this.all.has(placeKey(path.slice(0, index + 1)))
    );
    return at < 0 ? path : path.toSpliced(at, 1);
  }
}

/** Joins a key to a path in words, quoted where it would not read as one. */
export function joined(where: string, key: string): string {
  if (!/^[\w.-]{1,80}$/.test(key)) return `${where}[${JSON.stringify(key.slice(0, 80))}]`;
  return where === "" ? key : `${where}.${key}`;
}
