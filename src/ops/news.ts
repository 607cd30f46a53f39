/**
 * Makes news of transitions: what people want to be told of, in their words. Leaves out what a start
 * brings along, as nobody wants a message for each upstream that was up all along.
 */
import type { News } from "../rules.ts";
import {
  certificateHeadline,
  type CertificateItem,
  certificateSentence,
} from "./certificate_news.ts";
import type { Transition } from "./status.ts";

/** What happens to upstreams. */
type UpstreamNews = Exclude<News, CertificateItem["event"]>;

/** Something that happened, by the name that `notify.on` has for it. */
export type Item = UpstreamItem | CertificateItem;

export interface UpstreamItem {
  readonly event: UpstreamNews;
  readonly transition: Transition;
}

/** Upstreams by pool id, in order of preference. Found ones are not among them, and come last. */
export type Preference = ReadonlyMap<string, readonly string[]>;

export class Reporter {
  #preference: Preference = new Map();
  /** Pools of which nobody can be asked now. */
  readonly #dark = new Set<string>();

  configure(preference: Preference): void {
    this.#preference = preference;
    for (const id of this.#dark) if (!preference.has(id)) this.#dark.delete(id);
  }

  /** Undefined where it is no news. */
  newsOf(transition: Transition): UpstreamItem | undefined {
    const event = this.#eventOf(transition);
    return event === undefined ? undefined : { event, transition };
  }

  #eventOf(transition: Transition): UpstreamNews | undefined {
    const { kind, from, to } = transition;
    switch (kind) {
      case "phase":
        if (to === "down") return "down";
        return to === "up" && from === "down" ? "up" : undefined;
      case "penalised":
      case "drained":
      case "undrained":
        return kind;
      case "chosen":
        return this.#move(transition);
    }
  }

  #move({ poolId, from = "", to = "" }: Transition): UpstreamNews | undefined {
    if (to === "") {
      this.#dark.add(poolId);
      return "unavailable";
    }
    const wasDark = this.#dark.delete(poolId);
    // The first choice after a start is none of anybody's business.
    if (from === "" && !wasDark) return undefined;
    const isBack = from === ""
      ? this.#rank(poolId, to) === 0
      : this.#rank(poolId, to) < this.#rank(poolId, from);
    return isBack ? "failback" : "failover";
  }

  #rank(poolId: string, name: string): number {
    const at = this.#preference.get(poolId)?.indexOf(name) ?? -1;
    return at < 0 ? Infinity : at;
  }
}

/** In one line, fit for a phone. */
export function headline(item: Item): string {
  if ("turn" in item) return certificateHeadline(item);
  const { event, transition } = item;
  const { upstream, poolId } = transition;
  switch (event) {
    case "down":
      return `${upstream} is down`;
    case "up":
      return `${upstream} is up again`;
    case "penalised":
      return `${upstream} fails and is left out`;
    case "drained":
      return `${upstream} is drained`;
    case "undrained":
      return `${upstream} is drained no more`;
    case "failover":
    case "failback":
      return `${transition.to ?? upstream} answers now`;
    case "unavailable":
      return `nobody answers ${place(poolId)}`;
  }
}

/** The whole of it: the headline, why, where. */
export function sentence(item: Item): string {
  if ("turn" in item) return certificateSentence(item);
  const { event, transition: { reason, poolId, from, until, at } } = item;
  const span = event === "penalised" && until !== undefined
    ? ` for ${Math.max(1, Math.round((until - at) / 1000))} s`
    : "";
  const instead =
    (event === "failover" || event === "failback") && from !== undefined && from !== ""
      ? ` instead of ${from}`
      : "";
  const why = reason === "" ? "" : `: ${reason}`;
  const where = event === "unavailable" ? "" : ` (${place(poolId)})`;
  return `${headline(item)}${span}${instead}${why}${where}`;
}

function place(poolId: string): string {
  return poolId.replace(/^\*\//, "/");
}
