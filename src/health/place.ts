/** Where a probe goes: the upstream itself, another place that the rules name, or where it is sent on to. Pure. */
import { spellAddress } from "../address.ts";
import type { Address, HealthRules, Upstream } from "../rules.ts";

/** The upstream with the address that `port` or `upstream` of the rules name. */
export function probed(upstream: Upstream, rules: HealthRules): Upstream {
  const address = rules.address ?? otherPort(upstream.address, rules.port);
  const { connections } = upstream;
  const asked = address === upstream.address ? upstream : at(upstream, address);
  if (connections.connectionsMax === Infinity) return asked;
  // Else an upstream that is busy would be taken for one that is down.
  return { ...asked, connections: { ...connections, connectionsMax: Infinity, idleMs: 0 } };
}

/** Where a redirection leads to; undefined where no probe can go. */
export function follow(
  location: string,
  upstream: Upstream,
  target: string,
): { asked: Upstream; target: string } | undefined {
  // A URL knows no h2c, and a socket file has no place in one.
  const { scheme: own, address, authority } = upstream;
  const host = address.kind === "unix" ? "localhost" : authority;
  const base = `${own === "https" ? own : "http"}://${host}${target}`;
  const url = URL.canParse(location, base) ? new URL(location, base) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return undefined;
  }

  const next = url.pathname + url.search;
  if (url.origin === new URL(base).origin) return { asked: upstream, target: next };
  const scheme = url.protocol === "https:" ? "https" : "http";
  const port = Number(url.port || (scheme === "https" ? 443 : 80));
  const name = url.hostname.replace(/^\[|\]$/g, "");
  const elsewhere = at(upstream, { kind: "tcp", host: name, port });
  const { tls, connections } = upstream;
  const asked = {
    ...elsewhere,
    scheme,
    authority: url.host,
    // What is ours to show and to ask for is meant for the upstream alone.
    tls: { ...tls, name: undefined, certificate: undefined },
    connections: { ...connections, proxyProtocol: undefined },
  } as const;
  return { asked, target: next };
}

function otherPort(address: Address, port: number | undefined): Address {
  if (port === undefined) return address;
  return { kind: "tcp", host: address.kind === "tcp" ? address.host : "localhost", port };
}

function at(upstream: Upstream, address: Address): Upstream {
  if (address.kind === "unix") return { ...upstream, address };
  return { ...upstream, address, authority: spellAddress(address) };
}
