/**
 * Where to listen: the addresses of all sites, each spoken to as they want it, and the port for HTTP where
 * requests in the clear are sent on. The setting `listen`, and the ports it has in the end.
 */
import { placeOf } from "./directive.ts";
import type { Globals } from "./globals.ts";
import type { Report } from "./report.ts";
import type { SiteDraft } from "./site.ts";
import type { Group, Ports } from "./site_ports.ts";
import { type Place, type Plain, WrittenMap } from "./written.ts";

/** One address to listen on. */
export interface Listener {
  readonly at: Place;
  /** Address of ours as listeners are spelled; empty for all. */
  readonly bind: string;
  readonly port: number;
  readonly tls: boolean;
}

export interface Listeners {
  readonly all: readonly Listener[];
  /** Ports of these, and the one that opens by itself for requests that are sent on. */
  readonly ports: ReadonlySet<number>;
}

const HTTP_PORT = 80;
const HTTPS_PORT = 443;

export function listenersOf(
  sites: readonly SiteDraft[],
  groups: readonly Group[],
  { ports, globals, report }: {
    readonly ports: Ports;
    readonly globals: Globals;
    readonly report: Report;
  },
): Listeners {
  for (const port of ports.all) tellOfSharedPort(port, sites, report);
  const { httpPort, httpsPort } = globals;
  const own = sites.flatMap((site) => ownOf(site, ports));
  // Requests in the clear are sent to the first that speaks TLS unless a port is named.
  const sorted = own.toSorted((one, other) =>
    Number(other.port === httpsPort) - Number(one.port === httpsPort)
  );
  const all = [...new Map(sorted.map((one) => [spelled(one), one])).values()];
  const senders = groups.filter((group) => group.sendsOn);
  if (senders.length === 0) return { all, ports: ports.all };

  const whole = new Set([...ports.all, httpPort]);
  const sending = senders.flatMap(({ site }) => ownOf(site, ports).filter(({ tls }) => tls));
  const there = all.filter(({ port }) => port === httpPort);
  if (there.length > 0) {
    tellOfOtherBinds(there, sending, report);
    return { all, ports: whole };
  }
  const usual = all.filter(({ port, tls }) => tls && port === HTTPS_PORT);
  const isImplied = httpPort === HTTP_PORT && usual.length === 1 &&
    senders.every((group) => group.ports.length === whole.size);
  if (isImplied) return { all, ports: whole };
  const added = sending.map((one) => ({ ...one, port: httpPort, tls: false }));
  return {
    all: [...all, ...new Map(added.map((one) => [spelled(one), one])).values()],
    ports: whole,
  };
}

function ownOf({ addresses, binds }: SiteDraft, { secure }: Ports): readonly Listener[] {
  return addresses.flatMap(({ token, port }) =>
    (binds.length === 0 ? [undefined] : binds).map((bind) => ({
      at: placeOf(bind ?? token, bind === undefined ? "" : "bind"),
      bind: bind === undefined ? "" : spelledHost(bind.text),
      port,
      tls: secure.has(port),
    }))
  );
}

/** Routes tell connections apart by the port, so that sites on one port must share its addresses. */
function tellOfSharedPort(port: number, sites: readonly SiteDraft[], report: Report): void {
  const nothing = { all: new Set<number>(), secure: new Set<number>() };
  const sets = sites.map((site) => ownOf(site, nothing).filter((one) => one.port === port))
    .filter((own) => own.length > 0);
  const [first, ...others] = sets.map((own) => new Set(own.map(({ bind }) => bind)));
  for (const [at, set] of others.entries()) {
    const place = sets[at + 1]?.[0]?.at;
    if (place === undefined || first === undefined || isSame(first, set)) continue;
    const message =
      `Cannot take this over as sites on port ${port} listen on different addresses; ` +
      `use one "bind" for all of them, or a port for each`;
    report.tell(place, "bind", message);
  }
}

/** What is sent on comes in where sites in the clear listen. */
function tellOfOtherBinds(
  there: readonly Listener[],
  sending: readonly Listener[],
  report: Report,
): void {
  const binds = new Set(there.map(({ bind }) => bind));
  const stray = sending.find(({ bind }) => !binds.has("") && !binds.has(bind));
  const [port] = there.map((one) => one.port);
  if (stray === undefined) return;
  const message =
    `Cannot take this over as requests are sent on from port ${port}, where sites listen on ` +
    `different addresses; use one "bind" for all of them, or auto_https disable_redirects`;
  report.tell(stray.at, "bind", message);
}

function isSame(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((entry) => other.has(entry));
}

function spelled({ bind, port }: Listener): string {
  return `${bind}:${port}`;
}

/** An address as listeners are spelled. */
function spelledHost(text: string): string {
  const host = text.replace(/^tcp[46]?\//, "");
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

/** `general` is the issuer at the top where there is a section `tls`, which makes TLS the rule. */
export function writtenListener(
  listener: Listener,
  { general, globals: { protocols } }: {
    readonly general: string | undefined;
    readonly globals: Globals;
  },
): Plain {
  const { at, port, tls } = listener;
  const isRule = general === undefined ? port === HTTPS_PORT : port !== HTTP_PORT;
  const map = new WrittenMap(at).set("address", spelled(listener), at);
  if (isRule !== tls) map.set("tls", tls ? general ?? "auto" : "off", at);
  const usual = tls ? ["h1", "h2"] : ["h1"];
  const wanted = (tls ? ["h1", "h2", "h3"] : ["h1", "h2c"]).filter((word) =>
    protocols?.words.includes(word) ?? usual.includes(word)
  );
  if (protocols !== undefined && wanted.join() !== usual.join()) {
    map.set("protocols", wanted, protocols.at);
  }
  return map.entries.size === 1 ? spelled(listener) : map;
}
