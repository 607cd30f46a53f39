/**
 * Hears what happens in the proxy on behalf of its operator: remembers it, tells it to whoever watches,
 * counts or informs people, and keeps the admin listener. `serving` gives the proxy its ears.
 */
import { AdminListener, type Prepared } from "./admin.ts";
import { type Attended, ProxyDesk } from "./desk.ts";
import type { Account, CertificateTurn, Verdict } from "./model.ts";
import { accessLine } from "./ops/access.ts";
import { adminApi } from "./ops/api.ts";
import { Choices } from "./ops/choices.ts";
import { eventText, Feed } from "./ops/feed.ts";
import { Journal } from "./ops/journal.ts";
import type { Logger } from "./ops/log.ts";
import { sameDigest } from "./ops/same.ts";
import type { Metrics, Notifier, Sinks } from "./ops/sinks.ts";
import type { ConfigStatus, Transition } from "./ops/status.ts";
import { type BoardChange, transitionOf, whyMoved } from "./ops/transitions.ts";
import type { Platform } from "./platform/platform.ts";
import type { ConnectionTls, HandshakeFailure } from "./platform/tls.ts";
import { expected } from "./request/pick.ts";
import type { Address, Config, Route } from "./rules.ts";

export interface OperatorDeps {
  readonly platform: Pick<Platform, "clock" | "serve" | "hmacSha256" | "runtime">;
  readonly log: Logger;
  readonly version: string;
  readonly sinks: Sinks;
}

/** How often what comes by itself is looked at, and told to those who watch, in milliseconds. */
const TICK_MS = 1_000;
/** Ticks after which a silent stream shows that it lives. */
const SIGN_OF_LIFE_TICKS = 15;

export class Operator {
  readonly #deps: OperatorDeps;
  readonly #metrics: Metrics | undefined;
  readonly #events = new Feed();
  readonly #requests = new Feed();
  readonly #journal: Journal;
  readonly #choices = new Choices();
  readonly #desk: ProxyDesk;
  readonly #listener: AdminListener;
  #loadedAt = 0;
  #problems: readonly string[] = [];
  #ticks = 0;
  /** Something became of a certificate since the last tick. */
  #certified = false;
  #stopTicking: () => void = () => {};

