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

export class Shelf {
  readonly #changed: () => void;
  readonly #slots = new Map<string, Slot>();
  /** Listener and name, in this order of choice: the listener's own first. */
  #byName = new Map<string, Slot>();

  /** `changed` is called whenever another certificate is shown. */
  constructor(changed: () => void = () => {}) {
    this.#changed = changed;
  }

  put(rules: CertificateRules, shown: Shown): void {
    const names = rules.names.length > 0 ? rules.names : shown.facts.names;
    this.#slots.set(rules.id, { rules, names, shown });
    this.#index();
  }

  remove(id: string): void {
    if (this.#slots.delete(id)) this.#index();
  }

  get(id: string): Shown | undefined {
    return this.#slots.get(id)?.shown;
  }

  /** The one for that name; for none or another, the one that is shown to all on that listener. */
  find(listener: string, name: string | undefined): Shown | undefined {
    const slot = this.#named(listener, name) ?? this.#general(listener);
    return slot?.shown;
  }

  /** Whether a certificate on some listener is for that name. */
  has(name: string): boolean {
    for (const { names } of this.#slots.values()) {
      if (names.some((one) => covers(one, name))) return true;
    }
    return false;
  }

  /** All that are shown on a listener, the one for whom no name is asked for first. */
  identities(listener: string): readonly NamedIdentity[] {
    const slots = [...this.#slots.values()].filter(({ rules: { listeners } }) =>
      listeners.length === 0 || listeners.includes(listener)
    );
    const general = this.#general(listener);
    return slots.toSorted((one, other) =>
      Number(other.shown === general?.shown) - Number(one.shown === general?.shown)
    ).map(({ names, shown: { identity } }) => ({ names, ...identity }));
  }

  #named(listener: string, name: string | undefined): Slot | undefined {
    if (name === undefined) return undefined;
    const wildcard = wildcardOf(name);
    for (const place of [listener, ""]) {
      const slot = this.#byName.get(`${place} ${name}`) ??
        (wildcard && this.#byName.get(`${place} ${wildcard}`));
      if (slot) return slot;
    }
    return undefined;
  }

  /** Pairs of files without names in their rules stand in for all others. */
  #general(listener: string): Slot | undefined {
    return this.#byName.get(`${listener} `) ?? this.#byName.get(" ");
  }

  #index(): void {
    const byName = new Map<string, Slot>();
    // Whoever was given names beats whoever happens to hold them.
    const slots = [...this.#slots.values()].toSorted((one, other) =>
      Math.min(one.rules.names.length, 1) - Math.min(other.rules.names.length, 1)
    );
    for (const slot of slots) {
      const { names, listeners, source } = slot.rules;
      const isGeneral = source.kind === "files" && names.length === 0;
      const places = listeners.length === 0 ? [""] : listeners;
      for (const place of places) {
        for (const name of slot.names) byName.set(`${place} ${name}`, slot);
        if (isGeneral) byName.set(`${place} `, slot);
      }
    }
    this.#byName = byName;
    this.#changed();
  }
}
