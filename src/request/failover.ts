/** May a request go to the next upstream? The whole rule of SEMANTICS section 5, in one place. */
import type { Outcome } from "../model.ts";
import type { RetryRules } from "../rules.ts";
import { type Asked, matches } from "./match.ts";

/** What the rule needs to know of a request. */
export interface Replay {
  /** Sending it twice does no harm: by its method (RFC 9110 section 9.2.2), or because the operator says so. */
  readonly harmless: boolean;
  /** Its body can be sent again from the first byte, or has none. */
  readonly replayable: boolean;
  readonly rescue: boolean;
}

const IDEMPOTENT_METHODS = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"]);

/** True when the request may be sent twice: idempotent as upstreams see it, or matched by `retry.match`. */
export function isHarmless(
  method: string,
  asked: Asked,
  { idempotent, match }: RetryRules,
): boolean {
  if (idempotent && IDEMPOTENT_METHODS.has(method)) return true;
  for (const matcher of match) if (matches(matcher, asked)) return true;
  return false;
}

export function mayFailOver(outcome: Outcome, { harmless, replayable, rescue }: Replay): boolean {
  if (outcome.kind !== "failed" || !replayable) return false;
  return !outcome.sent || harmless || (rescue && outcome.reason === "went_down");
}
