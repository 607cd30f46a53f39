/**
 * The story of one request: vet, route, forward, answer, account. Everything it needs of the
 * outside comes through its arguments, and it knows of no engine.
 */
import type { Account, Delivery, Exchange, Pool, Reply, Transport, Tunnel } from "../model.ts";
import type { Cidr } from "../rules.ts";
import type { Deadlines } from "../deadlines.ts";
import type { Clock } from "../platform/platform.ts";
import { bounded } from "./body.ts";
import { identify } from "./client.ts";
import { type Answer, drop, forward, type Passed } from "./forward.ts";
import { responseFields } from "./headers.ts";
import { backInMs } from "./pick.ts";
import type { World } from "./policy_asker.ts";
import { emptyReply } from "./replies.ts";
import { ReplayBody } from "./replay.ts";
import { normalHost, type Router } from "./route.ts";
import { beginStory, inWords, type Story } from "./story.ts";

/** What is configured now. A request reads it once. */
export interface Snapshot {
  readonly router: Router;
  readonly trustedProxies: readonly Cidr[];
  /** The pool of that id, while it is configured. */
  readonly pool: (id: string) => Pool | undefined;
}

/** An upgraded connection that runs, so that a reload or drain can end it. */
export interface RunningTunnel {
  readonly tunnel: Tunnel;
  readonly upstreamId: string;
  readonly closeDelayMs: number;
}

export interface RelayDeps {
  readonly live: { readonly current: Snapshot };
  readonly transport: Transport;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly world: World;
  readonly newId: () => string;
  readonly tunnels: Set<RunningTunnel>;
  /** While true, every answer asks the client to close its connection. */
  readonly draining: () => boolean;
  readonly account: (account: Account) => void;
  /** Takes what must never happen: a bug of ours. */
  readonly bug: (error: unknown) => void;
}

/** What the request comes to: a reply, and the answer it stems from. Without a reply the client has left. */
interface Ending {
  readonly reply: Reply | undefined;
  readonly answer?: Answer;
}

export type Relay = (exchange: Exchange) => Promise<void>;

/** Makes the function that serves one exchange after another. It never rejects. */
export function createRelay(deps: RelayDeps): Relay {
  return async (exchange) => {
    const { current } = deps.live;
    const startedAt = deps.clock.now();
    const began = deps.clock.elapsed();
    const story = beginStory(deps.newId(), identify(exchange, current.trustedProxies));

    const ending = await decide(exchange, current, story, deps).catch((error: unknown): Ending => {
      deps.bug(error);
      story.outcome = "error";
      return { reply: emptyReply(500, { requestId: story.requestId, close: true }) };
    });
    const delivery = await deliver(exchange, ending, story, deps);

    const { client, body, ...told } = story;
    try {
      deps.account({
        ...told,
        clientIp: client.ip,
        readBytes: body?.readBytes ?? 0,
        exchange,
        startedAt,
        durationMs: deps.clock.elapsed() - began,
        status: ending.reply?.status ?? 499,
        bodyBytes: delivery.bodyBytes,
        replyFields: ending.reply?.fields,
      });
    } catch (error) {
      // Whoever keeps the books must not be able to end the process.
      deps.bug(error);
    }
  };
}

async function decide(
  exchange: Exchange,
  { router, pool: poolOf }: Snapshot,
  story: Story,
  deps: RelayDeps,
): Promise<Ending> {
  const { requestId } = story;
  const hostField = exchange.fields.get("host");
  const host = normalHost(hostField);
  story.outcome = "refused";
  if (host === undefined || hostField === undefined) {
    return { reply: emptyReply(400, { requestId, close: true }) };
  }
  if (exchange.method === "CONNECT" || exchange.method === "TRACE") {
    const allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    return { reply: emptyReply(405, { requestId, allow }) };
  }

  const path = pathOf(exchange.target);
  const route = router.find(host, path);
  const action = route?.steps[0]?.action;
  const pool = action?.kind === "proxy" ? poolOf(action.pool.id) : undefined;
  story.outcome = "unrouted";
  if (route === undefined || pool === undefined) return { reply: emptyReply(404, { requestId }) };
  story.routeId = route.id;

  const limitBytes = route.bodyLimitBytes;
  const body = exchange.body === undefined ? undefined : bounded(exchange.body, limitBytes);
  story.body = body;
  story.outcome = "refused";
  if ((body?.lengthBytes ?? 0) > limitBytes) {
    body?.cancel();
    return { reply: emptyReply(413, { requestId, close: true }) };
  }
  return relayTo(pool, { exchange, path, hostField }, story, deps);
}

