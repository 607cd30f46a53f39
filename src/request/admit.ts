/**
 * The first questions to a request: is it one, is it for us, did it come where it may be answered. What
 * passes goes on along its route.
 */
import type { Exchange, Reply } from "../model.ts";
import { bounded } from "./body.ts";
import type { Snapshot } from "./deps.ts";
import type { Ending } from "./ending.ts";
import { portOf } from "./placeholders.ts";
import { emptyReply } from "./replies.ts";
import { type Found, normalHost } from "./route.ts";
import { proofReply, provenClient, unprovenReply, wayToTls } from "./secure.ts";
import type { Story } from "./story.ts";
import { pathOf, Visit } from "./visit.ts";

/** A request that may go on, and where to. */
export interface Admitted {
  readonly visit: Visit;
  readonly found: Found;
}

export function admit(exchange: Exchange, snapshot: Snapshot, story: Story): Admitted | Ending {
  const { requestId } = story;
  const hostField = exchange.fields.get("host");
  const hostname = normalHost(hostField);
  story.outcome = "refused";
  if (hostname === undefined || hostField === undefined) {
    return plain(emptyReply(400, { requestId, close: true }));
  }
  if (exchange.method === "CONNECT" || exchange.method === "TRACE") {
    const allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    return plain(emptyReply(405, { requestId, allow }));
  }
  const { edge } = snapshot;
  const proof = edge && proofReply(exchange, edge);
  if (proof !== undefined) return answered(proof, story);

  const visit = new Visit(exchange, hostField, snapshot, story);
  const { router } = snapshot;
  const path = pathOf(exchange.target);
  const found = router.find(hostname, path, router.usesPorts ? portOf(visit) : undefined);
  story.outcome = "unrouted";
  if (found === undefined) return plain(emptyReply(404, { requestId }));
  story.routeId = found.route.id;
  if (edge !== undefined) {
    const coming = { exchange, client: story.client, host: hostField, hostname, requestId };
    const way = wayToTls(coming, found.route, edge);
    if (way !== undefined) return answered(way, story);
    const unproven = unprovenReply(coming, found.route);
    story.outcome = "refused";
    if (unproven !== undefined) return plain(unproven);
    story.outcome = "unrouted";
    visit.provenClient = provenClient(exchange, found.route);
  }
  if (exchange.body !== undefined) story.body = bounded(exchange.body, found.route.bodyLimitBytes);
  return { visit, found };
}

/** By ourselves, before any route had a say. */
function answered(reply: Reply, story: Story): Ending {
  story.outcome = "answered";
  return plain(reply);
}

export function plain(reply: Reply): Ending {
  return { kind: "reply", reply, answer: undefined };
}
