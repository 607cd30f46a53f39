/**
 * Upstreams that speak HTTP/2: finds a connection with room for one more stream, or makes one. Its
 * handshake counts as dialling, so whoever answers in another language has seen nothing of a request.
 */
import type { Attempt, FailureReason, Outcome } from "../model.ts";
import type { Clock, Platform } from "../platform/platform.ts";
import type { Upstream } from "../rules.ts";
import { dialUpstream } from "./dialling.ts";
import type { EndSignal } from "../end.ts";
import type { Deadlines } from "../deadlines.ts";
import { Session } from "./h2_session.ts";
import type { Stream } from "./h2_stream.ts";
import { SharedByReach } from "./shared.ts";

export interface H2Deps {
  readonly clock: Clock;
  readonly dial: Platform["dial"];
  readonly deadlines: Deadlines;
}

/** A ping is one round trip; longer, and a new connection is the better bet. */
const PING_TIMEOUT_MS = 1_000;
/** Connections that one attempt makes at most, should each be taken by others before it comes to it. */
const DIALS_MAX = 2;

type Failed = Extract<Outcome, { kind: "failed" }>;

interface Started {
  readonly kind: "started";
  readonly session: Session;
  readonly stream: Stream;
  readonly outcome: Promise<Outcome>;
  /** The connection has carried others before. */
  readonly reused: boolean;
  /** What the session had heard by then. */
  readonly heard: number;
}

export class H2Client {
  readonly #origins: SharedByReach<Origin>;

  constructor(deps: H2Deps) {
    this.#origins = new SharedByReach((upstream) => new Origin(upstream, deps));
  }

  async send(attempt: Attempt): Promise<Outcome> {
    const origin = this.#origins.of(attempt.upstream);
    for (let again = true;; again = false) {
      if (attempt.signal.aborted) return { kind: "abandoned" };
      const started = await origin.start(attempt);
      if (started.kind !== "started") return started;
      const outcome = await started.outcome;
      if (!again || outcome.kind !== "failed" || !mayRepeat(attempt, outcome, started)) {
        return outcome;
      }
    }
  }

  /** Connections made before now carry nothing new. */
  distrust(upstream: Upstream): void {
    this.#origins.of(upstream).distrust();
  }
}

/**
 * Whether the same upstream may be asked once more: it said that it did not look (a restart, mostly), or
 * a kept connection proved stale under a request that does no harm twice.
 */
function mayRepeat(attempt: Attempt, outcome: Failed, { stream, session, reused, heard }: Started) {
  if (stream.upload.touched) return false;
  if (!outcome.sent) return true;
  const stale = outcome.reason === "closed" && reused && session.ending && session.heard === heard;
  return stale && !attempt.fresh;
}

/** The connections to one upstream. */
class Origin {
  readonly #upstream: Upstream;
  readonly #deps: H2Deps;
  readonly #sessions = new Set<Session>();
  #dialling: Promise<Session | Failed> | undefined;
  #waiting: (() => void)[] = [];

  constructor(upstream: Upstream, deps: H2Deps) {
    this.#upstream = upstream;
    this.#deps = deps;
  }

