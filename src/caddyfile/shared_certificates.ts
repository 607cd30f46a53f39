/**
 * Certificates of one site that serve others as well: Caddy asks for none where one that it has is for the
 * name, be it loaded from files or a wildcard's.
 */
import { bareHost, covers } from "../names.ts";
import type { Globals } from "./globals.ts";
import type { Group } from "./site_ports.ts";
import { isPrivate, kindOf, putSource, type TlsScope } from "./site_tls.ts";
import { WrittenMap } from "./written.ts";

/** Wildcards of a group that are for names of others. */
export interface Wildcard {
  readonly group: Group;
  readonly hosts: readonly string[];
  /** All that the group serves is one of these, or for one of these. */
  readonly isWhole: boolean;
}

export function wildcardsOf(groups: readonly Group[], globals: Globals): readonly Wildcard[] {
  const waiting = groups.filter(({ site: { tls } }) => tls?.source === undefined)
    .flatMap(({ hosts }) => hosts);
  return groups.flatMap((group): Wildcard[] => {
    const kind = kindOf(group.site.tls, globals);
    const names = [...group.hosts, ...waiting].filter((host) => !host.startsWith("*"));
    const hosts = group.hosts.filter((host) =>
      host.startsWith("*.") && (kind === "acme" || kind === "auto" && !isPrivate(host)) &&
      names.some((name) => isFor(host, name))
    );
    if (hosts.length === 0) return [];
    const isWhole = group.hosts.every((host) => hosts.some((wildcard) => isFor(wildcard, host)));
    return [{ group, hosts, isWhole }];
  });
}

function isFor(wildcard: string, host: string): boolean {
  return covers(wildcard.toLowerCase(), bareHost(host.toLowerCase()));
}

/** The list of certificates at the top. */
export function sharedCertificates(
  groups: readonly Group[],
  wildcards: readonly Wildcard[],
  scope: TlsScope,
): readonly WrittenMap[] {
  const isWaiting = groups.some(({ hosts, site: { tls } }) =>
    tls?.source === undefined && hosts.some((host) => host !== "*")
  );
  const pairs = new Map<string, WrittenMap>();
  for (const { site: { tls } } of groups) {
    if (tls?.source?.kind !== "files" || !isWaiting) continue;
    const { pair } = tls.source;
    const cert = pair.get("cert");
    if (cert?.kind === "leaf") pairs.set(String(cert.value), pair);
  }
  const loaded = scope.globals.autoHttps.has("ignore_loaded_certs") ? [] : [...pairs.values()];
  const wild = wildcards.map(({ group, hosts }) => {
    const at = group.site.tls?.at ?? { ...group.token, where: "tls" };
    const [only, ...others] = hosts;
    const entry = new WrittenMap(at);
    entry.set("hosts", only !== undefined && others.length === 0 ? only : hosts, at);
    putSource(entry, { ...group, hosts }, scope);
    return entry;
  });
  return [...loaded, ...wild];
}
