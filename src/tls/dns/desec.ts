/**
 * Records kept by deSEC, which knows only whole sets of them and counts every write: all records of a domain
 * are changed in one. One change after the other, as each begins by reading what is there.
 */
import { listOf, member, parsed, tamed, textIn, textOf } from "../json.ts";
import { Api, type ApiAsk, type ApiDeps } from "./api.ts";
import { DnsError, type DnsRecord, type DnsWriter } from "./writer.ts";

interface Domain {
  readonly name: string;
  /** Seconds; fewer are refused. */
  readonly minTtlS: number;
}

/** Values at one name below a domain, as they stand in a zone file. */
interface RecordSet {
  readonly subname: string;
  readonly records: readonly string[];
}

/** What deSEC grants no domain less than without being asked. */
const TTL_MIN_S = 3600;

export class Desec implements DnsWriter {
  readonly restMs = 0;
  readonly #api: Api;
  readonly #rules: { readonly token: string; readonly url: string; readonly ttlS: number };
  /** Settles when the change before is made. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    rules: { readonly token: string; readonly url: string; readonly ttlS: number },
    deps: ApiDeps,
  ) {
    this.#api = new Api("deSEC", deps);
    this.#rules = rules;
  }

  slot(): undefined {
    return undefined;
  }

  present(records: readonly DnsRecord[], signal: AbortSignal): Promise<void> {
    return this.#change(records, signal, (held, ours) => [...new Set([...held, ...ours])]);
  }

  cleanup(records: readonly DnsRecord[], signal: AbortSignal): Promise<void> {
    return this.#change(
      records,
      signal,
      (held, ours) => held.filter((value) => !ours.includes(value)),
    );
  }

  /** Changes sets of records; `change` gets what a set holds and ours of it, as zone files spell them. */
  async #change(
    records: readonly DnsRecord[],
    signal: AbortSignal,
    change: (held: readonly string[], ours: readonly string[]) => readonly string[],
  ): Promise<void> {
    const work = this.#turn.then(async () => {
      for (const [domain, ours] of await this.#byDomain(records, signal)) {
        const held = await this.#held(domain, ours, signal);
        const ttl = Math.max(domain.minTtlS, this.#rules.ttlS);
        const rrsets = ours.flatMap(({ subname, records: values }) => {
          const before = held.get(subname) ?? [];
          const after = change(before, values);
          return after.length === before.length
            ? []
            : [{ subname, type: "TXT", ttl, records: after }];
        });
        if (rrsets.length === 0) continue;
        await this.#ask(`change records of "${domain.name}"`, {
          ...{
            method: "PATCH",
            path: `/domains/${encodeURIComponent(domain.name)}/rrsets/`,
            body: rrsets,
            signal,
          },
        });
      }
    });
    this.#turn = work.catch(() => {});
    await work;
  }

  async #byDomain(
    records: readonly DnsRecord[],
    signal: AbortSignal,
  ): Promise<Map<Domain, readonly RecordSet[]>> {
    const domains: Domain[] = [];
    const sets = new Map<Domain, readonly RecordSet[]>();
    for (const { name, value } of records) {
      let domain = domains.find((one) => subnameOf(name, one.name) !== undefined);
      if (domain === undefined) domains.push(domain = await this.#domainOf(name, signal));
      const subname = subnameOf(name, domain.name) ?? "";
      const before = sets.get(domain) ?? [];
      const same = before.find((set) => set.subname === subname);
      const now = { subname, records: [...same?.records ?? [], `"${value}"`] };
      sets.set(domain, [...before.filter((set) => set !== same), now]);
    }
    return sets;
  }

  async #domainOf(name: string, signal: AbortSignal): Promise<Domain> {
    const path = `/domains/?owns_qname=${encodeURIComponent(name)}`;
    const [found] = listOf(
      await this.#ask(`look for the domain of "${name}"`, { method: "GET", path, signal }),
    );
    const domain = textIn(found, "name");
    if (subnameOf(name, domain) === undefined) {
      throw new DnsError(`deSEC: Cannot find the domain of "${name}" with this token`);
    }
    const least = member(found, "minimum_ttl");
    return { name: domain, minTtlS: typeof least === "number" ? least : TTL_MIN_S };
  }

  /** What there is at the names of these sets. */
  async #held(
    { name }: Domain,
    sets: readonly RecordSet[],
    signal: AbortSignal,
  ): Promise<Map<string, readonly string[]>> {
    const [first, ...rest] = sets;
    // One question for all of them, as deSEC counts questions too.
    const which = first !== undefined && rest.length === 0
      ? `&subname=${encodeURIComponent(first.subname)}`
      : "";
    const path = `/domains/${encodeURIComponent(name)}/rrsets/?type=TXT${which}`;
    const found = await this.#ask(`read records of "${name}"`, { method: "GET", path, signal });
    return new Map(
      listOf(found).map((set) => [
        textIn(set, "subname"),
        listOf(member(set, "records")).flatMap((value) => textOf(value) ?? []),
      ]),
    );
  }

  async #ask(
    what: string,
    { path, ...ask }: Omit<ApiAsk, "url" | "authorization"> & { readonly path: string },
  ): Promise<unknown> {
    const { status, text } = await this.#api.ask({
      ...ask,
      url: this.#rules.url + path,
      authorization: `Token ${this.#rules.token}`,
    });
    const value = parsed(text);
    if (status < 300) return value;
    // Of several sets it tells in a list what is wrong with each.
    const detail = textIn(value, "detail") || tamed(text);
    throw new DnsError(`deSEC: Cannot ${what}: ${detail === "" ? `status ${status}` : detail}`);
  }
}

/** What stands ahead of the domain in a name; empty at the domain itself, undefined beside it. */
function subnameOf(name: string, domain: string): string | undefined {
  if (domain === "") return undefined;
  if (name === domain) return "";
  return name.endsWith(`.${domain}`) ? name.slice(0, -domain.length - 1) : undefined;
}
