/**
 * Certificates for names that are known only when somebody asks for them: made by the authority of our
 * own for whatever names a route without a host lets in. Bounded, as anyone can make names up.
 */
import { isHost, isPrivateName } from "../names.ts";
import type { Clock } from "../platform/platform.ts";
import type { OnDemandRules } from "../tls_rules.ts";
import type { Identity } from "./issuer.ts";
import { renewalAt } from "./schedule.ts";
import { Shown, type Workshop } from "./shelf.ts";

export interface OnDemandDeps {
  readonly clock: Pick<Clock, "now" | "elapsed">;
  readonly workshop: Workshop;
  /** Rejects with an error in words. */
  readonly issue: (name: string) => Promise<Identity>;
  readonly failed: (name: string, reason: string) => void;
}

/** Names remembered at most; the one that was asked for longest ago goes first. */
const NAMES_MAX = 1000;
/** Certificates made at once at most; further names are refused until one is done. */
const MAKING_MAX = 16;

/** None are made for so long after one could not be made, in milliseconds: the next one would fail as well. */
const PAUSE_MS = 2_000;
/** One is shown for so long at least, in milliseconds: it may be due for the next one as it comes. */
const SHOWN_MIN_MS = 60_000;

/** Whether one may be made for that name. */
export function mayMake(name: string, which: OnDemandRules["names"]): boolean {
  // Clients can ask for what is no name at all.
  if (which === "none" || !isHost(name)) return false;
  return which === "any" || isPrivateName(name);
}

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
  /** `elapsed` time before which none are made. */
  #againAt = -Infinity;

  constructor(deps: OnDemandDeps) {
    this.#deps = deps;
  }

  /** Whether there are any. */
  get hasMade(): boolean {
    return this.#made.size > 0;
  }

  /** One that was made and is good still. */
  known(name: string): Shown | undefined {
    const { shown } = this.#made.get(name) ?? {};
    return shown && this.#deps.clock.now() < shown.facts.validTo ? shown : undefined;
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
    const mayBegin = this.#making.size < MAKING_MAX && this.#deps.clock.elapsed() >= this.#againAt;
    if (!mayBegin) return Promise.resolve(undefined);
    const making = this.#issued(name).finally(() => this.#making.delete(name));
    this.#making.set(name, making);
    return making;
  }

  async #issued(name: string): Promise<Shown | undefined> {
    const { clock, workshop, issue, failed } = this.#deps;
    try {
      const shown = new Shown(await issue(name), workshop);
      const dueAt = renewalAt(shown.facts, undefined, 0);
      this.#made.set(name, { shown, renewAt: Math.max(dueAt, clock.now() + SHOWN_MIN_MS) });
      const [oldest] = this.#made.keys();
      if (this.#made.size > NAMES_MAX && oldest !== undefined) this.#made.delete(oldest);
      return shown;
    } catch (error) {
      this.#againAt = clock.elapsed() + PAUSE_MS;
      failed(name, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }
}
