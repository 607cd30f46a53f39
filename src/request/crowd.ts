/**
 * The clients of a route: how much each has asked lately and how many of its requests run. Bounded,
 * as anyone can come from many addresses; whoever came longest ago is forgotten first.
 */
import { parseIp } from "../ip.ts";
import type { RateRules } from "../rules.ts";
import { takeToken } from "./bucket.ts";

/** Clients remembered at most; to forget one fills its bucket. */
const CLIENTS_MAX = 10_000;

export class Crowd {
  /** When each client's bucket will be full, the one that came longest ago first. */
  readonly #fullAt = new Map<string, number>();
  /** Bounded by the requests that run. */
  readonly #running = new Map<string, number>();
  readonly #clientsMax: number;

  constructor(clientsMax = CLIENTS_MAX) {
    this.#clientsMax = clientsMax;
  }

  /** Clients remembered now. */
  get size(): number {
    return this.#fullAt.size;
  }

  /** Counts a request at `now`; says how long to wait in milliseconds if it is one too many, else 0. */
  count(client: string, now: number, rules: RateRules): number {
    const known = this.#fullAt.get(client);
    const { fullAt, waitMs } = takeToken(known ?? -Infinity, now, rules);
    // Taken out and put back, so that it stands last.
    if (known !== undefined) this.#fullAt.delete(client);
    else if (this.#fullAt.size >= this.#clientsMax) this.#forgetOldest();
    this.#fullAt.set(client, fullAt);
    return waitMs;
  }

  /** Lets a request run unless `most` of that client do; the returned function ends it. */
  enter(client: string, most: number): (() => void) | undefined {
    const running = this.#running.get(client) ?? 0;
    if (running >= most) return undefined;
    this.#running.set(client, running + 1);
    return () => {
      const left = (this.#running.get(client) ?? 1) - 1;
      if (left === 0) this.#running.delete(client);
      else this.#running.set(client, left);
    };
  }

  #forgetOldest(): void {
    for (const client of this.#fullAt.keys()) {
      this.#fullAt.delete(client);
      return;
    }
  }
}

/**
 * What tells clients apart: an IPv4 address, or the half of an IPv6 one that is given to a whole
 * network, as its owner has all the rest to choose from (RFC 6177).
 */
export function clientKey(ip: string): string {
  if (!ip.includes(":")) return ip;
  const bytes = parseIp(ip);
  if (bytes === undefined) return ip;
  return bytes.length === 4 ? bytes.join(".") : `${bytes.slice(0, 8).join(":")}/64`;
}
