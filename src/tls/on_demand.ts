/**
 * Certificates for names that are known only when somebody asks for them: made by the authority of our
 * own for whatever names a route without a host lets in. Bounded, as anyone can make names up.
 */
import type { Clock } from "../platform/platform.ts";
import type { Identity } from "./issuer.ts";
import { renewalAt } from "./schedule.ts";
import { Shown, type Workshop } from "./shelf.ts";

export interface OnDemandDeps {
  readonly clock: Pick<Clock, "now">;
  readonly workshop: Workshop;
  /** Rejects with an error in words. */
  readonly issue: (name: string) => Promise<Identity>;
  readonly failed: (name: string, reason: string) => void;
}

/** Names remembered at most; the one that was asked for longest ago goes first. */
const NAMES_MAX = 1000;
/** Certificates made at once at most; further names are refused until one is done. */
const MAKING_MAX = 16;

interface Made {
  readonly shown: Shown;
  /** Wall clock at which the next one is made. */
  readonly renewAt: number;
}

export class OnDemand {
  readonly #deps: OnDemandDeps;
  /** In the order of the last asking. */
  readonly #made = new Map<string, Made>();
  readonly #making = new Map<string, Promise<Shown | undefined>>();

  constructor(deps: OnDemandDeps) {
    this.#deps = deps;
  }

  /** Undefined where none could be made. */
  find(name: string): Shown | undefined | Promise<Shown | undefined> {
    const known = this.#made.get(name);
    if (known === undefined) return this.#make(name);
    this.#made.delete(name);
    this.#made.set(name, known);
    const { shown, renewAt } = known;
    const now = this.#deps.clock.now();
    if (now < renewAt) return shown;
    const next = this.#make(name);
    // The old one does until the new one is there.
    return now < shown.facts.validTo ? shown : next;
  }

  #make(name: string): Promise<Shown | undefined> {
    const running = this.#making.get(name);
    if (running !== undefined) return running;
    if (this.#making.size >= MAKING_MAX) return Promise.resolve(undefined);
    const making = this.#issued(name).finally(() => this.#making.delete(name));
    this.#making.set(name, making);
    return making;
  }

  async #issued(name: string): Promise<Shown | undefined> {
    const { workshop, issue, failed } = this.#deps;
    try {
      const shown = new Shown(await issue(name), workshop);
      this.#made.set(name, { shown, renewAt: renewalAt(shown.facts, undefined, 0) });
      const [oldest] = this.#made.keys();
      if (this.#made.size > NAMES_MAX && oldest !== undefined) this.#made.delete(oldest);
      return shown;
    } catch (error) {
      failed(name, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }
}
