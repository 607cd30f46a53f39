/**
 * Keeps one certificate good: from the store or newly issued, renewed in time, the old one shown on whatever
 * happens. One loop, which ends when it is stopped.
 */
import type { Revocation } from "../model.ts";
import type { Clock } from "../platform/platform.ts";
import type { CertificateRules } from "../tls_rules.ts";
import { type Course, type Failure, failureOf, type Gained } from "./course.ts";
import type { Identity, Issuer, Store } from "./issuer.ts";
import { Nap } from "./nap.ts";
import { isSpent, pauseMs, renewalAt } from "./schedule.ts";
import { type Shelf, Shown, type Workshop } from "./shelf.ts";
import { bestStored, storedPath } from "./stored.ts";
import type { Turns } from "./turns.ts";
import { identityFile } from "./identity_file.ts";
import { Unsaved } from "./unsaved.ts";

export interface KeeperDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly workshop: Workshop;
  readonly shelf: Shelf;
  /** Rejects where there can be none for now. */
  readonly store: () => Promise<Store>;
  /** Bounds how many are ordered at once. */
  readonly turns: Turns;
  /** Bounds how many ask at once when to renew. */
  readonly questions: Turns;
  readonly tell: (rules: CertificateRules, course: Course) => void;
}

/** When what is shown will be renewed, and when its authority is asked again. Wall clock. */
interface Plan {
  readonly at: number;
  readonly askAt: number;
}

/** Looks at the clock at least so often, in milliseconds: a machine that slept has missed its timers. */
const LOOK_MS = 600_000;
/** An authority that says nothing of renewals is asked again after this long, in milliseconds. */
const ASK_MS = 86_400_000;
const SPENT: Failure = { reason: "the new certificate is due for renewal as it comes" };

export class Keeper {
  readonly rules: CertificateRules;
  /** Settles once there is a certificate, or the first attempt at one has failed. */
  readonly ready: Promise<void>;
  readonly #issuers: readonly Issuer[];
  readonly #deps: KeeperDeps;
  readonly #end = new AbortController();
  #issuedBy: Issuer | undefined;
  /** What it shows: what was shown before it came is somebody else's, and stays until it has one of its own. */
  #shown: Shown | undefined;
  readonly #unsaved = new Unsaved();
  #problem: string | undefined;
  #plan: Plan | undefined;
  /** Wall clock of the next attempt after a failure. */
  #againAt: number | undefined;
  #failures = 0;
  /** Those who want another certificate now, whatever the plan. */
  #hurried: ((problem: string | undefined) => void)[] = [];
  readonly #nap: Nap;
  #isReady: () => void = () => {};

