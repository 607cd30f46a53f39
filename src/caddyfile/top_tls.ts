/**
 * The section `tls` at the top: global options, what all sites say alike, and certificates that stand in for
 * sites without a word, as Caddy has them do.
 */
import type { Globals } from "./globals.ts";
import type { Listener } from "./listeners.ts";
import { refuse, type Session } from "./session.ts";
import type { Group } from "./site_ports.ts";
import { filled, putAcme } from "./site_tls.ts";
import { sendsOn } from "./tls.ts";
import { WrittenMap } from "./written.ts";

export interface TopScope {
  readonly session: Session;
  readonly globals: Globals;
  readonly listeners: readonly Listener[];
  /** That serve others than their own site, too. */
  readonly shared: readonly WrittenMap[];
  /** For comments that have no place elsewhere. */
  readonly root: WrittenMap;
}

const HTTPS_PORT = 443;

/** Who gives certificates to sites without a word, where that cannot stand at the top as others say more. */
export function usualIssuers(
  groups: readonly Group[],
  { tls: { issuers } }: Globals,
): readonly WrittenMap[] | undefined {
  const [first] = issuers;
  const hasOther = groups.some(({ site }) => site.tls?.source?.kind === "acme");
  return first?.kind === "acme" && hasOther ? issuers.map(({ settings }) => settings) : undefined;
}

/** `groups` are those with TLS, of which there is at least one. */
export function topTls(groups: readonly Group[], scope: TopScope): WrittenMap {
  const { globals, listeners, session, shared } = scope;
  const { top: general } = globals.tls;
  const top = new WrittenMap(general.at);
  for (const [key, { node, at }] of general.entries) {
    top.set(key, node, at).comment(key, general.commentsOf(key));
  }
  putIssuers(top, groups, scope);
  if (shared.length > 0) top.set("certificates", shared, general.at);
  putMinVersion(top, groups, session);

  const isMain = (one: Listener): boolean => one.tls && one.port === globals.httpsPort;
  if (!sendsOn(globals)) top.set("redirect", false, general.at);
  // Outside, the port is the usual one whatever it is here.
  else if (globals.httpsPort !== HTTPS_PORT && listeners.some(isMain)) {
    top.set("redirect", HTTPS_PORT, general.at);
  }
  return top;
}

/** `cert_issuer`, where it can stand at the top. */
function putIssuers(
  top: WrittenMap,
  groups: readonly Group[],
  { globals, root }: TopScope,
): void {
  const { issuers } = globals.tls;
  const [first] = issuers;
  const isGeneral = usualIssuers(groups, globals) === undefined;
  if (first !== undefined && isGeneral) {
    top.set("issuer", first.kind, first.line.at);
    if (first.kind === "acme") putUsual(top, globals);
    else if (first.settings.entries.size > 0) {
      top.set("internal", first.settings, first.settings.at);
    }
  }
  for (const { comments } of issuers) {
    if (isGeneral) top.comment("issuer", comments);
    else root.comment("routes", comments);
  }
}

/** The authorities of `cert_issuer`, with what other options say of all. */
function putUsual(top: WrittenMap, globals: Globals): void {
  const settings = globals.tls.issuers.map((issuer) => issuer.settings);
  const [only, ...others] = settings;
  if (only === undefined) return;
  if (others.length > 0) return putAcme(top, settings, globals);
  const general = globals.tls.top.get("acme");
  const acme = filled(only, general?.kind === "map" ? general : new WrittenMap(only.at));
  if (acme.entries.size > 0) top.set("acme", acme, only.at);
}

/** The oldest version is the same for all here. */
function putMinVersion(top: WrittenMap, groups: readonly Group[], session: Session): void {
  const newer = groups.flatMap(({ site: { tls } }) =>
    tls?.minVersion?.value === "1.3" ? [tls.minVersion] : []
  );
  const [first] = newer;
  if (first === undefined) return;
  if (newer.length === groups.length) {
    top.set("min_version", first.value, first.at);
    return;
  }
  for (const { token } of newer) refuse(session, token, "tls.protocols.some");
}
