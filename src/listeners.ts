/**
 * The listeners of a proxy: opens what a configuration wants before it is in force, tells every connection
 * what is spoken where it came, and closes what is wanted no more while its exchanges run to their end.
 */
import { addressKey, spellAddress, urlOf } from "./address.ts";
import type { Engine, Exchange, Listener, Refusal, Terms } from "./model.ts";
import type { Log } from "./ops/log.ts";
import { ListenError } from "./platform/platform.ts";
import type { Handshake, TlsDoor } from "./platform/tls.ts";
import type { Address, ListenRules } from "./rules.ts";

export interface ListenersDeps {
  readonly engine: Pick<Engine, "listen">;
  readonly serve: (exchange: Exchange) => Promise<void>;
  readonly refused: (refusal: Refusal) => void;
  readonly bug: (error: unknown) => void;
  /** How connections to a listener become TLS. */
  readonly door: (rules: ListenRules) => TlsDoor;
  readonly log: Log;
}

/** Listeners that are open and not yet in use. One of the two is owed. */
export interface Prepared {
  take(): void;
  giveUp(): void;
}

const PLAIN: Terms = { door: undefined, securedOnly: false, h2c: false };

export class Listeners {
  readonly #deps: ListenersDeps;
  readonly #open = new Map<string, Listener>();
  /** Closed by a reload; exchanges may run there still. */
  readonly #closing = new Set<Listener>();
  readonly #terms = new Map<string, Terms>();
  /** Helpers that could not be opened, which is told once. */
  readonly #missed = new Set<string>();

  constructor(deps: ListenersDeps) {
    this.#deps = deps;
  }

  /** Addresses listened on now, with the port that the system chose for port 0. */
  get addresses(): readonly Listener["address"][] {
    return [...this.#open.values()].map(({ address }) => address);
  }

  /** The same as URLs. */
  get urls(): readonly string[] {
    return [...this.#open].map(([key, { address }]) =>
      urlOf(address, this.#terms.get(key)?.door === undefined ? "http" : "https")
    );
  }

  /** Where a listener of these rules is, with the port that the system chose. */
  boundTo({ address }: ListenRules): Address {
    return this.#open.get(addressKey(address))?.address ?? address;
  }

  /** Opens what is not open yet. Rejects with `ListenError`; nothing of it stays open then. */
  async prepare(listen: readonly ListenRules[]): Promise<Prepared> {
    const wanted = new Map(listen.map((rules) => [addressKey(rules.address), rules]));
    const opened = new Map<string, Listener>();
    const inForce = Promise.withResolvers<void>();
    const giveUp = () => {
      inForce.resolve();
      for (const listener of opened.values()) listener.abort();
    };
    try {
      for (const [key, rules] of wanted) {
        if (this.#open.has(key)) continue;
        const early = this.#early(rules, inForce.promise);
        const listener = await this.#listen(key, rules, early);
        if (listener !== undefined) opened.set(key, listener);
      }
    } catch (error) {
      giveUp();
      throw error;
    }
    return {
      giveUp,
      take: () => {
        for (const [key, rules] of wanted) this.#terms.set(key, this.#termsOf(rules));
        for (const [key, listener] of opened) this.#open.set(key, listener);
        for (const key of [...this.#open.keys()]) if (!wanted.has(key)) this.#close(key);
        inForce.resolve();
      },
    };
  }

  /** Accepts nothing more; settles once all connections have ended. */
  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((listener) => listener.close()));
  }

  /** Cuts whatever still runs. */
  abort(): void {
    for (const listener of [...this.#open.values(), ...this.#closing]) listener.abort();
  }

  /** Undefined for one that opens by itself and may be missing. */
  async #listen(key: string, rules: ListenRules, early: Terms): Promise<Listener | undefined> {
    const { engine, serve, refused, bug, log } = this.#deps;
    try {
      const terms = () => this.#terms.get(key) ?? early;
      return await engine.listen(rules.address, serve, { terms, refused, bug });
    } catch (error) {
      if (rules.written || !(error instanceof ListenError)) throw error;
      if (!this.#missed.has(key)) {
        log.warn("listener.missing", {
          address: spellAddress(rules.address),
          problem: error.message,
        });
      }
      this.#missed.add(key);
      return undefined;
    }
  }

  #termsOf(rules: ListenRules): Terms {
    const { tls, h2, written } = rules;
    if (!tls) return { ...PLAIN, securedOnly: !written, h2c: h2 };
    return { door: this.#deps.door(rules), securedOnly: true, h2c: false };
  }

  /** For who comes before the configuration is in force: with TLS they wait for that. */
  #early(rules: ListenRules, inForce: Promise<void>): Terms {
    if (!rules.tls) return this.#termsOf(rules);
    const door: TlsDoor = {
      choose: async (hello, localIp): Promise<Handshake> => {
        await inForce;
        return await this.#deps.door(rules).choose(hello, localIp);
      },
      failed: (peer, ...why) => this.#deps.door(rules).failed(peer, ...why),
      secured: (tls) => this.#deps.door(rules).secured?.(tls),
    };
    return { door, securedOnly: true, h2c: false };
  }

  #close(key: string): void {
    const listener = this.#open.get(key);
    if (listener === undefined) return;
    this.#open.delete(key);
    this.#terms.delete(key);
    this.#closing.add(listener);
    void listener.close().then(() => this.#closing.delete(listener));
  }
}
