/**
 * Keepers of records as their APIs behave: Cloudflare, deSEC, DuckDNS. What they keep can be handed on to a
 * name server, so that a real authority sees it; tokens and limits are theirs.
 */
import { platform } from "#platform";
import type { HttpServer } from "../../src/platform/platform.ts";
import { LOOPBACK } from "../platform/support.ts";

export const TOKEN = "a-token-that-nobody-may-see";

/** Hands on the values of a name from now on. */
type Publish = (name: string, values: readonly string[]) => Promise<void>;

export abstract class DnsApi implements AsyncDisposable {
  /** What was asked: `GET /zones?name=…`. */
  readonly asked: string[] = [];
  /** Values by name. */
  readonly records = new Map<string, string[]>();
  /** Answers in its place for as long as it gives any. */
  instead: () => Response | undefined = () => undefined;
  publish: Publish = () => Promise.resolve();
  #server: HttpServer | undefined;

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server?.abort();
    await this.#server?.close();
  }

  get url(): string {
    const address = this.#server?.address;
    return `http://127.0.0.1:${address?.kind === "tcp" ? address.port : 0}`;
  }

  async listen(): Promise<this> {
    this.#server = await platform.serve(LOOPBACK, async (request) => {
      const url = new URL(request.url);
      this.asked.push(`${request.method} ${url.pathname}${url.search}`);
      return this.instead() ?? await this.answer(request, url);
    });
    return this;
  }

  protected abstract answer(request: Request, url: URL): Promise<Response>;

  protected async keep(name: string, values: readonly string[]): Promise<void> {
    if (values.length > 0) this.records.set(name, [...values]);
    else this.records.delete(name);
    await this.publish(name, values);
  }
}

const json = (value: unknown, status = 200, headers: HeadersInit = {}) =>
  Response.json(value, { status, headers });

export class FakeCloudflare extends DnsApi {
  readonly #zones: readonly string[];

  constructor(...zones: string[]) {
    super();
    this.#zones = zones;
  }

  protected override async answer(request: Request, url: URL): Promise<Response> {
    if (request.headers.get("authorization") !== `Bearer ${TOKEN}`) {
      return this.#refusal(403, 9109, "Invalid access token");
    }
    const [, zones, zone = "", what, id] = url.pathname.split("/");
    if (zones !== "zones") return this.#refusal(404, 7003, "No route for the URI");
    const name = url.searchParams.get("name") ?? "";
    if (what === undefined) {
      const found = this.#zones.filter((one) => one === name);
      return this.#result(found.map((one) => ({ id: `id-of-${one}`, name: one })));
    }
    if (!this.#zones.some((one) => zone === `id-of-${one}`)) {
      return this.#refusal(404, 7003, "Could not route to the zone");
    }
    switch (request.method) {
      case "GET":
        return this.#result((this.records.get(name) ?? []).map((value) => ({
          ...{ id: idOf(name, value), type: "TXT", name, content: `"${value}"` },
        })));
      case "POST":
        return await this.#post(await request.json());
      default:
        return await this.#delete(id ?? "");
    }
  }

  async #post(
    { type, name, content, ttl }: {
      readonly type: string;
      readonly name: string;
      readonly content: string;
      readonly ttl: number;
    },
  ): Promise<Response> {
    if (type !== "TXT" || (ttl !== 1 && ttl < 60)) {
      return this.#refusal(400, 9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1");
    }
    const value = content.replace(/^"|"$/g, "");
    const held = this.records.get(name) ?? [];
    if (held.includes(value)) {
      return this.#refusal(400, 81058, "An identical record already exists.");
    }
    await this.keep(name, [...held, value]);
    return this.#result({ id: idOf(name, value) });
  }

  async #delete(id: string): Promise<Response> {
    for (const [name, values] of this.records) {
      const left = values.filter((value) => idOf(name, value) !== id);
      if (left.length === values.length) continue;
      await this.keep(name, left);
      return this.#result({ id });
    }
    return this.#refusal(404, 81044, "Record does not exist.");
  }

  #result(result: unknown): Response {
    return json({ success: true, errors: [], messages: [], result });
  }

  #refusal(status: number, code: number, message: string): Response {
    return json({ success: false, errors: [{ code, message }], result: null }, status);
  }
}

function idOf(name: string, value: string): string {
  return `record-${name}-${value}`.replaceAll(".", "-");
}

export class FakeDesec extends DnsApi {
  /** Seconds. */
  readonly minimumTtl = 3600;
  readonly #domains: readonly string[];

  constructor(...domains: string[]) {
    super();
    this.#domains = domains;
  }

  protected override async answer(request: Request, url: URL): Promise<Response> {
    if (request.headers.get("authorization") !== `Token ${TOKEN}`) {
      return json({ detail: "Invalid token." }, 401);
    }
    const [, , domain = "", rrsets] = url.pathname.split("/");
    if (domain === "") {
      const name = url.searchParams.get("owns_qname") ?? "";
      const owner = this.#domains.filter((one) => name === one || name.endsWith(`.${one}`));
      return json(owner.map((one) => ({ name: one, minimum_ttl: this.minimumTtl })));
    }
    if (!this.#domains.includes(domain) || rrsets !== "rrsets") {
      return json({ detail: "Not found." }, 404);
    }
    if (request.method === "GET") return json(this.#sets(domain, url.searchParams.get("subname")));
    return await this.#patch(domain, await request.json());
  }

  #sets(domain: string, only: string | null): unknown[] {
    const all = [...this.records].map(([name, values]) => ({
      ...{ domain, type: "TXT", ttl: this.minimumTtl },
      subname: name.slice(0, -domain.length - 1),
      records: values.map((value) => `"${value}"`),
    }));
    return all.filter(({ subname }) => only === null || subname === only);
  }

  async #patch(
    domain: string,
    sets: readonly {
      readonly subname: string;
      readonly ttl: number;
      readonly records: readonly string[];
    }[],
  ): Promise<Response> {
    const least = `Ensure this value is greater than or equal to ${this.minimumTtl}.`;
    const wrong = sets.map(({ ttl, records }) => ({
      ...(ttl < this.minimumTtl && { ttl: [least] }),
      ...(records.some((value) => !/^".*"$/.test(value)) && { records: ["Cannot parse record"] }),
    }));
    if (wrong.some((one) => Object.keys(one).length > 0)) return json(wrong, 400);
    for (const { subname, records } of sets) {
      const name = subname === "" ? domain : `${subname}.${domain}`;
      await this.keep(name, records.map((value) => value.slice(1, -1)));
    }
    return json(sets);
  }
}

export class FakeDuckDns extends DnsApi {
  readonly #domain: string;
  /** Names below the domain that are asked for: all have the domain's value. */
  readonly #names: readonly string[];

  constructor(domain: string, names: readonly string[]) {
    super();
    this.#domain = domain;
    this.#names = names;
  }

  protected override async answer(_: Request, { pathname, searchParams }: URL): Promise<Response> {
    const known = searchParams.get("token") === TOKEN &&
      searchParams.get("domains") === this.#domain;
    if (pathname !== "/update" || !known) return new Response("KO");
    const value = searchParams.get("txt") ?? "";
    const values = searchParams.get("clear") === "true" ? [] : [value];
    for (const name of this.#names) await this.keep(name, values);
    return new Response("OK");
  }
}
