/**
 * Puts the parts together and keeps them while the process runs: opens listeners, starts probes,
 * takes a new configuration over whole or not at all, and lets everything end in good order.
 * Longer than usual, as the order of these things is what matters here.
 */
import { Deadlines } from "./deadlines.ts";
import { type Plan, plan } from "./config/plan.ts";
import { Sources } from "./dynamic/sources.ts";
import { announce } from "./health/announce.ts";
import { Board } from "./health/board.ts";
import type { Change } from "./health/entry.ts";
import { watch } from "./health/loop.ts";
import { probe } from "./health/probe.ts";
import { Listeners } from "./listeners.ts";
import { QuicListeners } from "./quic_listeners.ts";
import type {
  Account,
  CertificateStatus,
  Engine,
  Exchange,
  Listener,
  Pool,
  Refusal,
  Renewal,
  Revocation,
  Verdict,
} from "./model.ts";
import type { Config, Route } from "./rules.ts";
import { accessLevel, accessLine, refusalLine } from "./ops/access.ts";
import { logBug, type Logger } from "./ops/log.ts";
import type { Clock, Names } from "./platform/platform.ts";
import { poolsOf } from "./steps.ts";
import type { Edge, RunningTunnel, Snapshot, World } from "./request/deps.ts";
import { createRelay, type Relay } from "./request/handler.ts";
import { ids } from "./request/ids.ts";
import { buildRouter } from "./request/route.ts";
import type { TlsEdge } from "./tls/edge.ts";

export interface ProxyDeps extends World {
  readonly engine: Engine;
  readonly log: Logger;
  readonly clock: Clock;
  /** For upstreams that a name service knows. */
  readonly names: Names;
  /** Holds the certificates; closed with the proxy. Needed where a configuration speaks TLS. */
  readonly tls?: TlsEdge;
  /** Also told of every exchange, after the access log. */
  readonly account?: (account: Account) => void;
  /** Also told of every change of an upstream, after the log. */
  readonly changed?: (upstream: string, change: Change, poolId: string) => void;
  /** Told of the routes at work, with the upstreams that were found for them, before anything comes of them. */
  readonly laid?: (routes: readonly Route[]) => void;
  /** Told of every verdict on an upstream. */
  readonly probed?: (poolId: string, upstream: string, verdict: Verdict) => void;
}

/** How long exchanges that were cut may take to tell of their end, in milliseconds. */
const LAST_WORDS_MS = 500;

/** A running proxy. */
export class Proxy {
  readonly board: Board;
  readonly #deps: ProxyDeps;
  readonly #relay: Relay;
  readonly #live: { current: Snapshot };
  readonly #tunnels = new Set<RunningTunnel>();
  readonly #listeners: Listeners;
  readonly #quic: QuicListeners;
  readonly #deadlines: Deadlines;
  readonly #probes = new Map<string, AbortController>();
  readonly #sources: Sources;
  #config: Config | undefined;
  /** The configuration with the upstreams that were found for it: what is at work. */
  #laid: Config | undefined;
  #pools: readonly Pool[] = [];
  #running = 0;
  #draining = false;
  #whenIdle: () => void = () => {};

