/**
 * One try at one upstream, up to its response head. Ends it when the client leaves, or when the
 * upstream is found down and the request can go elsewhere. The only door to the transport.
 */
import type { Deadlines, Waiting } from "../deadlines.ts";
import { End, type EndHearer } from "../end.ts";
import type {
  Attempt,
  ByteSource,
  DownHearer,
  Exchange,
  Member,
  Outcome,
  Pool,
  Transport,
} from "../model.ts";
import type { Fields } from "../fields.ts";
import { endToEnd } from "./headers.ts";
import type { Upstream } from "../rules.ts";

export interface Try {
  readonly exchange: Exchange;
  readonly pool: Pool;
  readonly member: Member;
  readonly fields: Fields;
  readonly body: ByteSource | undefined;
  /** Whom the upstream is told that it is for, where it is told so by its connection. */
  readonly client?: Attempt["client"];
  /** May be sent twice; see `isHarmless`. */
  readonly harmless: boolean;
  /** Asked when the upstream turns down: would a failure after sending move on? */
  readonly mayRescue: () => boolean;
}

export interface AttemptDeps {
  readonly transport: Transport;
  readonly deadlines: Deadlines;
}

/**
 * Tries once. Never rejects. While no byte of an answer has come, an upstream that is found down
 * loses the request if it may go elsewhere; and after `retry.side_probe`, if it is found dead, any.
 * The request counts as in flight there until `standing.leave`, the caller's duty.
 */
export async function attempt(chosen: Try, deps: AttemptDeps): Promise<Outcome> {
  const { signal } = chosen.exchange;
  if (signal.aborted) return { kind: "abandoned" };
  const { standing } = chosen.member;
  const course = new Course(chosen, deps);
  signal.addEventListener("abort", course);
  standing.hear(course);
  deps.deadlines.add(course);

  try {
    const outcome = await deps.transport.send(course);
    if (outcome.kind !== "abandoned" || !course.upstreamLost) return outcome;
    return { kind: "failed", reason: "went_down", sent: course.progress.sent, detail: "" };
  } finally {
    deps.deadlines.drop(course);
    standing.unhear(course);
    signal.removeEventListener("abort", course);
    course.over();
  }
}

/**
 * The attempt as its transport sees it, and all that may end it early. One object is both, as every
 * request makes one: what would read better in parts would cost a closure and a signal for each.
 */
class Course implements Attempt, DownHearer, EndHearer, Waiting {
  readonly upstream: Upstream;
  readonly method: string;
  readonly target: string;
  readonly fields: Fields;
  readonly body: ByteSource | undefined;
  readonly upgrade: string | undefined;
  readonly progress = { sent: false };
  readonly fresh: boolean;
  readonly client: Attempt["client"];
  readonly dialTimeoutMs: number;
  readonly headersTimeoutMs: number | undefined;
  readonly interim: Attempt["interim"];
  readonly signal = new End();
  /** Ended here, as there is no hope of an answer. */
  upstreamLost = false;
  /** When to look beside; see `expire`. */
  deadline: number;
  readonly #chosen: Try;
  readonly #deps: AttemptDeps;
  /** An answer is overdue: the upstream is looked at, and if nothing is heard of it, it is given up. */
  #late = false;
  #looking: End | undefined;

  constructor(chosen: Try, deps: AttemptDeps) {
    const { exchange, pool: { rules } } = chosen;
    this.#chosen = chosen;
    this.#deps = deps;
    this.upstream = chosen.member.upstream;
    this.method = exchange.method;
    this.target = exchange.target;
    this.fields = chosen.fields;
    this.body = chosen.body;
    this.upgrade = exchange.upgrade;
    this.fresh = !chosen.harmless;
    this.client = chosen.client;
    this.dialTimeoutMs = rules.transport.dialTimeoutMs;
    this.headersTimeoutMs = rules.transport.headersTimeoutMs;
    this.interim = exchange.interim === undefined
      ? undefined
      : (status, sent) => exchange.interim?.(status, endToEnd(sent));
    this.deadline = deps.deadlines.after(rules.retry.sideProbeMs);
  }

  /** The client has left. */
  handleEvent(): void {
    this.signal.abort();
  }

  wentDown(silent: boolean): void {
    // One that answers its probes with 503 may still be about to answer this, and nobody else may.
    if (!this.progress.sent || this.#chosen.mayRescue() || (this.#late && silent)) this.#giveUp();
  }

  /** `retry.side_probe` has passed without an answer: looks whether one can still come. */
  expire(): void {
    this.deadline = Infinity;
    this.#late = true;
    const looking = new End();
    this.#looking = looking;
    void this.#look(looking).then(() => {
      if (looking.aborted) return;
      this.deadline = this.#deps.deadlines.after(this.#chosen.pool.rules.retry.sideProbeMs);
    });
  }

  over(): void {
    this.#looking?.abort();
  }

  async #look(signal: End): Promise<void> {
    const { pool: { rules }, member } = this.#chosen;
    if (rules.health !== undefined) return member.standing.suspect();
    const reached = await this.#deps.transport.reachable(member.upstream, {
      timeoutMs: rules.transport.dialTimeoutMs,
      signal,
    });
    if (!reached && !signal.aborted) this.#giveUp();
  }

  #giveUp(): void {
    this.upstreamLost = true;
    this.signal.abort();
  }
}
