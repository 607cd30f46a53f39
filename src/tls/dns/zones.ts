/**
 * Asks the name service about records that prove a name: where they belong, as a name may stand for another,
 * and whether they can be seen. Asks the servers of the zone themselves, as all others remember that there
 * was nothing.
 */
import type { NameAnswer, NameQuestion, Names } from "../../platform/platform.ts";
import { CHALLENGE_LABEL, type DnsRecord } from "./writer.ts";

/** For one question, in milliseconds. */
const QUESTION_TIMEOUT_MS = 2_000;
/** Names that stand for one another, at most. */
const ALIASES_MAX = 8;
/** Places of a zone's servers that are asked what a name stands for, in turn. */
const ASKED_MAX = 3;

/** Whoever should show a record. */
interface Witness {
  readonly name: string;
  /** `host:port`; none stands for the system's own servers. */
  readonly places: readonly string[];
}

export class Zones {
  readonly #names: Names;
  readonly #resolvers: readonly string[];

  /** `resolvers` are asked instead of the servers of the zone. */
  constructor(names: Names, resolvers: readonly string[]) {
    this.#names = names;
    this.#resolvers = resolvers;
  }

  /** Where a record at this name has to be written: the name itself, or what it stands for. */
  async home(name: string, signal: AbortSignal): Promise<string> {
    let home = name;
    for (let hops = 0; hops < ALIASES_MAX; hops++) {
      const alias = await this.#alias(home, signal);
      if (alias === undefined) break;
      home = alias.toLowerCase();
    }
    return home;
  }

  /** Names of the servers that do not show a record. */
  async blind({ name, value }: DnsRecord, signal: AbortSignal): Promise<readonly string[]> {
    const witnesses = await this.#witnesses(name, signal);
    const seen = await Promise.all(witnesses.map(async ({ places }) => {
      const answer = await this.#names.texts(question(name, places, signal));
      return answer.kind === "found" && answer.items.includes(value);
    }));
    return witnesses.filter((_, at) => !seen[at]).map((witness) => witness.name);
  }

  async #witnesses(name: string, signal: AbortSignal): Promise<readonly Witness[]> {
    if (this.#resolvers.length > 0) {
      return this.#resolvers.map((place) => ({ name: place, places: [place] }));
    }
    const servers = await this.#servers(name, signal);
    return servers.length > 0 ? servers : [{ name: "the system's", places: [] }];
  }

  async #alias(name: string, signal: AbortSignal): Promise<string | undefined> {
    const servers = await this.#servers(name, signal);
    const theirs = servers.flatMap(({ places }) => places).slice(0, ASKED_MAX);
    // Not the resolvers where there is a choice: they would remember that there is nothing.
    const rounds = theirs.length > 0 ? [theirs, []] : [this.#resolvers];
    for (const places of rounds) {
      const [alias] = itemsOf(await this.#names.aliases(question(name, places, signal)));
      if (alias !== undefined) return alias;
    }
    return undefined;
  }

  /** Servers of the zone that a name is in; none where nobody knows. */
  async #servers(name: string, signal: AbortSignal): Promise<readonly Witness[]> {
    const labels = name.split(".");
    const from = labels[0] === CHALLENGE_LABEL ? 1 : 0;
    for (let at = from; at < labels.length - 1; at++) {
      const zone = labels.slice(at).join(".");
      const hosts = itemsOf(await this.#names.servers(question(zone, [], signal)));
      if (hosts.length === 0) continue;
      const witnesses = await Promise.all(hosts.map((host) => this.#witness(host, signal)));
      return witnesses.filter(({ places }) => places.length > 0);
    }
    return [];
  }

  async #witness(host: string, signal: AbortSignal): Promise<Witness> {
    for (const family of [4, 6] as const) {
      const answer = await this.#names.addresses(question(host, [], signal), [family]);
      const places = itemsOf(answer).map((ip) => family === 4 ? `${ip}:53` : `[${ip}]:53`);
      if (places.length > 0) return { name: host, places };
    }
    return { name: host, places: [] };
  }
}

function question(name: string, servers: readonly string[], signal: AbortSignal): NameQuestion {
  return { name, servers, timeoutMs: QUESTION_TIMEOUT_MS, signal };
}

function itemsOf<Item>(answer: NameAnswer<Item>): readonly Item[] {
  return answer.kind === "found" ? answer.items : [];
}
