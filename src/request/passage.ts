/** A request on its way through a pool: what it takes along, what it went through, and how that may end. */
import type { Member, Outcome, Pool } from "../model.ts";
import type { Clock } from "../platform/platform.ts";
import type { AttemptDeps } from "./attempt.ts";
import type { Answer } from "./ending.ts";
import type { Forwarding } from "./headers.ts";
import type { World } from "./policy_asker.ts";
import type { ReplayBody } from "./replay.ts";
import type { Ledger } from "./story.ts";

export interface Passage {
  readonly forwarding: Forwarding;
  readonly replay: ReplayBody | undefined;
  /** What policies go by, besides the request. */
  readonly world: World;
  readonly ledger: Ledger;
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
export interface Course {
  pool: Pool;
  /** Upstreams tried in this pass. */
  tried: Member[];
  attempts: number;
  /** `elapsed` time when the attempt under way was begun. */
  now: number;
  readonly deadline: number;
  /** The last failure, or the last answer that `retry.status` would rather replace. */
  last: Passed | undefined;
}
