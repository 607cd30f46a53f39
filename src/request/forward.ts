/**
 * Takes one request from upstream to upstream until one answers or the rules say stop. Owns the
 * loop; choosing, trying and judging live next door.
 */
import type { Member, Outcome, Pool, UpstreamResponse } from "../model.ts";
import type { Clock } from "../platform/platform.ts";
import { isWithin } from "../reasons.ts";
import type { RetryRules } from "../rules.ts";
import { Trial, type Try } from "./attempt.ts";
import type { Course, ForwardDeps, Passage, Passed } from "./passage.ts";
import { type Answer, letGo } from "./ending.ts";
import { choose } from "./choice.ts";
import { isHarmless, mayFailOver } from "./failover.ts";
import { type Forwarding, requestFields } from "./headers.ts";
import { matches, matchesResponse } from "./match.ts";
import { anyLeft, available, noteAnswer } from "./pick.ts";
import { cookieFor } from "./policy_cookie.ts";

export async function forward(pool: Pool, passage: Passage, deps: ForwardDeps): Promise<Passed> {
  const { signal } = passage.forwarding.exchange;
  const now = deps.clock.elapsed();
  const deadline = now + pool.rules.retry.forMs;
  const course: Course = { pool, tried: [], attempts: 0, now, deadline, last: undefined };

  try {
    while (!signal.aborted) {
      const chosen = choose(course, passage, deps);
      const member = chosen instanceof Promise ? await chosen : chosen;
      if (member === undefined) {
        if (await nextPass(course, passage, deps)) continue;
        break;
      }
      const trial = begin(member, course, passage, deps);
      let outcome: Outcome;
      try {
        outcome = trial.judge(await trial.start());
      } catch (bug) {
        member.standing.leave();
        throw bug;
      } finally {
        trial.end();
      }
      const passed = outcome.kind === "answered"
        ? taken(outcome.response, trial, course, passage, deps)
        : lost(outcome, trial, course, passage);
      if (passed !== undefined) return passed;
      course.now = deps.clock.elapsed();
    }
  } catch (bug) {
    drop(course.last);
    throw bug;
  }

  if (!signal.aborted) return course.last ?? { kind: "unavailable", pool: course.pool };
  drop(course.last);
  return { kind: "abandoned" };
}

function begin(member: Member, course: Course, passage: Passage, deps: ForwardDeps): Trial {
  const { pool } = course;
  const { forwarding: { exchange, visit }, forwarding, replay } = passage;
  course.tried.push(member);
  course.attempts++;
  passage.ledger.began(member);
  const fields = requestFields(forwarding, pool, member);
  const harmless = isHarmless(exchange.method, visit, pool.rules.retry);
  const client = clientOf(forwarding, member);
  member.standing.enter();
  return new Trial({
    exchange,
    pool,
    member,
    fields,
    replay,
    client,
    harmless,
    beganAt: course.now,
  }, deps);
}

/** Ends the request with that answer, unless there is something better to try: undefined sends it on. */
function taken(
  response: UpstreamResponse,
  { member, beganAt }: Trial,
  course: Course,
  passage: Passage,
  { clock }: ForwardDeps,
): Passed | undefined {
  const { pool } = course;
  const latencyMs = clock.elapsed() - beganAt;
  member.standing.saw({ kind: "answered", status: response.status, latencyMs });
  const cookie = cookieFor(pool.rules.policy, member.upstream, passage);
  const retries = course.attempts - 1;
  return settle({ pool, member, response, cookie, latencyMs, retries }, course, passage, clock);
}

/** What the request ends with after a failure; undefined sends it on. */
function lost(
  outcome: Exclude<Outcome, { kind: "answered" }>,
  trial: Trial,
  course: Course,
  { replay, ledger }: Passage,
): Passed | undefined {
  const { member } = trial;
  member.standing.leave();
  // Deno tells of a client that left amid its body by that body alone.
  if (outcome.kind === "abandoned" || replay?.broken === true) {
    drop(course.last);
    return { kind: "abandoned" };
  }
  member.standing.saw({ kind: "failed", reason: outcome.reason });
  ledger.failed(member, outcome);
  // An answer that was kept is worth more to the client than the failure that came after it.
  if (course.last?.kind !== "answer") course.last = { kind: "failed", last: outcome };
  return mayFailOver(outcome, trial) ? undefined : course.last;
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
  { forwarding, replay, ledger }: Passage,
  clock: Clock,
): Passed | undefined {
  const { pool, member, response } = answer;
  const { status, responses, attemptsMax } = pool.rules.retry;
  drop(course.last);
  course.last = { kind: "answer", answer };

  const unwanted = isWithin(response.status, status) ||
    (responses.length > 0 && isUnwanted(response, responses, forwarding));
  const more = unwanted && course.attempts < (attemptsMax ?? Infinity) &&
    (anyLeft(pool, course.tried, clock.elapsed()) || passesLeft(course, clock.elapsed()));
  if (more && (replay?.replayable ?? true)) {
    ledger.failed(member, response);
    return undefined;
  }
  if (course.tried.length > 1) noteAnswer(pool, member, course.tried.slice(0, -1));
  return course.last;
}

function isUnwanted(
  response: UpstreamResponse,
  rules: RetryRules["responses"],
  { visit }: Forwarding,
): boolean {
  return rules.some((rule) =>
    matchesResponse(rule.response, response) &&
    (rule.request === undefined || matches(rule.request, visit))
  );
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
  course.now = clock.elapsed();
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
