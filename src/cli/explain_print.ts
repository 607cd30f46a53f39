/** Prints what would become of a request, for people. Pure. */
import {
  type BarredTold,
  type EndTold,
  type Explanation,
  type OrderTold,
  policyInWords,
  type RouteTold,
  statusInWords,
  type StepTold,
  type UpstreamTold,
} from "../request/explain.ts";
import { reasonOf } from "../reasons.ts";
import type { PoolRules } from "../rules.ts";
import { visible } from "../ops/log.ts";
import { configSpan, spelledSpan } from "./moments.ts";
import type { Paint } from "./table.ts";

export interface PrintOptions {
  /** "GET http://…" */
  readonly asked: string;
  /** Of the configuration. */
  readonly path: string;
  /** Why the state of upstreams is not known; undefined where it is. */
  readonly state: string | undefined;
  /** The certificate that the client is shown; undefined where there is no TLS. */
  readonly certificate: string | undefined;
  readonly now: number;
  readonly paint: Paint;
}

const LABEL_CHARS = 13;
/** Of what may happen, where it fails. */
const CASE_CHARS = 28;

/** Lines without line ends. */
export function explanationLines(
  { sentOn, found, steps, end, amended }: Explanation,
  options: PrintOptions,
): readonly string[] {
  const { asked, path, certificate, paint } = options;
  return [
    paint("bold", visible(asked)),
    ...section(
      "Sent on",
      sentOn === undefined ? [] : [`to ${visible(sentOn)} (308); there:`],
      paint,
    ),
    ...section("Certificate", certificate === undefined ? [] : [certificate], paint),
    ...section("Route", found === undefined ? ["none"] : routeLines(found, path), paint),
    ...section("Door", found?.door ?? [], paint),
    ...section("Steps", steps.map((step) => stepLine(step, paint)), paint),
    ...endLines(end, options),
    ...section("On error", amended.map(amendedLine), paint),
  ];
}

/** Lines behind a label, which stands at the first. */
function section(label: string, lines: readonly string[], paint: Paint): readonly string[] {
  return lines.map((line, at) =>
    `${paint("dim", (at === 0 ? label : "").padEnd(LABEL_CHARS))}${line}`.trimEnd()
  );
}

function routeLines({ route, host, path }: RouteTold, file: string): readonly string[] {
  const how = host === "*"
    ? "any host"
    : host.startsWith("*.")
    ? `wildcard ${host}`
    : `host ${host}`;
  const where = path === "/" ? "any path" : `path ${path}`;
  return [`${route.id}  (${how}, ${where}; ${file})`];
}

function stepLine({ depth, match, taken, does, effect }: StepTold, paint: Paint): string {
  const when = match === undefined ? "" : `where ${match}: `;
  const came = effect === undefined ? "" : `  (${effect})`;
  const line = `${"  ".repeat(depth)}${taken ? "✓" : "–"} ${when}${does}${visible(came)}`;
  return taken ? line : paint("dim", line);
}

function amendedLine(status: number): string {
  return `${status} ${reasonOf(status)}: the route's error steps answer it`;
}

function endLines(end: EndTold, options: PrintOptions): readonly string[] {
  const { paint } = options;
  switch (end.kind) {
    case "forwarded":
      return forwardedLines(end.rules, end.order, options);
    case "answered": {
      const first = `${end.status} ${reasonOf(end.status)}, from the configuration`;
      return section("Answer", [first, ...end.fields.map(visible)], paint);
    }
    case "error":
      return section("Answer", [`${end.status} ${reasonOf(end.status)}, empty`], paint);
    case "unanswered":
      return section("Answer", ["200 OK, empty: no step answers it"], paint);
  }
}

function forwardedLines(
  rules: PoolRules,
  told: OrderTold,
  options: PrintOptions,
): readonly string[] {
  const { paint, state } = options;
  const [first, ...next] = told.order;
  const upstream = first === undefined
    ? [paint("red", "none can be asked: the answer is 503"), ...backIn(told)]
    : [
      `${paint("green", first.name)}  ${whyFirst(first, rules, told, options)}`,
      `asked for ${told.asked.method} ${visible(told.asked.target)} at ${first.url}, Host ${
        visible(told.asked.host)
      }`,
    ];
  return [
    ...section("Upstream", upstream, paint),
    ...section("Passed by", told.barred.map((one) => barredLine(one, options)), paint),
    ...section("State", state === undefined ? [] : [`not known: ${state}`], paint),
    ...section("By name", rules.dynamic.map(dynamicLine), paint),
    ...section("If it fails", first === undefined ? [] : failureLines(rules, told, next), paint),
    ...section("Timeouts", timeoutLines(rules), paint),
  ];
}

