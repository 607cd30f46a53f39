/**
 * Keeps one certificate good: from the store or newly issued, renewed in time, the old one shown on whatever
 * happens. One loop, which ends when it is stopped.
 */
import type { Clock } from "../platform/platform.ts";
import type { CertificateRules } from "../tls_rules.ts";
import { type Identity, IssueError, type Issuer, type Revocation, type Store } from "./issuer.ts";
import { Nap } from "./nap.ts";
import { pauseMs, renewalAt } from "./schedule.ts";
import { type Shelf, Shown, type Workshop } from "./shelf.ts";
import { bestStored, storedPath } from "./stored.ts";
import type { Turns } from "./turns.ts";
import { identityFile } from "./identity_file.ts";

type Gained = "loaded" | "issued" | "renewed";

/** What becomes of a certificate, for the log and for people. */
export type Course =
  | { readonly kind: Gained; readonly issuer: string; readonly validTo: number }
  /** It is shown, and lost when the process ends. */
  | { readonly kind: "unsaved"; readonly reason: string }
  | { readonly kind: "failed"; readonly reason: string; readonly againAt: number };

export interface KeeperDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly workshop: Workshop;
  readonly shelf: Shelf;
  /** Rejects where there can be none for now. */
  readonly store: () => Promise<Store>;
  /** Bounds how many are ordered at once. */
  readonly turns: Turns;
  readonly tell: (rules: CertificateRules, course: Course) => void;
}

interface Failure {
  readonly reason: string;
  readonly retryAfterMs?: number | undefined;
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

export class Keeper {
  readonly rules: CertificateRules;
  /** Settles once there is a certificate, or the first attempt at one has failed. */
  readonly ready: Promise<void>;
  /** Why there is no new one; undefined while all is well. */
  problem: string | undefined;
  readonly #issuers: readonly Issuer[];
  readonly #deps: KeeperDeps;
  readonly #end = new AbortController();
  #issuedBy: Issuer | undefined;
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

  /** Has the certificate that is shown replaced and then revoked. Rejects with `IssueError`. */
  async revoke(reason: Revocation): Promise<void> {
    const [issuer, shown] = [this.#issuedBy, this.#shown];
    if (issuer === undefined || shown === undefined) {
      throw new IssueError("Cannot revoke a certificate as there is none");
    }
    const why = await this.renew();
    if (why !== undefined) {
      throw new IssueError(`Cannot revoke the certificate as no other one was given: ${why}`);
    }
    await issuer.revoke?.(shown.identity.chain, reason, this.#end.signal);
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

  get #shown(): Shown | undefined {
    return this.#deps.shelf.get(this.rules.id);
  }

  /** Does what is due, or what is not where that is wanted. Tells why it could not be done. */
  async #look(isWanted: boolean): Promise<Failure | undefined> {
    const store = await this.#deps.store();
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
      if (failure === undefined || signal.aborted) return failure;
    }
    return failure;
  }

  async #issue(issuer: Issuer, store: Store): Promise<Failure | undefined> {
    let identity: Identity;
    const before = this.#shown?.identity.chain;
    try {
      const asked = { replaced: before, signal: this.#end.signal };
      identity = await this.#deps.turns.take(() => issuer.issue(this.rules.names, asked));
      this.#show(new Shown(identity, this.#deps.workshop), issuer);
    } catch (error) {
      return failureOf(error);
    }
    this.#tellOf(before === undefined ? "issued" : "renewed", issuer);
    try {
      await store.write(storedPath(issuer, this.rules.names), identityFile(identity));
    } catch (error) {
      // No reason to order another one: authorities count them.
      this.#tell({ kind: "unsaved", reason: failureOf(error).reason });
    }
    return undefined;
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
    this.#deps.shelf.put(this.rules, shown);
    this.#issuedBy = issuer;
    this.#plan = undefined;
    this.#againAt = undefined;
    this.#failures = 0;
    this.problem = undefined;
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
    const { clock, random } = this.#deps;
    const advice = await this.#issuedBy?.renewal(identity.chain, this.#end.signal);
    const askAt = clock.now() + (advice?.againMs ?? ASK_MS);
    const before = this.#plan?.at;
    // A moment within the window stays: drawn anew each time, it would be put off again and again.
    const holds = before !== undefined &&
      (advice === undefined || (before >= advice.from && before <= advice.to));
    return { at: holds ? before : renewalAt(facts, advice, random()), askAt };
  }

  /** All is well: sleeps until something may be due. One that is new is planned for at once. */
  async #rest(): Promise<void> {
    if (this.#plan === undefined || this.#isCalled) return;
    const untilMs = Math.min(this.#plan.at, this.#plan.askAt) - this.#deps.clock.now();
    await this.#nap.sleep(Math.max(0, Math.min(untilMs, LOOK_MS)));
  }

  async #recover({ reason, retryAfterMs }: Failure): Promise<void> {
    const { clock, random } = this.#deps;
    this.#failures += 1;
    const againAt = clock.now() + pauseMs(this.#failures, random(), retryAfterMs);
    this.#againAt = againAt;
    this.problem = reason;
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

function failureOf(error: unknown): Failure {
  const reason = error instanceof Error ? error.message : String(error);
  return error instanceof IssueError ? { reason, retryAfterMs: error.retryAfterMs } : { reason };
}
