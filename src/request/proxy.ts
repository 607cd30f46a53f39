/**
 * The step that most routes consist of: sends the request to an upstream of a pool, rewritten where
 * the pool wants it rewritten. The request ends there, whatever comes of it.
 */
import type { Exchange } from "../model.ts";
import type { PoolRules } from "../rules.ts";
import { withAnswer, withoutAnswer } from "./answered.ts";
import { believing } from "./client.ts";
import type { Crew } from "./crew.ts";
import type { Ending } from "./ending.ts";
import { forward } from "./forward.ts";
import { placeholders } from "./placeholders.ts";
import { errorEnding } from "./replies.ts";
import { rewritten } from "./rewrite.ts";
import { altered, type Visit } from "./visit.ts";

export async function proxy(rules: PoolRules, visit: Visit, crew: Crew): Promise<Ending> {
  const { story } = visit;
  const exchange = rules.rewrite === undefined ? visit.exchange : rewrittenFor(rules, visit);
  const replay = exchange.body === undefined
    ? undefined
    : visit.replayBody(rules.retry.replayLimitBytes);
  // An upstream before this one has had its beginning, and nobody has it any more.
  if (replay?.replayable === false) return errorEnding(502, visit);

  const passed = await forward(visit.poolOf(rules), {
    forwarding: {
      visit,
      exchange,
      client: believing(visit.client, rules.trustedProxies, exchange),
    },
    replay,
    world: crew.world,
    ledger: story,
  }, crew.forwarding);

  if (passed.kind === "answer") {
    if (replay !== undefined) visit.bodyTaken(passed.answer);
    return withAnswer(passed.answer, visit, crew);
  }
  if (story.body?.exceeded === true) {
    story.outcome = "refused";
    return errorEnding(413, visit, { close: true });
  }
  return withoutAnswer(passed, visit, crew);
}

export function rewrittenFor({ rewrite }: PoolRules, visit: Visit): Exchange {
  if (rewrite === undefined) return visit.exchange;
  const { exchange } = visit;
  const { method, target } = rewritten(rewrite, exchange, placeholders(visit));
  // What was made a question of something else has nothing to say in a body.
  if (method === exchange.method || (method !== "GET" && method !== "HEAD")) {
    return altered(exchange, { method, target });
  }
  const fields = exchange.fields.clone();
  fields.delete("content-length");
  return altered(exchange, { method, target, fields, bare: true });
}
