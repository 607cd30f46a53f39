/** Chance that a test can foretell, and real signatures. */
import { hmacSha256 } from "../../src/platform/web.ts";
import type { World } from "../../src/request/policy_asker.ts";

/** Every throw lands in the middle. */
export const WORLD: World = { random: () => 0.5, hmacSha256 };

/** Numbers that look like chance and are the same in every run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
