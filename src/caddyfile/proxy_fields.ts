/**
 * The edits of one head as `header_up` or `header_down` gather them. Caddy adds, sets, removes and replaces
 * in this order, and ours is remove, replace, set, add: where two lines speak of one field, what Caddy
 * ends with is written.
 */
import type { Context, Token } from "./directive.ts";
import { type Comments, type Place, WrittenMap } from "./written.ts";

export interface Edit {
  readonly name: string;
  readonly value: string;
  readonly at: Place;
  readonly comments: Comments;
}

export interface Replacement extends Edit {
  readonly search: string;
  readonly token: Token;
}

/** The edits of one head as they are gathered. */
export class FieldEdits {
  readonly where: string;
  readonly added: Edit[] = [];
  readonly set = new Map<string, Edit>();
  readonly removed: Edit[] = [];
  readonly replaced: Replacement[] = [];

  constructor(where: string) {
    this.where = where;
  }

  /** Writes them into a map of `headers`, unless there are none. */
  write(headers: WrittenMap, key: "request" | "response", context: Context): void {
    const isRemoved = ({ name }: Edit): boolean =>
      this.removed.some((pattern) => matches(pattern.name, name));
    const set = [...this.set.values()].filter((edit) => !isRemoved(edit));
    const added = this.added.filter((edit) =>
      !this.set.has(edit.name.toLowerCase()) && !isRemoved(edit)
    );
    const [place] = [...set, ...added, ...this.removed, ...this.replaced];
    if (place === undefined) return;
    const map = new WrittenMap(place.at);

    for (const { name, value, at, comments } of set) {
      map.map("set", at).set(name, value, at).comment(name, comments);
    }
    for (const { name, value, at, comments } of added) {
      const fields = map.map("add", at);
      const twice = added.filter((other) => sameField(other.name, name)).length > 1;
      if (twice) fields.list(spelled(fields, name), at).add(value, at);
      else fields.set(name, value, at);
      fields.comment(spelled(fields, name), comments);
    }
    for (const { name, at, comments } of this.removed) {
      map.comment("remove", comments).list("remove", at).add(name, at);
    }
    for (const one of this.replaced) {
      if (set.concat(added).some(({ name }) => sameField(name, one.name))) {
        context.refuse(one.token, `${this.where}.replace and set`);
        continue;
      }
      const { name, search, value, at, comments } = one;
      const rule = new WrittenMap(at).set("search", search, at).set("with", value, at);
      const fields = map.map("replace", at);
      fields.list(spelled(fields, name), at).add(rule, at);
      fields.comment(spelled(fields, name), comments);
    }
    headers.set(key, map, place.at);
  }
}

/** Whether a name with a `*` at either end covers another. */
function matches(pattern: string, name: string): boolean {
  const lower = name.toLowerCase();
  const core = pattern.toLowerCase().replaceAll(/^\*|\*$/g, "");
  const leads = pattern.endsWith("*");
  const ends = pattern.startsWith("*");
  if (leads && ends) return lower.includes(core);
  if (leads) return lower.startsWith(core);
  return ends ? lower.endsWith(core) : lower === core;
}

function sameField(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** The name under which a field is in the map already. */
function spelled(fields: WrittenMap, name: string): string {
  return [...fields.entries.keys()].find((key) => sameField(key, name)) ?? name;
}
