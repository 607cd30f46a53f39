/** How long and how much a client may take, in numbers. Each stands between a slow peer and a hostile one. */
import { BODY_LIMITS, type BodyLimits } from "./body.ts";
import { HEAD_LIMITS, type HeadLimits } from "./head.ts";

export interface ServerLimits {
  readonly head: HeadLimits;
  readonly body: BodyLimits;
  /** From the first byte of a head, or the start of the connection, to its last, in milliseconds. */
  readonly headTimeoutMs: number;
  /** Between two requests, in milliseconds. */
  readonly keepAliveMs: number;
  /** How long more of an upload is waited for after an answer that did not need it, in milliseconds. */
  readonly lingerMs: number;
  /** How long that may go on, and how long what was written may take to go out at the end, in milliseconds. */
  readonly lingerLimitMs: number;
}

/** Caddy allows a minute for a head; nginx keeps idle connections for 75 s and lingers for 30 s. */
export const SERVER_LIMITS: ServerLimits = {
  head: HEAD_LIMITS,
  body: BODY_LIMITS,
  headTimeoutMs: 60_000,
  keepAliveMs: 75_000,
  lingerMs: 2_000,
  lingerLimitMs: 30_000,
};
