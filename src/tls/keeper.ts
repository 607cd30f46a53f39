/**
 * Keeps one certificate good: takes it from the store, has it issued where there is none, renews it in
 * time, and goes on showing the old one whatever happens. One loop, which ends with its signal.
 */
import type { Clock } from "../platform/platform.ts";
import { CertificateError } from "../platform/tls.ts";
import type { CertificateRules } from "../tls_rules.ts";
import { fileNameOf } from "./file_names.ts";
import { type Identity, IssueError, type Issuer, type Store } from "./issuer.ts";
import { pauseMs, renewalAt } from "./schedule.ts";
import { type Shelf, Shown, type Workshop } from "./shelf.ts";
import { identityFile, readIdentityFile } from "./identity_file.ts";

/** What becomes of a certificate, for the log and for people. */
export type Course =
  | {
    readonly kind: "loaded" | "issued" | "renewed";
    readonly issuer: string;
    readonly validTo: number;
  }
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
  #isReady: () => void = () => {};

  constructor(rules: CertificateRules, issuers: readonly Issuer[], deps: KeeperDeps) {
    this.rules = rules;
    this.#issuers = issuers;
    this.#deps = deps;
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

  /** Keeps it good until it is stopped. Never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      const failure = await this.#look().catch(failureOf);
      this.#isReady();
      if (signal.aborted) return;
      await (failure === undefined ? this.#rest() : this.#recover(failure));
    }
  }

  stop(): void {
    this.#end.abort();
    this.#isReady();
  }

  get #shown(): Shown | undefined {
    return this.#deps.shelf.get(this.rules.id);
  }

  /** Does what is due. Tells why it could not be done. */
  async #look(): Promise<Failure | undefined> {
    const store = await this.#deps.store();
    if (this.#shown === undefined) await this.#takeStored(store);
    if (!await this.#isDue()) return undefined;

    const { signal } = this.#end;
    let failure: Failure | undefined;
    for (const issuer of this.#issuers) {
      failure = await store.exclusively(this.#path(issuer), signal, async () => {
        // Another process that shares the store may have been here while we waited.
        if (await this.#takeStored(store) && !await this.#isDue()) return undefined;
        return await this.#issue(issuer, store);
      });
      if (failure === undefined || signal.aborted) return failure;
    }
    return failure;
  }

  async #issue(issuer: Issuer, store: Store): Promise<Failure | undefined> {
    const before = this.#shown?.identity.chain;
    let identity: Identity;
    try {
      const { signal } = this.#end;
      identity = await issuer.issue(this.rules.names, { replaced: before, signal });
      this.#show(identity, issuer);
    } catch (error) {
      return failureOf(error);
    }
    this.#tellOf(before === undefined ? "issued" : "renewed", issuer);
    try {
      await store.write(this.#path(issuer), identityFile(identity));
    } catch (error) {
      // No reason to order another one: authorities count them.
      this.#tell({ kind: "unsaved", reason: failureOf(error).reason });
    }
    return undefined;
  }

  /** Shows the one in the store that is good for longest, if for longer than what is shown. Says whether it did. */
  async #takeStored(store: Store): Promise<boolean> {
    const { clock, workshop } = this.#deps;
    let taken: Issuer | undefined;
    for (const issuer of this.#issuers) {
      const text = await store.read(this.#path(issuer));
      const identity = text === undefined ? undefined : readIdentityFile(text);
      if (identity === undefined) continue;
      try {
        const { validTo } = workshop.certificateFacts(identity.chain);
        if (validTo <= Math.max(clock.now(), this.#shown?.facts.validTo ?? 0)) continue;
        this.#show(identity, issuer);
        taken = issuer;
      } catch (error) {
        // Torn, or of a key that is gone: as good as none.
        if (!(error instanceof CertificateError)) throw error;
      }
    }
    if (taken !== undefined) this.#tellOf("loaded", taken);
    return taken !== undefined;
  }

  #show(identity: Identity, issuer: Issuer): void {
    const { shelf, workshop } = this.#deps;
    shelf.put(this.rules, new Shown(identity, workshop));
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
    if (this.#plan === undefined) return;
    const untilMs = Math.min(this.#plan.at, this.#plan.askAt) - this.#deps.clock.now();
    await this.#sleep(Math.max(0, Math.min(untilMs, LOOK_MS)));
  }

  async #recover({ reason, retryAfterMs }: Failure): Promise<void> {
    const { clock, random } = this.#deps;
    this.#failures += 1;
    const againAt = clock.now() + pauseMs(this.#failures, random(), retryAfterMs);
    this.#againAt = againAt;
    this.problem = reason;
    this.#tell({ kind: "failed", reason, againAt });
    while (!this.#end.signal.aborted && clock.now() < againAt) {
      await this.#sleep(Math.min(againAt - clock.now(), LOOK_MS));
    }
  }

  async #sleep(ms: number): Promise<void> {
    // Ended early is how the loop hears of its end.
    await this.#deps.clock.sleep(ms, this.#end.signal).catch(() => {});
  }

  #tellOf(kind: "loaded" | "issued" | "renewed", { name: issuer }: Issuer): void {
    const validTo = this.#shown?.facts.validTo;
    if (validTo !== undefined) this.#tell({ kind, issuer, validTo });
  }

  #tell(course: Course): void {
    this.#deps.tell(this.rules, course);
  }

  /** By issuer and names: another authority's certificate is another one. */
  #path(issuer: Issuer): string {
    return `certificates/${issuer.name}/${fileNameOf(this.rules.names)}.pem`;
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof IssueError) {
    return { reason: error.message, retryAfterMs: error.retryAfterMs };
  }
  return { reason: error instanceof Error ? error.message : String(error) };
}
