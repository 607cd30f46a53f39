/**
 * Decides which upstream gets the next attempt, and which one a pool holds on to. State, chance and
 * time come in as arguments, so every rule of preference can be tested as a table. Policies other
 * than plain preference live next door.
 */
import type { Member, Pool } from "../model.ts";
import { choose } from "./policy.ts";
import type { Asker } from "./policy_asker.ts";

/** Member that the pool's policy chooses among those that may take a request and have not been tried. */
export function pick(
  pool: Pool,
  tried: readonly Member[],
  now: number,
  asker: Asker,
): Member | undefined {
  const { policy } = pool.rules;
  if (policy.kind === "first") return preferred(pool, tried, now);
  const candidates = pool.members.filter((member) =>
    !tried.includes(member) && available(member, pool, now)
  );
  return choose(policy, candidates, pool, asker);
}

/** Whether there is anyone left to pick. Asks without taking anybody's turn. */
export function anyLeft(pool: Pool, tried: readonly Member[], now: number): boolean {
  return pool.members.some((member) => !tried.includes(member) && available(member, pool, now));
}

/** The default, and so on every request's way: makes no list. */
function preferred(pool: Pool, tried: readonly Member[], now: number): Member | undefined {
  const held = hold(pool, now);
  if (held !== undefined && !tried.includes(held) && available(held, pool, now)) return held;
  for (const member of pool.members) {
    if (!tried.includes(member) && available(member, pool, now)) return member;
  }
  return undefined;
}

/** SEMANTICS section 2. A phase not known yet does not bar; whoever asks may wait for the first verdict. */
export function available({ upstream, standing }: Member, pool: Pool, now: number): boolean {
  return !standing.drained &&
    standing.phase !== "down" &&
    standing.inFlight < pool.rules.passive.requestsMax &&
    standing.inFlight < upstream.requestsMax &&
    standing.penalisedUntil(now) === undefined;
}

/**
 * Whom the next request would get where preference decides; asks without holding on to anyone.
 * `evenFull` takes those for able that merely have no room now.
 */
export function expected(pool: Pool, now: number, evenFull: boolean): Member | undefined {
  const { policy, failback } = pool.rules;
  if (policy.kind !== "first") return undefined;
  const able = (member: Member) => evenFull ? fits(member, now) : available(member, pool, now);
  const held = failback.kind === "immediate" ? undefined : successor(heldNow(pool), pool, now);
  return held !== undefined && able(held) ? held : pool.members.find(able);
}

function fits({ standing }: Member, now: number): boolean {
  return !standing.drained && standing.phase !== "down" &&
    standing.penalisedUntil(now) === undefined;
}

/**
 * The member that `failback` keeps traffic on, noted in `pool.held`; undefined means plain preference.
 * Only policy `first` has one to fail back to. A member that is merely full keeps its hold: what
 * spills over comes back.
 */
export function hold(pool: Pool, now: number): Member | undefined {
  return pool.rules.failback.kind === "immediate" ? undefined : holder(pool, now);
}

function holder(pool: Pool, now: number): Member | undefined {
  const next = successor(heldNow(pool), pool, now);
  pool.held.upstreamId = next?.upstream.id;
  return next;
}

function heldNow({ members, held: { upstreamId } }: Pool): Member | undefined {
  return members.find(({ upstream }) => upstream.id === upstreamId);
}

function successor(held: Member | undefined, pool: Pool, now: number): Member | undefined {
  const fit = (member: Member) => member.standing.fitSince(now) <= now;
  if (held === undefined || !fit(held)) return pool.members.find(fit);

  const { failback } = pool.rules;
  if (failback.kind !== "after") return held;
  const preferred = pool.members.slice(0, pool.members.indexOf(held));
  return preferred.find(({ standing }) => standing.fitSince(now) <= now - failback.afterMs) ?? held;
}

/** Notes who answered after the held one failed, so that an uncounted failure moves a sticky route too. */
export function noteAnswer(pool: Pool, answered: Member, failed: readonly Member[]): void {
  if (pool.rules.failback.kind === "immediate") return;
  if (failed.some(({ upstream }) => upstream.id === pool.held.upstreamId)) {
    pool.held.upstreamId = answered.upstream.id;
  }
}

/** Milliseconds until a penalty lapses and lets an upstream back in; undefined when no moment is known. */
export function backInMs(pool: Pool, now: number): number | undefined {
  const waits = pool.members
    .filter(({ standing }) => !standing.drained && standing.phase !== "down")
    .map(({ standing }) => standing.penalisedUntil(now))
    .filter((until) => until !== undefined)
    .map((until) => until - now);
  return waits.length > 0 ? Math.min(...waits) : undefined;
}
