/**
 * What a name service found, as upstreams: in an order that stays the same while the answer does, each by
 * the template of its pool. Pure.
 */
import { spellAddress } from "../address.ts";
import { parseIp } from "../ip.ts";
import type { ServicePlace } from "../platform/platform.ts";
import type { Dynamic, PoolRules, Upstream } from "../rules.ts";

/** Where an upstream was found. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** IPv4 first, then by number: name servers turn their answers round, which must change no preference. */
export function placesOfAddresses(addresses: readonly string[], port: number): readonly Place[] {
  return [...new Set(addresses)]
    .map((host) => ({ host, bytes: parseIp(host) ?? [] }))
    .sort((one, other) => one.bytes.length - other.bytes.length || compare(one.bytes, other.bytes))
    .map(({ host }) => ({ host, port }));
}

/** By priority, the lowest first, then by weight, the highest first (RFC 2782); then by name. */
export function placesOfServices(services: readonly ServicePlace[]): readonly Place[] {
  const places = services
    .toSorted((one, other) =>
      one.priority - other.priority || other.weight - one.weight ||
      (one.host < other.host ? -1 : one.host > other.host ? 1 : one.port - other.port)
    )
    .map(({ host, port }) => ({ host: host.replace(/\.$/, "").toLowerCase(), port }))
    // A lone dot says that there is no such service.
    .filter(({ host }) => host !== "");
  return unique(places);
}

/** The pool with what was found behind what it lists. What it lists itself is not found once more. */
export function filled(
  pool: PoolRules,
  places: (dynamic: Dynamic) => readonly Place[],
): PoolRules {
  if (pool.dynamic.length === 0) return pool;
  const upstreams = new Map(pool.upstreams.map((upstream) => [upstream.id, upstream]));
  for (const dynamic of pool.dynamic) {
    for (const place of places(dynamic)) {
      const upstream = upstreamAt(place, pool.id, dynamic);
      if (!upstreams.has(upstream.id)) upstreams.set(upstream.id, upstream);
    }
  }
  return { ...pool, upstreams: [...upstreams.values()] };
}

function upstreamAt({ host, port }: Place, poolId: string, dynamic: Dynamic): Upstream {
  const { template } = dynamic;
  const address = { kind: "tcp", host, port } as const;
  const name = spellAddress(address);
  const authority = port === (template.scheme === "https" ? 443 : 80)
    ? name.slice(0, name.lastIndexOf(":"))
    : name;
  // A certificate proves the name that was looked up, hardly ever the address found.
  const tls = dynamic.kind === "a"
    ? { ...template.tls, name: template.tls.name ?? dynamic.name }
    : template.tls;
  return { ...template, id: `${poolId} ${name}`, name, address, authority, tls };
}

function unique(places: readonly Place[]): readonly Place[] {
  return [...new Map(places.map((place) => [`${place.host}|${place.port}`, place])).values()];
}

function compare(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return at < 0 ? 0 : (one[at] ?? 0) - (other[at] ?? 0);
}
