/**
 * Asks name services for upstreams, again and again, and keeps what they said. An answer that fails to
 * come changes nothing for a while; only a change is told.
 */
import { spellAddress } from "../address.ts";
import type { Clock, NameAnswer, NameQuestion, Names } from "../platform/platform.ts";
import type { Config, Dynamic, PoolRules, Step } from "../rules.ts";
import { withPools } from "../steps.ts";
import { filled, type Place, placesOfAddresses, placesOfServices } from "./found.ts";

export interface SourcesDeps {
  readonly names: Pick<Names, "addresses" | "services">;
  readonly clock: Clock;
  /** What was found is not what it was. */
  readonly changed: () => void;
  /** One line of the log. */
  readonly tell: (
    level: "info" | "warn",
    event: string,
    fields: Readonly<Record<string, string | number>>,
  ) => void;
}

/** How long a name server may take, in milliseconds. */
const ANSWER_TIMEOUT_MS = 2_000;
/** How long a start or a reload waits for first answers, in milliseconds. */
const FIRST_ANSWERS_MS = 3_000;
/** How soon it is asked again that gave no answer, in milliseconds. */
const RETRY_MS = 5_000;

/** waiting: never answered · known: it has answered · stale: it did, and does no more · lost: for too long */
type State = "waiting" | "known" | "stale" | "lost";

interface Source {
  readonly dynamic: Dynamic;
  readonly ending: AbortController;
  places: readonly Place[];
  state: State;
  /** `elapsed` time since which no answer came. */
  staleSince: number;
}

export class Sources {
  readonly #deps: SourcesDeps;
  /** By what is asked, so that pools share the answers and reloads keep them. */
  #sources = new Map<string, Source>();

  constructor(deps: SourcesDeps) {
    this.#deps = deps;
  }

  /** Begins to ask for what these pools name; settles with the first answers, or when they take too long. */
  async meet(pools: readonly PoolRules[]): Promise<void> {
    const first: Promise<void>[] = [];
    for (const [key, dynamic] of asked(pools)) {
      if (this.#sources.has(key)) continue;
      const source: Source = {
        dynamic,
        ending: new AbortController(),
        places: [],
        state: "waiting",
        staleSince: 0,
      };
      this.#sources.set(key, source);
      first.push(this.#begin(source));
    }
    if (first.length === 0) return;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const stopTimer = this.#deps.clock.after(FIRST_ANSWERS_MS, resolve);
    await Promise.race([Promise.all(first), late]);
    stopTimer();
  }

  /** Asks for nothing but what these pools name from now on. */
  keep(pools: readonly PoolRules[]): void {
    const wanted = asked(pools);
    for (const [key, { ending }] of this.#sources) {
      if (wanted.has(key)) continue;
      ending.abort();
      this.#sources.delete(key);
    }
  }

  /** The configuration with what is known now behind what its pools list. */
  laid(config: Config): Config {
    if (this.#sources.size === 0) return config;
    const fill = (steps: readonly Step[]) => withPools(steps, (pool) => this.filled(pool));
    const routes = config.routes.map((route) => ({
      ...route,
      steps: fill(route.steps),
      errors: route.errors.map(({ status, steps }) => ({ status, steps: fill(steps) })),
    }));
    return { ...config, routes };
  }

  /** The pool with what is known now behind what it lists. */
  filled(pool: PoolRules): PoolRules {
    return filled(pool, (dynamic) => this.#sources.get(keyOf(dynamic))?.places ?? []);
  }

  /** Settles with the first answer; goes on asking until it is ended. */
  async #begin(source: Source): Promise<void> {
    const answer = await this.#ask(source);
    if (source.ending.signal.aborted) return;
    void this.#goOn(source, this.#take(source, answer));
  }

  async #goOn(source: Source, firstRestMs: number): Promise<void> {
    const { signal } = source.ending;
    let restMs = firstRestMs;
    while (!signal.aborted) {
      // Aborting the sleep is how this loop ends, so the rejection carries no news.
      await this.#deps.clock.sleep(restMs, signal).catch(() => {});
      if (signal.aborted) return;
      const answer = await this.#ask(source);
      if (!signal.aborted) restMs = this.#take(source, answer);
    }
  }

  async #ask({ dynamic, ending: { signal } }: Source): Promise<NameAnswer<Place>> {
    const { name, resolvers: servers } = dynamic;
    const question: NameQuestion = { name, servers, timeoutMs: ANSWER_TIMEOUT_MS, signal };
    if (dynamic.kind === "srv") {
      const answer = await this.#deps.names.services(question);
      if (answer.kind !== "found") return answer;
      return { kind: "found", items: placesOfServices(answer.items) };
    }
    const answer = await this.#deps.names.addresses(question, dynamic.families);
    if (answer.kind !== "found") return answer;
    return { kind: "found", items: placesOfAddresses(answer.items, dynamic.port) };
  }

  /** Keeps an answer, or keeps on without one. Returns how long to wait before asking again. */
  #take(source: Source, answer: NameAnswer<Place>): number {
    const { refreshMs } = source.dynamic;
    if (answer.kind === "found") {
      this.#know(source, answer.items);
      return refreshMs;
    }
    const now = this.#deps.clock.elapsed();
    if (source.state === "known") source.staleSince = now;
    const goodForMs = source.state === "waiting" || source.state === "lost"
      ? 0
      : source.staleSince + source.dynamic.graceMs - now;
    this.#miss(source, answer.detail, goodForMs);
    const soonMs = Math.min(refreshMs, RETRY_MS);
    return goodForMs > 0 ? Math.min(soonMs, goodForMs) : soonMs;
  }

  #know(source: Source, places: readonly Place[]): void {
    const { name } = source.dynamic;
    const before = source.state;
    const spelled = spell(places);
    const changed = spelled !== spell(source.places);
    source.state = "known";
    source.places = places;
    if (changed || before !== "known") {
      this.#deps.tell("info", "upstreams.found", { name, upstreams: spelled });
    }
    if (changed) this.#deps.changed();
  }

  #miss(source: Source, reason: string, goodForMs: number): void {
    const { name } = source.dynamic;
    const before = source.state;
    source.state = goodForMs > 0 ? "stale" : "lost";
    if (source.state === before) return;
    const { tell, changed } = this.#deps;
    if (source.state === "stale") {
      tell("warn", "upstreams.stale", { name, reason, seconds: goodForMs / 1000 });
      return;
    }
    tell("warn", "upstreams.unknown", { name, reason });
    if (source.places.length === 0) return;
    source.places = [];
    changed();
  }
}

function asked(pools: readonly PoolRules[]): ReadonlyMap<string, Dynamic> {
  return new Map(pools.flatMap((pool) => pool.dynamic.map((one) => [keyOf(one), one] as const)));
}

/** What is asked and how often; what is made of the answers is each pool's own. */
function keyOf(dynamic: Dynamic): string {
  return JSON.stringify({ ...dynamic, template: undefined });
}

function spell(places: readonly Place[]): string {
  return places.map((place) => spellAddress({ kind: "tcp", ...place })).join(", ");
}
