/**
 * What pages of other origins may do here (the CORS protocol of the Fetch standard). Answers the
 * browser's question before the request, and says on every answer who may read it.
 *
 * Hono's `cors` reads and writes fetch's `Request` and `Response`. An exchange is neither, for the sake
 * of fields as they were sent; to make both for each request would cost more than these lines do.
 */
import { Fields, lowerName } from "../fields.ts";
import type { Exchange } from "../model.ts";
import type { CorsRules } from "../rules.ts";
import type { Ending } from "./ending.ts";
import { emptyReply } from "./replies.ts";
import type { Visit } from "./visit.ts";

/** A browser asks whether a request of some page would be welcome. */
export function isPreflight({ method, fields }: Pick<Exchange, "method" | "fields">): boolean {
  return method === "OPTIONS" && fields.has("access-control-request-method") &&
    fields.has("origin");
}

/** Answers that question. `dressed` adds who may read answers at all. */
export function answerPreflight(rules: CorsRules, visit: Visit): Ending {
  const { fields: asked } = visit.original;
  if (!admits(rules, asked.get("origin"))) {
    visit.story.outcome = "refused";
    return { kind: "reply", reply: emptyReply(403, visit), answer: undefined };
  }
  visit.story.outcome = "answered";
  const headers = rules.headers?.join(", ") ?? asked.joined("access-control-request-headers");
  const fields = Fields.from([
    ["X-Request-Id", visit.requestId],
    ["Access-Control-Allow-Methods", rules.methods.join(", ")],
    ["Access-Control-Max-Age", String(Math.ceil(rules.maxAgeMs / 1000))],
  ]);
  if (headers !== undefined) fields.append("Access-Control-Allow-Headers", headers);
  const reply = { status: 204, reason: "", fields, body: undefined, tunnel: undefined };
  return { kind: "reply", reply, answer: undefined };
}

/**
 * Whether the request comes from a page of another origin that is let in. Upstreams are not told of
 * it: those that judge origins themselves, as Ollama does, would turn away what was let in here.
 */
export function isWelcomeStranger(rules: CorsRules, visit: Visit): boolean {
  const origin = visit.original.fields.get("origin");
  if (origin === undefined || !admits(rules, origin)) return false;
  return origin.slice(origin.indexOf("://") + 3) !== visit.host;
}

/** Says who may read the answer, whatever an upstream said of it. */
export function sayWhoMayRead(fields: Fields, rules: CorsRules, { original }: Visit): void {
  if (!isPreflight(original)) {
    fields.deleteWhere((name) => lowerName(name).startsWith("access-control-"));
  }
  vary(fields);
  const origin = original.fields.get("origin");
  if (origin === undefined || !admits(rules, origin)) return;

  const isAny = rules.origins === undefined;
  fields.append("Access-Control-Allow-Origin", isAny ? "*" : origin);
  if (rules.credentials) fields.append("Access-Control-Allow-Credentials", "true");
  // With credentials the star is a name like any other, and every field has to be named.
  const readable = rules.credentials ? namesOf(fields) : "*";
  fields.append("Access-Control-Expose-Headers", readable);
}

function admits({ origins }: CorsRules, origin: string | undefined): boolean {
  if (origin === undefined) return false;
  return origins === undefined || origins.some((pattern) => pattern.test(origin));
}

/** Caches must keep the answers to different origins apart. */
function vary(fields: Fields): void {
  const known = fields.joined("vary")?.toLowerCase().split(",").map((name) => name.trim());
  if (known?.some((name) => name === "*" || name === "origin") !== true) {
    fields.append("Vary", "Origin");
  }
}

function namesOf(fields: Fields): string {
  const names = [...fields].map(([name]) => name)
    .filter((name) => !/^(?:access-control-|set-cookie)/i.test(name));
  return [...new Set(names)].join(", ");
}