interface Incoming {
  readonly exchange: Exchange;
  readonly path: string;
  readonly hostField: string;
}

async function relayTo(
  pool: Pool,
  { exchange, path, hostField }: Incoming,
  story: Story,
  deps: RelayDeps,
): Promise<Ending> {
  const forwarding = {
    exchange,
    host: hostField,
    client: story.client,
    requestId: story.requestId,
  };
  const { body } = story;
  const replay = body && new ReplayBody(body, pool.rules.retry.replayLimitBytes);
  const passed = await forward(pool, {
    forwarding,
    path,
    replay,
    world: deps.world,
    began: ({ upstream }) => {
      story.attempts++;
      story.upstream = upstream.name;
    },
    failed: ({ upstream }, what) => {
      story.failures.push(`${upstream.name}: ${inWords(what)}`);
    },
  }, {
    transport: deps.transport,
    clock: deps.clock,
    deadlines: deps.deadlines,
    poolNow: (id) => deps.live.current.pool(id),
  });
  if (passed.kind === "answer") replay?.release();
  else replay?.cancel();
  if (body?.exceeded === true && passed.kind !== "answer") {
    story.outcome = "refused";
    return { reply: emptyReply(413, { requestId: story.requestId, close: true }) };
  }
  try {
    return conclude(passed, forwarding, story, deps);
  } catch (bug) {
    drop(passed);
    throw bug;
  }
}

function conclude(
  passed: Passed,
  forwarding: Parameters<typeof responseFields>[2],
  story: Story,
  { clock }: RelayDeps,
): Ending {
  const { requestId } = story;
  switch (passed.kind) {
    case "abandoned":
      story.outcome = "abandoned";
      return { reply: undefined };
    case "unavailable": {
      story.outcome = "unavailable";
      const retryAfterMs = backInMs(passed.pool, clock.elapsed());
      return { reply: emptyReply(503, { requestId, retryAfterMs }) };
    }
    case "failed":
      story.outcome = "failed";
      return {
        reply: emptyReply(passed.last.reason === "headers_timeout" ? 504 : 502, { requestId }),
      };
    case "answer": {
      const { pool, member, response, cookie } = passed.answer;
      const rules = pool.rules.headers.response;
      const fields = responseFields(response, rules, forwarding, member.upstream);
      if (cookie !== undefined) fields.append("Set-Cookie", cookie);
      story.outcome = "answered";
      story.upstream = member.upstream.name;
      return { reply: { ...response, fields }, answer: passed.answer };
    }
  }
}

async function deliver(
  exchange: Exchange,
  { reply, answer }: Ending,
  story: Story,
  { tunnels, draining, bug }: RelayDeps,
): Promise<Delivery> {
  if (reply === undefined) return { end: "left", bodyBytes: 0 };
  // `Connection` of a 101 says "upgrade", and is the engine's.
  if (draining() && reply.tunnel === undefined) reply.fields.set("Connection", "close");
  const running = reply.tunnel && answer && {
    tunnel: reply.tunnel,
    upstreamId: answer.member.upstream.id,
    closeDelayMs: answer.pool.rules.streamCloseDelayMs,
  };
  if (running) tunnels.add(running);

  const delivery = await exchange.answer(reply).catch((error: unknown): Delivery => {
    bug(error);
    reply.body?.cancel();
    reply.tunnel?.goAway();
    return { end: "left", bodyBytes: 0 };
  });

  if (running) tunnels.delete(running);
  if (answer && delivery.end === "cut") answer.member.standing.saw({ kind: "truncated" });
  answer?.member.standing.leave();
  if (delivery.end === "cut") story.outcome = "truncated";
  if (delivery.end === "left") story.outcome = "abandoned";
  return delivery;
}

function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query < 0 ? target : target.slice(0, query);
}