function backIn({ backInMs }: OrderTold): readonly string[] {
  return backInMs === undefined ? [] : [`one is back in ${spelledSpan(backInMs)} (Retry-After)`];
}

function whyFirst(
  { phase, since, reason }: UpstreamTold,
  { policy, failback }: PoolRules,
  { held, barred }: OrderTold,
  { now }: PrintOptions,
): string {
  const choice = held !== undefined
    ? `held on to by failback: ${failback.kind}`
    : policy.kind !== "first"
    ? `chosen ${policyInWords(policy)}`
    : barred.length === 0
    ? "the preferred one"
    : "the first of those that can be asked";
  if (phase === undefined) return choice;
  const because = reason === "" ? "" : ` (${reason})`;
  const lasting = since === undefined ? "" : ` for ${spelledSpan(now - since)}`;
  return phase === "unknown" ? `${choice}; not probed` : `${choice}; ${phase}${lasting}${because}`;
}

function barredLine(
  { name, bar, until, since, reason }: BarredTold,
  options: PrintOptions,
): string {
  const { now, paint } = options;
  const lasting = since === undefined ? "" : ` for ${spelledSpan(now - since)}`;
  const why = {
    down: `down${lasting}: ${reason}`,
    drained: "drained by an operator",
    full: "takes no more requests at once",
    penalised: `requests failed there, back in ${spelledSpan((until ?? now) - now)}`,
  };
  return `${paint("yellow", name)}  ${why[bar]}`;
}

function dynamicLine({ name }: PoolRules["dynamic"][number]): string {
  return `those that ${name} resolves to come after these; they are not looked up here`;
}

function failureLines(
  { policy, retry }: PoolRules,
  { moves }: OrderTold,
  next: readonly UpstreamTold[],
): readonly string[] {
  const names = next.map(({ name }) => name);
  const goes = policy.kind === "first" ? names.join(", then ") : names.join(" or ");
  const to = goes === "" ? "nowhere" : goes;
  const methods = moves.methods.length === 0 ? "no method" : moves.methods.join(", ");
  const status = statusInWords(retry.status);
  const after = moves.sent ? to : "502: this may not be sent twice";
  const passes = `again every ${configSpan(retry.intervalMs)} for ${configSpan(retry.forMs)}`;
  const cases: readonly (readonly [string, string])[] = [
    ["before it saw the request", `${to}, by any method`],
    ["after it was sent", `${after} (repeated: ${methods})`],
    ...moves.wentDown === moves.sent ? [] : [["found down by a probe", to] as const],
    ...status === "" ? [] : [[`answering ${status}`, to] as const],
    ["amid its answer", "the client sees the connection cut"],
    ["with a body over " + spelledSize(retry.replayLimitBytes), "502 once that much was sent on"],
    ...retry.forMs === 0 ? [] : [["when all have failed", passes] as const],
    ["in the end", "502, 504 when it was late, 503 when none could be asked"],
  ];
  return cases.map(([when, what]) => when.padEnd(CASE_CHARS) + what);
}

function spelledSize(bytes: number): string {
  return bytes < 1024 ** 2
    ? `${Math.round(bytes / 1024)} KiB`
    : `${Math.round(bytes / 1024 ** 2)} MiB`;
}

function timeoutLines({ transport, retry, health, upstreams }: PoolRules): readonly string[] {
  const { dialTimeoutMs, headersTimeoutMs } = transport;
  const spans = upstreams.flatMap(({ connections }) => connections.readTimeoutMs ?? []);
  const silence = spans.length === 0 ? undefined : Math.min(...spans);
  return [
    `to connect ${configSpan(dialTimeoutMs)}; to the answer's head ${
      orNone(headersTimeoutMs)
    }; silence amid it ${orNone(silence)}`,
    health === undefined
      ? `after ${configSpan(retry.sideProbeMs)} without an answer: is it still there?`
      : `after ${configSpan(retry.sideProbeMs)} without an answer it is probed beside`,
  ];
}

function orNone(ms: number | undefined): string {
  return ms === undefined ? "unlimited" : configSpan(ms);
}
