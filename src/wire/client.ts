/**
 * The upstream's side of the wire: makes attempts on connections of its own or kept ones, and knows
 * for each whether the upstream can have seen anything of the request.
 */
import { addressKey } from "../address.ts";
import type { Attempt, FailureReason, Outcome, Transport } from "../model.ts";
import type { Upstream } from "../rules.ts";
import type { Clock, Platform } from "../platform/platform.ts";
import type { Deadlines } from "../deadlines.ts";
import { Pool } from "./pool.ts";
import { UpstreamConnection } from "./upstream.ts";

export interface ClientDeps {
  readonly clock: Clock;
  readonly dial: Platform["dial"];
  readonly deadlines: Deadlines;
}

const DEAF = { data() {}, drained() {}, closed() {} };

export function wireTransport(deps: ClientDeps): Transport {
  const pools = new Pools(deps);
  return {
    send: (attempt) => send(attempt, pools.of(attempt.upstream), deps),
    distrust: (upstream) => pools.of(upstream).clear(),
    async reachable({ address }, limits) {
      const dialled = await deps.dial(address, DEAF, limits);
      if (dialled.kind === "connected") dialled.connection.close();
      return dialled.kind !== "failed";
    },
  };
}

function send(attempt: Attempt, pool: Pool, deps: ClientDeps): Promise<Outcome> {
  if (attempt.signal.aborted) return Promise.resolve({ kind: "abandoned" });
  return pool.take(attempt)?.run(attempt) ?? dialAndSend(attempt, pool, deps);
}

async function dialAndSend(attempt: Attempt, pool: Pool, deps: ClientDeps): Promise<Outcome> {
  const connection = new UpstreamConnection(pool, deps);
  const { dialTimeoutMs, signal, upstream } = attempt;
  const dialled = await deps.dial(upstream.address, connection, {
    timeoutMs: dialTimeoutMs,
    signal,
    tlsName: tlsNameOf(upstream),
  });
  switch (dialled.kind) {
    case "aborted":
      return { kind: "abandoned" };
    case "failed":
      return unsent(dialled.code, dialled.detail);
    case "connected":
      connection.open(dialled.connection);
      return await connection.run(attempt);
  }
}

/** The host that an `https` upstream's certificate must prove. */
function tlsNameOf({ scheme, address }: Upstream): string | undefined {
  if (scheme !== "https") return undefined;
  return address.kind === "unix" ? "localhost" : address.host;
}

function unsent(reason: FailureReason, detail: string): Outcome {
  return { kind: "failed", reason, sent: false, detail };
}

/** The pool of each upstream, found by its object and shared by all that have the same address. */
class Pools {
  readonly #deps: ClientDeps;
  readonly #byUpstream = new WeakMap<Upstream, Pool>();
  readonly #byAddress = new Map<string, WeakRef<Pool>>();

  constructor(deps: ClientDeps) {
    this.#deps = deps;
  }

  of(upstream: Upstream): Pool {
    const known = this.#byUpstream.get(upstream);
    if (known !== undefined) return known;

    const key = `${upstream.scheme}|${addressKey(upstream.address)}`;
    const pool = this.#byAddress.get(key)?.deref() ?? this.#make();
    this.#byAddress.set(key, new WeakRef(pool));
    this.#byUpstream.set(upstream, pool);
    return pool;
  }

  #make(): Pool {
    const pool: Pool = new Pool({
      ...this.#deps,
      dial: (attempt) => dialAndSend(attempt, pool, this.#deps),
    });
    return pool;
  }
}
