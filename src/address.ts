/** Addresses as text: as people and URLs spell them, and as keys that tell them apart. Pure. */
import type { Address } from "./rules.ts";

/** `host:port`, an IPv6 address in brackets; `unix/PATH` for a socket file. */
export function spellAddress(address: Address): string {
  if (address.kind === "unix") return `unix/${address.path}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

/** The URL of an address that is listened on; no host is every interface. */
export function urlOf(address: Address, scheme: "http" | "https" = "http"): string {
  if (address.kind === "unix") return spellAddress(address);
  const host = address.host === "" ? "0.0.0.0" : address.host;
  return `${scheme}://${spellAddress({ ...address, host })}`;
}

/** One text for one address, to tell addresses apart. */
export function addressKey(address: Address): string {
  return address.kind === "unix" ? `unix/${address.path}` : `${address.host}|${address.port}`;
}
