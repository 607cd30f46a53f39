/**
 * Rendezvous hashing: every upstream bids for a key, the highest bid wins. When one goes away only
 * its keys move, and any two instances with the same names agree without talking. Pure.
 */
import type { Member } from "../model.ts";

/** The candidate that a key belongs to. Its name bids, which outlives a change of address or of order. */
export function rendezvous(key: string, candidates: readonly Member[]): Member | undefined {
  const ofKey = fold(FNV_BASIS, key);
  let winner: Member | undefined;
  let highest = -1;
  for (const member of candidates) {
    const bid = scatter(fold(ofKey, member.upstream.name));
    if (bid <= highest) continue;
    highest = bid;
    winner = member;
  }
  return winner;
}

const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a of 32 bits, over UTF-16 units instead of bytes. */
function fold(hash: number, text: string): number {
  let folded = hash;
  for (let at = 0; at < text.length; at++) {
    folded = Math.imul(folded ^ text.charCodeAt(at), FNV_PRIME);
  }
  return folded;
}

/**
 * MurmurHash3's finalizer. FNV alone leaves the high bits of texts that differ at their end, as
 * names of upstreams do, nearly alike; the highest bid would mostly be the same one's.
 */
function scatter(hash: number): number {
  let bits = hash ^ (hash >>> 16);
  bits = Math.imul(bits, 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
