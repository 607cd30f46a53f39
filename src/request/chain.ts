/**
 * Takes a request through the steps of its route until one of them answers, and through the route's
 * error steps where the answer would be an error of our own.
 */
import type { Action, ErrorRule, Step } from "../rules.ts";
import { passedOn } from "./answered.ts";
import { basicAuth } from "./basic_auth.ts";
import type { Crew } from "./crew.ts";
import type { Ending } from "./ending.ts";
import { forwardAuth } from "./forward_auth.ts";
import { edit, editable, endToEnd, isEmpty } from "./headers.ts";
import { isWithin } from "../reasons.ts";
import { matches } from "./match.ts";
import { line, placeholders } from "./placeholders.ts";
import { proxy } from "./proxy.ts";
import { errorEnding, redirect, statusFrom, written } from "./replies.ts";
import { rewritten } from "./rewrite.ts";
import type { Visit } from "./visit.ts";

/** Undefined: no step has answered. */
export async function run(
  steps: readonly Step[],
  visit: Visit,
  crew: Crew,
): Promise<Ending | undefined> {
  for (const { match, action } of steps) {
    if (match !== undefined && !matches(match, visit)) continue;
    const ending = await perform(action, visit, crew);
    if (ending !== undefined) return ending;
  }
  return undefined;
}

/**
 * What the route has to say about an error. Where that is nothing, or another error, the plain reply
 * stands.
 */
export async function amended(
  error: Extract<Ending, { kind: "error" }>,
  rules: readonly ErrorRule[],
  visit: Visit,
  crew: Crew,
): Promise<Ending> {
  const { status, fields } = error.reply;
  const rule = rules.find((one) => one.status.length === 0 || isWithin(status, one.status));
  if (rule === undefined) return error;

  visit.error = { status, text: error.text };
  // What the error tells of itself, such as when to come back, holds for a better-looking one too.
  for (const [name, value] of fields) if (name !== "Content-Length") visit.owe(name, value);
  const { outcome } = visit.story;
  const ending = await run(rule.steps, visit, crew);
  if (ending?.kind === "left") return ending;
  visit.story.outcome = outcome;
  return ending === undefined || ending.kind === "error" ? error : ending;
}

function perform(
  action: Action,
  visit: Visit,
  crew: Crew,
): Ending | undefined | Promise<Ending | undefined> {
  switch (action.kind) {
    case "proxy":
      return proxy(action.pool, visit, crew);
    case "forward_auth":
      return forwardAuth(action, visit, crew);
    case "basic_auth":
      return basicAuth(action, visit, crew.desk);
    case "respond":
      visit.story.outcome = "answered";
      return { kind: "reply", reply: written(action, visit), answer: undefined };
    case "redirect":
      visit.story.outcome = "answered";
      return { kind: "reply", reply: redirect(action, visit), answer: undefined };
    case "error": {
      const status = statusFrom(action.status, visit, 500);
      const text = line(action.text, placeholders(visit));
      visit.story.outcome = "refused";
      return errorEnding(status, visit, text === "" ? {} : { text });
    }
    case "limit":
      return limited(action.bodyBytes, visit);
    case "copy_response":
      return visit.held && passedOn(visit.held, visit, action.status);
    case "steps":
      return run(action.steps, visit, crew);
    case "first_of": {
      const { branches } = action;
      const branch = branches.find(({ match }) => match === undefined || matches(match, visit));
      return branch && run(branch.steps, visit, crew);
    }
    default:
      note(action, visit);
      return undefined;
  }
}

type Answering =
  | "proxy"
  | "forward_auth"
  | "basic_auth"
  | "respond"
  | "redirect"
  | "error"
  | "limit"
  | "copy_response"
  | "steps"
  | "first_of";

/** Bounds the body from here on; one that declares to be larger is refused at once. */
export function limited(mostBytes: number, visit: Visit): Ending | undefined {
  const { story } = visit;
  story.body?.limit(mostBytes);
  if ((story.body?.lengthBytes ?? 0) <= mostBytes) return undefined;
  story.body?.cancel();
  story.body = undefined;
  story.outcome = "refused";
  return errorEnding(413, visit, { close: true });
}

/** The steps that only change what comes after them, or the answer as it leaves. */
export function note(
  action: Exclude<Action, { kind: Answering }>,
  visit: Visit,
): void {
  switch (action.kind) {
    case "rewrite":
      return visit.alter(rewritten(action.rewrite, visit.exchange, placeholders(visit)));
    case "headers":
      if (!isEmpty(action.request)) {
        const fields = editable(visit.fields);
        edit(fields, action.request, placeholders(visit));
        visit.alter({ fields });
      }
      if (!isEmpty(action.response)) visit.leave(action);
      return;
    case "encode":
      return visit.leave(action);
    case "var":
      return visit.note(action.name, line(action.value, placeholders(visit)));
    case "unlogged":
      visit.story.logged = false;
      return;
    case "copy_response_headers":
      return copyFields(action, visit);
  }
}

function copyFields(
  { include, exclude }: Extract<Action, { kind: "copy_response_headers" }>,
  visit: Visit,
): void {
  if (visit.held === undefined) return;
  const lower = (names: readonly string[]) => new Set(names.map((name) => name.toLowerCase()));
  const [wanted, unwanted] = [lower(include), lower(exclude)];
  for (const [name, value] of endToEnd(visit.held.response.fields)) {
    const known = name.toLowerCase();
    // Its length is of another body.
    if (known === "content-length" || unwanted.has(known)) continue;
    if (wanted.size === 0 || wanted.has(known)) visit.owe(name, value);
  }
}
