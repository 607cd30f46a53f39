/** What the request path needs of the outside. Handed in by `app.ts`; nothing here is made. */
import type { Deadlines } from "../deadlines.ts";
import type { Account, Pool, Transport, Tunnel } from "../model.ts";
import type { Clock, Platform } from "../platform/platform.ts";
import type { Cidr } from "../rules.ts";
import type { World as PolicyWorld } from "./policy_asker.ts";
import type { Router } from "./route.ts";

/** What the request path may ask of TLS; there is none where no listener speaks it. */
export interface Edge {
  /** What proves to an authority that a token was given to us. */
  proof(token: string): string | undefined;
  /** Whether whoever asks for that host with TLS is shown a certificate for it. */
  secures(host: string): boolean;
  /** Port that requests in the clear are sent to. */
  readonly port: number;
  /** Ports of ours where TLS is spoken. */
  readonly ports: ReadonlySet<number>;
  /** Of TLS. */
  readonly minVersion: "1.2" | "1.3";
  /** What tells clients of that port, who asked for that name, of HTTP/3; undefined where it cannot be had. */
  alternative(port: number | undefined, name: string | undefined): string | undefined;
}

/** What is configured now. A request reads it once. */
export interface Snapshot {
  readonly router: Router;
  readonly trustedProxies: readonly Cidr[];
  /** Undefined where no listener speaks TLS. */
  readonly edge: Edge | undefined;
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
