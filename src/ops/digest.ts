/**
 * Sums up what happened to one upstream, or to the choice in one pool, so that flapping makes one
 * message and not fifty. Bounded, however much happens. Pure.
 */
import type { News } from "../rules.ts";
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
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  /** When the last of it happened: wall clock, milliseconds since 1970. */
  readonly at: number;
  /** Things that happened. */
  readonly count: number;
}

/** What is summed up together. */
export function subjectOf({ transition: { kind, poolId, upstream } }: Item): string {
  return kind === "chosen" ? poolId : `${poolId} ${upstream}`;
}

export function fold(digest: Digest | undefined, item: Item): Digest {
  const counts = new Map(digest?.counts);
  counts.set(item.event, (counts.get(item.event) ?? 0) + 1);
  return { last: item, since: digest?.since ?? item.transition.at, counts };
}

export function compose({ last, since, counts }: Digest): Message {
  const { transition, event } = last;
  const { poolId: pool, upstream, from = "", to = "", reason, at } = transition;
  const count = [...counts.values()].reduce((sum, times) => sum + times, 0);
  const isRepeated = [...counts.values()].some((times) => times > 1);
  const list = [...counts].map(([name, times]) => times === 1 ? name : `${name} ${times} times`);
  const seconds = Math.max(1, Math.round((at - since) / 1000));
  const summary = isRepeated ? `, after ${list.join(", ")} within ${seconds} s` : "";
  return {
    event,
    title: headline(last),
    text: `${sentence(last)}${summary}`,
    ...{ pool, upstream, from, to, reason, at, count },
  };
}
