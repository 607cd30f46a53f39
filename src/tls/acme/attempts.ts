/**
 * Which proof of a name is given: the preferred one that is offered, can work, and has not failed before.
 * Remembers, for one certificate, what has. Pure.
 */
import { parseIp } from "../../ip.ts";
import type { AcmeRules, Challenge } from "../../tls_rules.ts";

/** A proof that an authority did not take, or that could not be given. */
export interface Refusal {
  readonly name: string;
  readonly challenge: Challenge;
  /** Why, in words. */
  readonly words: string;
  readonly retryAfterMs: number | undefined;
}

/** A name that can be proved in one way alone is tried once more, as authorities err too. */
const LONELY_TRIES_MAX = 2;
/** Refusals that are told, at most. */
const TOLD_MAX = 4;

export class Attempts {
  readonly #rules: Pick<AcmeRules, "challenges" | "dns">;
  readonly #refusals: Refusal[] = [];

  constructor(rules: Pick<AcmeRules, "challenges" | "dns">) {
    this.#rules = rules;
  }

  refused(refusals: readonly Refusal[]): void {
    this.#refusals.push(...refusals);
  }

  /** Undefined where nothing is left to be tried. */
  choose(name: string, offered: readonly string[]): Challenge | undefined {
    const fit = this.#fit(name).filter((challenge) => offered.includes(challenge));
    const fresh = fit.find((challenge) => this.#failures(name, challenge) === 0);
    if (fresh !== undefined || fit.length !== 1) return fresh;
    return fit.find((challenge) => this.#failures(name, challenge) < LONELY_TRIES_MAX);
  }

  /** What went wrong with these names so far. */
  words(names: readonly string[]): string {
    const told = this.#refusals.filter(({ name }) => names.includes(name))
      .map(({ name, challenge, words }) => `"${name}" by ${challenge}: ${words}`);
    const once = [...new Set(told)];
    const more = once.length - TOLD_MAX;
    return [...once.slice(0, TOLD_MAX), ...(more > 0 ? [`${more} more`] : [])].join("; ");
  }

  /** The longest that anybody wants to be left alone, in milliseconds. */
  get retryAfterMs(): number | undefined {
    const all = this.#refusals.flatMap(({ retryAfterMs }) => retryAfterMs ?? []);
    return all.length === 0 ? undefined : Math.max(...all);
  }

  /** The proofs that can work for a name. */
  #fit(name: string): readonly Challenge[] {
    const { challenges, dns } = this.#rules;
    return challenges.filter((challenge) => {
      if (challenge === "dns-01") return dns !== undefined && !isIp(name);
      // Whoever serves one name of a zone need not own the zone (RFC 8555 section 8.4).
      return !name.startsWith("*.");
    });
  }

  #failures(name: string, challenge: Challenge): number {
    return this.#refusals.filter((one) => one.name === name && one.challenge === challenge).length;
  }
}

/** No zone holds an address (RFC 8738 section 7). */
export function isIp(name: string): boolean {
  return parseIp(name) !== undefined;
}

/** Whether both are addresses, and one and the same: IPv6 can be spelled in many ways. */
export function isSameIp(one: string, other: string): boolean {
  const bytes = parseIp(one);
  return bytes !== undefined && bytes.join() === parseIp(other)?.join();
}
