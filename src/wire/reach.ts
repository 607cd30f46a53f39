/**
 * How an upstream is reached: what a dial needs to know of it, and which upstreams may share their
 * connections. Pure.
 */
import { addressKey } from "../address.ts";
import type { DialLimits } from "../platform/platform.ts";
import type { Address, Upstream } from "../rules.ts";
import { type Party, proxyHeader } from "./proxy_protocol.ts";

/** Upstreams with one key may share connections: nothing in how they are made or kept differs. */
export function reachKey({ scheme, address, tls, connections }: Upstream): string {
  // Only TLS looks at the name, and only where the rules give none.
  const secured = scheme === "https" ? [tls, tls.name ?? nameOf(address)] : [];
  return JSON.stringify([scheme, addressKey(address), connections, ...secured]);
}

/** What is asked of a dial. `protocols` are those offered where TLS is spoken. */
export function reachLimits(
  upstream: Upstream,
  { timeoutMs, signal }: Pick<DialLimits, "timeoutMs" | "signal">,
  protocols: readonly string[],
  client: Party | undefined,
): DialLimits {
  const { scheme, address, tls, connections: { localAddress, proxyProtocol } } = upstream;
  return {
    timeoutMs,
    signal,
    ...(localAddress !== undefined && { localAddress }),
    ...(proxyProtocol !== undefined && { lead: proxyHeader(proxyProtocol, client) }),
    ...(scheme === "https" && {
      tls: { name: tls.name ?? nameOf(address), protocols, rules: tls },
    }),
  };
}

/** The host that an `https` upstream's certificate must prove. */
function nameOf(address: Address): string {
  return address.kind === "unix" ? "localhost" : address.host;
}
