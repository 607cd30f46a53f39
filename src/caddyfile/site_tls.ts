/**
 * The section `tls` of a route: what its site says of certificates and clients, as far as that is not what
 * would be chosen anyway. Refuses what Caddy could not keep either.
 */
import { bareHost, isPrivateName } from "../names.ts";
import type { Globals } from "./globals.ts";
import { refuse, type Session } from "./session.ts";
import type { Group } from "./site_ports.ts";
import { sendsOn, withoutCertificates } from "./tls.ts";
import type { SiteTls, Source } from "./tls_directive.ts";
import { WrittenMap } from "./written.ts";

export interface TlsScope {
  readonly session: Session;
  readonly globals: Globals;
  /** Who gives certificates where a site says nothing, unless that stands at the top. */
  readonly usual: readonly WrittenMap[] | undefined;
}

/** Undefined where nothing needs to be said. `isSettled`: its certificate is one that serves others, too. */
export function routeTls(
  group: Group,
  scope: TlsScope,
  isSettled: boolean,
): WrittenMap | undefined {
  const { site: { tls: said }, speech } = group;
  if (speech === "plain" || !isServable(group, scope)) return undefined;
  const at = said?.at ?? { ...group.token, where: "tls" };
  const tls = new WrittenMap(at);
  if (!isSettled) putSource(tls, group, scope);
  if (said?.clientAuth !== undefined) tls.set("client_auth", said.clientAuth, said.clientAuth.at);
  if (speech === "both" && sendsOn(scope.globals)) tls.set("redirect", false, at);
  return tls.entries.size === 0 ? undefined : tls;
}

/** Whether somebody gives it a certificate; tells where nobody does. */
function isServable(group: Group, { session, globals }: TlsScope): boolean {
  const { token, hosts, path, site: { tls: said } } = group;
  const isOwn = said?.source?.kind === "files";
  const word = withoutCertificates(globals);
  if (word !== undefined && !isOwn) {
    const [host = "*"] = hosts;
    const nearest = host === "*" ? "" : `, or "http://${host}${path}"`;
    const message = `Cannot serve this site with TLS as auto_https ${word} leaves it without a ` +
      `certificate; use "tls CERT KEY" within it${nearest}`;
    session.report.tell(token, "", message);
    return false;
  }
  const ofTailscale = hosts.find((host) => host.toLowerCase().endsWith(".ts.net"));
  if (ofTailscale !== undefined && said?.source === undefined) {
    session.report.tell(
      token,
      "",
      "Cannot serve this site as Caddy does, which has Tailscale give it a certificate; " +
        'use the files that "tailscale cert" writes, with "tls CERT KEY" within it',
    );
    return false;
  }
  const isAnyHost = hosts.includes("*");
  if (said?.onDemand !== undefined && isAnyHost && kindOf(said, globals) !== "internal") {
    refuse(session, said.onDemand, "tls.on_demand.any host");
    return false;
  }
  return true;
}

/** Whose certificates a site has: its own word, or that of the global options. */
export function kindOf(
  said: SiteTls | undefined,
  { tls: { top, issuers } }: Globals,
): Source["kind"] {
  const own = said?.source?.kind;
  if (own !== undefined && own !== "auto") return own;
  return issuers[0]?.kind ?? (top.has("issuer") ? "internal" : "auto");
}

/** Where the certificate of a group comes from. */
export function putSource(
  tls: WrittenMap,
  group: Group,
  { session, globals, usual }: TlsScope,
): void {
  const { hosts, site: { tls: said } } = group;
  const { at } = tls;
  const source = said?.source;
  switch (source?.kind) {
    case "files":
      for (const [key, entry] of source.pair.entries) tls.set(key, entry.node, entry.at);
      break;
    case "internal":
      putInternal(tls, source.settings, { hosts, globals });
      break;
    case "acme":
      putAcme(tls, source.issuers, globals);
      break;
    case "auto":
      tls.set("issuer", kindOf(undefined, globals), at);
      break;
    case undefined:
      if (usual !== undefined) putAcme(tls, usual, globals);
  }
  if (said?.keyType !== undefined) putKeyType(tls, said.keyType, { group, session, globals });
}

/** A section, or a list of several that lack nothing: they take the place of what stands at the top. */
export function putAcme(
  tls: WrittenMap,
  issuers: readonly WrittenMap[],
  { tls: { top } }: Globals,
): void {
  const [only, ...others] = issuers;
  const general = top.get("acme");
  if (only !== undefined && others.length === 0) {
    if (only.entries.size === 0) tls.set("issuer", "acme", only.at);
    else tls.set("acme", filled(only, new WrittenMap(only.at)), only.at);
    return;
  }
  const whole = general?.kind === "map" ? general : new WrittenMap(tls.at);
  tls.set("acme", issuers.map((issuer) => filled(issuer, whole)), tls.at);
}

/** What one says laid over what all say. */
export function filled(own: WrittenMap, general: WrittenMap): WrittenMap {
  const whole = new WrittenMap(own.at);
  for (const map of [general, own]) {
    for (const [key, { node, at }] of map.entries) whole.set(key, node, at);
  }
  for (const key of own.entries.keys()) whole.comment(key, own.commentsOf(key));
  return whole;
}

function putInternal(
  tls: WrittenMap,
  settings: WrittenMap,
  { hosts, globals }: { readonly hosts: readonly string[]; readonly globals: Globals },
): void {
  if (settings.entries.size > 0) {
    tls.set("internal", settings, settings.at);
    return;
  }
  const isUsual = hosts.every((host) => host !== "*" && isPrivate(host));
  const general = kindOf(undefined, globals);
  if (general === "internal" || general === "auto" && isUsual) return;
  tls.set("issuer", "internal", tls.at);
}

/** The key of the authority here is of one kind. */
function putKeyType(
  tls: WrittenMap,
  { value, at, token }: NonNullable<SiteTls["keyType"]>,
  { group: { hosts, site }, session, globals }: {
    readonly group: Group;
    readonly session: Session;
    readonly globals: Globals;
  },
): void {
  const kind = kindOf(site.tls, globals);
  const isOurs = kind === "internal" || kind === "auto" && hosts.every(isPrivate);
  if (kind === "files") return;
  if (isOurs) {
    if (value !== "p256") refuse(session, token, "tls.key_type.internal");
    return;
  }
  const known = tls.get("acme");
  for (const acme of known?.kind === "list" ? known.items : [tls.map("acme", at)]) {
    if (acme.kind === "map") acme.set("key_type", value, at);
  }
  // Settings of ACME alone would have everything ordered there.
  if (kind === "auto" && hosts.some(isPrivate)) tls.set("issuer", "auto", at);
}

/** Only the authority here can give a certificate for it, also where nobody knows the name yet. */
export function isPrivate(host: string): boolean {
  return host === "*" || isPrivateName(bareHost(host.toLowerCase()));
}
