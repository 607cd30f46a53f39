/**
 * Who the client is, and whether the peer that speaks for it is believed. Trusts nobody unless
 * told: anyone can write `X-Forwarded-For`.
 */
import { inCidr, parseIp } from "../ip.ts";
import type { Exchange } from "../model.ts";
import type { Cidr } from "../rules.ts";

export interface Client {
  /** Address of the client as far as trusted proxies vouch for it. */
  readonly ip: string;
  /** The peer is one of `trusted_proxies`: its forwarding fields are kept and appended to. */
  readonly viaTrusted: boolean;
}

export function identify(exchange: Exchange, trusted: readonly Cidr[]): Client {
  const { ip } = exchange.peer;
  if (trusted.length === 0 || !isTrusted(ip, trusted)) return { ip, viaTrusted: false };
  return { ip: farthestVouched(exchange, trusted), viaTrusted: true };
}

/** The client as a pool sees it that trusts some peers besides those trusted everywhere. */
export function believing(
  client: Client,
  trusted: readonly Cidr[],
  { peer }: Pick<Exchange, "peer">,
): Client {
  if (trusted.length === 0 || client.viaTrusted || !isTrusted(peer.ip, trusted)) return client;
  return { ip: client.ip, viaTrusted: true };
}

/**
 * Walks `X-Forwarded-For` from the right for as long as proxies are trusted: the first address that
 * is not one of them is the client. What stands left of it, anyone may have written.
 */
function farthestVouched(exchange: Exchange, trusted: readonly Cidr[]): string {
  const hops = (exchange.fields.joined("x-forwarded-for") ?? "").split(",").map((hop) =>
    hop.trim()
  );
  let client = exchange.peer.ip;
  for (const hop of hops.reverse()) {
    const ip = parseIp(hop);
    if (ip === undefined) break;
    client = hop;
    if (!trusted.some((block) => inCidr(ip, block))) break;
  }
  return client;
}

function isTrusted(ip: string, trusted: readonly Cidr[]): boolean {
  const bytes = parseIp(ip);
  return bytes !== undefined && trusted.some((block) => inCidr(bytes, block));
}
