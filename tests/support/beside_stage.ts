/** Both proxies with the upstreams that they share, and the way to ask both of them the same. */
import { fileURLToPath } from "node:url";
import type { Question } from "../e2e/beside/question.ts";
import { Served } from "./beside.ts";
import { type Difference, differences, type Facets, facetsOf } from "./beside_facets.ts";
import { HEALTHY, talking } from "./beside_upstream.ts";
import type { Subject } from "./processes.ts";
import { type Ask, RawClient } from "./raw_client.ts";
import { RawUpstream } from "./raw_upstream.ts";

export const CADDYFILE = fileURLToPath(new URL("../e2e/beside/Caddyfile", import.meta.url).href);

/** Of the password "secret". */
const HASH = "$2b$04$1bNfc1Bn7m/Lzj1.OVMHGuKKRUqPizKPcgAWo7X7kQ19ll72d0AEe";
const NAMES = ["A", "B", "C", "D", "E", "F"] as const;
export type Name = (typeof NAMES)[number];

const POLL_MS = 20;
const SETTLED_MS = 10_000;

export class Stage implements AsyncDisposable {
  readonly sides: Served[] = [];
  readonly #upstreams = new Map<Name, RawUpstream>();
  readonly #ports = new Map<Name, number>();
  readonly #sick = new Set<Name>();

  static async open(subject: Subject): Promise<Stage> {
    const stage = new Stage();
    try {
      for (const name of NAMES) await stage.revive(name);
      const gone = await RawUpstream.start(() => {});
      const env: Record<string, string> = {
        HASH,
        FLAVOUR: "sour",
        GONE: `127.0.0.1:${gone.port}`,
      };
      await gone[Symbol.asyncDispose]();
      for (const [name, port] of stage.#ports) env[name] = `127.0.0.1:${port}`;
      stage.sides.push(
        await Served.caddy(CADDYFILE, { env }),
        await Served.ours(subject, CADDYFILE, { env, engine: "wire" }),
      );
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts an upstream, on the port it had before if it had one. */
  async revive(name: Name): Promise<void> {
    const port = this.#ports.get(name);
    const isSick = () => this.#sick.has(name);
    const upstream = await RawUpstream.start(talking(name.toLowerCase(), { isSick }), port);
    this.#upstreams.set(name, upstream);
    this.#ports.set(name, upstream.port);
  }

  async stop(name: Name): Promise<void> {
    await this.#upstreams.get(name)?.[Symbol.asyncDispose]();
    this.#upstreams.delete(name);
  }

  /** Answers probes by 503, or by 200 again. */
  ail(name: Name, sick: boolean): void {
    if (sick) this.#sick.add(name);
    else this.#sick.delete(name);
  }

  /** Waits until both have noticed: until this is what each of them answers. */
  async settled(question: Question, expected: { readonly facet: string; readonly value: string }) {
    for (const side of this.sides) {
      const began = performance.now();
      while ((await this.ask(side, question)).get(expected.facet) !== expected.value) {
        if (performance.now() - began > SETTLED_MS) {
          throw new Error(`${side.name} does not come to ${expected.facet} ${expected.value}`);
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const side of this.sides) await side[Symbol.asyncDispose]();
    for (const upstream of this.#upstreams.values()) await upstream[Symbol.asyncDispose]();
  }

  /** Asks both, one after the other. */
  async compare(question: Question): Promise<readonly Difference[]> {
    const facets: Facets[] = [];
    for (const side of this.sides) facets.push(await this.ask(side, question));
    const [caddy = new Map(), ours = new Map()] = facets;
    return differences(caddy, ours);
  }

  async ask(side: Served, question: Question): Promise<Facets> {
    let facets: Facets = new Map();
    for (let left = question.times ?? 1; left > 0; left--) {
      facets = await this.#once(side, question);
    }
    return facets;
  }

  async #once({ port }: Served, question: Question): Promise<Facets> {
    const before = new Map(this.#all().map((at) => [at.upstream, at.upstream.calls.length]));
    const interim: string[] = [];
    using client = await RawClient.open({ port });
    client.send(spelled(question, port));
    const { raw = "", waits = false } = question;
    if (!waits) client.write(raw);
    const heard = await client.hear({
      method: question.method ?? "GET",
      interim: (head) => {
        interim.push(head);
        if (waits) client.write(raw);
      },
    });
    const calls = this.#all().flatMap(({ at, upstream }) =>
      upstream.calls.slice(before.get(upstream)).filter(({ target }) => target !== HEALTHY)
        .map((call) => ({ at, call }))
    );
    return facetsOf({ heard, interim, calls, tidy: (text) => this.#tidy(text, port) });
  }

  #all(): { readonly at: Name; readonly upstream: RawUpstream }[] {
    return [...this.#upstreams].map(([at, upstream]) => ({ at, upstream }));
  }

  /** Ports differ with each run. */
  #tidy(text: string, ownPort: number): string {
    let tidied = text.replaceAll(new RegExp(`\\b${ownPort}\\b`, "g"), "PORT");
    for (const [name, port] of this.#ports) tidied = tidied.replaceAll(`127.0.0.1:${port}`, name);
    return tidied;
  }
}

function spelled({ site, say, sayB, bare, headers = [], ...ask }: Question, port: number): Ask {
  const all: (readonly [string, string])[] = headers.map(([name, value]) => [
    name,
    value.replace("PORT", String(port)),
  ]);
  const has = (wanted: string) => all.some(([name]) => name.toLowerCase() === wanted);
  const put = (name: string, value: string) => {
    if (!has(name.toLowerCase())) all.push([name, value]);
  };
  put("Host", `${site}.test`);
  if (bare !== true) put("User-Agent", "test");
  if (bare !== true) put("Accept-Encoding", "identity");
  if (say !== undefined && say !== "") put("X-Say", say);
  if (sayB !== undefined) put("X-Say-B", sayB);
  return { ...ask, headers: all };
}
