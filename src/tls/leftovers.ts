/**
 * Certificates that are configured no more, shown until others are there for their names: a name that moves
 * from one certificate to another, or to another listener, is never without any.
 */
import { covers } from "../names.ts";
import type { CertificateRules } from "../tls_rules.ts";
import type { Shelf } from "./shelf.ts";

export class Leftovers {
  readonly #shelf: Shelf;
  readonly #rules = new Map<string, CertificateRules>();

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  add(rules: CertificateRules): void {
    this.#rules.set(rules.id, rules);
    this.#shelf.retire(rules.id);
  }

  /** It is configured again: what is shown for it stays until somebody else sees to that. */
  forget(id: string): void {
    this.#rules.delete(id);
  }

  /**
   * Lets go of those that are of no use: `awaited` are the names that have no certificate of their own yet,
   * `now` is wall clock.
   */
  sweep(awaited: readonly string[], now: number): void {
    for (const [id, { names }] of this.#rules) {
      const old = this.#shelf.namesOf(id) ?? [];
      // A pair for all may be what a name was shown that it does not hold.
      const isNeeded = names.length === 0
        ? awaited.length > 0
        : old.some((one) => awaited.some((name) => covers(one, name) || covers(name, one)));
      const isGood = now < (this.#shelf.get(id)?.facts.validTo ?? 0);
      if (isNeeded && isGood) continue;
      this.#rules.delete(id);
      this.#shelf.remove(id);
    }
  }

  get isEmpty(): boolean {
    return this.#rules.size === 0;
  }
}
