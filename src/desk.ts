/**
 * What an operator is told of the proxy that runs, and may do to it, behind the admin API. Puts together
 * what others know; keeps nothing of its own.
 */
import type { Proxy } from "./app.ts";
import type { CertificateStatus, Member, Pool, Revocation, Verdict } from "./model.ts";
import type { Action, Denied, Desk } from "./ops/api.ts";
import { caddyUpstreams } from "./ops/caddy_view.ts";
import type { Feed } from "./ops/feed.ts";
import type { Journal } from "./ops/journal.ts";
import { type Log, logBug } from "./ops/log.ts";
import type { Named } from "./ops/naming.ts";
import { redactedConfig } from "./ops/redact.ts";
import type { Sinks } from "./ops/sinks.ts";
import type {
  ActionResult,
  CertificateResult,
  ConfigStatus,
  Status,
  Summary,
} from "./ops/status.ts";
import { probeStatus, routeStatus, type Sight, summary, upstreamStatus } from "./ops/view.ts";
import type { Clock } from "./platform/platform.ts";
import { available, expected } from "./request/pick.ts";
import type { AdminRules, Config } from "./rules.ts";
import { IssueError } from "./tls/issuer.ts";

/** A proxy that runs, and where its configuration comes from. */
export interface Attended {
  readonly proxy: Proxy;
  readonly config: Config;
  /** Undefined where it came from the command line. */
  readonly path: string | undefined;
  /** Reads it again; tells what is wrong with it. Undefined where there is nothing to read. */
  readonly reload: (() => Promise<readonly string[]>) | undefined;
}

export interface DeskDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly runtime: string;
  readonly sinks: Sinks;
  readonly journal: Journal;
  readonly events: Feed;
  readonly requests: Feed;
  readonly rules: () => AdminRules | undefined;
  readonly configStatus: () => ConfigStatus;
  /** Something was done that may move requests. */
  readonly stirred: () => void;
}

const ROOTLESS: Denied = {
  status: 404,
  denied: { error: "Cannot find a root, as nothing is signed here" },
};
const GONE: Denied = { status: 404, denied: { error: "Cannot find that upstream any more" } };

export class ProxyDesk implements Desk {
  /** Undefined until there is one. */
  attended: Attended | undefined;
  readonly version: string;
  readonly events: Feed;
  readonly requests: Feed;
  readonly #deps: DeskDeps;
  readonly #startedAt: number;

  constructor(deps: DeskDeps) {
    this.version = deps.version;
    this.events = deps.events;
    this.requests = deps.requests;
    this.#deps = deps;
    this.#startedAt = deps.clock.now();
  }

  get rules(): AdminRules | undefined {
    return this.#deps.rules();
  }

