/**
 * Records kept by DuckDNS: one value for a domain with all that is below it, so that proofs must take turns.
 * It says "OK" or "KO" and nothing more.
 */
import { Api, type ApiDeps } from "./api.ts";
import { DnsError, type DnsRecord, type DnsWriter } from "./writer.ts";

/** For so long others remember a value, in milliseconds. */
const REMEMBERED_MS = 60_000;
const HOST = "duckdns.org";

export class DuckDns implements DnsWriter {
  readonly restMs = REMEMBERED_MS;
  readonly #api: Api;
  readonly #rules: { readonly token: string; readonly url: string };

  constructor(rules: { readonly token: string; readonly url: string }, deps: ApiDeps) {
    this.#api = new Api("DuckDNS", deps);
    this.#rules = rules;
  }

  slot(name: string): string {
    return domainOf(name) ?? name;
  }

  async present(records: readonly DnsRecord[], signal: AbortSignal): Promise<void> {
    for (const { name, value } of records) await this.#update(name, { txt: value }, signal);
  }

  async cleanup(records: readonly DnsRecord[], signal: AbortSignal): Promise<void> {
    // Whatever the value is that goes with it.
    for (const { name, value } of records) {
      await this.#update(name, { txt: value, clear: "true" }, signal);
    }
  }

  async #update(
    name: string,
    fields: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<void> {
    const domain = domainOf(name);
    if (domain === undefined) throw new DnsError(`DuckDNS: "${name}" is not below ${HOST}`);
    const query = new URLSearchParams({ domains: domain, token: this.#rules.token, ...fields });
    const url = `${this.#rules.url}/update?${query}`;
    const { text } = await this.#api.ask({ method: "GET", url, signal });
    if (!text.trim().startsWith("OK")) {
      throw new DnsError(`DuckDNS: Cannot change "${domain}.${HOST}" with this token`);
    }
  }
}

/** The label ahead of `duckdns.org`. */
function domainOf(name: string): string | undefined {
  if (!name.endsWith(`.${HOST}`)) return undefined;
  return name.slice(0, -HOST.length - 1).split(".").at(-1);
}
