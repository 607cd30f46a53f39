/**
 * An authority (pebble) and whoever wants certificates of it, with the doors at which it looks for proofs:
 * one for HTTP, one for TLS. All closed with its scope.
 */
import { platform } from "#platform";
import type { ByteListener, Clock, HttpServer, Names } from "../../../src/platform/platform.ts";
import type { TlsDoor } from "../../../src/platform/tls.ts";
import { type AcmeDeps, acmeIssuer } from "../../../src/tls/acme/issuer.ts";
import { type Identity, IssueError, type Issuer } from "../../../src/tls/issuer.ts";
import { ProofBoard } from "../../../src/tls/proofs.ts";
import type { AcmeRules } from "../../../src/tls_rules.ts";
import { LOOPBACK, within } from "../../platform/support.ts";
import { MemoryStore } from "../../support/memory_store.ts";
import { Pebble, type PebbleOptions } from "../../support/pebble.ts";

const PATH = "/.well-known/acme-challenge/";
const PROTOCOL = "acme-tls/1";

export class AcmeLab implements AsyncDisposable {
  proofs = new ProofBoard();
  store = new MemoryStore();
  clock: Clock = platform.clock;
  /** Lines of the log. */
  told: string[] = [];
  /** Where it was looked for proofs: `http TOKEN`, `tls NAME`. */
  looks: string[] = [];
  /** Says whether the answer for a token shall be a wrong one. */
  spoils: (token: string) => boolean = () => false;
  #pebble: Pebble | undefined;
  #http: HttpServer | undefined;
  #tls: ByteListener | undefined;

  static async open(options: PebbleOptions = {}): Promise<AcmeLab> {
    const lab = new AcmeLab();
    try {
      lab.#http = await platform.serve(
        LOOPBACK,
        (request) => Promise.resolve(lab.#answer(request)),
      );
      const door: TlsDoor = {
        choose: ({ name, protocols }) => lab.#choose(name ?? "", protocols),
        failed() {},
      };
      lab.#tls = await platform.listen(LOOPBACK, (connection) => connection.reset(), () => door);
      const ports = { httpPort: portOf(lab.#http), tlsPort: portOf(lab.#tls) };
      lab.#pebble = await Pebble.start({ ...ports, ...options });
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
    return lab;
  }

  /** The same authority and the same doors, for somebody who has never been here. */
  anew(): this {
    this.proofs = new ProofBoard();
    this.store = new MemoryStore();
    this.clock = platform.clock;
    this.told = [];
    this.looks = [];
    this.spoils = () => false;
    return this;
  }

  get pebble(): Pebble {
    if (this.#pebble === undefined) throw new Error("The lab is not open");
    return this.#pebble;
  }

  rules(changes: Partial<AcmeRules> = {}): AcmeRules {
    return {
      directory: this.pebble.directory,
      email: undefined,
      binding: undefined,
      challenges: ["http-01"],
      dns: undefined,
      authorities: [this.pebble.authority.certificate],
      keyType: "p256",
      profile: undefined,
      chain: undefined,
      ...changes,
    };
  }

  get deps(): AcmeDeps {
    return {
      store: () => Promise.resolve(this.store),
      clock: this.clock,
      errand: platform.errand,
      names: secluded(platform.names),
      runProgram: platform.runProgram,
      proofs: this.proofs,
      showsTlsProofs: platform.showsTlsProofs,
      tell: (level, event, fields) => {
        this.told.push(`${level} ${event} ${JSON.stringify(fields)}`);
      },
    };
  }

  issuer(changes: Partial<AcmeRules> = {}): Issuer {
    return acmeIssuer(this.rules(changes), this.deps);
  }

  /** A certificate by a new issuer with these rules. */
  issue(names: readonly string[], changes: Partial<AcmeRules> = {}): Promise<Identity> {
    return this.issuer(changes).issue(names, { replaced: undefined, signal: unending() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tls?.close();
    this.#http?.abort();
    await this.#pebble?.[Symbol.asyncDispose]();
  }

  #answer(request: Request): Response {
    const { pathname } = new URL(request.url);
    const token = pathname.startsWith(PATH) ? pathname.slice(PATH.length) : "";
    this.looks.push(`http ${token}`);
    const answer = this.proofs.http(token);
    if (answer === undefined) return new Response("no such proof", { status: 404 });
    return new Response(this.spoils(token) ? "something else" : answer);
  }

  #choose(name: string, protocols: readonly string[]) {
    this.looks.push(`tls ${name}`);
    const identity = protocols.includes(PROTOCOL) ? this.proofs.alpn(name) : undefined;
    return identity && {
      context: platform.tlsContext({ ...identity, clientAuthorities: [], minVersion: "1.2" }),
      protocols: [PROTOCOL],
      asksClient: false,
    };
  }
}

/** The failure that a certificate's coming ends with. */
export async function failure(work: Promise<unknown>): Promise<IssueError> {
  try {
    await within("a failure", work);
  } catch (error) {
    if (error instanceof IssueError) return error;
    throw error;
  }
  throw new Error("It did not fail");
}

export function unending(): AbortSignal {
  return new AbortController().signal;
}

/** The real clock, but nobody sleeps for longer than a moment; keeps what was slept for. */
export function hurried(slept: number[] = []): Clock {
  const { clock } = platform;
  return {
    ...clock,
    sleep(ms, signal) {
      slept.push(ms);
      return clock.sleep(Math.min(ms, 10), signal);
    },
  };
}

/** Asks those that it is told to ask, and never the system's own servers: they may be the Internet's. */
function secluded(names: Names): Names {
  const failed = Promise.resolve({ kind: "failed", detail: "not asked" } as const);
  return {
    addresses: (asked, families) =>
      asked.servers.length > 0 ? names.addresses(asked, families) : failed,
    services: (asked) => asked.servers.length > 0 ? names.services(asked) : failed,
    texts: (asked) => asked.servers.length > 0 ? names.texts(asked) : failed,
    servers: (asked) => asked.servers.length > 0 ? names.servers(asked) : failed,
    aliases: (asked) => asked.servers.length > 0 ? names.aliases(asked) : failed,
  };
}

function portOf({ address }: HttpServer | ByteListener): number {
  return address.kind === "tcp" ? address.port : 0;
}
