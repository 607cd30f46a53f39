/** What is known of a request while it runs, and the words for what failed. Grows into its account. */
import type { ExchangeOutcome, LostAttempt, Member, Outcome } from "../model.ts";
import type { BoundedBody } from "./body.ts";
import type { Client } from "./client.ts";

const NONE: readonly never[] = [];

/** Who is told of the attempts of a request. */
export interface Ledger {
  began(member: Member): void;
  failed(member: Member, what: Outcome | { readonly status: number }): void;
}

export class Story implements Ledger {
  readonly requestId: string;
  readonly client: Client;
  routeId: string | undefined;
  upstream: string | undefined;
  attempts = 0;
  body: BoundedBody | undefined;
  outcome: ExchangeOutcome = "error";
  failures: readonly string[] = NONE;
  lost: readonly LostAttempt[] = NONE;
  /** Who proved to be who. */
  user: string | undefined;
  /** To be called at the end of the exchange, where someone counts those that run. */
  ended: (() => void) | undefined;
  /** False where a step keeps the exchange out of the access log. */
  logged = true;

  constructor(requestId: string, client: Client) {
    this.requestId = requestId;
    this.client = client;
  }

  began(member: Member): void {
    this.attempts++;
    this.asked(member);
  }

  /** Is asked, be it about the request or to answer it. */
  asked({ upstream }: Member): void {
    this.upstream = upstream.name;
    const before = this.lost.at(-1);
    if (before !== undefined) before.followed = true;
  }

  failed({ upstream }: Member, what: Outcome | { readonly status: number }): void {
    this.failures = [...this.failures, `${upstream.name}: ${inWords(what)}`];
    const reason = "status" in what ? "status" : what.kind === "failed" ? what.reason : undefined;
    if (reason === undefined) return;
    this.lost = [...this.lost, { upstream: upstream.name, reason, followed: false }];
  }
}

/** Puts an attempt that did not answer, or not well enough, into the log's words. */
function inWords(what: Outcome | { readonly status: number }): string {
  if ("status" in what) return `status ${what.status}`;
  if (what.kind !== "failed") return what.kind;
  const sent = what.sent ? "sent" : "not sent";
  return what.detail === ""
    ? `${what.reason} (${sent})`
    : `${what.reason} (${sent}): ${what.detail}`;
}
