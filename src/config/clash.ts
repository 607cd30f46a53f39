/**
 * Finds settings that are right alone and wrong together: listeners, names and routes given twice,
 * policies that do not fit their pool, steps that are never reached. Works on the values as written, so
 * that it also speaks while other settings are still wrong.
 */
import { readListen } from "./address.ts";
import { type Clash, entriesOf, type Entry, partsOfRoute } from "./course.ts";
import { readHost, readPath } from "./match.ts";
import { poolClashes } from "./pool_clash.ts";
import { isMap, type Reading } from "./reading.ts";
import { POOL } from "./step.ts";

/** All clashes of a configuration as written. */
export function clashes(root: unknown): Clash[] {
  if (!isMap(root)) return [];
  const routes = Array.isArray(root["routes"]) ? root["routes"] : [];
  const listeners = entriesOf(root["listen"], ["listen"]);
  const ports = listenedPorts(listeners);
  return [
    ...listenerClashes(listeners),
    ...routes.flatMap((route: unknown, at) => {
      if (!isMap(route)) return [];
      const path = ["routes", at];
      const parts = partsOfRoute(route, path);
      return [
        ...lonelyKeys(route, at),
        ...strayPorts(entriesOf(route["port"], [...path, "port"]), ports),
        ...parts.pools.flatMap(poolClashes),
        ...parts.clashes,
      ];
    }),
    ...routeClashes(routes),
  ];
}

function listenerClashes(entries: readonly Entry[]): Clash[] {
  const seen = new Set<string>();
  return entries.flatMap(({ path, value }) => {
    const address = valueOf(readListen(addressOf(value)));
    // Any number of listeners may ask the system for a free port.
    if (address === undefined || (address.kind === "tcp" && address.port === 0)) return [];
    const spelled = JSON.stringify(address);
    if (!seen.has(spelled)) {
      seen.add(spelled);
      return [];
    }
    const received = `${JSON.stringify(addressOf(value))} again`;
    return [{ path, expected: "each address once", received }];
  });
}

/** A listener is an address, or a map with more. */
function addressOf(listener: unknown): unknown {
  return isMap(listener) ? listener["address"] : listener;
}

/** Ports that are listened on; undefined when one of them is not known. */
function listenedPorts(listeners: readonly Entry[]): ReadonlySet<number> | undefined {
  if (listeners.length === 0) return undefined;
  const addresses = listeners.map(({ value }) => valueOf(readListen(addressOf(value))));
  const ports = addresses.map((address) => address?.kind === "tcp" ? address.port : 0);
  return ports.includes(0) ? undefined : new Set(ports);
}

function strayPorts(entries: readonly Entry[], known: ReadonlySet<number> | undefined): Clash[] {
  if (known === undefined) return [];
  return entries.flatMap(({ path, value }): Clash[] => {
    const port = typeof value === "string" ? Number(value) : value;
    if (typeof port !== "number" || !Number.isInteger(port) || known.has(port)) return [];
    return [{ path, expected: 'a port that "listen" names', received: String(port) }];
  });
}

/** Settings of a pool at a route without one would do nothing. */
function lonelyKeys(route: Record<string, unknown>, at: number): Clash[] {
  if ("upstreams" in route || "dynamic" in route || !("steps" in route)) return [];
  return Object.keys(POOL).filter((key) => key in route).map((key) => ({
    path: ["routes", at, key],
    expected: `"upstreams" or "dynamic" beside "${key}"`,
    received: "none",
    isOfKey: true,
  }));
}

function routeClashes(routes: readonly unknown[]): Clash[] {
  const owners = new Map<string, number>();
  return routes.flatMap((route, at): Clash[] => {
    if (!isMap(route)) return [];
    const hosts = readAll(route["host"] ?? "*", readHost);
    const paths = readAll(route["path"] ?? "/", readPath);
    const ports = entriesOf(route["port"], []).map(({ value }) => ` on port ${String(value)}`);
    const pairs = hosts.flatMap((host) => paths.map((path) => `${host}${path}`));
    const places = pairs.flatMap((pair) =>
      ports.length === 0 ? [pair] : ports.map((port) => `${pair}${port}`)
    );
    const twice = places.find((place) => owners.has(place));
    for (const place of places) if (!owners.has(place)) owners.set(place, at);
    if (twice === undefined) return [];

    const received = `"${twice.slice(0, 100)}", which routes[${owners.get(twice)}] answers already`;
    const key = ["host", "path"].find((one) => route[one] !== undefined);
    const expected = "a host and path of its own";
    return [{ path: ["routes", at, ...(key === undefined ? [] : [key])], expected, received }];
  });
}

function readAll(written: unknown, reader: (written: unknown) => Reading<string>): string[] {
  const all: unknown[] = Array.isArray(written) ? written : [written];
  const values = all.map((one) => valueOf(reader(one)));
  return [...new Set(values.filter((value) => value !== undefined))];
}

function valueOf<T>(reading: Reading<T>): T | undefined {
  return reading.kind === "read" ? reading.value : undefined;
}
