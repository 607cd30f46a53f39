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

/** Tries once. Never rejects. The request counts as in flight there until `standing.leave`, the caller's duty. */
export async function attempt(
  { exchange, pool, member, fields, body, harmless, mayRescue }: Try,
  { transport, clock }: { transport: Transport; clock: Clock },
): Promise<Outcome> {
  const { transport: limits, retry } = pool.route;
  const { standing, upstream } = member;
  const progress = { sent: false };
  const ending = new AbortController();
  let wentDown = false;

  const clientLeft = () => ending.abort();
  if (exchange.signal.aborted) return { kind: "abandoned" };
  exchange.signal.addEventListener("abort", clientLeft, { once: true });
  const stopDown = standing.onDown(() => {
    if (progress.sent && !mayRescue()) return;
    wentDown = true;
    ending.abort();
  });
  const stopDoubt = clock.after(retry.sideProbeMs, () => standing.suspect());

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
