/**
 * Puts sites together into a configuration: where to listen first, then what is the same for all, then the
 * routes, which name their ports where not all are meant.
 */
import type { Globals } from "./globals.ts";
import { type Listener, listenersOf, writtenListener } from "./listeners.ts";
import { refuse, type Session, take } from "./session.ts";
import { sharedCertificates, wildcardsOf } from "./shared_certificates.ts";
import type { SiteDraft } from "./site.ts";
import { type Group, groupsOf, portsOf } from "./site_ports.ts";
import { routesOf } from "./site_routes.ts";
import { routeTls, type TlsScope } from "./site_tls.ts";
import { inOrder } from "./tidy.ts";
import { topTls, usualIssuers } from "./top_tls.ts";
import { type Comments, NO_COMMENTS, type Plain, WrittenMap } from "./written.ts";

/** Keys of a section `tls` as one would write them. */
const SECTION = ["issuer", "cert", "key", "acme", "internal", "certificates", "client_auth"];

export interface AssembleScope {
  readonly session: Session;
  readonly globals: Globals;
  /** What global options say beside that. */
  readonly root: WrittenMap;
}

export function assemble(sites: readonly SiteDraft[], scope: AssembleScope): WrittenMap {
  const { session, globals, root } = scope;
  const { report } = session;
  const ports = portsOf(sites, report);
  const groups = groupsOf(sites, ports, globals);
  const listeners = listenersOf(sites, groups, { ports, globals, report });
  const secure = groups.filter(({ speech }) => speech !== "plain");
  for (const site of sites) {
    tellOfTlsInTheClear(site, secure.some((group) => group.site === site), session);
  }

  const tls: TlsScope = { session, globals, usual: usualIssuers(secure, globals) };
  const wildcards = wildcardsOf(secure, globals);
  const shared = sharedCertificates(secure, wildcards, tls);
  const settled = new Set(wildcards.filter(({ isWhole }) => isWhole).map(({ group }) => group));
  const top = secure.length === 0
    ? undefined
    : topTls(secure, { session, globals, root, listeners: listeners.all, shared });
  const own = new Map(groups.map((group) => [group, routeTls(group, tls, settled.has(group))]));
  if (top !== undefined) lift(own, top);

  const whole = new WrittenMap(root.at);
  putTop(whole, { top, listeners: listeners.all, globals });
  for (const [key, { node, at }] of root.entries) {
    whole.set(key, node, at).comment(key, root.commentsOf(key));
  }
  const list = whole.list("routes", root.at);
  for (const [group, section] of own) {
    const isEverywhere = group.ports.length === 0 || group.ports.length === listeners.ports.size;
    const ported = isEverywhere ? [] : group.ports;
    const comments = group.site.tls?.comments ?? NO_COMMENTS;
    for (const route of routesOf(group)) {
      list.items.push(withHead(route, { ports: ported, tls: section, comments }));
    }
  }
  return whole.comment("routes", root.commentsOf("routes"));
}

/** In Caddy nothing comes of `tls` where no TLS is spoken, unless it is about connections. */
function tellOfTlsInTheClear({ tls }: SiteDraft, isSecure: boolean, session: Session): void {
  if (tls === undefined || isSecure) return;
  const isOfConnections = tls.source?.kind === "files" || tls.clientAuth !== undefined ||
    tls.minVersion !== undefined;
  if (isOfConnections) refuse(session, tls.name, "tls.in the clear");
  else take(session, tls.name, "tls.without TLS");
}

/** Says once at the top what all sites say. */
function lift(own: ReadonlyMap<Group, WrittenMap | undefined>, top: WrittenMap): void {
  const secure = [...own].filter(([{ speech }]) => speech !== "plain");
  const [first] = secure.flatMap(([, tls]) => tls?.entries.get("issuer") ?? []);
  const isCommon = secure.every(([{ site: { tls } }]) =>
    tls?.source?.kind === "internal" && tls.source.settings.entries.size === 0
  );
  if (first === undefined || secure.length < 2 || !isCommon || top.has("issuer")) return;
  top.set("issuer", first.node, first.at);
  for (const [, tls] of secure) tls?.delete("issuer");
}

/** Listeners, and the section `tls` where there is something to say. */
function putTop(
  whole: WrittenMap,
  { top, listeners, globals }: {
    readonly top: WrittenMap | undefined;
    readonly listeners: readonly Listener[];
    readonly globals: Globals;
  },
): void {
  // TLS elsewhere than where everybody expects it is said once, as each certificate is for all listeners.
  const isStrange = listeners.some(({ tls, port }) => tls && port !== 443);
  const tls = top === undefined || top.entries.size === 0 && !isStrange ? undefined : top;
  const issuer = tls?.get("issuer");
  const general = tls && (issuer?.kind === "leaf" ? String(issuer.value) : "auto");
  const written = listeners.map((one) => ({
    at: one.at,
    node: writtenListener(one, { general, globals }),
  }));
  const [first, ...others] = written;
  if (first !== undefined && others.length === 0) whole.set("listen", first.node, first.at);
  else for (const { node, at } of written) whole.list("listen", at).add(node, at);
  if (tls !== undefined) putSection(whole, tls);
}

/** The section `tls`, as a word where one says it all. */
function putSection(map: WrittenMap, tls: WrittenMap): void {
  const issuer = tls.entries.get("issuer");
  if (tls.entries.size === 0) map.set("tls", "auto", tls.at);
  else if (issuer === undefined || tls.entries.size > 1) {
    map.set("tls", inOrder(tls, SECTION), tls.at);
  } else map.set("tls", issuer.node, issuer.at).comment("tls", tls.commentsOf("issuer"));
}

/** The same route with its ports and what it says of TLS, behind host and path. */
function withHead(
  route: WrittenMap,
  { ports, tls, comments }: {
    readonly ports: readonly number[];
    readonly tls: WrittenMap | undefined;
    readonly comments: Comments;
  },
): WrittenMap {
  const made = new WrittenMap(route.at);
  const keys = [...route.entries.keys()];
  const last = keys.findLast((key) => key === "host" || key === "path");
  const putHead = (): void => {
    const [only, ...others] = ports;
    const value: Plain = only !== undefined && others.length === 0 ? only : ports;
    if (only !== undefined) made.set("port", value, route.at);
    if (tls !== undefined && tls.entries.size > 0) putSection(made, tls);
  };
  if (last === undefined) putHead();
  for (const [key, { node, at }] of route.entries) {
    made.set(key, node, at);
    if (key === last) putHead();
  }
  const [first = ""] = made.entries.keys();
  for (const key of keys) {
    // What stands above the route comes before all of it.
    made.comment(last === undefined && key === keys[0] ? first : key, route.commentsOf(key));
  }
  return made.comment(made.has("tls") ? "tls" : first, comments);
}
