/**
 * Which upstreams of a pool a request would be given, in which order and why, and where it would go
 * if they failed. Asks `pick` and `mayFailOver`, as the request itself would; pools are copies of its own,
 * so that asking takes nobody's turn. Pure.
 */
import type { Member, Outcome, Phase, Pool, Standing } from "../model.ts";
import type { PoolRules, Upstream } from "../rules.ts";
import { upstreamUrl } from "./explain_words.ts";
import { isHarmless, mayFailOver } from "./failover.ts";
import { requestFields } from "./headers.ts";
import type { Asked } from "./match.ts";
import type { Passage } from "./passage.ts";
import { available, backInMs, hold, pick } from "./pick.ts";
import type { Visit } from "./visit.ts";

/** What is known of an upstream from outside. Moments are in the time of `Knowledge.now`. */
export interface Known {
  readonly phase: Phase;
  readonly reason: string;
  readonly since: number;
  readonly drained: boolean;
  readonly inFlight: number;
  /** End of the penalties that bar it now. */
  readonly penalisedUntil: number | undefined;
}

export interface Knowledge {
  /** Milliseconds of some clock that never goes back. */
  readonly now: number;
  readonly upstream: (id: string) => Known | undefined;
  /** Name of the upstream that a pool holds on to, if that is known. */
  readonly held: (poolId: string) => string | undefined;
}

export interface UpstreamTold {
  readonly name: string;
  readonly url: string;
  /** Undefined where nothing is known. */
  readonly phase: Phase | undefined;
  readonly reason: string;
  readonly since: number | undefined;
  readonly inFlight: number | undefined;
}

/** One that the request would pass by. */
export interface BarredTold extends UpstreamTold {
  readonly bar: "drained" | "down" | "penalised" | "full";
  readonly until: number | undefined;
}

export interface OrderTold {
  /** Attempts in order; the first gets the request, each next one is tried when those before failed. */
  readonly order: readonly UpstreamTold[];
  readonly barred: readonly BarredTold[];
  /** Name of the upstream that `failback` keeps the request on though another is preferred. */
  readonly held: string | undefined;
  /** What the first upstream is asked. */
  readonly asked: { readonly method: string; readonly target: string; readonly host: string };
  /** What goes on to the next upstream. */
  readonly moves: {
    readonly notSent: boolean;
    readonly sent: boolean;
    readonly wentDown: boolean;
    /** Methods by which this request would be repeated although it was sent. */
    readonly methods: readonly string[];
  };
  /** Until some upstream comes back by itself, in milliseconds. */
  readonly backInMs: number | undefined;
}

const METHODS = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH"];

/** A pool as `pick` takes it, with upstreams as they are known or, without knowledge, there for all. */
export function poolAsKnown(rules: PoolRules, knowledge: Knowledge): Pool {
  const members = rules.upstreams.map((upstream): Member => ({
    upstream,
    standing: standingOf(knowledge.upstream(upstream.id)),
  }));
  const name = knowledge.held(rules.id);
  const held = members.find(({ upstream }) => upstream.name === name);
  return {
    rules,
    members,
    held: { upstreamId: held?.upstream.id, turn: 0, credit: new Map() },
  };
}

function standingOf(known: Known | undefined): Standing {
  const penalisedUntil = (now: number) => {
    const until = known?.penalisedUntil;
    return until !== undefined && until > now ? until : undefined;
  };
  const { phase = "unknown", drained = false, inFlight = 0 } = known ?? {};
  return {
    phase,
    drained,
    inFlight,
    penalisedUntil,
    fitSince(now) {
      const fit = phase !== "down" && !drained && penalisedUntil(now) === undefined;
      return fit ? known?.since ?? 0 : Infinity;
    },
    firstVerdict: undefined,
    fails: 0,
    // Nothing happens to it: it is only looked at.
    enter() {},
    leave() {},
    wanted() {},
    saw() {},
    suspect() {},
    hear() {},
    unhear() {},
  };
}

export function explainOrder(pool: Pool, passage: Passage, knowledge: Knowledge): OrderTold {
  const { now } = knowledge;
  const { visit, exchange } = passage.forwarding;
  const { retry } = pool.rules;
  const holder = pool.rules.policy.kind === "first" ? hold(pool, now) : undefined;
  const order: Member[] = [];
  const attemptsMax = retry.attemptsMax ?? Infinity;
  while (order.length < attemptsMax) {
    const member = pick(pool, order, now, passage);
    if (member === undefined) break;
    order.push(member);
  }

  const [first] = order;
  const told = (member: Member) => tellUpstream(member.upstream, knowledge);
  const barred = pool.members.filter((member) => !available(member, pool, now));
  const fields = first && requestFields(passage.forwarding, pool, first);
  return {
    order: order.map(told),
    barred: barred.map((member) => ({ ...told(member), ...barOf(member, now) })),
    held: holder !== undefined && holder === first && holder !== pool.members[0]
      ? holder.upstream.name
      : undefined,
    asked: {
      method: exchange.method,
      target: exchange.target,
      host: fields?.get("host") ?? visit.host,
    },
    moves: movesOf(pool.rules, visit, exchange.method),
    backInMs: backInMs(pool, now),
  };
}

function tellUpstream(upstream: Upstream, knowledge: Knowledge): UpstreamTold {
  const known = knowledge.upstream(upstream.id);
  return {
    name: upstream.name,
    url: upstreamUrl(upstream),
    phase: known?.phase,
    reason: known?.reason ?? "",
    since: known?.since,
    inFlight: known?.inFlight,
  };
}

function barOf({ standing }: Member, now: number): Pick<BarredTold, "bar" | "until"> {
  if (standing.drained) return { bar: "drained", until: undefined };
  if (standing.phase === "down") return { bar: "down", until: undefined };
  const until = standing.penalisedUntil(now);
  return until === undefined ? { bar: "full", until } : { bar: "penalised", until };
}

function movesOf({ retry }: PoolRules, visit: Visit, method: string): OrderTold["moves"] {
  const failed = (sent: boolean, reason: "closed" | "went_down"): Outcome => {
    return { kind: "failed", reason, sent, detail: "" };
  };
  const harmless = isHarmless(method, visit, retry);
  const replay = { harmless, replayable: true, rescue: retry.rescue };
  return {
    notSent: mayFailOver(failed(false, "closed"), replay),
    sent: mayFailOver(failed(true, "closed"), replay),
    wentDown: mayFailOver(failed(true, "went_down"), replay),
    methods: METHODS.filter((other) => isHarmless(other, withMethod(visit, other), retry)),
  };
}

/** The same request by another method; `retry.match` may ask for it. */
function withMethod(visit: Visit, method: string): Asked {
  const { path, query, params, fields, hostname, scheme, remoteIp, clientIp } = visit;
  return {
    ...{ method, path, query, params, fields, hostname, scheme, remoteIp, clientIp },
    variable: (name) => visit.variable(name),
    keep() {},
  };
}
