/**
 * The upstream's side of the wire: makes attempts on connections of its own or kept ones, and knows
 * for each whether the upstream can have seen anything of the request.
 */
import type { Attempt, FailureReason, Outcome, Transport } from "../model.ts";
import type { Clock, Platform } from "../platform/platform.ts";
import type { Deadlines } from "../deadlines.ts";
import { dialUpstream } from "./dialling.ts";
import { H2Client } from "./h2_client.ts";
import { Pool } from "./pool.ts";
import { reachLimits } from "./reach.ts";
import { SharedByReach } from "./shared.ts";
import { withReadTimeout } from "./timed_body.ts";
import { UpstreamConnection } from "./upstream.ts";

export interface ClientDeps {
  readonly clock: Clock;
  readonly dial: Platform["dial"];
  readonly deadlines: Deadlines;
}

const DEAF = { data() {}, drained() {}, closed() {} };
const PROTOCOLS: readonly string[] = ["http/1.1"];

export function wireTransport(deps: ClientDeps): Transport {
  const pools = new SharedByReach(({ connections }) => {
    const pool: Pool = new Pool(connections, {
      ...deps,
      dial: (attempt) => dialAndSend(attempt, pool, deps),
    });
    return pool;
  });
  const h2 = new H2Client(deps);
  return {
    send(attempt) {
      const { scheme, connections: { readTimeoutMs } } = attempt.upstream;
      const sending = scheme === "h2c"
        ? h2.send(attempt)
        : send(attempt, pools.of(attempt.upstream));
      if (readTimeoutMs === undefined) return sending;
      return sending.then((outcome) => withReadTimeout(outcome, readTimeoutMs, deps.deadlines));
    },
    distrust: (upstream) =>
      upstream.scheme === "h2c" ? h2.distrust(upstream) : pools.of(upstream).clear(),
    async reachable(upstream, limits) {
      const { tls: _, ...plain } = reachLimits(upstream, limits, PROTOCOLS, undefined);
      const dialled = await deps.dial(upstream.address, DEAF, plain);
      if (dialled.kind === "connected") dialled.connection.close();
      return dialled.kind !== "failed";
    },
  };
}

function send(attempt: Attempt, pool: Pool): Promise<Outcome> {
  if (attempt.signal.aborted) return Promise.resolve({ kind: "abandoned" });
  return pool.take(attempt)?.run(attempt) ?? pool.dial(attempt);
}

async function dialAndSend(attempt: Attempt, pool: Pool, deps: ClientDeps): Promise<Outcome> {
  const { slots } = pool;
  if (slots?.take() === false) return await sendInTurn(attempt, pool, deps);
  return await sendByNew(attempt, pool, deps);
}

async function sendByNew(attempt: Attempt, pool: Pool, deps: ClientDeps): Promise<Outcome> {
  const connection = new UpstreamConnection(pool, deps);
  const { slots } = pool;
  const gone = slots === undefined ? undefined : () => slots.release();
  const dialled = await dialUpstream(attempt, connection, PROTOCOLS, { ...deps, gone });
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

/** All connections that the upstream takes are busy: waits for one, as long as a dial may take. */
async function sendInTurn(attempt: Attempt, pool: Pool, deps: ClientDeps): Promise<Outcome> {
  const { signal, dialTimeoutMs } = attempt;
  const { slots } = pool;
  const giveUpAt = deps.clock.elapsed() + dialTimeoutMs;
  while (slots !== undefined) {
    const restMs = giveUpAt - deps.clock.elapsed();
    if (restMs <= 0) return unsent("dial_timeout", "all connections are busy");
    const { promise, resolve } = Promise.withResolvers<void>();
    const leave = slots.wait(resolve);
    const stopTimer = deps.clock.after(restMs, resolve);
    signal.addEventListener("abort", resolve, { once: true });
    // One that is kept, and that this request may not use, only stands in its way.
    pool.makeRoom();
    await promise;
    stopTimer();
    signal.removeEventListener("abort", resolve);
    if (signal.aborted) {
      leave();
      return { kind: "abandoned" };
    }
    const kept = pool.take(attempt);
    if (kept !== undefined) return await kept.run(attempt);
    if (slots.take()) return await sendByNew(attempt, pool, deps);
    leave();
  }
  return await sendByNew(attempt, pool, deps);
}

function unsent(reason: FailureReason, detail: string): Outcome {
  return { kind: "failed", reason, sent: false, detail };
}
