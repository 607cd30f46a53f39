/**
 * Takes one request from upstream to upstream until one answers or the rules say stop. Owns the
 * loop; choosing, trying and judging live next door.
 */
import type { EndSignal } from "../end.ts";
import type { Member, Outcome, Pool, UpstreamResponse } from "../model.ts";
import type { Clock } from "../platform/platform.ts";
import { attempt, type AttemptDeps, type Try } from "./attempt.ts";
import { type Answer, letGo } from "./ending.ts";
import { isHarmless, mayFailOver } from "./failover.ts";
import { type Forwarding, requestFields } from "./headers.ts";
import { isWithin, matches, matchesResponse } from "./match.ts";
import { anyLeft, available, noteAnswer, pick } from "./pick.ts";
import type { World } from "./policy_asker.ts";
import { cookieFor } from "./policy_cookie.ts";
import type { ReplayBody } from "./replay.ts";

export interface Passage {
  readonly forwarding: Forwarding;
  readonly replay: ReplayBody | undefined;
  /** What policies go by, besides the request. */
  readonly world: World;
  /** Told of every attempt as it begins, and of every failure in the log's words. */
  readonly began: (member: Member) => void;
  readonly failed: (member: Member, outcome: Outcome | UpstreamResponse) => void;
}

export interface ForwardDeps extends AttemptDeps {
  readonly clock: Clock;
  /** The pool of that id as configured now: a request that waits for long goes on with the new one. */
  readonly poolNow: (poolId: string) => Pool | undefined;
}

export type Passed =
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "failed"; readonly last: Extract<Outcome, { kind: "failed" }> }
  /** No upstream was available, and none was tried. */
  | { readonly kind: "unavailable"; readonly pool: Pool }
  | { readonly kind: "abandoned" };

/** What a request went through so far. */
interface Course {
  pool: Pool;
  /** Upstreams tried in this pass. */
  tried: Member[];
  attempts: number;
  readonly deadline: number;
  /** The last failure, or the last answer that `retry.status` would rather replace. */
  last: Passed | undefined;
}

export async function forward(pool: Pool, passage: Passage, deps: ForwardDeps): Promise<Passed> {
  const { signal } = passage.forwarding.exchange;
  const deadline = deps.clock.elapsed() + pool.rules.retry.forMs;
  const course: Course = { pool, tried: [], attempts: 0, deadline, last: undefined };

  try {
    while (!signal.aborted) {
      const chosen = choose(course, passage, deps);
      const member = chosen instanceof Promise ? await chosen : chosen;
      if (member === undefined) {
        if (await nextPass(course, passage, deps)) continue;
        break;
      }
      const passed = await tryAt(member, course, passage, deps);
      if (passed !== undefined) return passed;
    }
  } catch (bug) {
    drop(course.last);
    throw bug;
  }

  if (!signal.aborted) return course.last ?? { kind: "unavailable", pool: course.pool };
  drop(course.last);
  return { kind: "abandoned" };
}

/**
 * The next upstream of this pass. Waits for a first verdict rather than send a request into the unknown;
 * all but the first requests have nothing to wait for, and get it without a promise.
 */
function choose(
  course: Course,
  passage: Passage,
  deps: ForwardDeps,
): Member | undefined | Promise<Member | undefined> {
  const { signal } = passage.forwarding.exchange;
  const { pool, tried } = course;
  if (signal.aborted || course.attempts >= (pool.rules.retry.attemptsMax ?? Infinity)) {
    return undefined;
  }
  const member = pick(pool, tried, deps.clock.elapsed(), passage);
  if (pool.rules.health?.idleIntervalMs !== undefined) noteWanted(pool, member);
  const verdict = member?.standing.firstVerdict;
  if (verdict === undefined) return member;
  return orAbort(verdict, signal).then(() => choose(course, passage, deps));
}

