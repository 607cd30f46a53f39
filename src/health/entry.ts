/**
 * The state of one upstream: phase, streak, penalties, in-flight requests. Probes and requests
 * report here; the folds decide; whoever watches is told. Starts nothing of its own.
 */
import type { DownHearer, Phase, Sighting, Standing, Verdict } from "../model.ts";
import type { HealthRules, PassiveRules } from "../rules.ts";
import type { Clock } from "../platform/platform.ts";
import { Askers } from "./askers.ts";
import { Latencies } from "./latencies.ts";
import { barredUntil, countsAs, penalise, type Penalties } from "./passive.ts";
import { type Health, observe } from "./state.ts";

/** What the operator should hear of. */
export type Change =
  | { readonly kind: "phase"; readonly from: Phase; readonly to: Phase; readonly reason: string }
  /** Penalties began to bar the upstream. */
  | { readonly kind: "penalised"; readonly reason: string; readonly forMs: number }
  /** An operator took it out of play, or back in. */
  | { readonly kind: "drained" | "undrained"; readonly reason: string };

export interface Rules {
  readonly health: HealthRules | undefined;
  readonly passive: PassiveRules;
}

export interface EntryDeps {
  readonly clock: Clock;
  readonly announce: (change: Change) => void;
}

const UNPROBED = "not probed yet";

export class Entry implements Standing {
  drained = false;
  inFlight = 0;
  /** Attempts it was given, and those that failed or were cut. */
  requests = 0;
  failures = 0;
  /** To the response head of requests, and of probes as a whole. */
  readonly latencies = new Latencies();
  readonly probeLatencies = new Latencies();
  /** `elapsed` time of the last request that came, or would rather have come, here. */
  lastWantedAt = -Infinity;
  /** A failure or a doubt wants a probe now; the loop takes it back when it starts one. */
  probeAsked = false;
  /** Wakes the probe loop, which sets it. */
  nudge: () => void = () => {};
  firstVerdict: Promise<void> | undefined;
  lastVerdict: Verdict | undefined;
  /** Wall clock of the last change of phase. */
  since: number;
  /** Why the phase is what it is, in words. */
  reason = UNPROBED;

  readonly #deps: EntryDeps;
  #rules: Rules;
  #health: Health = { phase: "unknown", streak: 0 };
  #penalties: Penalties = [];
  #fitSince: number;
  #lastFailureAt = -Infinity;
  #settleFirst: () => void = () => {};
  readonly #askers = new Askers();
  /** As many as requests wait here: a list, as a `Set` makes its table anew under such traffic. */
  readonly #hearers: DownHearer[] = [];

  constructor(rules: Rules, deps: EntryDeps) {
    this.#rules = rules;
    this.#deps = deps;
    this.since = deps.clock.now();
    this.#fitSince = deps.clock.elapsed();
    this.#begin();
  }

  get phase(): Phase {
    return this.#health.phase;
  }

  /** Verdicts in a row against the phase. */
  get streak(): number {
    return this.#health.streak;
  }

  /** Keeps new requests from it, or lets them come again. Says whether that changed anything. */
  drain(drained: boolean): boolean {
    if (this.drained === drained) return false;
    this.drained = drained;
    const kind = drained ? "drained" : "undrained";
    this.#deps.announce({ kind, reason: `${kind} by an operator` });
    return true;
  }

  /** Takes new rules over after a reload. What was learned stays, unless probing began or ended. */
  configure(rules: Rules): void {
    const probedBefore = this.#rules.health !== undefined;
    this.#rules = rules;
    if (rules.passive.failDurationMs === 0) this.#clear();
    if (probedBefore === (rules.health !== undefined)) return;

    this.#askers.dismiss();
    if (this.phase === "down") this.#fitSince = this.#deps.clock.elapsed();
    this.#health = { phase: "unknown", streak: 0 };
    this.since = this.#deps.clock.now();
    this.reason = UNPROBED;
    this.#settle();
    this.#begin();
  }

  fitSince(now: number): number {
    const fit = this.phase !== "down" && !this.drained && this.penalisedUntil(now) === undefined;
    return fit ? this.#fitSince : Infinity;
  }

