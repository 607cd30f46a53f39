/**
 * One active check of one upstream: asks what the rules say, by a connection of its own, and says
 * pass or fail with the reason in words. Failing is its business, so it never rejects.
 */
import { sourceOf } from "../source.ts";
import { Fields, sameName } from "../fields.ts";
import type {
  ByteSource,
  FailureReason,
  Outcome,
  Transport,
  UpstreamResponse,
  Verdict,
} from "../model.ts";
import type { HealthRules, StatusRange, Upstream } from "../rules.ts";
import type { Clock } from "../platform/platform.ts";
import { follow, probed } from "./place.ts";
import { isWithin } from "../reasons.ts";
import { failureInWords } from "./words.ts";

export interface ProbeDeps {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

type Finding = Pick<Verdict, "passed" | "reason"> & {
  readonly silent?: true;
  readonly status?: number;
};

/** Bytes of a body that `expect_body` looks at. */
const BODY_LIMIT_BYTES = 64 * 1024;
const REDIRECTS_MAX = 5;
const LIVELY: ReadonlySet<FailureReason> = new Set(["protocol", "tls", "unknown_host"]);

/** Checks an upstream once, within `timeoutMs` for the whole exchange, redirects and body included. */
export async function probe(
  upstream: Upstream,
  rules: HealthRules,
  { transport, clock, signal }: ProbeDeps,
): Promise<Verdict> {
  const startedAt = clock.now();
  const began = clock.elapsed();
  const ending = new AbortController();
  const end = () => ending.abort();
  signal.addEventListener("abort", end, { once: true });
  const stopTimer = clock.after(rules.timeoutMs, end);

  const finding = await check(upstream, rules, { transport, signal: ending.signal });
  stopTimer();
  signal.removeEventListener("abort", end);
  const late = ending.signal.aborted && !finding.passed;
  const reason = late ? `did not answer within ${rules.timeoutMs} ms` : finding.reason;
  const durationMs = clock.elapsed() - began;
  const { passed, silent = false, status } = finding;
  return { passed, silent, reason, startedAt, durationMs, status };
}

async function check(
  upstream: Upstream,
  rules: HealthRules,
  { transport, signal }: Pick<ProbeDeps, "transport" | "signal">,
): Promise<Finding> {
  const first = probed(upstream, rules);
  let asked = first;
  let target = rules.uri;
  for (let hop = 0; hop <= REDIRECTS_MAX; hop++) {
    const headers = asked === first ? rules.headers : rules.headers.filter(isForAnyone);
    const outcome = await ask(asked, target, { ...rules, headers }, { transport, signal });
    if (outcome.kind !== "answered") return unanswered(outcome);

    const { response } = outcome;
    const location = rules.followRedirects ? redirection(response) : undefined;
    if (location === undefined) {
      return { ...await judge(response, rules, signal), status: response.status };
    }
    response.body?.cancel();
    const next = follow(location, asked, target);
    if (next === undefined) {
      return { passed: false, status: response.status, reason: `redirected to "${location}"` };
    }
    ({ asked, target } = next);
  }
  return { passed: false, reason: `redirected more than ${REDIRECTS_MAX} times` };
}

/** Whoever else is asked has a host of his own. */
function isForAnyone({ name }: { name: string }): boolean {
  return !sameName(name, "host");
}

function unanswered(outcome: Exclude<Outcome, { kind: "answered" }>): Finding {
  const passed = false;
  if (outcome.kind === "abandoned") {
    return { passed, silent: true, reason: "was not probed to the end" };
  }
  const reason = failureInWords(outcome.reason);
  // Whoever talks nonsense lives; and a name that cannot be resolved says nothing of its bearer.
  return LIVELY.has(outcome.reason) ? { passed, reason } : { passed, silent: true, reason };
}

function ask(
  upstream: Upstream,
  target: string,
  rules: HealthRules,
  { transport, signal }: Pick<ProbeDeps, "transport" | "signal">,
): Promise<Outcome> {
  const fields = Fields.empty();
  fields.append("Host", upstream.authority);
  fields.append("User-Agent", "understudy");
  fields.append("Accept", "*/*");
  for (const { name, value } of rules.headers) fields.set(name, value);
  const bytes = rules.body === undefined ? undefined : new TextEncoder().encode(rules.body);
  if (bytes !== undefined) fields.set("Content-Length", String(bytes.length));
  return transport.send({
    upstream,
    method: rules.method,
    target,
    fields,
    body: bytes === undefined || bytes.length === 0 ? undefined : sourceOf(bytes),
    upgrade: undefined,
    progress: { sent: false },
    // A pooled connection to a suspended machine looks open for hours; a probe must not trust it.
    fresh: true,
    dialTimeoutMs: rules.timeoutMs,
    headersTimeoutMs: undefined,
    signal,
  });
}

async function judge(
  response: UpstreamResponse,
  rules: HealthRules,
  signal: AbortSignal,
): Promise<Finding> {
  if (!isWithin(response.status, rules.status)) {
    response.body?.cancel();
    const expected = statusInWords(rules.status);
    return { passed: false, reason: `answered ${response.status} where ${expected} was expected` };
  }
  if (rules.expectBody === undefined) {
    response.body?.cancel();
    return { passed: true, reason: `answered ${response.status}` };
  }
  const text = await readText(response.body, signal);
  if (text === undefined) return { passed: false, reason: "died in the middle of its answer" };
  if (rules.expectBody.test(text)) return { passed: true, reason: `answered ${response.status}` };
  return { passed: false, reason: `answered a body that does not match ${rules.expectBody}` };
}

/** The body's beginning as text; undefined when it broke off or did not come in time. */
async function readText(
  body: ByteSource | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (body === undefined) return "";
  // A transport's signal ends with the head, so a body that stalls has to be let go here.
  const giveUp = () => body.cancel();
  signal.addEventListener("abort", giveUp, { once: true });
  const decoder = new TextDecoder();
  let text = "";
  let seenBytes = 0;
  try {
    while (seenBytes < BODY_LIMIT_BYTES) {
      const chunk = await body.read();
      if (chunk === undefined) break;
      const wanted = chunk.subarray(0, BODY_LIMIT_BYTES - seenBytes);
      seenBytes += wanted.length;
      text += decoder.decode(wanted, { stream: true });
    }
    return signal.aborted ? undefined : text + decoder.decode();
  } catch {
    return undefined;
  } finally {
    signal.removeEventListener("abort", giveUp);
    body.cancel();
  }
}

function redirection(response: UpstreamResponse): string | undefined {
  return response.status >= 300 && response.status < 400
    ? response.fields.get("location")
    : undefined;
}

function statusInWords(ranges: readonly StatusRange[]): string {
  return ranges
    .map(({ from, to }) =>
      from === to ? `${from}` : to - from === 99 ? `${from / 100}xx` : `${from}–${to}`
    )
    .join(" or ");
}
