/**
 * Shows a certificate from files, and the new one when they change. Files that cannot be used change
 * nothing but a line of the log: the old one is shown on.
 */
import type { Clock, Platform } from "../platform/platform.ts";
import { CertificateError } from "../platform/tls.ts";
import type { CertificateRules, PemText } from "../tls_rules.ts";
import { watchFile } from "../watch.ts";
import { type Shelf, Shown, type Workshop } from "./shelf.ts";

/** What becomes of a pair of files, for the log and for people. */
export type PairCourse =
  | { readonly kind: "reloaded"; readonly validTo: number }
  | { readonly kind: "refused"; readonly reason: string };

export interface PairDeps extends Pick<Platform, "readText" | "watchDirectory"> {
  readonly clock: Clock;
  readonly workshop: Workshop;
  readonly shelf: Shelf;
  readonly tell: (rules: CertificateRules, course: PairCourse) => void;
}

/** Files are read again at least so often, in milliseconds: a link may lead somewhere else without a sign. */
const LOOK_MS = 600_000;

type PairRules = CertificateRules & { readonly source: { readonly kind: "files" } };

export class FilePair {
  readonly rules: CertificateRules;
  problem: string | undefined;
  readonly #deps: PairDeps;
  readonly #chain: PemText;
  readonly #key: PemText;
  readonly #stops: (() => void)[] = [];
  #stopTimer: () => void = () => {};
  /** What was read last, whether it was of use or not. */
  #read: string;
  /** What is shown. */
  #good = "";
  #reading = Promise.resolve();
  #isStopped = false;

  /** Throws `CertificateError`, which the loader has kept from happening. */
  constructor(rules: PairRules, deps: PairDeps) {
    this.rules = rules;
    this.#deps = deps;
    this.#chain = rules.source.chain;
    this.#key = rules.source.key;
    this.#read = fingerprint(this.#chain.text, this.#key.text);
    this.#show(this.#chain.text, this.#key.text);
    this.#watch();
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopTimer();
    for (const stop of this.#stops.splice(0)) stop();
  }

  #watch(): void {
    for (const { path, text } of [this.#chain, this.#key]) {
      if (path === undefined) continue;
      const events = {
        changed: () => this.look(),
        unreadable: (reason: string) => this.#refuse(reason),
      };
      try {
        this.#stops.push(watchFile(this.#deps, path, events, text));
      } catch {
        // Without a watch there is still the clock.
      }
    }
    this.#lookAgain();
  }

  #lookAgain(): void {
    this.#stopTimer = this.#deps.clock.after(LOOK_MS, () => {
      this.look();
      this.#lookAgain();
    });
  }

  /** Reads the files now. One look at a time, so that an older pair never comes after a newer one. */
  look(): void {
    this.#reading = this.#reading.then(() => this.#reread());
  }

  async #reread(): Promise<void> {
    try {
      const chain = await this.#textOf(this.#chain);
      const key = await this.#textOf(this.#key);
      const read = fingerprint(chain, key);
      if (this.#isStopped) return;
      // They were gone for a while, say.
      if (read === this.#good) this.problem = undefined;
      if (read === this.#read) return;
      this.#read = read;
      const { validTo } = this.#show(chain, key).facts;
      this.problem = undefined;
      this.#deps.tell(this.rules, { kind: "reloaded", validTo });
    } catch (error) {
      if (!this.#isStopped) this.#refuse(error instanceof Error ? error.message : String(error));
    }
  }

  #textOf({ path, text }: PemText): string | Promise<string> {
    return path === undefined ? text : this.#deps.readText(path);
  }

  #show(chain: string, key: string): Shown {
    const { shelf, workshop } = this.#deps;
    const shown = new Shown({ chain, key }, workshop);
    if (shown.facts.names.length === 0 && this.rules.names.length > 0) {
      throw new CertificateError("the certificate is for no name");
    }
    shelf.put(this.rules, shown);
    this.#good = fingerprint(chain, key);
    return shown;
  }

  #refuse(reason: string): void {
    if (this.problem === reason) return;
    this.problem = reason;
    this.#deps.tell(this.rules, { kind: "refused", reason });
  }
}

/** No hash is needed to tell two texts apart. The loader leaves the last line break out. */
function fingerprint(chain: string, key: string): string {
  return `${chain.trim()}\0${key.trim()}`;
}