  penalisedUntil(now: number): number | undefined {
    if (this.#penalties.length === 0) return undefined;
    return barredUntil(this.#penalties, now, this.#rules.passive.failsMax);
  }

  get fails(): number {
    return this.penalties(this.#deps.clock.elapsed()).length;
  }

  /** `elapsed` times at which remembered failures lapse, the first to lapse first. */
  penalties(now: number): readonly number[] {
    return this.#penalties.filter((lapsesAt) => lapsesAt > now);
  }

  enter(): void {
    this.inFlight++;
    this.requests++;
    this.wanted();
  }

  leave(): void {
    this.inFlight--;
  }

  wanted(): void {
    const { health } = this.#rules;
    if (health?.idleIntervalMs === undefined) return;
    const now = this.#deps.clock.elapsed();
    const wasIdle = now - this.lastWantedAt > health.intervalMs;
    this.lastWantedAt = now;
    if (wasIdle) this.nudge();
  }

  saw(sighting: Sighting): void {
    if (sighting.kind === "answered") this.latencies.push(sighting.latencyMs);
    else this.failures++;
    if (sighting.kind === "failed") this.latencies.push(undefined);
    const reason = countsAs(sighting, this.#rules.passive);
    if (reason !== undefined) this.#penalise(reason);
  }

  suspect(): void {
    this.probeAsked = true;
    this.nudge();
  }

  /** Asks for a probe now and settles with its verdict; undefined when it is not probed, or no longer. */
  probeNow(): Promise<Verdict | undefined> {
    if (this.#rules.health === undefined) return Promise.resolve(undefined);
    this.suspect();
    return this.#askers.ask(this.#deps.clock.elapsed());
  }

  hear(hearer: DownHearer): void {
    this.#hearers.push(hearer);
  }

  unhear(hearer: DownHearer): void {
    const at = this.#hearers.lastIndexOf(hearer);
    if (at < 0) return;
    const last = this.#hearers.pop();
    if (last !== undefined && last !== hearer) this.#hearers[at] = last;
  }

  /** Takes the verdict of a probe that began at `startedAt`, an `elapsed` time. */
  judge(verdict: Verdict, startedAt: number): void {
    const { health: rules, passive } = this.#rules;
    if (rules === undefined) return;
    this.lastVerdict = verdict;
    this.probeLatencies.push(verdict.passed ? verdict.durationMs : undefined);

    const before = this.#health;
    this.#health = observe(before, verdict.passed, rules);
    if (verdict.passed && passive.clearOnPass && startedAt >= this.#lastFailureAt) this.#clear();
    if (before.phase !== this.phase) this.#turn(before.phase, verdict.reason);
    this.#settle();
    this.#askers.answer(verdict, startedAt);
    if (this.phase !== "down") return;
    for (const hearer of [...this.#hearers]) hearer.wentDown(verdict.silent);
  }

  /** Ends every wait on this entry; it is no longer configured. */
  retire(): void {
    this.#askers.dismiss();
    this.#settle();
    this.#hearers.length = 0;
  }

  #begin(): void {
    const health = this.#rules.health;
    if (health === undefined) return;
    if (health.initState !== "probe") {
      this.#health = { phase: health.initState, streak: 0 };
      this.reason = `taken for ${health.initState} until probed`;
      return;
    }
    this.firstVerdict = new Promise((resolve) => (this.#settleFirst = resolve));
  }

  #settle(): void {
    this.firstVerdict = undefined;
    this.#settleFirst();
  }

  #penalise(reason: string): void {
    const { passive, health } = this.#rules;
    const now = this.#deps.clock.elapsed();
    const wasBarred = this.penalisedUntil(now) !== undefined;
    this.#penalties = penalise(this.#penalties, now, passive);
    this.#lastFailureAt = now;
    this.#fitSince = this.penalisedUntil(now) ?? now;

    if (!wasBarred && this.#fitSince > now && this.phase !== "down") {
      this.#deps.announce({ kind: "penalised", reason, forMs: this.#fitSince - now });
    }
    // Also where nothing is counted: a failure seen now is better evidence than a pass some seconds ago.
    if (health !== undefined) this.suspect();
  }

  #clear(): void {
    const now = this.#deps.clock.elapsed();
    // Penalties that bar no more ended by themselves, at a moment that `#fitSince` already names.
    if (this.penalisedUntil(now) !== undefined) this.#fitSince = now;
    this.#penalties = [];
  }

  #turn(from: Phase, reason: string): void {
    this.since = this.#deps.clock.now();
    this.reason = reason;
    if (from === "down") this.#fitSince = Math.max(this.#fitSince, this.#deps.clock.elapsed());
    this.#deps.announce({ kind: "phase", from, to: this.phase, reason });
  }
}
