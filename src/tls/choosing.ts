/**
 * How a handshake is answered: by which certificate of those that are shown, on their way, or made as they
 * are asked for; and whether the client is to show one, too.
 */
import { parseIp } from "../ip.ts";
import { covers } from "../names.ts";
import type { Clock } from "../platform/platform.ts";
import type { Handshake } from "../platform/tls.ts";
import type { TlsRules } from "../tls_rules.ts";
import { clientAuthorities } from "./certificate_rules.ts";
import type { Holder } from "./holder.ts";
import { Keeper } from "./keeper.ts";
import { within } from "./nap.ts";
import { mayMake, type OnDemand } from "./on_demand.ts";
import type { Shelf, Shown } from "./shelf.ts";

/** A handshake waits that long for the first certificate of its name, in milliseconds. */
const FIRST_WAIT_MS = 8_000;

export interface ChoosingDeps {
  readonly clock: Clock;
  readonly shelf: Shelf;
  readonly holders: ReadonlyMap<string, Holder>;
  readonly rules: () => TlsRules | undefined;
  readonly onDemand: () => OnDemand | undefined;
}

/** Where a client came. */
export interface Arrived {
  /** Key of the listener (`addressKey`). */
  readonly listener: string;
  readonly localIp: string;
  readonly protocols: readonly string[];
}

type Found = Shown | undefined;

export class Choosing {
  readonly #deps: ChoosingDeps;

  constructor(deps: ChoosingDeps) {
    this.#deps = deps;
  }

  /** `asked` is the name that the client asks for, lower case. */
  choose(asked: string | undefined, arrived: Arrived): Handshake | Promise<Handshake> {
    const { listener, localIp } = arrived;
    // An address is no name (RFC 6066 section 3).
    const name = asked === undefined || parseIp(asked) !== undefined ? undefined : asked;
    const found = this.#find(listener, name ?? this.#unnamed(listener, localIp));
    return found instanceof Promise
      ? found.then((late) => this.#answer(late, name ?? localIp, arrived))
      : this.#answer(found, name ?? localIp, arrived);
  }

  /** Whom a client means that asks for no name: the address it came to, where that has a certificate. */
  #unnamed(listener: string, localIp: string): string {
    const { defaultName } = this.#deps.rules() ?? {};
    if (defaultName === undefined) return localIp;
    const hasOwn = this.#deps.shelf.named(listener, localIp) !== undefined ||
      this.#keeperOf(listener, localIp) !== undefined;
    return hasOwn ? localIp : defaultName;
  }

  #find(listener: string, name: string): Found | Promise<Found> {
    const { clock, shelf } = this.#deps;
    const onDemand = this.#deps.onDemand();
    const own = shelf.named(listener, name);
    if (own !== undefined) return own;
    const keeper = this.#keeperOf(listener, name);
    if (keeper !== undefined) {
      // It was made on demand until now, maybe.
      return onDemand?.known(name) ?? within(clock, FIRST_WAIT_MS, keeper.ready)
        .then(() => shelf.find(listener, name) ?? shelf.former(listener));
    }
    const general = shelf.find(listener, name);
    if (general !== undefined) return general;
    const which = this.#deps.rules()?.onDemand.names ?? "none";
    return mayMake(name, which) ? onDemand?.find(name) : undefined;
  }

  /** Who keeps a certificate for that name, on that listener. */
  #keeperOf(listener: string, name: string): Keeper | undefined {
    for (const holder of this.#deps.holders.values()) {
      const { names, listeners } = holder.rules;
      const isHere = listeners.length === 0 || listeners.includes(listener);
      if (!(holder instanceof Keeper) || !isHere) continue;
      if (names.some((one) => covers(one, name))) return holder;
    }
    return undefined;
  }

  #answer(found: Found, host: string, { protocols }: Arrived): Handshake {
    const rules = this.#deps.rules();
    if (found === undefined || rules === undefined) return undefined;
    const authorities = clientAuthorities(rules, host);
    return {
      context: found.context(authorities, rules.minVersion),
      protocols,
      asksClient: authorities.length > 0,
    };
  }
}
