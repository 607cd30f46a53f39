/**
 * A real authority that speaks ACME: Debian's pebble, with a name server beside it that says what a test
 * wants (pebble-challtestsrv). Both on ports of their own, ended by their pid with their scope.
 */
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { platform } from "#platform";
import { freePort } from "../platform/support.ts";
import { Authority } from "./certificates.ts";
import { Child } from "./processes.ts";

const PEBBLE = "/usr/bin/pebble";
const NAMES = "/usr/bin/pebble-challtestsrv";
const READY_MS = 10_000;

/** Why there is no pebble here; undefined when there is. */
export const unavailable: string | undefined = existsSync(PEBBLE) && existsSync(NAMES)
  ? undefined
  : "needs pebble";

export interface PebbleOptions {
  /** Where it looks for proofs by HTTP and by TLS. */
  readonly httpPort?: number;
  readonly tlsPort?: number;
  /** Good nonces that it refuses, in percent. */
  readonly nonceReject?: number;
  /** Valid authorizations that it uses again, in percent. */
  readonly authzReuse?: number;
  /** Waits up to so many seconds before it looks at a proof. */
  readonly sleepS?: number;
  /** Wants accounts bound to this one. */
  readonly binding?: { readonly keyId: string; readonly secretKey: string };
  /** Chains that it offers besides the usual one. */
  readonly alternates?: number;
  /** Of its certificates, in seconds. */
  readonly validityS?: number;
}

/** What pebble knows of a certificate. */
export interface Standing {
  readonly Status: string;
  readonly Reason?: number;
}

export class Pebble implements AsyncDisposable {
  /** What its own certificate is signed by. */
  readonly authority: Authority;
  readonly port: number;
  readonly #options: PebbleOptions;
  readonly #folder: string;
  readonly #ports: { readonly management: number; readonly names: number; readonly book: number };
  readonly #book: Child;
  #child: Child | undefined;

  private constructor(
    { authority, folder, ports, options }: {
      readonly authority: Authority;
      readonly folder: string;
      readonly ports: readonly number[];
      readonly options: PebbleOptions;
    },
  ) {
    const [port = 0, management = 0, names = 0, book = 0] = ports;
    this.authority = authority;
    this.port = port;
    this.#options = options;
    this.#folder = folder;
    this.#ports = { management, names, book };
    this.#book = new Child([
      ...[NAMES, "-dns01", `127.0.0.1:${names}`, "-management", `127.0.0.1:${book}`],
      ...["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""],
    ]);
  }

  /** Answers when it is returned. */
  static async start(options: PebbleOptions = {}): Promise<Pebble> {
    const authority = await Authority.open();
    const folder = await mkdtemp(join(tmpdir(), "understudy-pebble-"));
    const ports = [await freePort(), await freePort(), await freePort(), await freePort()];
    const pebble = new Pebble({ authority, folder, ports, options });
    try {
      await pebble.#configure();
      await pebble.begin();
    } catch (error) {
      await pebble[Symbol.asyncDispose]();
      throw error;
    }
    return pebble;
  }

  get directory(): string {
    return `https://127.0.0.1:${this.port}/dir`;
  }

  /** Its name server, `host:port`. */
  get names(): string {
    return `127.0.0.1:${this.#ports.names}`;
  }

  /** PEM of the root that its certificates lead to; changes with each beginning. */
  root(at = 0): Promise<string> {
    return this.#manage(`/roots/${at}`);
  }

  /** What became of a certificate; `serial` in hexadecimal digits. */
  async standing(serial: string): Promise<Standing> {
    return JSON.parse(await this.#manage(`/cert-status-by-serial/${serial}`));
  }

  /** Ends it as a lost machine would; the name server stays. */
  async end(): Promise<void> {
    await this.#child?.[Symbol.asyncDispose]();
    this.#child = undefined;
  }

  /** Begins without a memory of what was before. */
  async begin(): Promise<void> {
    const { nonceReject, authzReuse, sleepS, alternates } = this.#options;
    this.#child = new Child(
      [PEBBLE, "-config", join(this.#folder, "pebble.json"), "-dnsserver", this.names],
      {
        env: {
          PEBBLE_WFE_NONCEREJECT: String(nonceReject ?? 0),
          PEBBLE_AUTHZREUSE: String(authzReuse ?? 0),
          ...(sleepS === undefined
            ? { PEBBLE_VA_NOSLEEP: "1" }
            : { PEBBLE_VA_SLEEPTIME: String(sleepS) }),
          ...(alternates === undefined ? {} : { PEBBLE_ALTERNATE_ROOTS: String(alternates) }),
        },
      },
    );
    await this.#answering();
  }

  /** The values of a name's TXT records from now on. */
  async texts(name: string, values: readonly string[]): Promise<void> {
    await this.write("clear-txt", { host: `${name}.` });
    for (const value of values) await this.write("set-txt", { host: `${name}.`, value });
  }

  /** URL to tell the name server something at. */
  place(what: string): string {
    return `http://127.0.0.1:${this.#ports.book}/${what}`;
  }

  /** Tells the name server something; its README lists what. */
  async write(what: string, body: Readonly<Record<string, unknown>>): Promise<void> {
    const answer = await fetch(this.place(what), { method: "POST", body: JSON.stringify(body) });
    await answer.text();
    if (!answer.ok) throw new Error(`Cannot tell the name server "${what}": ${answer.status}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await this.#book[Symbol.asyncDispose]();
    await this.authority[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #configure(): Promise<void> {
    const { httpPort = 9, tlsPort = 9, binding, validityS } = this.#options;
    const { chain, key } = this.authority.issue("IP:127.0.0.1", "DNS:localhost");
    const at = (name: string): string => join(this.#folder, name);
    await writeFile(at("own.pem"), chain);
    await writeFile(at("own.key"), key);
    const pebble = {
      listenAddress: `127.0.0.1:${this.port}`,
      managementListenAddress: `127.0.0.1:${this.#ports.management}`,
      certificate: at("own.pem"),
      privateKey: at("own.key"),
      httpPort,
      tlsPort,
      ...(binding && {
        externalAccountBindingRequired: true,
        externalAccountMACKeys: { [binding.keyId]: binding.secretKey },
      }),
      ...(validityS === undefined ? {} : { certificateValidityPeriod: validityS }),
    };
    await writeFile(at("pebble.json"), JSON.stringify({ pebble }));
  }

  async #manage(path: string): Promise<string> {
    const { status, text } = await this.#ask(`https://127.0.0.1:${this.#ports.management}${path}`);
    if (status !== 200) throw new Error(`pebble says ${status} to "${path}": ${text}`);
    return text;
  }

  async #answering(): Promise<void> {
    const began = platform.clock.elapsed();
    for (;;) {
      try {
        await this.#ask(this.directory);
        await this.write("clear-request-history", { host: "none.", type: "dns" });
        return;
      } catch (error) {
        if (platform.clock.elapsed() - began < READY_MS) continue;
        throw new Error(`pebble does not answer: ${this.#child?.stderr} ${this.#book.stderr}`, {
          cause: error,
        });
      }
    }
  }

  async #ask(url: string): Promise<{ readonly status: number; readonly text: string }> {
    return await platform.errand(url, {
      ...{ method: "GET", headers: new Headers(), body: undefined },
      authorities: [this.authority.certificate],
      timeoutMs: 5000,
      signal: new AbortController().signal,
    });
  }
}
