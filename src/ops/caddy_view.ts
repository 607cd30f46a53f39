/**
 * `GET /reverse_proxy/upstreams` as Caddy's admin API answers it, for tools that know it: an entry an
 * address, however many pools name it. What Caddy does not tell comes after. Pure.
 */
import { spellAddress } from "../address.ts";
import type { Phase } from "../model.ts";
import type { Sight } from "./view.ts";

export interface CaddyUpstream {
  readonly address: string;
  /** Requests that run there. */
  readonly num_requests: number;
  /** Failures remembered. */
  readonly fails: number;
  /** Not down in any pool. */
  readonly healthy: boolean;
  /** An operator keeps requests from it, in every pool. */
  readonly drained: boolean;
  readonly pools: readonly {
    readonly pool: string;
    readonly name: string;
    readonly phase: Phase;
  }[];
}

export function caddyUpstreams(sight: Sight): readonly CaddyUpstream[] {
  const all = new Map<string, CaddyUpstream>();
  for (const { rules, members } of sight.pools) {
    for (const { upstream: { id, name, address: place } } of members) {
      const kept = sight.kept(id);
      if (kept === undefined) continue;
      const address = spellAddress(place);
      const known = all.get(address);
      all.set(address, {
        address,
        num_requests: (known?.num_requests ?? 0) + kept.inFlight,
        fails: (known?.fails ?? 0) + kept.penalties(sight.elapsed).length,
        healthy: (known?.healthy ?? true) && kept.phase !== "down",
        drained: (known?.drained ?? true) && kept.drained,
        pools: [...known?.pools ?? [], { pool: rules.id, name, phase: kept.phase }],
      });
    }
  }
  return [...all.values()];
}
