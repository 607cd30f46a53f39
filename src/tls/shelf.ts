/**
 * The certificates at work, by the names they are for: what a handshake is answered with. A new one takes
 * the place of an old one in one step, and one that cannot be used never gets here.
 */
import { covers, wildcardOf } from "../names.ts";
import type {
  CertificateFacts,
  NamedIdentity,
  TlsContext,
  TlsMaterial,
  TlsVersion,
} from "../platform/tls.ts";
import type { CertificateRules } from "../tls_rules.ts";
import type { Identity } from "./issuer.ts";

/** How certificates are made ready and read. Both throw `CertificateError`. */
export interface Workshop {
  tlsContext(material: TlsMaterial): TlsContext;
  certificateFacts(chain: string): CertificateFacts;
}

/** A certificate as it is shown. */
export class Shown {
  readonly identity: Identity;
  readonly facts: CertificateFacts;
  readonly #workshop: Workshop;
  /** By version and the authorities whose clients are asked: most often the one that asks nobody. */
  readonly #contexts = new Map<string, TlsContext>();

  /** Throws `CertificateError`. */
  constructor(identity: Identity, workshop: Workshop) {
    this.identity = identity;
    this.#workshop = workshop;
    this.facts = workshop.certificateFacts(identity.chain);
    this.context([], "1.2");
  }

  context(clientAuthorities: readonly string[], minVersion: TlsVersion): TlsContext {
    const key = [minVersion, ...clientAuthorities].join("\n");
    const known = this.#contexts.get(key);
    if (known !== undefined) return known;
    const made = this.#workshop.tlsContext({
      ...this.identity,
      clientAuthorities,
      minVersion,
    });
    this.#contexts.set(key, made);
    return made;
  }
}

interface Slot {
  readonly rules: CertificateRules;
  /** Its own names, or those that it was ordered for. */
  readonly names: readonly string[];
  readonly shown: Shown;
}

/** By listener and name; no listener stands for all, no name for all others. */
type Index = Map<string, Slot>;

interface Indexes {
  readonly current: Index;
  readonly old: Index;
}

export class Shelf {
  readonly #changed: () => void;
  readonly #slots = new Map<string, Slot>();
  /** Those that stand in until others are there. */
  readonly #retired = new Set<string>();
  /** Made anew when it is next needed, as many certificates may come at once. */
  #indexes: Indexes | undefined;

  /** `changed` is called whenever another certificate is shown. */
  constructor(changed: () => void = () => {}) {
    this.#changed = changed;
  }

  put(rules: CertificateRules, shown: Shown): void {
    const names = rules.names.length > 0 ? rules.names : shown.facts.names;
    this.#slots.set(rules.id, { rules, names, shown });
    this.#retired.delete(rules.id);
    this.#turn();
  }

  /** Shows it on for what nobody else has one for, wherever that is asked for. */
  retire(id: string): void {
    if (!this.#slots.has(id)) return;
    this.#retired.add(id);
    this.#turn();
  }

  remove(id: string): void {
    this.#retired.delete(id);
    if (this.#slots.delete(id)) this.#turn();
  }

  get(id: string): Shown | undefined {
    return this.#slots.get(id)?.shown;
  }

  /** The one for that name. */
  named(listener: string, name: string): Shown | undefined {
    const { current, old } = this.#index();
    return (named(current, listener, name) ?? named(old, listener, name))?.shown;
  }

  /** The same; where there is none, the one that is shown to all on that listener. */
  find(listener: string, name: string): Shown | undefined {
    return this.named(listener, name) ?? general(this.#index().current, listener)?.shown;
  }

  /** The one that was shown to all and stands in yet, for a name that has waited in vain for its own. */
  former(listener: string): Shown | undefined {
    return general(this.#index().old, listener)?.shown;
  }

  /** Whether one is there that does not merely stand in. */
  isServed(id: string): boolean {
    return this.#slots.has(id) && !this.#retired.has(id);
  }

  /** Names that it is shown for; undefined where it is not. */
  namesOf(id: string): readonly string[] | undefined {
    return this.#slots.get(id)?.names;
  }

  /** Whether a certificate on some listener is for that name. */
  has(name: string): boolean {
    for (const { names } of this.#slots.values()) {
      if (names.some((one) => covers(one, name))) return true;
    }
    return false;
  }

  /** All that are shown on a listener, each name once, the one for whom no name is asked for first. */
  identities(listener: string): readonly NamedIdentity[] {
    const { current, old } = this.#index();
    const first = general(current, listener);
    const owner = (name: string): Slot | undefined =>
      current.get(`${listener} ${name}`) ?? current.get(` ${name}`) ?? old.get(` ${name}`);
    return [...this.#slots.values()]
      .toSorted((one, other) => Number(other === first) - Number(one === first))
      .flatMap((slot) => {
        const names = slot.names.filter((name) => owner(name) === slot);
        return names.length === 0 && slot !== first ? [] : [{ names, ...slot.shown.identity }];
      });
  }

  #turn(): void {
    this.#indexes = undefined;
    this.#changed();
  }

  #index(): Indexes {
    if (this.#indexes !== undefined) return this.#indexes;
    const [current, old]: [Index, Index] = [new Map(), new Map()];
    // Whoever was given names beats whoever happens to hold them.
    const slots = [...this.#slots.values()].toSorted((one, other) =>
      Math.min(one.rules.names.length, 1) - Math.min(other.rules.names.length, 1)
    );
    for (const slot of slots) {
      const { id, names, listeners, source } = slot.rules;
      const isGeneral = source.kind === "files" && names.length === 0;
      const isOld = this.#retired.has(id);
      const places = isOld || listeners.length === 0 ? [""] : listeners;
      const byName = isOld ? old : current;
      for (const place of places) {
        for (const name of slot.names) byName.set(`${place} ${name}`, slot);
        if (isGeneral) byName.set(`${place} `, slot);
      }
    }
    return this.#indexes = { current, old };
  }
}

function named(index: Index, listener: string, name: string): Slot | undefined {
  const wildcard = wildcardOf(name);
  for (const place of [listener, ""]) {
    const slot = index.get(`${place} ${name}`) ?? (wildcard && index.get(`${place} ${wildcard}`));
    if (slot) return slot;
  }
  return undefined;
}

/** Pairs of files without names in their rules stand in for all others. */
function general(index: Index, listener: string): Slot | undefined {
  return index.get(`${listener} `) ?? index.get(" ");
}
