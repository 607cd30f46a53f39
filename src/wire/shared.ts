/** One thing for all upstreams that are reached in the same way, found by each upstream's object at once. */
import type { Upstream } from "../rules.ts";
import { reachKey } from "./reach.ts";

export class SharedByReach<Thing extends object> {
  readonly #make: (upstream: Upstream) => Thing;
  readonly #byUpstream = new WeakMap<Upstream, Thing>();
  readonly #byKey = new Map<string, WeakRef<Thing>>();

  constructor(make: (upstream: Upstream) => Thing) {
    this.#make = make;
  }

  of(upstream: Upstream): Thing {
    return this.#byUpstream.get(upstream) ?? this.#meet(upstream);
  }

  #meet(upstream: Upstream): Thing {
    const key = reachKey(upstream);
    const thing = this.#byKey.get(key)?.deref() ?? this.#make(upstream);
    // Name services may bring new upstreams for ever.
    for (const [old, ref] of this.#byKey) if (ref.deref() === undefined) this.#byKey.delete(old);
    this.#byKey.set(key, new WeakRef(thing));
    this.#byUpstream.set(upstream, thing);
    return thing;
  }
}
