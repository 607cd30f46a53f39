/** Reads when a request moves on to another upstream: `lb_retries` and the rest of its kind. */
import { type Directive, placeOf, type Token } from "./directive.ts";
import { readExpression } from "./expression.ts";
import { allOf, compile } from "./expression_match.ts";
import type { PoolDraft } from "./proxy_draft.ts";
import { msOf, spellMs } from "./proxy_duration.ts";
import { ANY_NUMBER, countOf, first, type Line, type Option, put } from "./proxy_options.ts";
import {
  type Alternatives,
  alternativesOf,
  asksOfResponse,
  type Atom,
} from "./proxy_retry_expression.ts";
import { type Place, WrittenList, WrittenMap } from "./written.ts";

const MATCH = "reverse_proxy.lb_retry_match";
const DIAL_TIMEOUT_MS = 3_000;

export const RETRY_OPTIONS: Readonly<Record<string, Option<PoolDraft>>> = {
  lb_retries: {
    args: [1, 1],
    read(line, { context, pool }) {
      const retries = countOf(first(line), 0, { context, where: line.where });
      if (retries === undefined) return;
      const retry = pool.map("retry", line.at);
      put(retry, "attempts", retries + 1, line);
      context.took(line.name, line.where);
    },
  },
  lb_try_duration: {
    args: [1, 1],
    read(line, { context, pool }) {
      const value = context.duration(first(line), line.where);
      if (value === undefined) return;
      put(pool.map("retry", line.at), "for", value, line);
      context.took(line.name, line.where);
    },
  },
  lb_try_interval: {
    args: [1, 1],
    read(line, { context, pool }) {
      const value = context.duration(first(line), line.where);
      if (value === undefined) return;
      put(pool.map("retry", line.at), "interval", /[1-9]/.test(value) ? value : "1ms", line);
      context.took(line.name, line.where);
    },
  },
  lb_retry_match: { args: [0, ANY_NUMBER], repeats: true, block: true, read: readMatch },
};

/** `lb_retry_match method POST`, or a block of matchers that must all hold. */
function readMatch(line: Line, draft: PoolDraft): void {
  const { context, pool } = draft;
  const [kind, ...rest] = line.args;
  if (kind !== undefined && line.block !== undefined) {
    const message = "Expected either a matcher or a block but received both";
    return context.problem(kind, line.where, message);
  }
  const inline: Directive | undefined = kind && { ...line, name: kind, args: rest };
  const lines = inline === undefined ? line.block ?? [] : [inline];
  if (lines.length === 0) {
    return context.problem(line.name, line.where, "Expected a matcher but received none");
  }

  const retry = pool.map("retry", line.at);
  retry.set("idempotent", false, line.at).comment("idempotent", line.comments);
  const isOurs = ({ name, args }: Directive): boolean =>
    name.text === "expression" && asksOfResponse(textOf(args));
  const asked = lines.filter(isOurs);
  const others = lines.filter((one) => !isOurs(one));
  const request = others.length === 0 ? undefined : context.matcher(others, MATCH);
  context.took(line.name, line.where);

  const [expression, second] = asked;
  if (expression === undefined) {
    if (request !== undefined) retry.list("match", line.at).add(request, line.at);
    return;
  }
  const alternatives = second === undefined ? alternativesIn(expression) : undefined;
  const fits = alternatives !== undefined &&
    write(alternatives, retry, { request, at: placeOf(expression.name, `${MATCH}.expression`) });
  if (fits) context.took(expression.name, `${MATCH}.expression`);
  else context.refuse(expression.name, `${MATCH}.other expression`);
}

function alternativesIn({ args }: Directive): Alternatives | undefined {
  const text = textOf(args);
  // Texts of requests go to YAML as they are, where this would be the environment.
  if (text.includes("${")) return undefined;
  const reading = readExpression(text);
  return reading.kind === "read" ? alternativesOf(reading.expression) : undefined;
}