  private constructor(deps: ProxyDeps) {
    this.#deps = deps;
    this.#deadlines = new Deadlines(deps.clock);
    this.board = new Board(deps.clock, (route, upstream, change) => {
      announce(deps.log, { route, upstream, change });
      if (change.kind === "phase" && change.to === "down") this.#distrust(route, upstream);
      deps.changed?.(upstream, change, route);
    });
    this.#sources = new Sources({
      names: deps.names,
      clock: deps.clock,
      // Whatever runs on an upstream that is found no more, tunnels too, ends by itself.
      changed: () => void (this.#config !== undefined && this.#lay(this.#config)),
      tell: (level, event, fields) => deps.log[level](event, fields),
    });
    this.#listeners = new Listeners({
      ...{ engine: deps.engine, log: deps.log, serve: this.#serve, refused: this.#refused },
      bug: this.#bug,
      door: (rules) => edgeOf(deps).door(rules),
    });
    this.#quic = new QuicListeners({
      ...{ quic: deps.engine.quic, serve: this.#serve, clock: deps.clock, log: deps.log },
      identities: (rules) => edgeOf(deps).identities(rules),
    });
    deps.tls?.hear(() => this.#quic.stir());
    this.#live = {
      current: snapshot({ routes: [], trustedProxies: [] }, { pools: [], edge: undefined }),
    };
    this.#relay = createRelay({
      live: this.#live,
      transport: deps.engine.transport,
      clock: deps.clock,
      deadlines: this.#deadlines,
      world: deps,
      newId: ids(deps.random),
      tunnels: this.#tunnels,
      draining: () => this.#draining,
      account: (account) => {
        this.#running--;
        if (this.#running === 0) this.#whenIdle();
        if (account.logged && deps.log.wants(accessLevel(account))) {
          deps.log.line(accessLine(account));
        }
        deps.account?.(account);
      },
      bug: this.#bug,
    });
  }

  /** Opens the listeners and starts the probes. Rejects with `ListenError`; nothing stays open then. */
  static async open(config: Config, deps: ProxyDeps): Promise<Proxy> {
    const proxy = new Proxy(deps);
    await proxy.replace(config);
    return proxy;
  }

  /** Addresses listened on now, with the port that the system chose for port 0. */
  get addresses(): readonly Listener["address"][] {
    return this.#listeners.addresses;
  }

  /** The same as URLs. */
  get urls(): readonly string[] {
    return this.#listeners.urls;
  }

  get config(): Config | undefined {
    return this.#config;
  }

  /** The routes at work, with the upstreams that were found for them. */
  get routes(): readonly Route[] {
    return this.#laid?.routes ?? [];
  }

  /** The pools at work, in the order of the file. */
  get pools(): readonly Pool[] {
    return this.#pools;
  }

  /**
   * Takes a configuration over. Sockets are opened first, as only they can fail: then nothing has
   * changed yet and nothing changes. Running requests end as they began.
   */
  async replace(config: Config): Promise<void> {
    await this.#sources.meet(poolsOf(config.routes));
    const listeners = await this.#listeners.prepare(config.listen).catch((error: unknown) => {
      this.#sources.keep(poolsOf(this.#config?.routes ?? []));
      throw error;
    });
    // A drain that began meanwhile knows nothing of these.
    if (this.#draining) {
      this.#sources.keep([]);
      return listeners.giveUp();
    }

    this.#config = config;
    this.#deps.log.configure(config.log);
    this.#deps.tls?.replace(config.tls);
    this.#sources.keep(poolsOf(config.routes));
    listeners.take();
    this.#quic.replace(config.listen, (rules) => this.#listeners.boundTo(rules));
    const { gone, moved } = this.#lay(config);
    this.#endTunnels((tunnel) => gone.has(tunnel.upstreamId) || moved.has(tunnel.upstreamId));
  }

  /** Puts all that is known of upstreams by now to work. */
  #lay(config: Config): Plan {
    const laid = this.#sources.laid(config);
    this.#deps.laid?.(laid.routes);
    const changes = plan(this.#laid, laid);
    this.#laid = laid;
    const pools = this.board.adopt(poolsOf(laid.routes), changes.moved);
    for (const id of [...changes.unprobe, ...changes.probe]) this.#probes.get(id)?.abort();
    for (const pool of pools) this.#startProbes(pool, changes.probe);
    this.#live.current = snapshot(laid, { pools, edge: this.#edge(config) });
    this.#pools = pools;
    return changes;
  }

  /** What requests may ask of TLS. */
  #edge({ tls: rules, listen }: Config): Edge | undefined {
    if (rules === undefined) return undefined;
    const tls = edgeOf(this.#deps);
    const ports = listen.filter((one) => one.tls)
      .map((one) => this.#listeners.boundTo(one))
      .flatMap((address) => address.kind === "tcp" ? [address.port] : []);
    const [first = 443] = ports;
    return {
      proof: (token) => tls.proof(token),
      secures: (host) => tls.secures(host),
      port: rules.redirectPort ?? first,
      ports: new Set(ports),
      minVersion: rules.minVersion,
      alternative: (port, name) => this.#quic.alternative(port, name),
    };
  }

  /** How things stand with the certificates, in the order of the file. */
  get certificates(): readonly CertificateStatus[] {
    return this.#deps.tls?.status() ?? [];
  }

  /** Whether certificates are signed by the authority of our own. */
  get isAuthority(): boolean {
    return this.#deps.tls?.isAuthority ?? false;
  }

  /** PEM of its root, where there is one. Rejects with `IssueError`. */
  root(): Promise<string | undefined> {
    return this.#deps.tls?.root() ?? Promise.resolve(undefined);
  }

  /** Has the certificate for that name issued anew, and the old one called back where a reason is given. */
  async renewCertificate(name: string, reason?: Revocation): Promise<Renewal> {
    return await this.#deps.tls?.renew(name, reason) ?? { kind: "unknown" };
  }

  /** No configuration is taken over any more. */
  get draining(): boolean {
    return this.#draining;
  }

  /**
   * Accepts nothing more and settles when all exchanges have ended, at the latest after `graceMs`.
   * Resolves with the number of those that had to be cut.
   */
  async drain(graceMs: number): Promise<number> {
    this.#draining = true;
    this.#sources.keep([]);
    this.#deps.tls?.close();
    const closed = this.#listeners.close();
    // Its connections outlive their exchanges, and say goodbye to nobody.
    this.#quic.retire();
    this.#endTunnels(() => true);
    const idle = new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
      if (this.#running === 0) resolve();
    });

    const inTime = await this.#within(graceMs, Promise.all([idle, closed]));
    const cut = inTime ? 0 : this.#running;
    this.#listeners.abort();
    this.#quic.abort();
    for (const loop of this.#probes.values()) loop.abort();
    // What was cut still owes its line to the access log.
    if (cut > 0) await this.#within(LAST_WORDS_MS, idle);
    this.#deadlines.close();
    return cut;
  }

  /** Waits for the promise, `ms` at most; says whether it settled. */
  #within(ms: number, promise: Promise<unknown>): Promise<boolean> {
    return new Promise((resolve) => {
      const stopTimer = this.#deps.clock.after(ms, () => resolve(false));
      void promise.then(() => {
        stopTimer();
        resolve(true);
      });
    });
  }

  /** Exchanges that run now. */
  get running(): number {
    return this.#running;
  }

  readonly #serve = (exchange: Exchange): Promise<void> => {
    this.#running++;
    return this.#relay(exchange);
  };

  readonly #refused = (refusal: Refusal): void => {
    this.#deps.log.line(refusalLine(refusal));
  };

  readonly #bug = (error: unknown): void => logBug(this.#deps.log, error);

  #startProbes({ rules, members }: Pool, wanted: ReadonlySet<string>): void {
    const { health } = rules;
    if (health === undefined) return;
    const { engine: { transport }, clock, random } = this.#deps;
    for (const { upstream } of members) {
      const entry = this.board.entry(upstream.id);
      if (entry === undefined || !wanted.has(upstream.id)) continue;
      const loop = new AbortController();
      const { signal } = loop;
      this.#probes.set(upstream.id, loop);
      const ask = async () => {
        const verdict = await probe(upstream, health, { transport, clock, signal });
        if (!signal.aborted) this.#deps.probed?.(rules.id, upstream.name, verdict);
        return verdict;
      };
      void watch(entry, health, ask, { clock, random, signal });
    }
  }

  /** A machine that was suspended comes back without its connections, and says so to nobody. */
  #distrust(poolId: string, name: string): void {
    const pool = this.#live.current.pool(poolId);
    const upstream = pool?.rules.upstreams.find((candidate) => candidate.name === name);
    if (upstream !== undefined) this.#deps.engine.transport.distrust(upstream);
  }

  #endTunnels(which: (tunnel: RunningTunnel) => boolean): void {
    for (const running of this.#tunnels) {
      if (!which(running)) continue;
      if (running.closeDelayMs === 0) running.tunnel.goAway();
      else this.#deps.clock.after(running.closeDelayMs, () => running.tunnel.goAway());
    }
  }
}

function edgeOf({ tls }: ProxyDeps): TlsEdge {
  if (tls === undefined) throw new TypeError("Cannot speak TLS as nobody holds certificates");
  return tls;
}

function snapshot(
  { routes, trustedProxies }: Pick<Config, "routes" | "trustedProxies">,
  { pools, edge }: { pools: readonly Pool[]; edge: Edge | undefined },
): Snapshot {
  const byId = new Map(pools.map((pool) => [pool.rules.id, pool]));
  return { router: buildRouter(routes), trustedProxies, edge, pool: (id) => byId.get(id) };
}
