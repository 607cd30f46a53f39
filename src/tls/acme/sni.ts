/** The name by which an authority asks for the proof of an address (RFC 8738 section 6), as TLS asks for names alone. Pure. */
import { parseIp } from "../../ip.ts";

/** The name itself where it is no address. */
export function sniOf(name: string): string {
  const bytes = parseIp(name);
  if (bytes === undefined) return name;
  if (bytes.length === 4) return `${[...bytes].reverse().join(".")}.in-addr.arpa`;
  const nibbles = bytes.flatMap((byte) => [byte >> 4, byte & 15]).reverse();
  return `${nibbles.map((nibble) => nibble.toString(16)).join(".")}.ip6.arpa`;
}
