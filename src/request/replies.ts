/**
 * The answers of our own. Empty bodies: a client learns the status and the request id, the log has
 * the rest.
 */
import { Fields } from "../fields.ts";
import type { Reply } from "../model.ts";

export interface Refusal {
  readonly requestId: string;
  /** Ends the connection: after an ambiguous request nothing on it can be believed. */
  readonly close?: boolean;
  /** When to come back, in milliseconds from now. */
  readonly retryAfterMs?: number | undefined;
  readonly allow?: string;
}

export function emptyReply(
  status: number,
  { requestId, close, retryAfterMs, allow }: Refusal,
): Reply {
  const fields = Fields.from([["Content-Length", "0"], ["X-Request-Id", requestId]]);
  if (retryAfterMs !== undefined) {
    fields.append("Retry-After", String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
  }
  if (allow !== undefined) fields.append("Allow", allow);
  if (close === true) fields.append("Connection", "close");
  return { status, reason: "", fields, body: undefined, tunnel: undefined };
}
