/**
 * Looks out for certificates that end soon, and for the root of the authority of our own: files above all,
 * which nobody renews for us. Says so once a day, for as long as it is so.
 */
import type { CertificateStatus } from "../model.ts";
import type { Clock } from "../platform/platform.ts";
import type { CertificateRules } from "../tls_rules.ts";
import type { Workshop } from "./shelf.ts";

/** It ends soon, or has ended. */
export interface Warning {
  readonly kind: "expiring";
  /** Wall clock, in milliseconds. */
  readonly validTo: number;
}

export interface LookoutDeps {
  readonly clock: Clock;
  readonly workshop: Pick<Workshop, "certificateFacts">;
  /** Certificates that are held, and how things stand with them. */
  readonly held: () => readonly (readonly [CertificateRules, CertificateStatus])[];
  /** Some were made on demand, and signed by the root as all that are `internal`. */
  readonly hasMade: () => boolean;
  /** PEM. Asked for only where it has signed: to ask opens the store, which many never need. */
  readonly root: () => Promise<string | undefined>;
  readonly told: (rules: CertificateRules, warning: Warning) => void;
  readonly rootEnds: (validTo: number) => void;
}

/** Looks so often, in milliseconds: a day that begins while the machine sleeps shall not be missed by much. */
const LOOK_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Who trusts a root by hand needs time to trust the next one. In milliseconds. */
const ROOT_NOTICE_MS = 90 * DAY_MS;
const ROOT = Symbol("root");

export class Lookout {
  readonly #deps: LookoutDeps;
  /** Wall clock of the last word on each that ends soon. */
  readonly #told = new Map<string | typeof ROOT, number>();
  #watching = false;
  #stopTimer: () => void = () => {};

  constructor(deps: LookoutDeps) {
    this.#deps = deps;
  }

  /** Looks now, and from then on. */
  look(): void {
    this.#watching = true;
    this.#stopTimer();
    this.#stopTimer = this.#deps.clock.after(LOOK_MS, () => this.look());
    const held = this.#deps.held();
    this.#lookAtHeld(held);
    const isUsed = held.some(([, { source, validTo }]) =>
      source === "internal" && validTo !== undefined
    );
    if (isUsed || this.#deps.hasMade()) void this.#lookAtRoot();
  }

  stop(): void {
    this.#watching = false;
    this.#stopTimer();
  }

  #lookAtHeld(held: ReturnType<LookoutDeps["held"]>): void {
    const { told } = this.#deps;
    const ending = new Set<string>();
    for (const [rules, { state, validTo }] of held) {
      if (validTo === undefined || state === "good") continue;
      ending.add(rules.id);
      if (this.#isDue(rules.id)) told(rules, { kind: "expiring", validTo });
    }
    for (const id of this.#told.keys()) if (id !== ROOT && !ending.has(id)) this.#told.delete(id);
  }

  async #lookAtRoot(): Promise<void> {
    const { clock, workshop, root, rootEnds } = this.#deps;
    try {
      const pem = await root();
      if (pem === undefined || !this.#watching) return;
      const { validTo } = workshop.certificateFacts(pem);
      if (validTo - clock.now() < ROOT_NOTICE_MS && this.#isDue(ROOT)) rootEnds(validTo);
    } catch {
      // Whoever is to sign with it says why it cannot be had.
    }
  }

  /** Whether the day since the last word on it is over; then another one begins. */
  #isDue(id: string | typeof ROOT): boolean {
    const now = this.#deps.clock.now();
    if (now - (this.#told.get(id) ?? -Infinity) < DAY_MS) return false;
    this.#told.set(id, now);
    return true;
  }
}
