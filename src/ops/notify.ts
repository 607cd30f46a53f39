/**
 * Tells people of what becomes of upstreams and certificates, as `notify` says. The first news of an upstream goes
 * out almost at once; what follows within the debounce is summed up. Nobody waits for any of it.
 */
import type { Config, NotifyRules } from "../rules.ts";
import { poolsOf } from "../steps.ts";
import type { CertificateTurn } from "../model.ts";
import { CertificateReporter } from "./certificate_news.ts";
import { compose, type Digest, fold, subjectOf } from "./digest.ts";
import { letterOf } from "./letter.ts";
import { type Item, Reporter } from "./news.ts";
import { type PostDeps, Postman } from "./postman.ts";
import type { Notifier } from "./sinks.ts";
import type { Transition } from "./status.ts";

/** A failure is told in several ways within moments; they make one message. In milliseconds. */
const GATHER_MS = 1_000;
/** Upstreams, pools and certificates of which news is held back, at most. */
const SUBJECTS_MAX = 1_000;

export class Herald implements Notifier {
  readonly #deps: PostDeps;
  readonly #reporter = new Reporter();
  readonly #certificates = new CertificateReporter();
  /** By their rules as written, so that a reload which leaves them alone forgets nothing. */
  #ears = new Map<string, Ear>();

  constructor(deps: PostDeps) {
    this.#deps = deps;
  }

  /** Takes a configuration over. Letters to receivers that are gone are not sent any more. */
  adopt({ notify, routes }: Pick<Config, "notify" | "routes">): void {
    this.#reporter.configure(
      new Map(poolsOf(routes).map(({ id, upstreams }) => [id, upstreams.map(({ name }) => name)])),
    );
    this.#certificates.forget();
    const before = this.#ears;
    this.#ears = new Map(notify.map((rules) => {
      const key = JSON.stringify(rules);
      return [key, before.get(key) ?? new Ear(rules, this.#deps)];
    }));
    for (const [key, ear] of before) if (!this.#ears.has(key)) ear.close();
  }

  told(transition: Transition): void {
    this.#spread(this.#reporter.newsOf(transition));
  }

  certified(turn: CertificateTurn): void {
    this.#spread(this.#certificates.newsOf(turn));
  }

  #spread(item: Item | undefined): void {
    if (item === undefined) return;
    for (const ear of this.#ears.values()) ear.hear(item);
  }

  close(): void {
    for (const ear of this.#ears.values()) ear.close();
    this.#ears.clear();
  }
}

/** What has happened to one upstream or certificate since it was last told of. */
interface Subject {
  digest: Digest | undefined;
  stopTimer: () => void;
}

/** One receiver, with what it has yet to be told. */
class Ear {
  readonly #rules: NotifyRules;
  readonly #clock: PostDeps["clock"];
  readonly #postman: Postman;
  readonly #subjects = new Map<string, Subject>();

  constructor(rules: NotifyRules, deps: PostDeps) {
    this.#rules = rules;
    this.#clock = deps.clock;
    this.#postman = new Postman(deps);
  }

  hear(item: Item): void {
    if (!this.#rules.on.includes(item.event)) return;
    const key = subjectOf(item);
    const known = this.#subjects.get(key);
    if (known !== undefined) {
      known.digest = fold(known.digest, item);
      return;
    }
    if (this.#subjects.size >= SUBJECTS_MAX) return;
    const subject: Subject = { digest: fold(undefined, item), stopTimer: () => {} };
    this.#subjects.set(key, subject);
    this.#tellAfter(Math.min(GATHER_MS, this.#rules.debounceMs), key, subject);
  }

  close(): void {
    for (const { stopTimer } of this.#subjects.values()) stopTimer();
    this.#subjects.clear();
    this.#postman.close();
  }

  #tellAfter(ms: number, key: string, subject: Subject): void {
    subject.stopTimer = this.#clock.after(ms, () => {
      const { digest } = subject;
      if (digest === undefined) return void this.#subjects.delete(key);
      subject.digest = undefined;
      this.#postman.take(letterOf(compose(digest), this.#rules));
      this.#tellAfter(this.#rules.debounceMs, key, subject);
    });
  }
}