/** Returns what the request ends with; undefined sends it on. */
async function tryAt(
  member: Member,
  course: Course,
  passage: Passage,
  deps: ForwardDeps,
): Promise<Passed | undefined> {
  const { pool } = course;
  const { rules } = pool;
  const { forwarding, replay } = passage;
  const harmless = isHarmless(forwarding.exchange.method, forwarding.visit, rules.retry);
  const rule = () => ({
    harmless,
    replayable: replay?.replayable ?? true,
    rescue: rules.retry.rescue,
  });

  const chosen = {
    exchange: forwarding.exchange,
    pool,
    member,
    fields: requestFields(forwarding, pool, member),
    body: replay?.open(),
    client: clientOf(forwarding, member),
    harmless,
    mayRescue: () => mayFailOver(WENT_DOWN, rule()),
  };

  course.tried.push(member);
  course.attempts++;
  passage.began(member);
  member.standing.enter();
  const began = deps.clock.elapsed();
  let outcome: Outcome;
  try {
    outcome = await attempt(chosen, deps);
  } catch (bug) {
    member.standing.leave();
    throw bug;
  }

  if (outcome.kind === "answered") {
    const { response } = outcome;
    const latencyMs = deps.clock.elapsed() - began;
    member.standing.saw({ kind: "answered", status: response.status, latencyMs });
    const cookie = cookieFor(rules.policy, member.upstream, passage);
    const retries = course.attempts - 1;
    const answer = { pool, member, response, cookie, latencyMs, retries };
    return settle(answer, course, passage, deps);
  }
  member.standing.leave();
  // Deno tells of a client that left amid its body by that body alone.
  if (outcome.kind === "abandoned" || replay?.broken === true) {
    drop(course.last);
    return { kind: "abandoned" };
  }
  member.standing.saw({ kind: "failed", reason: outcome.reason });
  passage.failed(member, outcome);
  // An answer that was kept is worth more to the client than the failure that came after it.
  if (course.last?.kind !== "answer") course.last = { kind: "failed", last: outcome };
  return mayFailOver(outcome, rule()) ? undefined : course.last;
}

/** The client, for an upstream whose connections say whose they are. */
function clientOf({ visit, exchange }: Forwarding, { upstream }: Member): Try["client"] {
  if (upstream.connections.proxyProtocol === undefined) return undefined;
  return { ip: visit.clientIp, port: exchange.peer.port };
}

/** Takes an answer, unless it is one that fails over and there is somewhere to go. */
function settle(
  answer: Answer,
  course: Course,
  { forwarding, replay, failed }: Passage,
  { clock }: ForwardDeps,
): Passed | undefined {
  const { pool, member, response } = answer;
  const { status, responses, attemptsMax } = pool.rules.retry;
  drop(course.last);
  course.last = { kind: "answer", answer };

  const unwanted = isWithin(response.status, status) ||
    responses.some((rule) =>
      matchesResponse(rule.response, response) &&
      (rule.request === undefined || matches(rule.request, forwarding.visit))
    );
  const more = unwanted && course.attempts < (attemptsMax ?? Infinity) &&
    (anyLeft(pool, course.tried, clock.elapsed()) || passesLeft(course, clock.elapsed()));
  if (more && (replay?.replayable ?? true)) {
    failed(member, response);
    return undefined;
  }
  noteAnswer(pool, member, course.tried.slice(0, -1));
  return course.last;
}

/** Waits for a new pass, in which every upstream may be tried again; false when the request must end. */
async function nextPass(
  course: Course,
  { forwarding: { exchange }, replay }: Passage,
  { clock, poolNow }: ForwardDeps,
): Promise<boolean> {
  const { retry } = course.pool.rules;
  if (!passesLeft(course, clock.elapsed()) || !(replay?.replayable ?? true)) return false;

  // The client leaving ends the pause; the loop above sees it.
  await clock.sleep(retry.intervalMs, exchange.signal).catch(() => {});
  course.pool = poolNow(course.pool.rules.id) ?? course.pool;
  course.tried = [];
  return true;
}

function passesLeft({ pool, attempts, deadline }: Course, now: number): boolean {
  const { attemptsMax, intervalMs } = pool.rules.retry;
  if (attempts >= (attemptsMax ?? Infinity)) return false;
  if (now + intervalMs <= deadline) return true;
  return attemptsMax !== undefined && pool.members.some((member) => available(member, pool, now));
}

/** Gives back an answer that nobody will read. */
function drop(passed: Passed | undefined): void {
  if (passed?.kind === "answer") letGo(passed.answer);
}

function noteWanted(pool: Pool, chosen: Member | undefined): void {
  for (const member of pool.members) {
    member.standing.wanted();
    // By any other policy those behind it might have been chosen as well.
    if (member === chosen && pool.rules.policy.kind === "first") return;
  }
}

const WENT_DOWN = { kind: "failed", reason: "went_down", sent: true, detail: "" } as const;

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
