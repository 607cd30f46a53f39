/** May a request go to the next upstream? The whole rule of SEMANTICS section 5, in one place. */
import type { Outcome, RetryRules } from "../model.ts";
import { isUnder } from "./route.ts";

/** What the rule needs to know of a request. */
export interface Replay {
  /** Sending it twice does no harm: by its method (RFC 9110 section 9.2.2), or because the operator says so. */
  readonly harmless: boolean;
  /** Its body can be sent again from the first byte, or has none. */
  readonly replayable: boolean;
  readonly rescue: boolean;
}

const IDEMPOTENT_METHODS = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"]);

/** True when the request may be sent twice: idempotent, or matched by `retry.match`. */
export function isHarmless(method: string, path: string, { match }: RetryRules): boolean {
  if (IDEMPOTENT_METHODS.has(method)) return true;
  if (match === undefined) return false;
  const methodFits = match.methods.length === 0 || match.methods.includes(method);
  return methodFits &&
    (match.paths.length === 0 || match.paths.some((prefix) => isUnder(path, prefix)));
}

export function mayFailOver(outcome: Outcome, { harmless, replayable, rescue }: Replay): boolean {
  if (outcome.kind !== "failed" || !replayable) return false;
  return !outcome.sent || harmless || (rescue && outcome.reason === "went_down");
}
