/** Finds settings of one pool that are right alone and wrong together. */
import { readUpstream } from "./address.ts";
import { type Clash, entriesOf, type Entry, type WrittenMap } from "./course.ts";
import type { Path } from "./places.ts";
import { POLICY_WORDS } from "./policy.ts";
import { isMap, show } from "./reading.ts";

export function poolClashes({ path, value: pool }: Entry<WrittenMap>): Clash[] {
  const upstreams = entriesOf(pool["upstreams"], [...path, "upstreams"]).map(written);
  return [
    ...nameClashes(upstreams),
    ...weightClashes(pool, path, upstreams),
    ...failbackClashes(pool, path),
  ];
}

interface WrittenUpstream {
  readonly path: Path;
  readonly ownName: string | undefined;
  /** Host and port of each; undefined when it cannot be read. */
  readonly names: readonly string[] | undefined;
}

function written({ path, value }: Entry): WrittenUpstream {
  const reading = readUpstream(isMap(value) ? value["url"] : value);
  const ownName = isMap(value) ? value["name"] : undefined;
  return {
    path,
    ownName: typeof ownName === "string" ? ownName : undefined,
    names: reading.kind === "read" ? reading.value.map(({ name }) => name) : undefined,
  };
}

function nameClashes(upstreams: readonly WrittenUpstream[]): Clash[] {
  const owners = new Map<string, number>();
  return upstreams.flatMap(({ path, ownName, names: itsOwn = [] }, at): Clash[] => {
    const names = ownName === undefined ? itsOwn : [ownName];
    const twice = names.find((name) => owners.has(name));
    for (const name of names) if (!owners.has(name)) owners.set(name, at);
    if (twice === undefined) return [];

    const received = `${JSON.stringify(twice.slice(0, 64))}, as upstreams[${
      owners.get(twice)
    }] has`;
    const expected = "a name unique in its route";
    return [{ path: ownName === undefined ? path : [...path, "name"], expected, received }];
  });
}

/** A policy may fall back on one with weights, so all of them are looked at. */
function weightClashes(
  pool: WrittenMap,
  path: Path,
  upstreams: readonly WrittenUpstream[],
): Clash[] {
  if (upstreams.some(({ names }) => names === undefined)) return [];
  const count = upstreams.reduce((sum, { names = [] }) => sum + names.length, 0);
  return weights(pool["policy"], [...path, "policy"]).flatMap((entry): Clash[] => {
    const given = entry.value.length;
    // What a name service finds comes after those listed, and may have weights too.
    if (given === count || (given > count && "dynamic" in pool)) return [];
    return [{
      path: entry.path,
      expected: `as many weights as upstreams, which are ${count},`,
      received: String(given),
      isOfKey: true,
    }];
  });
}

function weights(policy: unknown, path: Path): Entry<readonly unknown[]>[] {
  if (!isMap(policy)) return [];
  return Object.entries(policy).flatMap(([key, value]): Entry<readonly unknown[]>[] => {
    if (key === "weighted_round_robin") {
      return Array.isArray(value) ? [{ path: [...path, key], value }] : [];
    }
    return isMap(value) ? weights(value["fallback"], [...path, key, "fallback"]) : [];
  });
}

function failbackClashes({ failback, policy }: WrittenMap, path: Path): Clash[] {
  const isOther = isMap(policy) ||
    (typeof policy === "string" && policy !== "first" && POLICY_WORDS.includes(policy));
  const isWaiting = isMap(failback) || failback === "sticky" || failback === "manual";
  if (!isOther || !isWaiting) return [];
  const expected = '"immediate", as only the policy "first" prefers one upstream to another,';
  return [{ path: [...path, "failback"], expected, received: show(failback), isOfKey: true }];
}
