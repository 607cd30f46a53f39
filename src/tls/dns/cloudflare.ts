/** Records kept by Cloudflare, by its API of version 4. Any number of values may stand at one name. */
import { listOf, member, parsed, tamed, textIn } from "../json.ts";
import type { ErrandAnswer } from "../../platform/platform.ts";
import { Api, type ApiAsk, type ApiDeps } from "./api.ts";
import { CHALLENGE_LABEL, DnsError, type DnsRecord, type DnsWriter } from "./writer.ts";

/** Seconds; fewer are refused. */
const TTL_MIN_S = 60;
/** "An identical record already exists". */
const IDENTICAL = 81058;

export class Cloudflare implements DnsWriter {
  readonly restMs = 0;
  readonly #api: Api;
  readonly #rules: { readonly token: string; readonly url: string; readonly ttlS: number };
  /** Zones by names of records, as many as certificates have. */
  readonly #zones = new Map<string, string>();

  constructor(
    rules: { readonly token: string; readonly url: string; readonly ttlS: number },
    deps: ApiDeps,
  ) {
    this.#api = new Api("Cloudflare", deps);
    this.#rules = rules;
  }

  slot(): undefined {
    return undefined;
  }

  async present(records: readonly DnsRecord[], signal: AbortSignal): Promise<void> {
    const ttl = Math.max(TTL_MIN_S, this.#rules.ttlS);
    const known = new Map<string, string>();
    for (const { name, value } of records) {
      const zone = await this.#zone(name, known, signal);
      this.#zones.set(name, zone);
      const path = `/zones/${zone}/dns_records`;
      // In quotes, as it stands in a zone file; without them Cloudflare puts them there itself.
      const body = { type: "TXT", name, content: `"${value}"`, ttl };
      await this.#ask(`write "${name}"`, { method: "POST", path, body, signal });
    }
  }

  async cleanup(records: readonly DnsRecord[], signal: AbortSignal): Promise<void> {
    for (const { name, value } of records) {
      const zone = this.#zones.get(name);
      // Nothing was written there.
      if (zone === undefined) continue;
      const path = `/zones/${zone}/dns_records`;
      const query = `?type=TXT&name=${encodeURIComponent(name)}&per_page=100`;
      const what = `remove "${name}"`;
      const found = await this.#ask(what, { method: "GET", path: `${path}${query}`, signal });
      for (const one of listOf(found)) {
        if (textIn(one, "content").replace(/^"|"$/g, "") !== value) continue;
        const id = encodeURIComponent(textIn(one, "id"));
        await this.#ask(what, { method: "DELETE", path: `${path}/${id}`, signal });
      }
    }
  }

  /** The zone that holds a name: the longest of its ends that is one. Those found before are `known`. */
  async #zone(name: string, known: Map<string, string>, signal: AbortSignal): Promise<string> {
    const labels = name.split(".");
    const from = labels[0] === CHALLENGE_LABEL ? 1 : 0;
    for (let at = from; at < labels.length - 1; at++) {
      const end = labels.slice(at).join(".");
      const id = known.get(end) ?? await this.#zoneNamed(end, signal);
      if (id === undefined) continue;
      known.set(end, id);
      return id;
    }
    throw new DnsError(`Cloudflare: Cannot find the zone of "${name}" with this token`);
  }

  async #zoneNamed(name: string, signal: AbortSignal): Promise<string | undefined> {
    const path = `/zones?name=${encodeURIComponent(name)}`;
    const found = await this.#ask(`look for the zone "${name}"`, { method: "GET", path, signal });
    const id = textIn(listOf(found)[0], "id");
    return id === "" ? undefined : encodeURIComponent(id);
  }

  /** What is in the envelope of the answer. */
  async #ask(
    what: string,
    { path, ...ask }: Omit<ApiAsk, "url" | "authorization"> & { readonly path: string },
  ): Promise<unknown> {
    const answer = await this.#api.ask({
      ...ask,
      url: this.#rules.url + path,
      authorization: `Bearer ${this.#rules.token}`,
    });
    const value = parsed(answer.text);
    const errors = listOf(member(value, "errors"));
    if (answer.status < 300 || errors.some((error) => member(error, "code") === IDENTICAL)) {
      return member(value, "result");
    }
    // Whoever else removed it was quicker.
    if (ask.method === "DELETE" && answer.status === 404) return undefined;
    throw new DnsError(`Cloudflare: Cannot ${what}: ${reasons(answer, errors)}`);
  }
}

function reasons({ status }: ErrandAnswer, errors: readonly unknown[]): string {
  const told = errors.map((error) => tamed(textIn(error, "message"))).filter((one) => one !== "");
  return told.length > 0 ? told.join("; ") : `status ${status}`;
}
