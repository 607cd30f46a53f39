/**
 * Keeps the entries of all upstreams by id and the choice of each pool, so that a reload changes
 * rules and not what was learned. Builds the pools that requests work with.
 */
import type { Held, Pool } from "../model.ts";
import type { PoolRules, Upstream } from "../rules.ts";
import type { Clock } from "../platform/platform.ts";
import { type Change, Entry } from "./entry.ts";

export type Announce = (routeId: string, upstream: string, change: Change) => void;

export class Board {
  readonly #clock: Clock;
  readonly #announce: Announce;
  #entries = new Map<string, Entry>();
  #held = new Map<string, Held>();

  constructor(clock: Clock, announce: Announce) {
    this.#clock = clock;
    this.#announce = announce;
  }

  /**
   * Makes the pools of a configuration. Entries of upstreams that are configured no more go; those
   * at another address than before start afresh, as what was learned was of another machine.
   */
  adopt(configured: readonly PoolRules[], moved: ReadonlySet<string>): readonly Pool[] {
    const entries = new Map<string, Entry>();
    const held = new Map<string, Held>();
    const pools = configured.map((rules) => {
      const members = rules.upstreams.map((upstream) => {
        const known = moved.has(upstream.id) ? undefined : this.#entries.get(upstream.id);
        known?.configure(rules);
        const entry = known ?? this.#enter(rules, upstream);
        entries.set(upstream.id, entry);
        return { upstream, standing: entry };
      });
      const hold = this.#held.get(rules.id) ??
        { upstreamId: undefined, turn: 0, credit: new Map() };
      held.set(rules.id, hold);
      return { rules, members, held: hold };
    });

    for (const [id, entry] of this.#entries) if (entries.get(id) !== entry) entry.retire();
    this.#entries = entries;
    this.#held = held;
    return pools;
  }

  entry(upstreamId: string): Entry | undefined {
    return this.#entries.get(upstreamId);
  }

  /** Lets a pool, or every one, go back to the upstream it prefers. What `failback: manual` waits for. */
  release(poolId?: string): void {
    for (const [id, hold] of this.#held) {
      if (poolId === undefined || id === poolId) hold.upstreamId = undefined;
    }
  }

  #enter(rules: PoolRules, { id, name }: Upstream): Entry {
    const entry = new Entry(rules, {
      clock: this.#clock,
      announce: (change) => this.#announce(rules.id, name, change),
    });
    // An operator drained what bears this name, wherever it is now.
    entry.drained = this.#entries.get(id)?.drained ?? false;
    return entry;
  }
}
