/** Both proxies with the Caddyfile of TLS, each on ports of its own, and the way to ask both of them the same. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, Served } from "./beside.ts";
import { type Difference, differences, type Facets, facetsOf } from "./beside_facets.ts";
import { talking } from "./beside_upstream.ts";
import { Authority, type Pair } from "./certificates.ts";
import type { Subject } from "./processes.ts";
import { type Ask, RawClient } from "./raw_client.ts";
import { RawUpstream } from "./raw_upstream.ts";
import { openSecure } from "./secure_client.ts";

const CADDYFILE = fileURLToPath(new URL("../e2e/beside/tls.caddyfile", import.meta.url).href);

/** Everything but else.test. */
const NAMES = ["named", "*.wild", "other", "both", "twice", "some", "guarded", "asked"];

/** A request that both are asked alike. */
export interface TlsQuestion extends Ask {
  readonly title: string;
  readonly host: string;
  readonly to: "PORT" | "HTTP" | "OTHER";
  /** The name asked for where it is not the host; null asks for none. */
  readonly name?: string | null;
  /** Whose certificate is shown: one that the sites' authority signed, or another's. */
  readonly shows?: "own" | "foreign";
  /** In the clear, though TLS is spoken there. */
  readonly isClear?: true;
}

type Ports = Readonly<Record<TlsQuestion["to"], number>>;

interface Side {
  readonly served: Served;
  readonly ports: Ports;
}

export class TlsStage implements AsyncDisposable {
  readonly #sides: Side[] = [];
  readonly #shown: Readonly<Record<"own" | "foreign", Pair>>;
  readonly #upstream: RawUpstream;
  readonly #folder: string;

  private constructor(
    shown: Readonly<Record<"own" | "foreign", Pair>>,
    upstream: RawUpstream,
    folder: string,
  ) {
    this.#shown = shown;
    this.#upstream = upstream;
    this.#folder = folder;
  }

  static async open(subject: Subject): Promise<TlsStage> {
    await using own = await Authority.open();
    await using foreign = await Authority.open();
    const folder = await mkdtemp(join(tmpdir(), "beside-tls-"));
    const pair = own.issue(...NAMES.map((name) => `DNS:${name}.test`));
    const path = join(folder, "pair");
    await writeFile(`${path}.pem`, pair.chain);
    await writeFile(`${path}.key`, pair.key);
    await writeFile(`${path}.ca`, own.certificate);
    const shown = { own: own.issue("DNS:ann.test"), foreign: foreign.issue("DNS:eve.test") };
    const upstream = await RawUpstream.start(talking("a", { isSick: () => false }));
    const stage = new TlsStage(shown, upstream, folder);
    try {
      for (const name of ["caddy", "ours"] as const) {
        const ports = { PORT: await freePort(), HTTP: await freePort(), OTHER: await freePort() };
        const env = {
          PAIR: path,
          A: `127.0.0.1:${upstream.port}`,
          HTTP: String(ports.HTTP),
          OTHER: String(ports.OTHER),
        };
        const served = name === "caddy"
          ? await Served.caddy(CADDYFILE, { env, port: ports.PORT })
          : await Served.ours(subject, CADDYFILE, { env, port: ports.PORT, engine: "wire" });
        stage.#sides.push({ served, ports });
      }
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Asks both, one after the other. */
  async compare(question: TlsQuestion): Promise<readonly Difference[]> {
    const facets: Facets[] = [];
    for (const side of this.#sides) facets.push(await this.#ask(side, question));
    const [caddy = new Map(), ours = new Map()] = facets;
    return differences(caddy, ours);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { served } of this.#sides) await served[Symbol.asyncDispose]();
    await this.#upstream[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #ask(side: Side, question: TlsQuestion): Promise<Facets> {
    const opened = await this.#open(side, question);
    if (opened === undefined) return new Map([["handshake", "refused"]]);
    const before = this.#upstream.calls.length;
    using client = opened.client;
    const { headers = [], host, ...ask } = question;
    client.send({
      ...ask,
      headers: [
        ["Host", inPlace(host, side.ports)],
        ["User-Agent", "test"],
        ["Accept-Encoding", "identity"],
        ...headers,
      ],
    });
    const heard = await client.hear({ method: question.method ?? "GET" });
    const calls = this.#upstream.calls.slice(before).map((call) => ({ at: "A", call }));
    const tidy = (text: string) => this.#tidy(text, side.ports);
    const facets = facetsOf({ heard, interim: [], calls, tidy });
    return new Map([["handshake", opened.certificate], ...facets]);
  }

  async #open(
    { ports }: Side,
    { to, host, name = host.replace(/:.*$/, ""), shows, isClear }: TlsQuestion,
  ): Promise<{ readonly client: RawClient; readonly certificate: string } | undefined> {
    const port = ports[to];
    if (to === "HTTP" || isClear === true) {
      return { client: await RawClient.open({ port }), certificate: "none" };
    }
    const opened = await openSecure({
      ...{ port, name: name ?? undefined },
      shows: shows && this.#shown[shows],
    });
    return opened.kind === "open" ? opened : undefined;
  }

  /** Ports differ with each run. */
  #tidy(text: string, ports: Ports): string {
    let tidied = text.replaceAll(`127.0.0.1:${this.#upstream.port}`, "A");
    for (const [name, port] of Object.entries(ports)) {
      tidied = tidied.replaceAll(new RegExp(`\\b${port}\\b`, "g"), name);
    }
    return tidied;
  }
}

function inPlace(text: string, ports: Ports): string {
  return text.replace(
    /\b(?:PORT|HTTP|OTHER)\b/,
    (name) => String(Object.entries(ports).find(([known]) => known === name)?.[1]),
  );
}
