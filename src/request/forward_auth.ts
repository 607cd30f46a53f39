/**
 * Asks a pool about a request before it goes on: an answer of 2xx lets it pass, with some of the
 * answer's fields, any other goes to the client. The body is not shown.
 */
import type { Exchange } from "../model.ts";
import type { Action, PoolRules } from "../rules.ts";
import { withAnswer, withoutAnswer } from "./answered.ts";
import { believing } from "./client.ts";
import type { Crew } from "./crew.ts";
import { type Ending, letGo } from "./ending.ts";
import { forward } from "./forward.ts";
import { editable } from "./headers.ts";
import { placeholders } from "./placeholders.ts";
import { rewritten } from "./rewrite.ts";
import { altered, type Visit } from "./visit.ts";

type ForwardAuth = Extract<Action, { kind: "forward_auth" }>;

/** Undefined lets the request go on. */
export async function forwardAuth(
  { pool: rules, copy }: ForwardAuth,
  visit: Visit,
  crew: Crew,
): Promise<Ending | undefined> {
  const { story } = visit;
  const exchange = question(rules, visit);
  const passed = await forward(visit.poolOf(rules), {
    forwarding: {
      visit,
      exchange,
      client: believing(visit.client, rules.trustedProxies, exchange),
    },
    replay: undefined,
    world: crew.world,
    // Whom the request itself is sent to, its own attempts will tell.
    ledger: {
      began: (member) => story.asked(member),
      failed: (member, what) => story.failed(member, what),
    },
  }, crew.forwarding);
  if (passed.kind !== "answer") return withoutAnswer(passed, visit, crew);

  const { response } = passed.answer;
  if (response.status < 200 || response.status > 299) {
    return await withAnswer(passed.answer, visit, crew);
  }
  letGo(passed.answer);
  story.upstream = undefined;
  if (copy.length === 0) return undefined;

  const fields = editable(visit.fields);
  for (const { from, to } of copy) {
    // Whatever the client claims to be, only the answer says.
    fields.delete(to);
    const value = response.fields.joined(from);
    if (value !== undefined) fields.set(to, value);
  }
  visit.alter({ fields });
  return undefined;
}

/** What a pool is asked about a request: the same fields, but neither its body nor its upgrade. */
function question({ rewrite }: PoolRules, visit: Visit): Exchange {
  const { exchange } = visit;
  const fields = editable(exchange.fields);
  fields.delete("content-length");
  fields.set("X-Forwarded-Method", exchange.method);
  fields.set("X-Forwarded-Uri", exchange.target);
  const target = rewrite === undefined
    ? exchange.target
    : rewritten(rewrite, exchange, placeholders(visit)).target;
  return altered(exchange, { method: "GET", target, fields, bare: true });
}
