/**
 * Finds the upstream for the next attempt of a request, and waits where nobody knows yet which are
 * fit: better late than into the unknown.
 */
import type { EndSignal } from "../end.ts";
import type { Member, Pool } from "../model.ts";
import type { Course, ForwardDeps, Passage } from "./passage.ts";
import { pick } from "./pick.ts";

/**
 * The next upstream of this pass. Waits for a first verdict rather than send a request into the unknown;
 * all but the first requests have nothing to wait for, and get it without a promise.
 */
export function choose(
  course: Course,
  passage: Passage,
  deps: ForwardDeps,
): Member | undefined | Promise<Member | undefined> {
  const { signal } = passage.forwarding.exchange;
  const { pool, tried } = course;
  if (signal.aborted || course.attempts >= (pool.rules.retry.attemptsMax ?? Infinity)) {
    return undefined;
  }
  const member = pick(pool, tried, course.now, passage);
  if (pool.rules.health?.idleIntervalMs !== undefined) noteWanted(pool, member);
  const verdict = member?.standing.firstVerdict;
  if (verdict === undefined) return member;
  return chooseLater(verdict, course, passage, deps);
}

async function chooseLater(
  verdict: Promise<void>,
  course: Course,
  passage: Passage,
  deps: ForwardDeps,
): Promise<Member | undefined> {
  await orAbort(verdict, passage.forwarding.exchange.signal);
  course.now = deps.clock.elapsed();
  return choose(course, passage, deps);
}

function noteWanted(pool: Pool, chosen: Member | undefined): void {
  for (const member of pool.members) {
    member.standing.wanted();
    // By any other policy those behind it might have been chosen as well.
    if (member === chosen && pool.rules.policy.kind === "first") return;
  }
}

/** Settles with the promise, or as soon as the signal aborts. */
function orAbort(promise: Promise<void>, signal: EndSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      signal.removeEventListener("abort", done);
      resolve();
    };
    signal.addEventListener("abort", done, { once: true });
    void promise.then(done);
  });
}
