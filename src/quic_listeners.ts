/**
 * HTTP/3 beside the listeners that want it. Its server takes certificates at the start alone, so for new
 * ones it is closed, its exchanges run to their end, and another one opens; meanwhile nobody is told of it
 * and clients go on over TCP.
 */
import { addressKey } from "./address.ts";
import type { Engine, Exchange, Listener } from "./model.ts";
import type { Log } from "./ops/log.ts";
import type { Clock } from "./platform/platform.ts";
import { ListenError } from "./platform/platform.ts";
import type { NamedIdentity } from "./platform/tls.ts";
import { wildcardOf } from "./names.ts";
import type { Address, ListenRules } from "./rules.ts";

export interface QuicDeps {
  /** Undefined where the runtime serves no HTTP/3. */
  readonly quic: Engine["quic"];
  readonly serve: (exchange: Exchange) => Promise<void>;
  /** What is shown on that listener, to whom no name is asked for first. */
  readonly identities: (rules: ListenRules) => readonly NamedIdentity[];
  readonly clock: Pick<Clock, "after">;
  readonly log: Log;
}

/** How long exchanges over HTTP/3 may hold up a change of certificates, in milliseconds. */
const PATIENCE_MS = 600_000;
/** Certificates that come within so long are taken over together, in milliseconds: a start brings many. */
const SETTLE_MS = 100;
/** How long clients may remember where HTTP/3 is served, in seconds. */
const REMEMBERED_S = 86_400;

interface Place {
  /** Undefined once it is wanted no more. */
  rules: ListenRules | undefined;
  /** Where it is bound, for a port that the system chose. */
  bound: Address;
  server: Listener | undefined;
  /** The port is being bound, and whether it was to be looked at meanwhile. */
  opening: boolean;
  again: boolean;
  /** What it shows, and for whom. */
  shown: string;
  names: ReadonlySet<string>;
  /** The port is being made free. */
  closing: Promise<void> | undefined;
  /** Exchanges that run there. */
  running: number;
  whenIdle: () => void;
}

export class QuicListeners {
  readonly #deps: QuicDeps;
  readonly #places = new Map<string, Place>();
  /** Ports of listeners that speak TLS over TCP alone. */
  #withoutPorts: ReadonlySet<number> = new Set();
  #warned = false;
  #isStirred = false;
  #stopSettling: (() => void) | undefined;

  constructor(deps: QuicDeps) {
    this.#deps = deps;
  }

  /** Wants it on these listeners from now on; `boundTo` knows the port of one that the system chose. */
  replace(listen: readonly ListenRules[], boundTo: (rules: ListenRules) => Address): void {
    const wanted = new Map(
      listen.filter(({ h3 }) => h3).map((rules) => [addressKey(rules.address), rules]),
    );
    if (wanted.size > 0 && this.#deps.quic === undefined) {
      if (!this.#warned) this.#deps.log.warn("quic.unavailable", { problem: "HTTP/3 needs Bun" });
      this.#warned = true;
      return;
    }
    const without = listen.filter(({ tls, h3 }) => tls && !h3).map(boundTo);
    this.#withoutPorts = new Set(without.flatMap((one) => one.kind === "tcp" ? one.port : []));
    for (const [key, place] of this.#places) if (!wanted.has(key)) place.rules = undefined;
    for (const [key, rules] of wanted) {
      const known = this.#places.get(key);
      if (known === undefined) {
        const bound = boundTo(rules);
        this.#places.set(key, {
          ...{ rules, bound },
          ...{ server: undefined, opening: false, again: false, closing: undefined },
          ...{ shown: "", names: new Set<string>() },
          ...{ running: 0, whenIdle: () => {} },
        });
      } else known.rules = rules;
    }
    this.align();
  }

  /** Other certificates are shown than before: serves them at once, and what follows close behind together. */
  stir(): void {
    if (this.#places.size === 0) return;
    this.#isStirred = true;
    if (this.#stopSettling === undefined) this.#settle();
  }

  #settle(): void {
    this.#stopSettling = undefined;
    if (!this.#isStirred) return;
    this.#isStirred = false;
    this.align();
    this.#stopSettling = this.#deps.clock.after(SETTLE_MS, () => this.#settle());
  }

  /** Serves what is shown now, once nothing else holds the port. */
  align(): void {
    for (const [key, place] of this.#places) this.#align(key, place);
  }

  /**
   * What tells clients of that port, who asked for that name, of HTTP/3 (RFC 7838): undefined unless it is
   * served wherever that port is, and the name has a certificate there.
   */
  alternative(port: number | undefined, name: string | undefined): string | undefined {
    if (port === undefined || this.#withoutPorts.has(port)) return undefined;
    let isServed = false;
    for (const { server, closing, bound, names } of this.#places.values()) {
      if (bound.kind !== "tcp" || bound.port !== port) continue;
      const isOpen = server !== undefined && closing === undefined;
      const isKnown = name === undefined || names.has(name) || names.has(wildcardOf(name) ?? "");
      if (!isOpen || !isKnown) return undefined;
      isServed = true;
    }
    return isServed ? `h3=":${port}"; ma=${REMEMBERED_S}` : undefined;
  }

  /** Accepts nothing more. What runs goes on until `abort`. */
  retire(): void {
    for (const place of this.#places.values()) place.rules = undefined;
    this.align();
  }

  abort(): void {
    this.#stopSettling?.();
    for (const { server } of this.#places.values()) server?.abort();
    this.#places.clear();
  }

  #align(key: string, place: Place): void {
    place.again = place.opening;
    if (place.opening || place.closing !== undefined) return;
    const { rules, server } = place;
    const identities = rules === undefined ? [] : this.#deps.identities(rules);
    const shown = identities.map(({ names, chain }) => `${names.join()} ${chain}`).join("\n");
    if (server === undefined) {
      if (rules === undefined) this.#places.delete(key);
      else if (identities.length > 0) void this.#open(key, place, { identities, shown });
      return;
    }
    if (shown === place.shown) return;
    place.closing = this.#emptied(place, server).then(() => {
      place.server = undefined;
      place.closing = undefined;
      this.#align(key, place);
    });
  }

  async #open(
    key: string,
    place: Place,
    { identities, shown }: {
      readonly identities: readonly NamedIdentity[];
      readonly shown: string;
    },
  ): Promise<void> {
    const { quic, serve, log } = this.#deps;
    if (quic === undefined) return;
    place.opening = true;
    try {
      place.shown = shown;
      place.names = new Set(identities.flatMap(({ names }) => names));
      place.server = await quic(place.bound, identities, async (exchange) => {
        place.running++;
        await serve(exchange);
        place.running--;
        if (place.running === 0) place.whenIdle();
      });
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      log.warn("quic.unavailable", { problem: error.message });
    }
    place.opening = false;
    if (this.#places.get(key) !== place) place.server?.abort();
    else if (place.again && place.server !== undefined) this.#align(key, place);
  }

  /** Lets exchanges end. Connections without any are cut: clients keep them for as long as they like. */
  async #emptied(place: Place, server: Listener): Promise<void> {
    const stopTimer = this.#deps.clock.after(PATIENCE_MS, () => server.abort());
    const closed = server.close();
    const idle = new Promise<void>((resolve) => (place.whenIdle = resolve));
    if (place.running > 0) await Promise.race([closed, idle]);
    server.abort();
    await closed;
    stopTimer();
  }
}
