/**
 * Counts what happened and tells it to Prometheus. What is a matter of now (phase, requests in
 * flight) is read at the moment of the scrape; what happened is counted as it happens, on the request
 * path, without making anything. A library would look every label set up anew: docs/metrics.md has figures.
 */
import type { Account, CertificateTurn, Verdict } from "../model.ts";
import type { ConnectionTls, HandshakeFailure } from "../platform/tls.ts";
import type { Route } from "../rules.ts";
import { poolsOf } from "../steps.ts";
import { METRICS } from "./metrics_names.ts";
import { type AnswerSeries, NONE, PoolSeries, RouteSeries } from "./metrics_series.ts";
import { Exposition, labelled } from "./metrics_text.ts";
import { TlsSeries } from "./metrics_tls.ts";
import type { Metrics } from "./sinks.ts";
import type { Status, Transition, UpstreamStatus } from "./status.ts";

/** What the process takes of the machine. */
export interface ProcessUsage {
  readonly residentBytes: number;
  /** User and system time. */
  readonly cpuMs: number;
  /** Connections included; undefined where the system does not tell. */
  readonly openFiles: number | undefined;
}

export class Prometheus implements Metrics {
  readonly #usage: () => ProcessUsage;
  /** By route id. */
  #routes: ReadonlyMap<string, RouteSeries> = new Map();
  /** By pool id, which is the route's for the first pool of a route. */
  #pools: ReadonlyMap<string, PoolSeries> = new Map();
  /** Requests that no route took, or one that is gone. */
  readonly #unrouted = new RouteSeries(NONE, [], undefined);
  readonly #tls = new TlsSeries();
  #refused = false;

  constructor(usage: () => ProcessUsage) {
    this.#usage = usage;
  }

  adopt(routes: readonly Route[]): void {
    const routesBefore = this.#routes;
    const poolsBefore = this.#pools;
    this.#routes = new Map(
      routes.map((route) => [route.id, RouteSeries.of(route, routesBefore.get(route.id))]),
    );
    this.#pools = new Map(
      poolsOf(routes).map((pool) => [pool.id, new PoolSeries(pool, poolsBefore.get(pool.id))]),
    );
  }

  account(account: Account): void {
    const { routeId, lost, firstByteMs } = account;
    const route = (routeId === undefined ? undefined : this.#routes.get(routeId)) ?? this.#unrouted;
    const series = route.to(account.upstream);
    series.answered(account.status);
    series.duration.observe(account.durationMs);
    if (firstByteMs !== undefined) series.firstByte.observe(firstByteMs);
    if (account.outcome === "truncated") series.truncations++;
    if (lost.length === 0) return;
    for (const attempt of lost) if (attempt.followed) route.to(attempt.upstream).lost(attempt);
  }

  told({ kind, poolId, from = "", to = "" }: Transition): void {
    if (kind === "chosen") this.#pools.get(poolId)?.moved(from, to);
  }

  probed(poolId: string, upstream: string, { passed, durationMs }: Verdict): void {
    const series = this.#pools.get(poolId)?.upstreams.get(upstream);
    if (series === undefined) return;
    if (passed) series.passes++;
    else series.fails++;
    series.probeDuration.observe(durationMs);
  }

  certified(turn: CertificateTurn): void {
    this.#tls.certified(turn);
  }

  secured(tls: ConnectionTls): void {
    this.#tls.secured(tls);
  }

  handshakeFailed(kind: HandshakeFailure): void {
    this.#tls.failed(kind);
  }

  reloaded(taken: boolean): void {
    this.#refused = !taken;
  }

  render(status: Status): string {
    const text = new Exposition();
    this.#writeStandings(text, status);
    this.#writeAnswers(text);
    this.#writeProbes(text);
    this.#tls.writeTo(text, status);
    this.#writeProcess(text, status);
    return text.text;
  }

  #writeStandings(text: Exposition, { routes, now }: Status): void {
    const pools = routes.flatMap((route) => route.pools);
    const each = (value: (upstream: UpstreamStatus, poolId: string) => number) => {
      for (const { id, upstreams } of pools) {
        for (const upstream of upstreams) {
          const labels = this.#pools.get(id)?.upstreams.get(upstream.name)?.labels;
          if (labels !== undefined) text.sample(labels, value(upstream, id));
        }
      }
    };
    text.family(METRICS.up);
    each(({ phase }) => phase === "down" ? 0 : 1);
    text.family(METRICS.drained);
    each(({ drained }) => drained ? 1 : 0);
    text.family(METRICS.penalised);
    each(({ penalties }, poolId) => {
      const failsMax = this.#pools.get(poolId)?.rules.passive.failsMax ?? 1;
      return penalties.filter(({ until }) => until > now).length >= failsMax ? 1 : 0;
    });
    text.family(METRICS.inFlight);
    each(({ inFlight }) => inFlight);
  }

  #writeAnswers(text: Exposition): void {
    const all = [...this.#routes.values(), this.#unrouted].flatMap((route) => route.all);
    const each = (write: (series: AnswerSeries) => void) => all.forEach(write);

    text.family(METRICS.requests);
    each(({ labels, codes }) => {
      for (const [code, { value }] of codes) text.sample(`${labels},code="${code}"`, value);
    });
    text.family(METRICS.duration);
    each(({ labels, duration }) => duration.writeTo(text, labels));
    text.family(METRICS.firstByte);
    each(({ labels, firstByte }) => firstByte.writeTo(text, labels));
    text.family(METRICS.failovers);
    each(({ labels, failovers }) => {
      for (const [reason, value] of failovers) text.sample(`${labels},reason="${reason}"`, value);
    });
    text.family(METRICS.truncations);
    each(({ labels, truncations }) => text.sample(labels, truncations));
  }

  #writeProbes(text: Exposition): void {
    const pools = [...this.#pools.values()];
    const all = pools.flatMap(({ upstreams }) => [...upstreams.values()]);
    const probed = pools.filter(({ rules }) => rules.health !== undefined)
      .flatMap(({ upstreams }) => [...upstreams.values()]);

    text.family(METRICS.failbacks);
    for (const { labels, failbacks } of all) text.sample(labels, failbacks);
    text.family(METRICS.probes);
    for (const { labels, passes, fails } of probed) {
      text.sample(`${labels},result="pass"`, passes);
      text.sample(`${labels},result="fail"`, fails);
    }
    text.family(METRICS.probeDuration);
    for (const { labels, probeDuration } of probed) probeDuration.writeTo(text, labels);
  }

  #writeProcess(text: Exposition, { config, version, runtime, startedAt }: Status): void {
    const { residentBytes, cpuMs, openFiles } = this.#usage();
    text.family(METRICS.reloadSuccessful).sample("", this.#refused ? 0 : 1);
    text.family(METRICS.reloadTimestamp).sample("", config.loadedAt / 1000);
    text.family(METRICS.buildInfo).sample(labelled({ version, runtime }), 1);
    text.family(METRICS.cpu).sample("", cpuMs / 1000);
    text.family(METRICS.memory).sample("", residentBytes);
    if (openFiles !== undefined) text.family(METRICS.openFiles).sample("", openFiles);
    text.family(METRICS.startTime).sample("", startedAt / 1000);
  }
}
