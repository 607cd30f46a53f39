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
import type { Clock } from "../platform/platform.ts";
import type { PoolRules } from "../rules.ts";
import { mayFailOver, type Replay } from "./failover.ts";
import { endToEnd } from "./headers.ts";
import type { ReplayBody } from "./replay.ts";
import type { Upstream } from "../rules.ts";

/** What is to be sent where. */
export interface Try {
  readonly exchange: Exchange;
  readonly pool: Pool;
  readonly member: Member;
  readonly fields: Fields;
  /** The body, as long as it can be sent again; undefined when there is none. */
  readonly replay: ReplayBody | undefined;
  /** Whom the upstream is told that it is for, where it is told so by its connection. */
  readonly client: Attempt["client"];
  /** May be sent twice; see `isHarmless`. */
  readonly harmless: boolean;
  /** `elapsed` time now. */
  readonly beganAt: number;
}

export interface AttemptDeps {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
}

const ABANDONED: Promise<Outcome> = Promise.resolve({ kind: "abandoned" });
const WENT_DOWN: Outcome = { kind: "failed", reason: "went_down", sent: true, detail: "" };

/**
 * The attempt as its transport sees it, and all that may end it early. While no byte of an answer has
 * come, an upstream that is found down loses the request if it may go elsewhere; and after
 * `retry.side_probe`, if it is found dead, any. One object is all of this, as every request makes one:
 * what would read better in parts would cost a closure and a signal for each.
 */
export class Trial implements Attempt, DownHearer, EndHearer, Replay, Waiting {
  place = -1;
  readonly member: Member;
  readonly upstream: Upstream;
  readonly method: string;
  readonly target: string;
  readonly fields: Fields;
  readonly body: ByteSource | undefined;
  readonly upgrade: string | undefined;
  readonly client: Attempt["client"];
  readonly progress = { sent: false };
  readonly fresh: boolean;
  readonly dialTimeoutMs: number;
  readonly headersTimeoutMs: number | undefined;
  readonly interim: Attempt["interim"];
  readonly signal = new End();
  readonly harmless: boolean;
  readonly rescue: boolean;
  /** `elapsed` time at which it was made. */
  readonly beganAt: number;
  /** When to look beside; see `expire`. */
  deadline: number;
  readonly #exchange: Exchange;
  readonly #rules: PoolRules;
  readonly #replay: ReplayBody | undefined;
  readonly #deps: AttemptDeps;
  /** Ended here, as there is no hope of an answer. */
  #upstreamLost = false;
  /** An answer is overdue: the upstream is looked at, and if nothing is heard of it, it is given up. */
  #late = false;
  #looking: End | undefined;

  constructor(
    { exchange, pool: { rules }, member, fields, replay, client, harmless, beganAt }: Try,
    deps: AttemptDeps,
  ) {
    this.member = member;
    this.upstream = member.upstream;
    this.method = exchange.method;
    this.target = exchange.target;
    this.fields = fields;
    this.body = replay?.open();
    this.upgrade = exchange.upgrade;
    this.client = client;
    this.fresh = !harmless;
    this.harmless = harmless;
    this.rescue = rules.retry.rescue;
    this.dialTimeoutMs = rules.transport.dialTimeoutMs;
    this.headersTimeoutMs = rules.transport.headersTimeoutMs;
    this.interim = exchange.interim === undefined ? undefined : interimTo(exchange);
    this.beganAt = beganAt;
    this.deadline = deps.deadlines.after(rules.retry.sideProbeMs);
    this.#exchange = exchange;
    this.#rules = rules;
    this.#replay = replay;
    this.#deps = deps;
  }

  /**
   * Sends the request. Whoever calls owes `end` once its outcome is known, and the upstream, where the
   * request counts as in flight, `standing.leave`.
   */
  start(): Promise<Outcome> {
    const { signal } = this.#exchange;
    if (signal.aborted) return ABANDONED;
    signal.addEventListener("abort", this);
    this.member.standing.hear(this);
    this.#deps.deadlines.add(this);
    return this.#deps.transport.send(this);
  }

  /** What the transport told, as those see it who know why it was ended. */
  judge(outcome: Outcome): Outcome {
    if (outcome.kind !== "abandoned" || !this.#upstreamLost) return outcome;
    return { kind: "failed", reason: "went_down", sent: this.progress.sent, detail: "" };
  }

  end(): void {
    this.#deps.deadlines.drop(this);
    this.member.standing.unhear(this);
    this.#exchange.signal.removeEventListener("abort", this);
    this.#looking?.abort();
  }

  get replayable(): boolean {
    return this.#replay?.replayable ?? true;
  }

  /** The client has left. */
  handleEvent(): void {
    this.signal.abort();
  }

  wentDown(silent: boolean): void {
    const moves = !this.progress.sent || mayFailOver(WENT_DOWN, this);
    // One that answers its probes with 503 may still be about to answer this, and nobody else may.
    if (moves || (this.#late && silent)) this.#giveUp();
  }

  /** `retry.side_probe` has passed without an answer: looks whether one can still come. */
  expire(): void {
    this.deadline = Infinity;
    this.#late = true;
    const looking = new End();
    this.#looking = looking;
    void this.#look(looking).then(() => {
      if (looking.aborted) return;
      this.deadline = this.#deps.deadlines.after(this.#rules.retry.sideProbeMs);
    });
  }

  async #look(signal: End): Promise<void> {
    if (this.#rules.health !== undefined) return this.member.standing.suspect();
    const timeoutMs = this.dialTimeoutMs;
    const reached = await this.#deps.transport.reachable(this.upstream, { timeoutMs, signal });
    if (!reached && !signal.aborted) this.#giveUp();
  }

  #giveUp(): void {
    this.#upstreamLost = true;
    this.signal.abort();
  }
}

function interimTo(exchange: Exchange): Attempt["interim"] {
  return (status, sent) => exchange.interim?.(status, endToEnd(sent));
}
