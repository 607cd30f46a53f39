/**
 * Sums up what happened to one upstream, to the choice in one pool or to a certificate, so that flapping
 * makes one message and not fifty. Bounded, however much happens. Pure.
 */
import type { News } from "../rules.ts";
import { subjectOf as certificateSubject } from "./certificate_news.ts";
import { headline, type Item, sentence } from "./news.ts";

/** What happened since the last message. */
export interface Digest {
  readonly last: Item;
  readonly since: number;
  readonly counts: ReadonlyMap<News, number>;
}

/** A message before it is put into somebody's format. */
export interface Message {
  readonly event: News;
  readonly title: string;
  readonly text: string;
  readonly pool: string;
  /** Empty where it is about the pool as a whole. */
  readonly upstream: string;
  /** Names of the certificate; empty where it is about none, and then there are a pool and an upstream. */
  readonly certificate: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  /** When the last of it happened: wall clock, milliseconds since 1970. */
  readonly at: number;
  /** Things that happened. */
  readonly count: number;
}

/** What is summed up together. */
export function subjectOf(item: Item): string {
  if ("turn" in item) return `certificate ${certificateSubject(item.turn.certificate)}`;
  const { kind, poolId, upstream } = item.transition;
  return kind === "chosen" ? poolId : `${poolId} ${upstream}`;
}

export function fold(digest: Digest | undefined, item: Item): Digest {
  const counts = new Map(digest?.counts);
  counts.set(item.event, (counts.get(item.event) ?? 0) + 1);
  return { last: item, since: digest?.since ?? placeOf(item).at, counts };
}

export function compose({ last, since, counts }: Digest): Message {
  const place = placeOf(last);
  const count = [...counts.values()].reduce((sum, times) => sum + times, 0);
  const isRepeated = [...counts.values()].some((times) => times > 1);
  const list = [...counts].map(([name, times]) => times === 1 ? name : `${name} ${times} times`);
  const seconds = Math.max(1, Math.round((place.at - since) / 1000));
  const summary = isRepeated ? `, after ${list.join(", ")} within ${seconds} s` : "";
  return {
    event: last.event,
    title: headline(last),
    text: `${sentence(last)}${summary}`,
    ...place,
    count,
  };
}

type Place = Omit<Message, "event" | "title" | "text" | "count">;

/** Whom it is about, why and when. */
function placeOf(item: Item): Place {
  if ("turn" in item) {
    const { at, certificate: { names, problem = "" } } = item.turn;
    const certificate = names.join(", ");
    const reason = item.event === "certificate_failed" ? problem : "";
    return { pool: "", upstream: "", certificate, from: "", to: "", reason, at };
  }
  const { poolId: pool, upstream, from = "", to = "", reason, at } = item.transition;
  return { pool, upstream, certificate: "", from, to, reason, at };
}