  async start(attempt: Attempt): Promise<Started | Outcome> {
    if (this.#upstream.connections.proxyProtocol !== undefined) {
      return await this.#startAlone(attempt);
    }
    const { fresh, dialTimeoutMs, signal } = attempt;
    const giveUpAt = this.#deps.clock.elapsed() + dialTimeoutMs;
    for (let dials = 0;;) {
      const session = [...this.#sessions].find(({ free }) => free);
      if (session !== undefined) {
        const reused = dials === 0;
        // A stale connection would force a choice between losing and repeating such a request.
        const proven = !fresh || !reused || await this.#proven(session, attempt);
        if (signal.aborted) return { kind: "abandoned" };
        if (proven && session.free) return started(session, attempt, reused);
        continue;
      }
      const restMs = giveUpAt - this.#deps.clock.elapsed();
      if (restMs <= 0) return unsent("dial_timeout", "all connections are busy");
      if (dials < DIALS_MAX && (this.#dialling !== undefined || this.#mayDial())) {
        dials++;
        const dialled = await within(this.#dialled(attempt), signal);
        if (dialled === undefined) return { kind: "abandoned" };
        if ("kind" in dialled) return dialled;
        continue;
      }
      const turned = new Promise<void>((resolve) => void this.#waiting.push(resolve));
      const stopTimer = this.#deps.clock.after(restMs, () => this.#turn());
      await within(turned, signal);
      stopTimer();
      if (signal.aborted) return { kind: "abandoned" };
    }
  }

  distrust(): void {
    for (const session of [...this.#sessions]) session.retire();
  }

  async #proven(session: Session, { dialTimeoutMs, signal }: Attempt): Promise<boolean> {
    const timeoutMs = Math.min(PING_TIMEOUT_MS, dialTimeoutMs);
    const alive = await within(session.answers(timeoutMs), signal);
    if (alive === false) session.retire();
    return alive === true;
  }

  /** On a connection that nobody else uses before or after: it says at its start whose it is. */
  async #startAlone(attempt: Attempt): Promise<Started | Outcome> {
    const ending = new AbortController();
    const dialled = await within(this.#dial(attempt, ending.signal), attempt.signal);
    if (dialled === undefined) ending.abort();
    if (dialled === undefined) return { kind: "abandoned" };
    return "kind" in dialled ? dialled : started(dialled, attempt, false);
  }

  #mayDial(): boolean {
    return this.#sessions.size < this.#upstream.connections.connectionsMax;
  }

  /** One dial for all who wait; it goes on when one of them leaves. */
  #dialled(attempt: Attempt): Promise<Session | Failed> {
    this.#dialling ??= this.#dial(attempt, new AbortController().signal).finally(() => {
      this.#dialling = undefined;
    });
    return this.#dialling;
  }

  async #dial({ dialTimeoutMs, client }: Attempt, signal: EndSignal): Promise<Session | Failed> {
    const { clock, deadlines, dial } = this.#deps;
    const { connections } = this.#upstream;
    const shared = connections.proxyProtocol === undefined;
    const session = new Session({
      clock,
      deadlines,
      idleMs: shared ? connections.idleMs : 0,
      headLimitBytes: connections.headLimitBytes,
      turned: (one) => {
        if (one.ending) this.#sessions.delete(one);
        this.#turn();
      },
    });
    const beganAt = clock.elapsed();
    const dialler = { upstream: this.#upstream, dialTimeoutMs, signal, client };
    const dialled = await dialUpstream(dialler, session, ["h2"], { dial, deadlines });
    if (dialled.kind === "aborted") return unsent("closed", "nobody waits any more");
    if (dialled.kind === "failed") return unsent(dialled.code, dialled.detail);

    session.open(dialled.connection);
    const late = Promise.withResolvers<string>();
    const restMs = dialTimeoutMs - (clock.elapsed() - beganAt);
    const stopTimer = clock.after(restMs, () => late.resolve("late"));
    const problem = await Promise.race([session.greeted, late.promise]);
    stopTimer();
    if (problem === undefined && !session.ending) {
      if (shared) this.#sessions.add(session);
      return session;
    }
    session.close();
    if (problem !== "late") return unsent("protocol", problem ?? "went away at once");
    return unsent("dial_timeout", `no word of HTTP/2 in ${dialTimeoutMs} ms`);
  }

  #turn(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

function started(session: Session, attempt: Attempt, reused: boolean): Started {
  const { heard } = session;
  return { kind: "started", session, ...session.start(attempt), reused, heard };
}

/** The promise's value; undefined when the signal aborts before. */
function within<T>(promise: Promise<T>, signal: EndSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(undefined);
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

function unsent(reason: FailureReason, detail: string): Failed {
  return { kind: "failed", reason, sent: false, detail };
}
