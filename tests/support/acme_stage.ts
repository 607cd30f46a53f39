/**
 * understudy as a real process whose certificates come from a real authority: pebble, which finds it by
 * names that pebble's own name server knows.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { X509Certificate } from "node:crypto";
import { freePort } from "../platform/support.ts";
import { run } from "./commands.ts";
import { curl, type Curled, handshake } from "./curl.ts";
import { Pebble, type PebbleOptions } from "./pebble.ts";
import { type LogLine, type Subject, Understudy } from "./processes.ts";

export interface Beginning {
  /** Of the map `tls` at the top, besides where the authority is: `certificates: [...]`. */
  readonly tls?: string;
  /** Where the authority is asked; pebble's own place unless said otherwise. */
  readonly directory?: string;
  /** Of the map `acme`, besides. */
  readonly acme?: string;
  /** YAML of the routes; one for each name that answers by itself unless said otherwise. */
  readonly routes?: string;
}

export class AcmeStage implements AsyncDisposable {
  readonly pebble: Pebble;
  readonly ports: { readonly tls: number; readonly plain: number };
  readonly #subject: Subject;
  readonly #folder: string;
  readonly #begun: Understudy[] = [];

  private constructor(
    subject: Subject,
    { pebble, folder, ports }: {
      readonly pebble: Pebble;
      readonly folder: string;
      readonly ports: AcmeStage["ports"];
    },
  ) {
    this.#subject = subject;
    this.pebble = pebble;
    this.#folder = folder;
    this.ports = ports;
  }

  static async open(subject: Subject, options: PebbleOptions = {}): Promise<AcmeStage> {
    const ports = { tls: await freePort(), plain: await freePort() };
    const pebble = await Pebble.start({ httpPort: ports.plain, tlsPort: ports.tls, ...options });
    const folder = await mkdtemp(join(tmpdir(), "understudy-acme-"));
    const stage = new AcmeStage(subject, { pebble, folder, ports });
    await writeFile(stage.at("authority.pem"), pebble.authority.certificate);
    await stage.trust();
    return stage;
  }

  at(name: string): string {
    return join(this.#folder, name);
  }

  /** Takes the root of the authority as it is now for one to believe. */
  async trust(): Promise<void> {
    await writeFile(this.at("root.pem"), await this.pebble.root());
  }

  /** Starts one that keeps its certificates where all of this stage do. */
  async begin(
    names: readonly string[],
    { tls = "", acme = "", routes = answering(names), directory = this.pebble.directory }:
      Beginning = {},
    ports: AcmeStage["ports"] = this.ports,
  ): Promise<Understudy> {
    const config = `
listen:
  - "127.0.0.1:${ports.tls}"
  - { address: "127.0.0.1:${ports.plain}", tls: off }
admin: "127.0.0.1:0"
tls:
  storage: "${this.at("kept")}"
  acme: { directory: "${directory}", ca: "${this.at("authority.pem")}"${acme} }
  ${tls}
routes:
${routes}
`;
    const proxy = await Understudy.start(this.#subject, config, { engine: "wire" });
    this.#begun.push(proxy);
    return proxy;
  }

  /** Has the operator's command do something, and tells what it said. */
  async told(proxy: Understudy, ...words: string[]) {
    const { admin } = proxy.lines.find(({ msg }) => msg === "proxy.started") ?? {};
    return await run(this.#subject, ["certificate", ...words, "--admin", String(admin)]);
  }

  /** Asks as whoever believes the authority. */
  ask(name: string, ...args: string[]): Promise<Curled> {
    const url = `https://${name}:${this.ports.tls}/`;
    return curl(url, { ca: this.at("root.pem"), port: this.ports.tls, args });
  }

  /** What a handshake for that name is shown; undefined where there is none. */
  async shown(name: string, { tls: port } = this.ports): Promise<X509Certificate | undefined> {
    const { said } = await handshake(port, ["-servername", name, "-showcerts"]);
    const [pem] = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/.exec(said) ?? [];
    return pem === undefined ? undefined : new X509Certificate(pem);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const proxy of this.#begun) await proxy[Symbol.asyncDispose]();
    await this.pebble[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Of a step of a certificate's, in the log. */
export function step(kind: string): (line: LogLine) => boolean {
  return ({ msg }) => msg === `certificate.${kind}`;
}

function answering(names: readonly string[]): string {
  return `  - host: ["${names.join(`", "`)}"]\n    steps: [{ respond: "hello" }]`;
}