  constructor(rules: CertificateRules, issuers: readonly Issuer[], deps: KeeperDeps) {
    this.rules = rules;
    this.#issuers = issuers;
    this.#deps = deps;
    this.#nap = new Nap(deps.clock, this.#end.signal);
    this.ready = new Promise((resolve) => (this.#isReady = resolve));
  }

  /** Name of whoever issued what is shown. */
  get issuer(): string | undefined {
    return this.#issuedBy?.name;
  }

  /** Why there is no new one, or why it is kept nowhere; undefined while all is well. */
  get problem(): string | undefined {
    return this.#problem ?? this.#unsaved.reason;
  }

  /** Wall clock at which the next one is asked for. */
  get nextAt(): number | undefined {
    return this.#againAt ?? this.#plan?.at;
  }

  /** Asks for another certificate now. Tells why there is none. */
  renew(): Promise<string | undefined> {
    if (this.#end.signal.aborted) return Promise.resolve("the certificate is kept no more");
    return new Promise((resolve) => {
      this.#hurried.push(resolve);
      this.#nap.wake();
    });
  }

  /** Has what is shown replaced, and only then called back. Tells why that was not done. */
  async revoke(reason: Revocation): Promise<string | undefined> {
    const [issuer, shown] = [this.#issuedBy, this.#shown];
    const problem = await this.renew();
    if (problem !== undefined || issuer === undefined || shown === undefined) return problem;
    try {
      await issuer.revoke?.(shown.identity.chain, reason, this.#end.signal);
      return undefined;
    } catch (error) {
      return failureOf(error).reason;
    }
  }

  /** Keeps it good until it is stopped. Never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      const hurried = this.#hurried.splice(0);
      const failure = await this.#look(hurried.length > 0).catch(failureOf);
      for (const tell of hurried) tell(failure?.reason);
      this.#isReady();
      if (signal.aborted) return;
      await (failure === undefined ? this.#rest() : this.#recover(failure));
    }
  }

  stop(): void {
    this.#end.abort();
    this.#isReady();
    for (const tell of this.#hurried.splice(0)) tell("the certificate is kept no more");
  }

  /** Does what is due, or what is not where that is wanted. Tells why it could not be done. */
  async #look(isWanted: boolean): Promise<Failure | undefined> {
    const store = await this.#deps.store();
    const isOld = (): Promise<boolean> => this.#takeStored(store);
    this.#tellUnsaved(await this.#unsaved.saveLate(store, isOld, this.#end.signal));
    if (this.#shown === undefined) await this.#takeStored(store);
    if (!isWanted && !await this.#isDue()) return undefined;

    const { signal } = this.#end;
    let failure: Failure | undefined;
    for (const issuer of this.#issuers) {
      failure = await store.exclusively(storedPath(issuer, this.rules.names), signal, async () => {
        // Another process that shares the store may have been here while we waited.
        const isNew = await this.#takeStored(store) && !await this.#isDue();
        return isNew && !isWanted ? undefined : await this.#issue(issuer, store);
      });
      if (failure === undefined || failure === SPENT || signal.aborted) return failure;
    }
    return failure;
  }

  async #issue(issuer: Issuer, store: Store): Promise<Failure | undefined> {
    let identity: Identity;
    let shown: Shown;
    const before = this.#shown?.identity.chain;
    try {
      const asked = { replaced: before, signal: this.#end.signal };
      const issue = () => issuer.issue(this.rules.names, asked);
      identity = await this.#deps.turns.take(issue, asked.signal);
      shown = new Shown(identity, this.#deps.workshop);
    } catch (error) {
      return failureOf(error);
    }
    this.#show(shown, issuer);
    this.#tellOf(before === undefined ? "issued" : "renewed", issuer);
    this.#unsaved.keep(storedPath(issuer, this.rules.names), identityFile(identity));
    this.#tellUnsaved(await this.#unsaved.save(store));
    // By a wrong clock, say. Ordered at once, the next one would be no better, and authorities count them.
    return isSpent(shown.facts, this.#deps.clock.now()) ? SPENT : undefined;
  }

  /** Not to be kept is no reason to order another one either. */
  #tellUnsaved(reason: string | undefined): void {
    if (reason !== undefined) this.#tell({ kind: "unsaved", reason });
  }

  /** Shows the best one in the store, if it is better than what is shown. Says whether it did. */
  async #takeStored(store: Store): Promise<boolean> {
    const { clock, workshop } = this.#deps;
    const after = Math.max(clock.now(), this.#shown?.facts.validTo ?? 0);
    const best = await bestStored(this.rules.names, this.#issuers, { store, workshop, after });
    if (best === undefined) return false;
    this.#show(best.shown, best.issuer);
    this.#tellOf("loaded", best.issuer);
    return true;
  }

  #show(shown: Shown, issuer: Issuer): void {
    if (!this.#end.signal.aborted) this.#deps.shelf.put(this.rules, shown);
    this.#shown = shown;
    this.#issuedBy = issuer;
    this.#plan = undefined;
    this.#againAt = undefined;
    this.#problem = undefined;
  }

  async #isDue(): Promise<boolean> {
    const { clock } = this.#deps;
    const shown = this.#shown;
    if (shown === undefined) return true;
    if (this.#plan === undefined || clock.now() >= this.#plan.askAt) {
      this.#plan = await this.#planned(shown);
    }
    return clock.now() >= this.#plan.at;
  }

  async #planned({ identity, facts }: Shown): Promise<Plan> {
    const { clock, random, questions } = this.#deps;
    const [issuer, { signal }] = [this.#issuedBy, this.#end];
    const ask = () => issuer?.renewal(identity.chain, signal) ?? Promise.resolve(undefined);
    const advice = await questions.take(ask, signal);
    const askAt = clock.now() + (advice?.againMs ?? ASK_MS);
    const before = this.#plan?.at;
    // A moment within the window stays: drawn anew each time, it would be put off again and again.
    const holds = before !== undefined &&
      (advice === undefined || (before >= advice.from && before <= advice.to));
    return { at: holds ? before : renewalAt(facts, advice, random()), askAt };
  }

  /** All is well: sleeps until something may be due. One that is new is planned for at once. */
  async #rest(): Promise<void> {
    this.#failures = 0;
    if (this.#plan === undefined || this.#isCalled) return;
    const untilMs = Math.min(this.#plan.at, this.#plan.askAt) - this.#deps.clock.now();
    await this.#nap.sleep(Math.max(0, Math.min(untilMs, LOOK_MS)));
  }

  async #recover({ reason, retryAfterMs }: Failure): Promise<void> {
    const { clock, random } = this.#deps;
    this.#failures += 1;
    const againAt = clock.now() + pauseMs(this.#failures, random(), retryAfterMs);
    this.#againAt = againAt;
    this.#problem = reason;
    this.#tell({ kind: "failed", reason, againAt });
    while (!this.#isCalled && clock.now() < againAt) {
      await this.#nap.sleep(Math.min(againAt - clock.now(), LOOK_MS));
    }
  }

  get #isCalled(): boolean {
    return this.#end.signal.aborted || this.#hurried.length > 0;
  }

  #tellOf(kind: Gained, { name: issuer }: Issuer): void {
    const validTo = this.#shown?.facts.validTo;
    if (validTo !== undefined) this.#tell({ kind, issuer, validTo });
  }

  #tell(course: Course): void {
    this.#deps.tell(this.rules, course);
  }
}
