/** What is known of a request while it runs, and the words for what failed. Grows into its account. */
import type { ExchangeOutcome, Outcome } from "../model.ts";
import type { BoundedBody } from "./body.ts";
import type { Client } from "./client.ts";

export interface Story {
  readonly requestId: string;
  readonly client: Client;
  routeId: string | undefined;
  upstream: string | undefined;
  attempts: number;
  body: BoundedBody | undefined;
  outcome: ExchangeOutcome;
  readonly failures: string[];
  /** False where a step keeps the exchange out of the access log. */
  logged: boolean;
}

export function beginStory(requestId: string, client: Client): Story {
  return {
    requestId,
    client,
    routeId: undefined,
    upstream: undefined,
    attempts: 0,
    body: undefined,
    outcome: "error",
    failures: [],
    logged: true,
  };
}

/** Puts an attempt that did not answer, or not well enough, into the log's words. */
export function inWords(what: Outcome | { readonly status: number }): string {
  if ("status" in what) return `status ${what.status}`;
  if (what.kind !== "failed") return what.kind;
  const sent = what.sent ? "sent" : "not sent";
  return what.detail === ""
    ? `${what.reason} (${sent})`
    : `${what.reason} (${sent}): ${what.detail}`;
}
