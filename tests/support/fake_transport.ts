/**
 * A transport that plays a script for each upstream and notes what it was asked. What a real one
 * promises it keeps: it never rejects, and an abort ends an attempt as abandoned.
 */
import type { EndSignal } from "../../src/end.ts";
import { Fields } from "../../src/fields.ts";
import type {
  Attempt,
  ByteSource,
  FailureReason,
  Outcome,
  Transport,
  Tunnel,
} from "../../src/model.ts";
import type { Upstream } from "../../src/rules.ts";
import { FakeBody, readText } from "./fake_bytes.ts";

/** Plays one attempt. */
export type Step = (attempt: Attempt) => Outcome | Promise<Outcome>;

export class FakeTransport implements Transport {
  readonly attempts: Attempt[] = [];
  readonly #scripts = new Map<string, Step[]>();

  /** Sets what an upstream does from now on; the last step repeats. */
  on(name: string, ...steps: Step[]): this {
    this.#scripts.set(name, steps);
    return this;
  }

  /** Names of the upstreams that were distrusted, in order. */
  readonly distrusted: string[] = [];

  distrust({ name }: Upstream): void {
    this.distrusted.push(name);
  }

  /** What `reachable` says. */
  canReach = true;

  async reachable(): Promise<boolean> {
    return await Promise.resolve(this.canReach);
  }

  /** Names of the upstreams asked so far, in order. */
  get asked(): string[] {
    return this.attempts.map(({ upstream }) => upstream.name);
  }

  async send(attempt: Attempt): Promise<Outcome> {
    this.attempts.push(attempt);
    const steps = this.#scripts.get(attempt.upstream.name) ?? [];
    const step = steps.length > 1 ? steps.shift() : steps[0];
    return await (step ?? answer())(attempt);
  }
}

export interface AnswerOptions {
  readonly fields?: Iterable<readonly [string, string]>;
  readonly body?: ByteSource | string;
  readonly tunnel?: Tunnel;
}

export function answer(status = 200, { fields = [], body, tunnel }: AnswerOptions = {}): Step {
  return (attempt) => {
    attempt.progress.sent = true;
    const source = typeof body === "string" ? new FakeBody([body]) : body;
    const response = { status, reason: "", fields: Fields.from(fields), body: source, tunnel };
    return { kind: "answered", response };
  };
}

/** Answers with its name, after having read the request's body whole. */
export function echo(status = 200): Step {
  return async (attempt) => {
    const text = attempt.body === undefined ? "" : await readText(attempt.body);
    return answer(status, { body: `${attempt.upstream.name}:${text}` })(attempt);
  };
}

export function notSent(reason: FailureReason = "refused"): Step {
  return () => ({ kind: "failed", reason, sent: false, detail: "" });
}

export function sent(reason: FailureReason = "closed"): Step {
  return (attempt) => {
    attempt.progress.sent = true;
    return { kind: "failed", reason, sent: true, detail: "" };
  };
}

/** Reads the whole request body and then loses the connection. */
export function readsAndDies(): Step {
  return async (attempt) => {
    attempt.progress.sent = true;
    // As in a real transport, a body that breaks off shows as a failed exchange.
    if (attempt.body !== undefined) await readText(attempt.body).catch(() => "");
    return { kind: "failed", reason: "closed", sent: true, detail: "" };
  };
}

/** Says nothing until the attempt is aborted. `before`: still dialling. */
export function hangs(when: "sent" | "before" = "sent"): Step {
  return (attempt) => {
    attempt.progress.sent = when === "sent";
    return aborted(attempt.signal).then(() => ({ kind: "abandoned" }));
  };
}

/** Waits for `until`, then plays `step`, unless the attempt is aborted before. */
export function later(until: Promise<void>, step: Step): Step {
  return async (attempt) => {
    attempt.progress.sent = true;
    await Promise.race([until, aborted(attempt.signal)]);
    return attempt.signal.aborted ? { kind: "abandoned" } : await step(attempt);
  };
}

export function aborted(signal: EndSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
