/**
 * Tells by which of a route's keys a request comes. Keys are compared by their digests, all of them
 * each time, so that the time it takes says nothing about any.
 *
 * Hono's `bearerAuth` knows no names of keys and works on fetch's `Request`, which an exchange is not.
 */
import type { Fields } from "../fields.ts";
import type { AuthRules } from "../rules.ts";
import { sameText } from "./basic_auth.ts";
import type { World } from "./deps.ts";

type Keys = AuthRules["keys"];

/** What can be a key; the configuration takes no longer ones. */
const KEY_LENGTH_MAX = 512;

/** A key as it was shown. */
export interface ShownKey {
  readonly field: "authorization" | "x-api-key";
  readonly key: string;
}

/** The keys that a request shows (RFC 6750 section 2.1, and what API clients do instead). */
export function shownKeys(fields: Fields): ShownKey[] {
  const [, bearer] = /^bearer +(\S+) *$/i.exec(fields.get("authorization") ?? "") ?? [];
  const plain = fields.get("x-api-key");
  return [
    ...(bearer === undefined ? [] : [{ field: "authorization" as const, key: bearer }]),
    ...(plain === undefined ? [] : [{ field: "x-api-key" as const, key: plain }]),
  ];
}

export class KeyRing {
  readonly #world: Pick<World, "hmacSha256">;
  /** Makes digests that nobody can foretell. */
  readonly #salt: string;
  /** Goes with the configuration that holds the keys. */
  readonly #digests = new WeakMap<Keys, readonly string[]>();

  constructor(world: Pick<World, "hmacSha256" | "random">) {
    this.#world = world;
    this.#salt = `${world.random()} ${world.random()}`;
  }

  /** Name of the key; undefined for none of them. */
  nameOf(key: string, keys: Keys): string | undefined {
    if (key.length > KEY_LENGTH_MAX) return undefined;
    const digest = this.#digest(key);
    const known = this.#known(keys);
    let found: string | undefined;
    for (const [at, { name }] of keys.entries()) {
      if (sameText(known[at] ?? "", digest)) found = name;
    }
    return found;
  }

  #known(keys: Keys): readonly string[] {
    const known = this.#digests.get(keys);
    if (known !== undefined) return known;
    const digests = keys.map(({ secret }) => this.#digest(secret));
    this.#digests.set(keys, digests);
    return digests;
  }

  #digest(key: string): string {
    return this.#world.hmacSha256(this.#salt, key);
  }
}
