/**
 * What becomes of what a pool came to: its answer passed on, under another status or as a matter for
 * steps of its own; or an error of ours, where none of its upstreams gave one.
 */
import type { UpstreamResponse } from "../model.ts";
import type { ResponseRule, Step, Template } from "../rules.ts";
import type { Crew } from "./crew.ts";
import { type Answer, type Ending, letGo } from "./ending.ts";
import type { Passed } from "./passage.ts";
import { responseFields } from "./headers.ts";
import { matchesResponse } from "./match.ts";
import { backInMs } from "./pick.ts";
import { emptyReply, errorEnding, statusFrom } from "./replies.ts";
import type { Visit } from "./visit.ts";

export function withoutAnswer(
  passed: Exclude<Passed, { kind: "answer" }>,
  visit: Visit,
  { clock }: Crew,
): Ending {
  const { story } = visit;
  switch (passed.kind) {
    case "abandoned":
      story.outcome = "abandoned";
      return { kind: "left" };
    case "unavailable":
      story.outcome = "unavailable";
      return errorEnding(503, visit, { retryAfterMs: backInMs(passed.pool, clock.elapsed()) });
    case "failed":
      story.outcome = "failed";
      return errorEnding(passed.last.reason === "headers_timeout" ? 504 : 502, visit);
  }
}

/** Makes an ending of an answer, or gives it back. */
export function withAnswer(answer: Answer, visit: Visit, crew: Crew): Ending | Promise<Ending> {
  const { pool, member, response } = answer;
  visit.heard = answer;
  visit.story.outcome = "answered";
  visit.story.upstream = member.upstream.name;
  let rule: ResponseRule | undefined;
  try {
    const { responses } = pool.rules;
    rule = responses.length === 0 ? undefined : ruleFor(response, responses);
    if (rule?.action.kind !== "steps") return passedOn(answer, visit, rule?.action.status);
  } catch (bug) {
    letGo(answer);
    throw bug;
  }
  return intercepted(answer, rule.action.steps, visit, crew);
}

function ruleFor(
  response: UpstreamResponse,
  rules: readonly ResponseRule[],
): ResponseRule | undefined {
  return rules.find(({ match }) => matchesResponse(match, response));
}

/** The answer for the client, under another status where there is a template for it. */
export function passedOn(answer: Answer, visit: Visit, status: Template | undefined): Ending {
  const { response } = answer;
  const fields = responseFields(answer, visit);
  if (status === undefined) {
    const { status: own, reason, body, tunnel } = response;
    return { kind: "reply", reply: { status: own, reason, fields, body, tunnel }, answer };
  }
  const replaced = statusFrom(status, visit, response.status);
  // The reason was another status's, and a tunnel's status is not the operator's to change.
  const changes = response.tunnel === undefined ? { status: replaced, reason: "" } : {};
  return { kind: "reply", reply: { ...response, fields, ...changes }, answer };
}

async function intercepted(
  answer: Answer,
  steps: readonly Step[],
  visit: Visit,
  crew: Crew,
): Promise<Ending> {
  visit.held = answer;
  let ending: Ending | undefined;
  try {
    ending = await crew.run(steps, visit) ??
      { kind: "reply", reply: emptyReply(200, visit), answer: undefined };
    return ending;
  } finally {
    visit.held = undefined;
    if (ending?.kind !== "reply" || ending.answer !== answer) letGo(answer);
  }
}
