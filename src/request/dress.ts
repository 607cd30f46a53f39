/**
 * What is put on an answer last, whoever gave it: which pages may read it, that browsers ask with TLS
 * alone, and for clients that are told so who answered and what failed before.
 */
import type { Fields } from "../fields.ts";
import type { LostAttempt, Member, Pool } from "../model.ts";
import { sayWhoMayRead } from "./cors.ts";
import { type Ending, letGo } from "./ending.ts";
import { clean } from "./placeholders.ts";
import type { Found } from "./route.ts";
import type { Visit } from "./visit.ts";

/** Only for routes that are `dressed`. Gives the answer back if it fails. */
export function dress(ending: Ending, { route, only }: Found, visit: Visit): void {
  if (ending.kind === "left") return;
  const { fields } = ending.reply;
  try {
    if (route.expose) {
      const pool = visit.heard?.pool ?? (only === undefined ? undefined : visit.poolOf(only));
      expose(fields, visit, pool);
    }
    // After that, as it may have to name all fields.
    if (route.guard?.cors !== undefined) sayWhoMayRead(fields, route.guard.cors, visit);
    // Said in the clear it would be worth nothing (RFC 6797 section 7.2).
    if (route.tls.hsts !== undefined && visit.scheme === "https") {
      fields.set("Strict-Transport-Security", route.tls.hsts);
    }
  } catch (bug) {
    if (ending.kind === "reply" && ending.answer !== undefined) letGo(ending.answer);
    throw bug;
  }
}

function expose(fields: Fields, { story, heard }: Visit, pool: Pool | undefined): void {
  // Whoever was turned away learns nothing of what is behind the door.
  const isRefused = story.outcome === "refused";
  const passedOver = pool === undefined || isRefused
    ? []
    : wordsOfPassedOver(pool, heard?.member, story.lost);
  const words = [...passedOver, ...story.lost.map(({ reason }) => reason)];
  const marks: [string, string | undefined][] = [
    ["X-Understudy-Upstream", heard?.member.upstream.name],
    ["X-Understudy-Attempts", isRefused ? undefined : String(story.attempts)],
    ["X-Understudy-Reason", words.length === 0 ? undefined : words.join(", ")],
  ];
  for (const [name, value] of marks) {
    if (value === undefined) fields.delete(name);
    else fields.set(name, clean(value));
  }
}

/** Why those were not asked that come before the one who answered; only where it is by preference. */
function wordsOfPassedOver(
  { rules, members }: Pool,
  answerer: Member | undefined,
  lost: readonly LostAttempt[],
): string[] {
  if (rules.policy.kind !== "first") return [];
  const tried = new Set(lost.map(({ upstream }) => upstream));
  const at = answerer === undefined ? -1 : members.indexOf(answerer);
  return members.slice(0, at < 0 ? members.length : at)
    .filter(({ upstream }) => !tried.has(upstream.name))
    .map(({ standing }) => {
      if (standing.drained) return "drained";
      return standing.phase === "down" ? "down" : "unavailable";
    });
}
