/**
 * Finds authorities of clients' certificates that cannot all be asked for: a handshake knows the host, and
 * not yet which of its routes, or of those for more hosts, the request will go to. Pure.
 */
import { hostsFor } from "../names.ts";
import type { Route } from "../rules.ts";
import type { Clash } from "./course.ts";

/** For each host that clients are asked for a certificate of, its authorities as one text. */
type Asked = ReadonlyMap<string, string>;

export function clientClashes(routes: readonly Route[]): Clash[] {
  const asked = new Map<string, string>();
  /** Hosts with a route for whatever path, so that none of their requests go to a wider one. */
  const whole = new Set<string>();
  for (const { hosts, paths, ports, tls: { clientAuth } } of routes) {
    for (const host of hosts) {
      if (paths.includes("/") && ports.length === 0) whole.add(host);
      if (clientAuth !== undefined && !asked.has(host)) asked.set(host, keyOf(clientAuth));
    }
  }

  const told = new Set<string>();
  return routes.flatMap(({ hosts, tls: { clientAuth } }, at): Clash[] => {
    if (clientAuth === undefined) return [];
    const clash = (expected: string): Clash[] => [
      { path: ["routes", at, "tls", "client_auth"], expected, received: "others" },
    ];
    const split = hosts.find((host) => asked.get(host) !== keyOf(clientAuth));
    if (split !== undefined) return clash(`the same authorities for all routes of "${split}"`);
    for (const host of hosts) {
      const wider = widerClash(host, asked, whole);
      if (wider === undefined || told.has(host)) continue;
      told.add(host);
      return clash(
        `the authorities of "${wider}", which answers what no route of "${host}" does,`,
      );
    }
    return [];
  });
}

/** The wider host that also gets requests for this one, and asks for certificates of other authorities. */
function widerClash(host: string, asked: Asked, whole: ReadonlySet<string>): string | undefined {
  for (const one of hostsFor(host)) {
    if (asked.has(one) && asked.get(one) !== asked.get(host)) return one;
    if (whole.has(one)) return undefined;
  }
  return undefined;
}

function keyOf({ authorities }: { readonly authorities: readonly string[] }): string {
  return JSON.stringify(authorities);
}
