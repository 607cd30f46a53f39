/** What the steps of a request work with, made once for all requests. */
import type { PasswordDesk } from "./basic_auth.ts";
import type { RelayDeps } from "./deps.ts";
import type { Porter } from "./door.ts";
import type { Ending } from "./ending.ts";
import type { ForwardDeps } from "./passage.ts";
import type { Step } from "../rules.ts";
import type { Visit } from "./visit.ts";

export interface Crew extends Pick<RelayDeps, "clock" | "world"> {
  readonly forwarding: ForwardDeps;
  readonly desk: PasswordDesk;
  readonly porter: Porter;
  /** Takes a request through steps, for those that hold steps themselves. Undefined: none answered. */
  readonly run: (steps: readonly Step[], visit: Visit) => Promise<Ending | undefined>;
}