  constructor(deps: OperatorDeps) {
    const { platform, log, sinks, version } = deps;
    this.#deps = deps;
    this.#metrics = sinks.metrics;
    this.#journal = new Journal({
      transition: (transition) => this.#turned(transition),
      notable: (notable) => this.#events.send("notable", notable),
    });
    this.#desk = new ProxyDesk({
      ...{ clock: platform.clock, runtime: platform.runtime, log, version, sinks },
      ...{ journal: this.#journal, events: this.#events, requests: this.#requests },
      rules: () => this.#listener.rules,
      configStatus: () => this.#config,
      stirred: () => this.#look(),
    });
    const same = sameDigest((key, text) => platform.hmacSha256(key, text));
    const answer = adminApi({ desk: this.#desk, same });
    this.#listener = new AdminListener({ platform, log, answer, parting: () => this.#hush() });
  }

  // —— what the proxy tells ————————————————————————————————————————————————————————————————

  /** On the request path. */
  readonly account = (account: Account): void => {
    this.#journal.account(account);
    this.#metrics?.account(account);
    if (this.#requests.size > 0) this.#tell(account);
  };

  readonly changed = (upstream: string, change: BoardChange, poolId: string): void => {
    this.#journal.turn(transitionOf(change, { poolId, upstream, at: this.#now() }));
    this.#look();
  };

  readonly laid = (routes: readonly Route[]): void => this.#metrics?.adopt(routes);

  readonly probed = (poolId: string, upstream: string, verdict: Verdict): void =>
    this.#metrics?.probed(poolId, upstream, verdict);

  readonly certified = (turn: CertificateTurn): void => {
    this.#certified = true;
    this.#passOn((one) => one.certified(turn));
  };

  readonly secured = (tls: ConnectionTls): void => this.#metrics?.secured(tls);

  readonly handshakeFailed = (kind: HandshakeFailure): void => this.#metrics?.handshakeFailed(kind);

  // —— its life ————————————————————————————————————————————————————————————————————————————

  /** Opens the admin listener over a proxy that runs. Rejects with `ListenError`. */
  async attend(attended: Attended): Promise<void> {
    const prepared = await this.prepare(attended.config);
    this.#desk.attended = attended;
    prepared.take();
    this.taken(attended.config);
    this.#tick();
  }

  /** Opens what the next configuration wants of an admin listener. Rejects with `ListenError`. */
  prepare({ admin }: Config): Promise<Prepared> {
    return this.#listener.prepare(admin);
  }

  /** A configuration is in force. */
  taken(config: Config): void {
    this.#loadedAt = this.#now();
    this.#problems = [];
    this.#journal.slowMs = config.admin?.slowMs ?? Infinity;
    this.#deps.sinks.notifier?.adopt(config);
    this.#metrics?.reloaded(true);
    this.#events.send("config", this.#config);
    this.#look();
  }

  /** A configuration was no good; what was in force still is. */
  refused(problems: readonly string[]): void {
    this.#problems = problems;
    this.#metrics?.reloaded(false);
    this.#events.send("config", this.#config);
  }

  /** Where the admin listener is; undefined where there is none. */
  get address(): Address | undefined {
    return this.#listener.address;
  }

  close(): void {
    this.#stopTicking();
    this.#listener.close();
  }

  get #config(): ConfigStatus {
    const { path } = this.#desk.attended ?? {};
    return { path, loadedAt: this.#loadedAt, problems: this.#problems };
  }

  #now(): number {
    return this.#deps.platform.clock.now();
  }

  #tick(): void {
    this.#look();
    if (this.#events.size > 0) this.#events.send("summary", this.#desk.summary());
    // All of them at once, as many may come within moments after a start.
    if (this.#certified) this.#events.send("certificates", this.#desk.certificates);
    this.#certified = false;
    if (++this.#ticks % SIGN_OF_LIFE_TICKS === 0) this.#requests.sendText(":\n\n");
    this.#stopTicking = this.#deps.platform.clock.after(TICK_MS, () => this.#tick());
  }

  /** Notes where new requests go now, if that has changed. What is merely full moves nothing. */
  #look(): void {
    const { pools, elapsed, kept } = this.#desk.sight();
    const preferring = pools.filter(({ rules }) => rules.policy.kind === "first");
    const choices = preferring.map((pool) => ({
      poolId: pool.rules.id,
      name: expected(pool, elapsed, true)?.upstream.name ?? "",
    }));
    for (const { poolId, from, to } of this.#choices.look(choices)) {
      const members = pools.find(({ rules }) => rules.id === poolId)?.members ?? [];
      const reason = whyMoved({ from, to }, members, kept);
      this.#journal.turn({
        at: this.#now(),
        poolId,
        upstream: to,
        kind: "chosen",
        from,
        to,
        reason,
      });
    }
  }

  #turned(transition: Transition): void {
    this.#events.send("transition", transition);
    this.#passOn((one) => one.told(transition));
  }

  #passOn(tell: (sink: Metrics | Notifier) => void): void {
    try {
      const { metrics, notifier } = this.#deps.sinks;
      if (metrics !== undefined) tell(metrics);
      if (notifier !== undefined) tell(notifier);
    } catch (error) {
      // Who tells of it does so from within, and must not be left half done.
      this.#desk.bug(error);
    }
  }

  #tell(account: Account): void {
    const { level, logger, msg, json } = accessLine(account);
    const start = `{"level":"${level}","ts":${this.#now() / 1000},"logger":"${logger}"`;
    this.#requests.sendText(eventText("request", `${start},"msg":"${msg}",${json()}}`));
  }

  #hush(): void {
    this.#events.close();
    this.#requests.close();
  }
}
