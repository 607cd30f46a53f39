/**
 * Compares the running configuration with the next one: which upstreams are other machines now, whose
 * probing must begin anew. Pure; `app.ts` carries it out.
 */
import { addressKey } from "../address.ts";
import { poolsOf } from "../steps.ts";
import type { Config, PoolRules, Upstream } from "../rules.ts";

export interface Plan {
  /** Ids whose name stayed and whose address changed: what was learned is of another machine. */
  readonly moved: ReadonlySet<string>;
  /** Ids that are configured no more. */
  readonly gone: ReadonlySet<string>;
  /** Ids whose probe loop must be started, the old one stopped first where there is one. */
  readonly probe: ReadonlySet<string>;
  /** Ids whose probe loop must stop without a successor. */
  readonly unprobe: ReadonlySet<string>;
}

export function plan(before: Config | undefined, after: Config): Plan {
  const old = upstreamsOf(before);
  const next = upstreamsOf(after);

  const changed = (key: (site: Site) => string) =>
    new Set(
      [...next].filter(([id, site]) => {
        const known = old.get(id);
        return known !== undefined && key(known) !== key(site);
      }).map(([id]) => id),
    );
  const moved = changed(siteKey);
  const reprobed = changed(probeKey);
  const isNew = (id: string) => !old.has(id);

  return {
    moved,
    gone: new Set([...old.keys()].filter((id) => !next.has(id))),
    probe: new Set(
      [...next].filter(([id, { pool }]) => {
        return pool.health !== undefined && (isNew(id) || moved.has(id) || reprobed.has(id));
      }).map(([id]) => id),
    ),
    unprobe: new Set([...old.keys()].filter((id) => next.get(id)?.pool.health === undefined)),
  };
}

interface Site {
  readonly pool: PoolRules;
  readonly upstream: Upstream;
}

function upstreamsOf(config: Config | undefined): Map<string, Site> {
  const sites = poolsOf(config?.routes ?? []).flatMap((pool) =>
    pool.upstreams.map((upstream) => [upstream.id, { pool, upstream }] as const)
  );
  return new Map(sites);
}

function siteKey({ upstream }: Site): string {
  return `${upstream.scheme}|${addressKey(upstream.address)}`;
}

function probeKey({ pool: { health }, upstream: { authority, tls, connections } }: Site): string {
  // A regular expression has no JSON of its own.
  return JSON.stringify(
    [health, authority, tls, connections],
    (_, value: unknown) => value instanceof RegExp ? String(value) : value,
  );
}
