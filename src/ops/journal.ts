/**
 * Remembers what someone may ask about afterwards: how upstreams fared in the last day, and requests
 * that did not go as they should. Bounded, and of no cost to a request that went well.
 */
import type { Account } from "../model.ts";
import { redactedUri } from "./access.ts";
import type { Notable, NotableKind, Transition } from "./status.ts";

export const TRANSITIONS_MAX = 1000;
export const NOTABLE_MAX = 50;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Who is told at once. */
export interface JournalHearer {
  readonly transition: (transition: Transition) => void;
  readonly notable: (notable: Notable) => void;
}

export class Journal {
  /** A head that takes longer makes a request notable, in milliseconds. */
  slowMs = Infinity;
  readonly #hearer: JournalHearer;
  /** Oldest first, both. */
  readonly #transitions: Transition[] = [];
  readonly #notable: Notable[] = [];

  constructor(hearer: JournalHearer) {
    this.#hearer = hearer;
  }

  turn(transition: Transition): void {
    keep(this.#transitions, transition, TRANSITIONS_MAX);
    this.#hearer.transition(transition);
  }

  /** On the request path. */
  account(account: Account): void {
    const kind = kindOf(account, this.slowMs);
    if (kind === undefined) return;
    const notable = notableOf(account, kind);
    keep(this.#notable, notable, NOTABLE_MAX);
    this.#hearer.notable(notable);
  }

  /** Newest first. */
  transitions(now: number): readonly Transition[] {
    return this.#transitions.filter(({ at }) => at > now - DAY_MS).reverse();
  }

  /** Newest first. */
  notable(): readonly Notable[] {
    return this.#notable.toReversed();
  }
}

/** Why a request is worth remembering; undefined for one that went well, or was the client's own fault. */
export function kindOf(account: Account, slowMs: number): NotableKind | undefined {
  switch (account.outcome) {
    case "answered":
      if (account.failures.length > 0) return "failed_over";
      return (account.firstByteMs ?? 0) > slowMs ? "slow" : undefined;
    case "truncated":
      return "cut";
    case "failed":
    case "unavailable":
    case "error":
      return "failed";
    case "abandoned": {
      // Also one whose client did not wait for the head.
      const waitedMs = account.firstByteMs ?? account.durationMs;
      if (waitedMs > slowMs) return "slow";
      return account.firstByteMs !== undefined && account.failures.length > 0
        ? "failed_over"
        : undefined;
    }
    case "unrouted":
    case "refused":
      return undefined;
  }
}

function notableOf(account: Account, kind: NotableKind): Notable {
  const { exchange } = account;
  return {
    at: account.startedAt,
    requestId: account.requestId,
    routeId: account.routeId,
    method: exchange.method,
    host: exchange.fields.get("host") ?? "",
    uri: redactedUri(exchange.target),
    status: account.status,
    outcome: account.outcome,
    upstream: account.upstream,
    attempts: account.attempts,
    durationMs: account.durationMs,
    firstByteMs: account.firstByteMs,
    failures: account.failures,
    kind,
  };
}

function keep<T>(list: T[], item: T, most: number): void {
  list.push(item);
  if (list.length > most) list.shift();
}
