/**
 * Keeps the admin listener: opens it, moves it when the configuration says so, and goes without where
 * only the default address asked for one that is taken.
 */
import { addressKey } from "./address.ts";
import type { Log } from "./ops/log.ts";
import { type HttpServer, ListenError, type Platform } from "./platform/platform.ts";
import type { Address, AdminRules } from "./rules.ts";

export interface AdminListenerDeps {
  readonly platform: Pick<Platform, "clock" | "serve">;
  readonly log: Log;
  readonly answer: (request: Request) => Promise<Response>;
  /** The listener goes: what never ends by itself is to be ended. */
  readonly parting: () => void;
}

/** A listener that is open and not yet in use. One of the two is owed. */
export interface Prepared {
  take(): void;
  giveUp(): void;
}

/** What still runs on a listener that was closed is cut after that, in milliseconds. */
const LAST_ANSWERS_MS = 1_000;

export class AdminListener {
  /** What is in force; undefined while there is none. */
  rules: AdminRules | undefined;
  readonly #deps: AdminListenerDeps;
  #server: HttpServer | undefined;
  /** The address it was opened for, as configured. */
  #key: string | undefined;
  #warned = false;

  constructor(deps: AdminListenerDeps) {
    this.#deps = deps;
  }

  /** Where it listens, with the port that the system chose for port 0. */
  get address(): Address | undefined {
    return this.#server?.address;
  }

  /** Opens what these rules want. Rejects with `ListenError` where the operator wrote the address. */
  async prepare(rules: AdminRules | undefined): Promise<Prepared> {
    const key = rules && addressKey(rules.address);
    if (key !== undefined && key === this.#key) {
      return { take: () => void (this.rules = rules), giveUp: () => {} };
    }
    const server = rules && await this.#open(rules);
    return {
      take: () => {
        const old = this.#server;
        this.rules = rules;
        this.#server = server;
        this.#key = server && key;
        if (old !== undefined) this.#part(old);
      },
      giveUp: () => server?.abort(),
    };
  }

  /** Ends it, whatever runs there. */
  close(): void {
    this.#deps.parting();
    this.#server?.abort();
    this.#server = undefined;
    this.#key = undefined;
  }

  async #open({ address, written }: AdminRules): Promise<HttpServer | undefined> {
    const { platform, log, answer } = this.#deps;
    try {
      return await platform.serve(address, answer);
    } catch (error) {
      if (!(error instanceof ListenError) || written) throw error;
      if (!this.#warned) log.warn("admin.unavailable", { problem: error.message });
      this.#warned = true;
      return undefined;
    }
  }

  /** Lets the last answers out: the one to the request that made us move may be among them. */
  #part(old: HttpServer): void {
    this.#deps.parting();
    void old.close();
    this.#deps.platform.clock.after(LAST_ANSWERS_MS, () => old.abort());
  }
}
