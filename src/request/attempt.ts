/**
 * One try at one upstream, up to its response head. Ends it when the client leaves, or when the
 * upstream is found down and the request can go elsewhere. The only door to the transport.
 */
import type { ByteSource, Exchange, Member, Outcome, Pool, Transport } from "../model.ts";
import type { Fields } from "../fields.ts";
import { endToEnd } from "./headers.ts";
import type { Clock } from "../platform/platform.ts";

export interface Try {
  readonly exchange: Exchange;
  readonly pool: Pool;
  readonly member: Member;
  readonly fields: Fields;
  readonly body: ByteSource | undefined;
  /** May be sent twice; see `isHarmless`. */
  readonly harmless: boolean;
  /** Asked when the upstream turns down: would a failure after sending move on? */
  readonly mayRescue: () => boolean;
}

/**
 * Tries once. Never rejects. While no byte of an answer has come, an upstream that is found down
 * loses the request if it may go elsewhere; and after `retry.side_probe`, if it is found dead, any.
 * The request counts as in flight there until `standing.leave`, the caller's duty.
 */
export async function attempt(
  { exchange, pool, member, fields, body, harmless, mayRescue }: Try,
  { transport, clock }: { transport: Transport; clock: Clock },
): Promise<Outcome> {
  const { transport: limits, retry, health } = pool.rules;
  const { standing, upstream } = member;
  const progress = { sent: false };
  const ending = new AbortController();
  let wentDown = false;
  let late = false;

  const clientLeft = () => ending.abort();
  if (exchange.signal.aborted) return { kind: "abandoned" };
  exchange.signal.addEventListener("abort", clientLeft, { once: true });
  const giveUp = () => {
    wentDown = true;
    ending.abort();
  };
  const stopDown = standing.onDown((silent) => {
    // One that answers its probes with 503 may still be about to answer this, and nobody else may.
    if (!progress.sent || mayRescue() || (late && silent)) giveUp();
  });
  const stopDoubt = lookBeside(retry.sideProbeMs, clock, async (signal) => {
    late = true;
    if (health !== undefined) return standing.suspect();
    const reached = await transport.reachable(upstream, {
      timeoutMs: limits.dialTimeoutMs,
      signal,
    });
    if (!reached && !signal.aborted) giveUp();
  });

  try {
    const outcome = await transport.send({
      upstream,
      method: exchange.method,
      target: exchange.target,
      fields,
      body,
      upgrade: exchange.upgrade,
      progress,
      fresh: !harmless,
      dialTimeoutMs: limits.dialTimeoutMs,
      headersTimeoutMs: limits.headersTimeoutMs,
      signal: ending.signal,
      interim: exchange.interim && ((status, sent) => exchange.interim?.(status, endToEnd(sent))),
    });
    if (outcome.kind !== "abandoned" || !wentDown) return outcome;
    return { kind: "failed", reason: "went_down", sent: progress.sent, detail: "" };
  } finally {
    stopDoubt();
    stopDown();
    exchange.signal.removeEventListener("abort", clientLeft);
  }
}

/** Looks every `everyMs`, one look after the other, until the returned function is called. */
function lookBeside(
  everyMs: number,
  clock: Clock,
  look: (signal: AbortSignal) => Promise<void>,
): () => void {
  // Nearly every request is answered before the first look and needs none of its own.
  let ending: AbortController | undefined;
  let stopTimer = clock.after(everyMs, again);

  function again(): void {
    ending ??= new AbortController();
    const { signal } = ending;
    void look(signal).then(() => {
      if (!signal.aborted) stopTimer = clock.after(everyMs, again);
    });
  }
  return () => {
    stopTimer();
    ending?.abort();
  };
}