  get #pools(): readonly Pool[] {
    return this.attended?.proxy.pools ?? [];
  }

  /** How things stand now. */
  sight(): Sight {
    const { clock } = this.#deps;
    const board = this.attended?.proxy.board;
    const elapsed = clock.elapsed();
    return {
      pools: this.#pools,
      kept: (id) => board?.entry(id),
      expected: (pool) => expected(pool, elapsed, false),
      available: (member, pool) => available(member, pool, elapsed),
      now: clock.now(),
      elapsed,
    };
  }

  status(): Status {
    const { sinks: { stage }, journal, runtime, configStatus } = this.#deps;
    const proxy = this.attended?.proxy;
    const sight = this.sight();
    return {
      version: this.version,
      runtime,
      startedAt: this.#startedAt,
      now: sight.now,
      config: configStatus(),
      listen: proxy?.urls ?? [],
      draining: proxy?.draining ?? false,
      inFlight: proxy?.running ?? 0,
      routes: (proxy?.routes ?? []).map((route) => routeStatus(route, sight)),
      certificates: this.certificates,
      root: proxy?.isAuthority ?? false,
      ...(stage && { stage: stage.acts }),
      transitions: journal.transitions(sight.now),
      notable: journal.notable(),
    };
  }

  get certificates(): readonly CertificateStatus[] {
    return this.attended?.proxy.certificates ?? [];
  }

  summary(): Summary {
    const { running: inFlight = 0, draining = false } = this.attended?.proxy ?? {};
    return summary(this.sight(), { inFlight, draining });
  }

  caddyUpstreams() {
    return caddyUpstreams(this.sight());
  }

  config(): unknown {
    return redactedConfig(this.attended?.proxy.config ?? {});
  }

  async root(): Promise<string | Denied> {
    try {
      return await this.attended?.proxy.root() ?? ROOTLESS;
    } catch (error) {
      if (!(error instanceof IssueError)) throw error;
      return { status: 503, denied: { error: error.message } };
    }
  }

  metrics(): string | undefined {
    return this.#deps.sinks.metrics?.render(this.status());
  }

  page(): string | undefined {
    return this.#deps.sinks.page?.();
  }

  ready(): boolean {
    return this.attended !== undefined && !this.attended.proxy.draining;
  }

  upstreams(): readonly Named[] {
    return this.#pools.flatMap(({ rules, members }) =>
      members.map(({ upstream: { id, name } }) => ({ id, name, poolId: rules.id }))
    );
  }

  async act(upstreamId: string, action: Action): Promise<ActionResult | Denied> {
    const board = this.attended?.proxy.board;
    const entry = board?.entry(upstreamId);
    const place = this.#placeOf(upstreamId);
    if (board === undefined || entry === undefined || place === undefined) return GONE;
    const { pool, member } = place;

    let verdict: Verdict | undefined;
    switch (action) {
      case "drain":
      case "undrain":
        entry.drain(action === "drain");
        break;
      case "probe":
        verdict = await entry.probeNow();
        if (verdict === undefined) return unprobed(member.upstream.name);
        break;
      case "failback":
        board.release(pool.rules.id);
        this.#deps.log.info("failback.released", { route: pool.rules.id });
        this.#deps.stirred();
    }
    const upstream = upstreamStatus(member, pool, this.sight());
    if (upstream === undefined) return GONE;
    return { upstream, ...(verdict && { probe: probeStatus(verdict) }) };
  }

  async reload(): Promise<ConfigStatus | Denied> {
    const { proxy, reload } = this.attended ?? {};
    if (reload === undefined || proxy === undefined) {
      return { status: 409, denied: { error: "Cannot reload as the configuration is no file" } };
    }
    if (proxy.draining) return { status: 409, denied: { error: "Cannot reload as it is ending" } };
    const problems = await reload();
    if (problems.length === 0) return this.#deps.configStatus();
    return { status: 422, denied: { error: "Cannot take the configuration over", problems } };
  }

  async renew(
    name: string,
    reason: Revocation | undefined,
  ): Promise<CertificateResult | Denied> {
    const renewal = await this.attended?.proxy.renewCertificate(name, reason);
    switch (renewal?.kind) {
      case "renewed":
        return { certificate: renewal.certificate };
      case "failed":
        return { status: 409, denied: { error: renewal.reason } };
      case "from_files":
        return { status: 409, denied: { error: `Cannot renew "${name}" as it comes from files` } };
      case "unknown":
      case undefined:
        return { status: 404, denied: { error: `Cannot find a certificate for "${name}"` } };
    }
  }

  async play(upstream: string, act: string): Promise<Denied | undefined> {
    const { stage } = this.#deps.sinks;
    if (stage === undefined || !stage.acts.includes(act)) {
      return { status: 404, denied: { error: `Cannot "${act}" here` } };
    }
    const problem = await stage.play(upstream, act);
    return problem === undefined ? undefined : { status: 409, denied: { error: problem } };
  }

  bug(error: unknown): void {
    logBug(this.#deps.log, error);
  }

  #placeOf(upstreamId: string): { readonly pool: Pool; readonly member: Member } | undefined {
    for (const pool of this.#pools) {
      const member = pool.members.find(({ upstream }) => upstream.id === upstreamId);
      if (member !== undefined) return { pool, member };
    }
    return undefined;
  }
}

function unprobed(name: string): Denied {
  const error = `Cannot probe "${name}" as its pool has no health checks`;
  return { status: 409, denied: { error } };
}
