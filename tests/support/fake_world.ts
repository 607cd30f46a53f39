/** Chance that a test can foretell, real signatures, and requests that ask for an upstream. */
import { platform } from "#platform";
import type { World } from "../../src/request/deps.ts";
import type { Asker } from "../../src/request/policy_asker.ts";
import { type Asked, FakeExchange } from "./fake_exchange.ts";

/** Every throw lands in the middle. */
export const WORLD: World = {
  random: () => 0.5,
  hmacSha256: (key, text) => platform.hmacSha256(key, text),
  passwordMatches: (password, hash) => platform.passwordMatches(password, hash),
  compressor: (format) => platform.compressor(format),
};

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

export interface AskerChanges extends Asked {
  readonly clientIp?: string;
  readonly viaTrusted?: boolean;
  readonly world?: Asker["world"];
}

export function asker({ clientIp, viaTrusted, world, ...asked }: AskerChanges = {}): Asker {
  const exchange = new FakeExchange(asked);
  const client = { ip: clientIp ?? exchange.peer.ip, viaTrusted: viaTrusted ?? false };
  return { forwarding: { exchange, client }, world: world ?? WORLD };
}
