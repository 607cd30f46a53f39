/** What the request path needs of the outside. Handed in by `app.ts`; nothing here is made. */
import type { Deadlines } from "../deadlines.ts";
import type { Account, Pool, Transport, Tunnel } from "../model.ts";
import type { Clock, Platform } from "../platform/platform.ts";
import type { Cidr } from "../rules.ts";
import type { World as PolicyWorld } from "./policy_asker.ts";
import type { Router } from "./route.ts";

/** What is configured now. A request reads it once. */
export interface Snapshot {
  readonly router: Router;
  readonly trustedProxies: readonly Cidr[];
  /** The pool of that id, while it is configured. */
  readonly pool: (id: string) => Pool | undefined;
}

/** An upgraded connection that runs, so that a reload or drain can end it. */
export interface RunningTunnel {
  readonly tunnel: Tunnel;
  readonly upstreamId: string;
  readonly closeDelayMs: number;
}

/** What of the world steps work with. */
export interface World extends PolicyWorld, Pick<Platform, "passwordMatches" | "compressor"> {}

export interface RelayDeps {
  readonly live: { readonly current: Snapshot };
  readonly transport: Transport;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly world: World;
  readonly newId: () => string;
  readonly tunnels: Set<RunningTunnel>;
  /** While true, every answer asks the client to close its connection. */
  readonly draining: () => boolean;
  readonly account: (account: Account) => void;
  /** Takes what must never happen: a bug of ours. */
  readonly bug: (error: unknown) => void;
}
