/**
 * The answers of our own. Those that are errors have empty bodies: a client learns the status and the
 * request id, the log has the rest. Others are the operator's.
 */
import { sourceOf } from "../source.ts";
import { Fields } from "../fields.ts";
import type { Reply } from "../model.ts";
import { reasonOf } from "../reasons.ts";
import type { Action, Template } from "../rules.ts";
import type { Ending } from "./ending.ts";
import { fill, placeholders, render } from "./placeholders.ts";
import type { Visit } from "./visit.ts";

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

/** An error that the route may have something to say about. */
export function errorEnding(
  status: number,
  { requestId }: Visit,
  { text = reasonOf(status), ...more }: Omit<Refusal, "requestId"> & { readonly text?: string } =
    {},
): Extract<Ending, { kind: "error" }> {
  return { kind: "error", text, reply: emptyReply(status, { requestId, ...more }) };
}

/** The answer that the operator wrote down. */
export function written(action: Extract<Action, { kind: "respond" }>, visit: Visit): Reply {
  const values = placeholders(visit);
  const status = statusFrom(action.status, visit, visit.error?.status ?? 200);
  const fields = Fields.empty();
  for (const { name, value } of action.fields) fields.append(name, render(value, values));
  if (action.close) fields.set("Connection", "close");
  if (status === 204 || status === 304) {
    return { status, reason: "", fields, body: undefined, tunnel: undefined };
  }

  const text = fill(action.body, values);
  const bytes = new TextEncoder().encode(text);
  fields.set("Content-Length", String(bytes.length));
  if (bytes.length > 0 && !fields.has("content-type")) {
    fields.append("Content-Type", isJson(text) ? "application/json" : "text/plain; charset=utf-8");
  }
  return {
    status,
    reason: "",
    fields,
    body: bytes.length === 0 ? undefined : sourceOf(bytes),
    tunnel: undefined,
  };
}

export function redirect(action: Extract<Action, { kind: "redirect" }>, visit: Visit): Reply {
  const location = render(action.to, placeholders(visit));
  const fields = Fields.from([["Location", location], ["Content-Length", "0"]]);
  return { status: action.status, reason: "", fields, body: undefined, tunnel: undefined };
}

/** A status by its template: `byDefault` where that is empty, 500 where it makes no status of an answer. */
export function statusFrom(template: Template, visit: Visit, byDefault: number): number {
  const text = fill(template, placeholders(visit)).trim();
  if (text === "") return byDefault;
  return /^[2-9]\d\d$/.test(text) ? Number(text) : 500;
}

function isJson(text: string): boolean {
  if (!/^\s*(?:\{.*\}|\[.*\])\s*$/s.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
