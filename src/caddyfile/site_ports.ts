/**
 * Which ports of all sites speak TLS, and which of a site's hosts are answered where. A host with TLS has a
 * share in the port for HTTP as well: requests in the clear are sent on from there.
 */
import { covers } from "../names.ts";
import type { Token } from "./directive.ts";
import type { Globals } from "./globals.ts";
import type { Report } from "./report.ts";
import type { Address, SiteDraft } from "./site.ts";
import { sendsOn } from "./tls.ts";

/** Hosts of a site that are served alike, and share a route. */
export interface Group {
  readonly site: SiteDraft;
  readonly token: Token;
  /** "*" for any; empty where the site has no address at all. */
  readonly hosts: readonly string[];
  readonly path: string;
  /** Where requests are answered, or sent on. */
  readonly ports: readonly number[];
  /** What is spoken where they are answered. */
  readonly speech: "tls" | "plain" | "both";
  /** One of the ports does nothing but send on. */
  readonly sendsOn: boolean;
}

/** What is spoken on each port. */
export interface Ports {
  readonly all: ReadonlySet<number>;
  readonly secure: ReadonlySet<number>;
}

export function portsOf(sites: readonly SiteDraft[], report: Report): Ports {
  const addresses = sites.flatMap((site) => site.addresses);
  const all = new Set(addresses.map(({ port }) => port));
  const secure = new Set(
    addresses.filter(({ speech }) => speech === "tls").map(({ port }) => port),
  );
  for (const { token, port, speech } of addresses) {
    if (speech !== "plain" || !secure.has(port)) continue;
    const message = `Cannot take this over as other sites speak TLS on port ${port}; ` +
      "use a port of its own, or the same scheme for all of them";
    report.tell(token, "", message);
  }
  return { all, secure };
}

/** Hosts of a site that are served on the same ports and path share a route. */
export function groupsOf(
  sites: readonly SiteDraft[],
  ports: Ports,
  globals: Globals,
): readonly Group[] {
  const isOn = sendsOn(globals) && !isCaughtInTheClear(sites, globals);
  const taken = clearHosts(sites, globals);
  return sites.flatMap((site) => {
    const maySend = (host: string): boolean =>
      isOn && maySendOn(host, site, globals) && !taken.some((one) => covers(one, host));
    return groupsOfSite(site, { ports, httpPort: globals.httpPort, maySend });
  });
}

function groupsOfSite(
  site: SiteDraft,
  { ports, httpPort, maySend }: {
    readonly ports: Ports;
    readonly httpPort: number;
    readonly maySend: (host: string) => boolean;
  },
): readonly Group[] {
  const { addresses, isBare, token } = site;
  if (isBare) {
    return [{ site, token, hosts: [], path: "", ports: [], speech: "plain", sendsOn: false }];
  }
  const byHost = Map.groupBy(addresses, ({ host, path }) => `${host.toLowerCase()} ${path}`);
  const parts = [...byHost.values()].flatMap((same): Group[] => {
    const [first] = same;
    if (first === undefined) return [];
    const { host, path } = first;
    const from = maySend(host.toLowerCase()) ? httpPort : undefined;
    return shares(same, ports, from).map((share) => ({
      ...{ site, token: first.token, path, hosts: [host === "" ? "*" : host] },
      ...share,
    }));
  });
  const alike = Map.groupBy(
    parts,
    (part) =>
      [part.ports.toSorted().join(), part.speech, String(part.sendsOn), part.path].join(" "),
  );
  return [...alike.values()].flatMap((same): Group[] => {
    const [first] = same;
    return first === undefined ? [] : [{ ...first, hosts: same.flatMap(({ hosts }) => hosts) }];
  });
}

/** Hosts that some site answers in the clear where others would be sent on from. */
function clearHosts(sites: readonly SiteDraft[], { httpPort }: Globals): readonly string[] {
  return sites.flatMap(({ addresses }) =>
    addresses
      .filter(({ host, port, path }) => host !== "" && port === httpPort && isWhole(path))
      .map(({ host }) => host.toLowerCase())
  );
}

/**
 * Where all certificates are there already, a site for any host in the clear has all that comes: Caddy puts
 * what is sent on before it only where it manages certificates itself.
 */
function isCaughtInTheClear(sites: readonly SiteDraft[], { httpPort }: Globals): boolean {
  const isLoaded = sites.every(({ addresses, tls }) =>
    tls?.source?.kind === "files" || addresses.every(({ speech }) => speech !== "tls")
  );
  return isLoaded &&
    sites.some(({ addresses }) =>
      addresses.some(({ host, port, path }) => host === "" && port === httpPort && isWhole(path))
    );
}

function isWhole(path: string): boolean {
  return path === "" || path === "/*" || path === "*";
}

/** Any host may be sent on where there is a certificate for any. */
function maySendOn(host: string, { tls }: SiteDraft, { tls: { top, issuers } }: Globals): boolean {
  if (host !== "") return true;
  const kind = tls?.source?.kind;
  if (kind !== undefined) return kind === "files" || kind === "internal";
  return top.has("issuer") || issuers[0]?.kind === "internal";
}

type Share = Pick<Group, "ports" | "speech" | "sendsOn">;

/** Where a host is answered: with TLS, in the clear, or both. `from`: where it may be sent on from. */
function shares(
  same: readonly Address[],
  { secure }: Ports,
  from: number | undefined,
): readonly Share[] {
  const own = [...new Set(same.map(({ port }) => port))];
  const inTls = own.filter((port) => secure.has(port));
  const inClear = own.filter((port) => !secure.has(port));
  if (inTls.length === 0) return [{ ports: own, speech: "plain", sendsOn: false }];
  if (from === undefined || inClear.includes(from)) {
    return [{ ports: own, speech: inClear.length === 0 ? "tls" : "both", sendsOn: false }];
  }
  const share: Share = { ports: [...inTls, from], speech: "tls", sendsOn: true };
  return inClear.length === 0
    ? [share]
    : [share, { ports: inClear, speech: "plain", sendsOn: false }];
}
