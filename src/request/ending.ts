/**
 * How a request may end, and the upstream's answer it may end with. Whoever holds an answer owes it
 * to the client or back to its upstream, exactly once.
 */
import type { Member, Pool, Reply, UpstreamResponse } from "../model.ts";

/** An upstream's answer. Whoever takes it owes `member.standing.leave()`. */
export interface Answer {
  readonly pool: Pool;
  readonly member: Member;
  readonly response: UpstreamResponse;
  /** `Set-Cookie` by which the client keeps to this upstream; undefined sets none. */
  readonly cookie: string | undefined;
  /** From the beginning of the attempt to the response head. */
  readonly latencyMs: number;
  /** Attempts before this one. */
  readonly retries: number;
}

export type Ending =
  /** `answer`: what the reply stems from, if any of it comes from an upstream. */
  | { readonly kind: "reply"; readonly reply: Reply; readonly answer: Answer | undefined }
  /** An error of our own: its route may have something better to say than the plain reply. */
  | { readonly kind: "error"; readonly text: string; readonly reply: Reply }
  /** The client has gone. */
  | { readonly kind: "left" };

/** Gives an answer back unused. */
export function letGo({ response, member }: Answer): void {
  response.body?.cancel();
  response.tunnel?.goAway();
  member.standing.leave();
}
