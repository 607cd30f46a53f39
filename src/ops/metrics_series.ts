/**
 * The counters of one route and of one pool: an object for each label set, made when a configuration
 * is taken over, so that a request finds its own by two lookups and makes nothing.
 */
import type { LostAttempt } from "../model.ts";
import type { PoolRules, Route } from "../rules.ts";
import { poolsOf } from "../steps.ts";
import { ANSWER_BOUNDS_MS, LOSS_REASONS, PROBE_BOUNDS_MS } from "./metrics_names.ts";
import { Histogram, labelled } from "./metrics_text.ts";

/** Value of a label where there is no route, upstream or status that the configuration or HTTP knows. */
export const NONE = "none";

interface Count {
  value: number;
}

/** What requests of one route came to at one upstream. */
export class AnswerSeries {
  readonly labels: string;
  readonly codes = new Map<number | typeof NONE, Count>();
  readonly duration = new Histogram(ANSWER_BOUNDS_MS);
  readonly firstByte = new Histogram(ANSWER_BOUNDS_MS);
  readonly failovers = new Map<string, number>();
  truncations = 0;

  constructor(route: string, upstream: string) {
    this.labels = labelled({ route, upstream });
    if (upstream === NONE) return;
    // A counter that appears with its first event hides that event from `increase` and `rate`.
    this.codes.set(200, { value: 0 });
    for (const reason of LOSS_REASONS) this.failovers.set(reason, 0);
  }

  /** Whether anything happened; "none" is not shown before. */
  get used(): boolean {
    return this.codes.size > 0;
  }

  answered(status: number): void {
    const code = status >= 100 && status <= 599 ? status : NONE;
    const count = this.codes.get(code);
    if (count === undefined) this.codes.set(code, { value: 1 });
    else count.value++;
  }

  lost({ reason }: LostAttempt): void {
    this.failovers.set(reason, (this.failovers.get(reason) ?? 0) + 1);
  }
}

/** A route's upstreams by name, those of all its pools. */
export class RouteSeries {
  readonly upstreams: ReadonlyMap<string, AnswerSeries>;
  /** Where nobody was asked, or someone whom the configuration does not know any more. */
  readonly none: AnswerSeries;

  /** Takes the counters of `before` over, those of upstreams that are gone excepted. */
  constructor(id: string, names: Iterable<string>, before: RouteSeries | undefined) {
    this.none = before?.none ?? new AnswerSeries(id, NONE);
    this.upstreams = new Map(
      [...names].map((name) => {
        // An upstream of that very name shares the series: the same labels twice fail a scrape.
        if (name === NONE) return [name, this.none];
        return [name, before?.upstreams.get(name) ?? new AnswerSeries(id, name)];
      }),
    );
  }

  static of(route: Route, before: RouteSeries | undefined): RouteSeries {
    const names = poolsOf([route]).flatMap(({ upstreams }) => upstreams.map(({ name }) => name));
    return new RouteSeries(route.id, names, before);
  }

  to(upstream: string | undefined): AnswerSeries {
    if (upstream === undefined) return this.none;
    return this.upstreams.get(upstream) ?? this.none;
  }

  get all(): readonly AnswerSeries[] {
    const all = new Set(this.upstreams.values());
    if (this.none.used) all.add(this.none);
    return [...all];
  }
}

/** What is counted of one upstream of a pool apart from requests. */
export class StandingSeries {
  readonly labels: string;
  readonly probeDuration = new Histogram(PROBE_BOUNDS_MS);
  passes = 0;
  fails = 0;
  failbacks = 0;

  constructor(route: string, upstream: string) {
    this.labels = labelled({ route, upstream });
  }
}

export class PoolSeries {
  readonly rules: PoolRules;
  /** Order is preference. */
  readonly upstreams: ReadonlyMap<string, StandingSeries>;

  constructor(rules: PoolRules, before: PoolSeries | undefined) {
    this.rules = rules;
    this.upstreams = new Map(
      rules.upstreams.map(({ name }) => [
        name,
        before?.upstreams.get(name) ?? new StandingSeries(rules.id, name),
      ]),
    );
  }

  /** New requests go from one to another; counted where the latter is preferred. */
  moved(from: string, to: string): void {
    if (this.rules.policy.kind !== "first") return;
    const names = [...this.upstreams.keys()];
    const series = this.upstreams.get(to);
    if (series !== undefined && names.indexOf(to) < names.indexOf(from)) series.failbacks++;
  }
}
