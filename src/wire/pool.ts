/**
 * Keeps connections to one upstream for the next request: the last one used goes first, so that the
 * others grow old and go. Holds none that is in use.
 */
import type { Attempt, Outcome } from "../model.ts";
import type { Clock } from "../platform/platform.ts";
import type { Deadlines, Waiting } from "../deadlines.ts";
import type { ConnectionRules } from "../rules.ts";
import { HEAD_LIMITS, type HeadLimits } from "./head.ts";
import { Slots } from "./slots.ts";

/** How much sooner than promised it goes, so that a request does not meet the upstream's farewell. */
const MARGIN_MS = 1_000;

/** A connection as the pool and its users see it. */
export interface Kept {
  /** `elapsed` time at which its last request ended. */
  readonly usedAt: number;
  /** How long its upstream promised to keep it, in milliseconds; undefined when it said nothing. */
  readonly promisedMs: number | undefined;
  /** Made for a request that must not share one; others of the kind will not use it either. */
  readonly dedicated: boolean;
  run(attempt: Attempt): Promise<Outcome>;
  close(): void;
}

export interface PoolDeps {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Sends by a connection made for it. */
  readonly dial: (attempt: Attempt) => Promise<Outcome>;
}

export class Pool implements Waiting {
  place = -1;
  /** For a request whose kept connection turned out to be dead. */
  readonly dial: PoolDeps["dial"];
  /** Places for its connections; undefined where it takes any number. */
  readonly slots: Slots | undefined;
  readonly headLimits: HeadLimits;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  /** How long one is kept whose upstream does not say how long it keeps its side. */
  readonly #idleMs: number;
  readonly #idleMax: number;
  /** The last one used stands last. */
  #idle: Kept[] = [];

  constructor(rules: ConnectionRules, { clock, deadlines, dial }: PoolDeps) {
    this.dial = dial;
    this.slots = rules.connectionsMax === Infinity ? undefined : new Slots(rules.connectionsMax);
    this.headLimits = { ...HEAD_LIMITS, headLimitBytes: rules.headLimitBytes };
    this.#idleMs = rules.idleMs;
    // A connection that said at its start whose it is can be nobody else's.
    const keeps = rules.idleMs > 0 && rules.proxyProtocol === undefined;
    this.#idleMax = keeps ? rules.idleMax : 0;
    this.#clock = clock;
    this.#deadlines = deadlines;
  }

  get deadline(): number {
    return this.#idle.reduce((first, kept) => Math.min(first, this.#endOf(kept)), Infinity);
  }

  /** A connection for this attempt; undefined when it needs one of its own. */
  take({ fresh, body, upgrade }: Attempt): Kept | undefined {
    // A body cannot be sent twice here, so it never meets a connection that may have gone stale.
    if (fresh || body !== undefined || upgrade !== undefined) return undefined;
    // As of the last tick, which is near enough: what was promised is kept with a margin.
    const { now } = this.#deadlines;
    for (let kept = this.#idle.pop(); kept !== undefined; kept = this.#idle.pop()) {
      if (this.#endOf(kept) > now) return kept;
      kept.close();
    }
    return undefined;
  }

  put(kept: Kept): void {
    // Every POST brings one, and takes none: kept all, they would pile up for nobody.
    const unneeded = kept.dedicated && this.#idle.length > 0;
    if (unneeded || this.#idle.length >= this.#idleMax) return kept.close();
    if (this.#idle.length === 0) this.#deadlines.add(this);
    this.#idle.push(kept);
    this.slots?.turn();
  }

  /** Ends the connection that was not used for the longest time. */
  makeRoom(): void {
    this.#idle.shift()?.close();
  }

  /** Forgets a connection that ended by itself. */
  drop(kept: Kept): void {
    const at = this.#idle.indexOf(kept);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  clear(): void {
    for (const kept of this.#idle.splice(0)) kept.close();
    this.#deadlines.drop(this);
  }

  expire(): void {
    const now = this.#clock.elapsed();
    const old = this.#idle.filter((kept) => this.#endOf(kept) <= now);
    this.#idle = this.#idle.filter((kept) => this.#endOf(kept) > now);
    for (const kept of old) kept.close();
    if (this.#idle.length === 0) this.#deadlines.drop(this);
  }

  #endOf({ usedAt, promisedMs }: Kept): number {
    const keptMs = promisedMs === undefined ? Infinity : promisedMs - MARGIN_MS;
    return usedAt + Math.min(this.#idleMs, keptMs);
  }
}

/** Milliseconds of `Keep-Alive: timeout=5`. */
export function promised(field: string | undefined): number | undefined {
  if (field === undefined) return undefined;
  const seconds = /(?:^|[,\s])timeout=(\d{1,6})/i.exec(field)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