/** An expression of several words is written without quotes around it, and then its texts have theirs. */
function textOf(args: readonly Token[]): string {
  const [only, second] = args;
  if (only !== undefined && second === undefined) return only.text;
  return args.map(({ text, quoted }) => quoted === undefined ? text : JSON.stringify(text)).join(
    " ",
  );
}

interface Beside {
  /** Matchers that stand beside the expression. */
  readonly request: WrittenMap | undefined;
  readonly at: Place;
}

/** Writes alternatives to `match` and `responses`; false when one of them can be put into neither. */
function write(alternatives: Alternatives, retry: WrittenMap, { request, at }: Beside): boolean {
  return alternatives.every((atoms) => {
    const ofTransport = atoms.some(({ kind }) => kind === "transport");
    const ofResponse = atoms.some(({ kind }) => kind === "status" || kind === "field");
    if (ofTransport === ofResponse) return false;

    const matcher = requestOf(atoms, { request, at });
    if (matcher === "unsaid") return false;
    if (ofTransport) {
      const any = new WrittenMap(at).set("path", "*", at);
      retry.list("match", at).add(matcher ?? any, at);
      return true;
    }
    const rule = responseOf(atoms, at);
    if (rule === undefined) return false;
    if (matcher !== undefined) rule.set("match", matcher, at);
    retry.list("responses", at).add(rule, at);
    return true;
  });
}

/** What is asked of the request: by the expression and by the matchers beside it. */
function requestOf(
  atoms: readonly Atom[],
  { request, at }: Beside,
): WrittenMap | undefined | "unsaid" {
  const parts = request === undefined ? [] : [request];
  for (const atom of atoms) {
    if (atom.kind !== "request") continue;
    const compiled = compile(atom.expression, at);
    if (compiled.kind === "refused") return "unsaid";
    parts.push(compiled.matcher);
  }
  return parts.length === 0 ? undefined : allOf(parts, at);
}

function responseOf(atoms: readonly Atom[], at: Place): WrittenMap | undefined {
  const rule = new WrittenMap(at);
  const tests = atoms.flatMap((atom) => atom.kind === "status" ? [atom.holds] : []);
  if (tests.length > 0) {
    const status = statusList((code) => tests.every((holds) => holds(code)));
    if (status.length === 0) return undefined;
    rule.set("status", status, at);
  }
  for (const atom of atoms) {
    if (atom.kind !== "field") continue;
    const headers = rule.map("headers", at);
    if (headers.has(atom.name)) return undefined;
    const [value, ...more] = atom.values ?? [null];
    const list = new WrittenList(at);
    for (const one of atom.values ?? []) list.add(one, at);
    headers.set(atom.name, more.length === 0 ? value ?? null : list, at);
  }
  return rule;
}

/** Codes as YAML lists them: a class where all of it fits. */
function statusList(holds: (code: number) => boolean): (number | string)[] {
  return [1, 2, 3, 4, 5].flatMap((family): (number | string)[] => {
    const codes = Array.from({ length: 100 }, (_, rest) => family * 100 + rest).filter(holds);
    return codes.length === 100 ? [`${family}xx`] : codes;
  });
}

/**
 * `lb_retries` with `lb_try_interval` alone waits between attempts in Caddy, however long it takes. Ours
 * waits within `retry.for`, which is as long as these attempts can take to find nobody there.
 */
export function settleRetry({ pool }: PoolDraft): void {
  const retry = pool.get("retry");
  if (retry?.kind !== "map" || retry.has("for")) return;
  const attempts = retry.get("attempts");
  const interval = retry.get("interval");
  if (attempts?.kind !== "leaf" || interval?.kind !== "leaf") return;
  if (typeof attempts.value !== "number" || typeof interval.value !== "string") return;
  const each = msOf(interval.value) + DIAL_TIMEOUT_MS;
  const whole = Math.max(0, attempts.value - 1) * each;
  if (whole > 0) retry.set("for", spellMs(whole), interval.at);
}
