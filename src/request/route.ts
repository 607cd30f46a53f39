/**
 * Finds the route for a host and a path. Exact host beats wildcard beats any; then the longest path;
 * then one for some ports beats one for all; then file order. Built once a configuration, so that a
 * request pays two map look-ups.
 */
import type { PoolRules, Route } from "../rules.ts";

/** A route, and what can be known about it before any request. */
export interface Found {
  readonly route: Route;
  /** The pool to which everything goes, where the route is that and nothing else, as most are. */
  readonly only: PoolRules | undefined;
  /** Its answers are marked as they leave: for pages of other origins, or with who answered. */
  readonly dressed: boolean;
}

export interface Router {
  /** Whether any route asks for a port; else nobody needs to know one. */
  readonly usesPorts: boolean;
  /** `host` as `normalHost` gives it, `path` without query. */
  find(host: string, path: string, port?: number): Found | undefined;
}

interface Candidate {
  readonly path: string;
  readonly ports: readonly number[];
  readonly found: Found;
}

/** Host of a `Host` field: `name`, `[v6]`, each with an optional port. Strict, as URLs get built from it. */
const HOST = /^(?:[a-z\d_](?:[a-z\d_.-]*)|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/** Hosts seen so far, as they were found to read. Bounded, as clients make them up. */
const NORMAL_HOSTS = new Map<string, string>();
const NORMAL_HOSTS_MAX = 1000;

/** Host without port and trailing dot, lower case; undefined when malformed (400). */
export function normalHost(field: string | undefined): string | undefined {
  if (field === undefined) return undefined;
  const known = NORMAL_HOSTS.get(field);
  if (known !== undefined) return known;
  const host = readHost(field);
  if (host !== undefined && NORMAL_HOSTS.size < NORMAL_HOSTS_MAX) NORMAL_HOSTS.set(field, host);
  return host;
}

function readHost(field: string): string | undefined {
  if (field.length > 260 || !HOST.test(field)) return undefined;
  const name = field.replace(/:\d+$/, "").toLowerCase();
  return name.endsWith(".") ? name.slice(0, -1) : name;
}

export function buildRouter(routes: readonly Route[]): Router {
  const exact = new Map<string, Candidate[]>();
  const wildcard = new Map<string, Candidate[]>();
  const any: Candidate[] = [];
  for (const route of routes) {
    const dressed = route.expose || route.guard?.cors !== undefined ||
      route.tls.hsts !== undefined;
    const found = { route, only: onlyPool(route), dressed };
    for (const host of route.hosts) {
      const list = host === "*"
        ? any
        : listOf(host.startsWith("*.") ? wildcard : exact, host.replace(/^\*/, ""));
      for (const path of route.paths) list.push({ path, ports: route.ports, found });
    }
  }
  for (const list of [...exact.values(), ...wildcard.values(), any]) {
    // Stable: among equal lengths the file's order stays.
    list.sort((one, other) =>
      other.path.length - one.path.length ||
      Number(other.ports.length > 0) - Number(one.ports.length > 0)
    );
  }

  return {
    usesPorts: routes.some(({ ports }) => ports.length > 0),
    find(host, rawPath, port = 0) {
      // `OPTIONS *` asks about the whole of an upstream (RFC 9110 section 9.3.7).
      const path = rawPath === "*" ? "/" : cleanPath(rawPath);
      const dot = host.indexOf(".");
      return (
        within(exact.get(host), path, port) ??
          (dot > 0 ? within(wildcard.get(host.slice(dot)), path, port) : undefined) ??
          within(any, path, port)
      );
    },
  };
}

/** True when `prefix` ends where a segment of `path` ends. */
export function isUnder(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false;
  return path.length === prefix.length || prefix.endsWith("/") || path[prefix.length] === "/";
}

/**
 * The path as an upstream will most likely read it: decoded, slashes merged, dots resolved. Only for
 * choosing; what is forwarded stays as sent. Else `/public/../admin` would pass as public.
 */
export function cleanPath(path: string): string {
  if (!/%|\/\/|\/\./.test(path)) return path;
  const segments: string[] = [];
  for (const segment of decoded(path).split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  const clean = `/${segments.join("/")}`;
  return path.endsWith("/") && clean !== "/" ? `${clean}/` : clean;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // One broken escape must not shield the others: an upstream may well read them.
    return path.replace(/%[0-7][\da-f]/gi, (escape) => decodeURIComponent(escape));
  }
}

function within(
  candidates: readonly Candidate[] | undefined,
  path: string,
  port: number,
): Found | undefined {
  if (candidates === undefined) return undefined;
  for (const { path: prefix, ports, found } of candidates) {
    if (isUnder(path, prefix) && (ports.length === 0 || ports.includes(port))) return found;
  }
  return undefined;
}

function onlyPool({ steps }: Route): PoolRules | undefined {
  const [step] = steps;
  const isOne = steps.length === 1 && step?.match === undefined;
  return isOne && step?.action.kind === "proxy" ? step.action.pool : undefined;
}

function listOf(map: Map<string, Candidate[]>, key: string): Candidate[] {
  const list = map.get(key) ?? [];
  map.set(key, list);
  return list;
}
