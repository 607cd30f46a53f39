/** The status of a running understudy as lines for people: a head, what is wrong, tables. Pure. */
import type { PoolStatus, RouteStatus, Status, Transition, UpstreamStatus } from "../ops/status.ts";
import { certificateLines } from "./certificate_table.ts";
import { spelledMs, spelledSpan } from "./moments.ts";
import { type Cell, type Colour, type Column, cut, type Layout, tableLines } from "./table.ts";

const COLUMNS: readonly Column[] = [
  { head: "ROUTE", rank: 2, least: 8 },
  { head: "", rank: 0 },
  { head: "UPSTREAM", rank: 0, least: 8 },
  { head: "STATE", rank: 0 },
  { head: "SINCE", rank: 3 },
  { head: "IN FLIGHT", side: "right", rank: 4 },
  { head: "LAST PROBE", rank: 5 },
  { head: "LATENCY", rank: 6 },
  { head: "WHY", rank: 1, least: 10 },
];
/** Latencies that are drawn, the newest ones. */
const DRAWN = 10;
const BARS = "▁▂▃▄▅▆▇█";

/** Lines without line ends. */
export function statusLines(status: Status, layout: Layout): readonly string[] {
  const { paint, width = Infinity } = layout;
  const { config, version, startedAt, now, inFlight, listen, draining } = status;
  const head = [
    `understudy ${version}`,
    `up ${spelledSpan(now - startedAt)}`,
    `${inFlight} in flight`,
    listen.join(", "),
  ].join("  ");
  const warnings = [
    ...(draining ? ["It ends: nothing new is accepted"] : []),
    ...(config.problems.length > 0 ? ["The configuration was changed, but not taken over:"] : []),
    ...config.problems.map((problem) => `  ${problem}`),
  ];
  const rows = status.routes.flatMap((route) => rowsOf(route, now));
  const unnamed = status.routes.every(({ pools }) => pools.length === 0);
  return [
    cut(head, width),
    ...warnings.map((line) => paint("yellow", cut(line, width))),
    "",
    ...(unnamed ? ["No route asks an upstream"] : tableLines(COLUMNS, rows, layout)),
    ...certificateLines(status, layout),
  ];
}

function rowsOf(route: RouteStatus, now: number): readonly Cell[][] {
  return route.pools.flatMap((pool, at) =>
    pool.upstreams.map((upstream, place): Cell[] => {
      const { state, why } = standingOf(upstream, now);
      const answers = pool.chosen === upstream.name;
      return [
        { text: labelOf(route, pool, at, place) },
        { text: answers ? "→" : "", colour: "green" },
        { text: upstream.name, ...(answers && { colour: "bold" }) },
        state,
        { text: spelledSpan(now - upstream.since) },
        { text: String(upstream.inFlight), ...(upstream.inFlight === 0 && { colour: "dim" }) },
        { text: probeOf(upstream, now), ...(upstream.lastProbe?.passed === false && RED) },
        { text: latencyOf(upstream) },
        { text: why, colour: "dim" },
      ];
    })
  );
}

const RED = { colour: "red" } as const;

/** The route beside its first upstream; below it what is unusual about how one is chosen. */
function labelOf(route: RouteStatus, pool: PoolStatus, at: number, place: number): string {
  const rules = [
    ...(pool.policy === "first" ? [] : [pool.policy]),
    ...(pool.failback === "immediate" ? [] : [`failback ${pool.failback}`]),
    ...(pool.held === undefined ? [] : [`held on ${pool.held}`]),
  ];
  if (place > 0) return place === 1 && rules.length > 0 ? `  ${rules.join(", ")}` : "";
  return at === 0 ? routeName(route) : `  pool ${at + 1}`;
}

export function routeName({ hosts, paths, ports }: RouteStatus): string {
  const host = hosts.map((one) => one === "*" ? "any host" : one).join(", ");
  const path = paths.filter((one) => one !== "/").join(", ");
  const port = ports.length === 0 ? "" : ` :${ports.join(", :")}`;
  return `${host}${path === "" ? "" : ` ${path}`}${port}`;
}

function standingOf(upstream: UpstreamStatus, now: number): { state: Cell; why: string } {
  const { drained, phase, reason, probed } = upstream;
  if (drained) return { state: coloured("drained", "yellow"), why: "by an operator" };
  if (phase === "down") return { state: coloured("down", "red"), why: reason };

  // What its last failure put down lapses last.
  const until = upstream.penalties.at(-1)?.until;
  if (!upstream.available && until !== undefined && until > now) {
    const why = `failed ${times(upstream.penalties.length)}, back in ${spelledSpan(until - now)}`;
    return { state: coloured("penalised", "yellow"), why };
  }
  if (!upstream.available) return { state: coloured("full", "yellow"), why: "takes no more" };
  if (phase === "up") return { state: coloured("up", "green"), why: reason };
  return probed
    ? { state: coloured("unknown", "dim"), why: reason }
    : { state: coloured("unprobed", "dim"), why: "nobody asks it how it is" };
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

function coloured(text: string, colour: Colour): Cell {
  return { text, colour };
}

function probeOf({ lastProbe }: UpstreamStatus, now: number): string {
  if (lastProbe === undefined) return "–";
  const { at, ms, passed, status } = lastProbe;
  const what = status === undefined ? (passed ? "passed" : "failed") : String(status);
  return `${what} in ${spelledMs(ms)}, ${spelledSpan(now - at)} ago`;
}

/** The middle of the last latencies, and the last few drawn. */
function latencyOf({ latencyMs, probeMs }: UpstreamStatus): string {
  const known = latencyMs.some((ms) => ms !== null) ? latencyMs : probeMs;
  const sorted = known.filter((ms) => ms !== null).toSorted((one, other) => one - other);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) return "–";
  return `${spelledMs(middle)} ${drawn(known.slice(-DRAWN))}`;
}

/** Bars from nothing to the longest; a cross for what failed. */
function drawn(latencies: readonly (number | null)[]): string {
  const longest = Math.max(...latencies.map((ms) => ms ?? 0), Number.MIN_VALUE);
  return latencies.map((ms) =>
    ms === null ? "×" : BARS.charAt(Math.min(BARS.length - 1, Math.floor(ms / longest * 7.99)))
  ).join("");
}

/** A line about something that became otherwise. */
export function transitionLine(transition: Transition, clock: (ms: number) => string): string {
  const { at, kind, upstream, from = "", to = "", reason } = transition;
  const because = reason === "" ? "" : `: ${reason}`;
  const what = {
    phase: `${upstream} is ${to}${because}`,
    penalised: `${upstream} is passed by${because}`,
    drained: `${upstream} is drained${because}`,
    undrained: `${upstream} takes requests again${because}`,
    chosen: `requests go to ${to || "nobody"} now${
      from === "" ? "" : `, not to ${from}`
    }${because}`,
  };
  return `${clock(at)}  ${what[kind]}`;
}
