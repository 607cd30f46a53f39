/**
 * Finds settings that are right alone and wrong together: listeners, names and routes given twice.
 * Works on the values as written, so that it also speaks while other settings are still wrong.
 */
import { readListen, readUpstream } from "./address.ts";
import { readHost, readPath } from "./match.ts";
import { isMap, type Reading } from "./reading.ts";
import type { Path } from "./places.ts";

export interface Clash {
  readonly path: Path;
  readonly expected: string;
  readonly received: string;
}

interface Entry {
  readonly path: Path;
  readonly value: unknown;
}

/** All clashes of a configuration as written. */
export function clashes(root: unknown): Clash[] {
  if (!isMap(root)) return [];
  const routes = Array.isArray(root["routes"]) ? root["routes"] : [];
  return [
    ...listenerClashes(entriesOf(root["listen"], ["listen"])),
    ...routes.flatMap((route: unknown, at) =>
      isMap(route) ? nameClashes(entriesOf(route["upstreams"], ["routes", at, "upstreams"])) : []
    ),
    ...routeClashes(routes),
  ];
}

function listenerClashes(entries: readonly Entry[]): Clash[] {
  const seen = new Set<string>();
  return entries.flatMap(({ path, value }) => {
    const address = valueOf(readListen(value));
    // Any number of listeners may ask the system for a free port.
    if (address === undefined || (address.kind === "tcp" && address.port === 0)) return [];
    const spelled = JSON.stringify(address);
    if (!seen.has(spelled)) {
      seen.add(spelled);
      return [];
    }
    return [{ path, expected: "each address once", received: `${JSON.stringify(value)} again` }];
  });
}

function nameClashes(entries: readonly Entry[]): Clash[] {
  const owners = new Map<string, number>();
  return entries.flatMap(({ path, value }, at): Clash[] => {
    const ownName = isMap(value) ? value["name"] : undefined;
    const places = valueOf(readUpstream(isMap(value) ? value["url"] : value)) ?? [];
    const names = typeof ownName === "string" ? [ownName] : places.map(({ name }) => name);
    const twice = names.find((name) => owners.has(name));
    for (const name of names) if (!owners.has(name)) owners.set(name, at);
    if (twice === undefined) return [];

    const received = `${JSON.stringify(twice.slice(0, 64))}, as upstreams[${
      owners.get(twice)
    }] has`;
    const expected = "a name unique in its route";
    return [{ path: typeof ownName === "string" ? [...path, "name"] : path, expected, received }];
  });
}

function routeClashes(routes: readonly unknown[]): Clash[] {
  const owners = new Map<string, number>();
  return routes.flatMap((route, at): Clash[] => {
    if (!isMap(route)) return [];
    const hosts = readAll(route["host"] ?? "*", readHost);
    const paths = readAll(route["path"] ?? "/", readPath);
    const pairs = hosts.flatMap((host) => paths.map((path) => `${host}${path}`));
    const twice = pairs.find((pair) => owners.has(pair));
    for (const pair of pairs) if (!owners.has(pair)) owners.set(pair, at);
    if (twice === undefined) return [];

    const received = `"${twice.slice(0, 100)}", which routes[${owners.get(twice)}] answers already`;
    const key = route["path"] === undefined && route["host"] === undefined
      ? []
      : [route["host"] === undefined ? "path" : "host"];
    const expected = "a host and path of its own";
    return [{ path: ["routes", at, ...key], expected, received }];
  });
}

function entriesOf(value: unknown, path: Path): Entry[] {
  const isList = Array.isArray(value);
  return isList ? value.map((item: unknown, at) => ({ path: [...path, at], value: item })) : [];
}

function readAll(written: unknown, reader: (written: unknown) => Reading<string>): string[] {
  const all: unknown[] = Array.isArray(written) ? written : [written];
  const values = all.map((one) => valueOf(reader(one)));
  return [...new Set(values.filter((value) => value !== undefined))];
}

function valueOf<T>(reading: Reading<T>): T | undefined {
  return reading.kind === "read" ? reading.value : undefined;
}
