/**
 * Who is on now, for what comes and goes with every request: a `Set` would make its table anew every
 * few hundred of them, where a list whose members know their place costs two writes.
 */

/** Something that can be on one roll at a time. */
export interface Enrolled {
  /** Its place; the roll's to write, -1 while it is on none. */
  place: number;
}

export class Roll<T extends Enrolled> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(member: T): void {
    if (member.place >= 0) return;
    member.place = this.#members.length;
    this.#members.push(member);
  }

  delete(member: T): void {
    const { place } = member;
    if (place < 0) return;
    member.place = -1;
    const last = this.#members.pop();
    if (last === undefined || last === member) return;
    this.#members[place] = last;
    last.place = place;
  }

  clear(): void {
    for (const member of this.#members) member.place = -1;
    this.#members.length = 0;
  }

  /** Calls for each, in no order. Members may leave meanwhile, each other included. */
  each(call: (member: T) => void): void {
    // Of a copy, as the last one takes the place of one that leaves.
    for (const member of this.#members.slice()) if (member.place >= 0) call(member);
  }
}
