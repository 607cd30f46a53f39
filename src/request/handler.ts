/**
 * The story of one request: vet, route, forward, answer, account. Everything it needs of the
 * outside comes through its arguments, and it knows of no engine.
 */
import type { Delivery, Exchange, Reply, Tunnel } from "../model.ts";
import type { GuardRules, Step } from "../rules.ts";
import { admit, plain } from "./admit.ts";
import { amended, limited, run } from "./chain.ts";
import { identify } from "./client.ts";
import type { Crew } from "./crew.ts";
import { PasswordDesk } from "./basic_auth.ts";
import type { Edge, RelayDeps } from "./deps.ts";
import { Porter } from "./door.ts";
import { dress } from "./dress.ts";
import type { Answer, Ending } from "./ending.ts";
import { leaving } from "./leaving.ts";
import { proxy } from "./proxy.ts";
import { emptyReply } from "./replies.ts";
import type { Found } from "./route.ts";
import { isOutdated } from "./secure.ts";
import { Story } from "./story.ts";
import type { Visit } from "./visit.ts";

const LEFT: Delivery = { end: "left", bodyBytes: 0 };

export type Relay = (exchange: Exchange) => Promise<void>;

/** Makes the function that serves one exchange after another. It never rejects. */
export function createRelay(deps: RelayDeps): Relay {
  const desk = new PasswordDesk(deps.world);
  const crew: Crew = {
    clock: deps.clock,
    world: deps.world,
    forwarding: {
      transport: deps.transport,
      clock: deps.clock,
      deadlines: deps.deadlines,
      poolNow: (id) => deps.live.current.pool(id),
    },
    desk,
    porter: new Porter({ clock: deps.clock, world: deps.world, desk }),
    run: (steps, visit) => run(steps, visit, crew),
  };
  return async (exchange) => {
    const { current } = deps.live;
    const startedAt = deps.clock.now();
    const began = deps.clock.elapsed();
    const story = new Story(deps.newId(), identify(exchange, current.trustedProxies));

    let ending: Ending;
    try {
      const admitted = admit(exchange, current, story);
      if ("visit" in admitted) {
        const { found, visit } = admitted;
        ending = await along(found, visit, crew);
        if (ending.kind === "error" && found.route.errors.length > 0) {
          ending = await amended(ending, found.route.errors, visit, crew);
        }
        ending = departing(ending, visit, crew);
        if (found.dressed) dress(ending, found, visit);
      } else {
        ending = admitted;
      }
    } catch (error) {
      deps.bug(error);
      story.outcome = "error";
      ending = plain(emptyReply(500, { requestId: story.requestId, close: true }));
    }

    let delivery = LEFT;
    let firstByteMs: number | undefined;
    try {
      if (ending.kind !== "left") {
        firstByteMs = deps.clock.elapsed() - began;
        const { edge } = current;
        if (edge !== undefined) advertise(ending.reply, exchange, edge);
        delivery = await deliver(exchange, ending, deps);
      }
    } catch (error) {
      deps.bug(error);
      giveUp(ending);
    }
    conclude(ending, delivery, story);
    const reply = ending.kind === "left" ? undefined : ending.reply;

    try {
      deps.account({
        requestId: story.requestId,
        clientIp: story.client.ip,
        user: story.user,
        routeId: story.routeId,
        upstream: story.upstream,
        attempts: story.attempts,
        outcome: story.outcome,
        failures: story.failures,
        lost: story.lost,
        logged: story.logged,
        readBytes: story.body?.readBytes ?? 0,
        exchange,
        startedAt,
        firstByteMs,
        durationMs: deps.clock.elapsed() - began,
        status: reply?.status ?? 499,
        bodyBytes: delivery.bodyBytes,
        replyFields: reply?.fields,
      });
    } catch (error) {
      // Whoever keeps the books must not be able to end the process.
      deps.bug(error);
    }
  };
}

/** Where the route leads. Most lead to one pool, and are spared the walk. */
function along(found: Found, visit: Visit, crew: Crew): Ending | Promise<Ending> {
  const { guard } = found.route;
  return guard === undefined ? inside(found, visit, crew) : pastDoor(guard, found, visit, crew);
}

async function pastDoor(
  guard: GuardRules,
  found: Found,
  visit: Visit,
  crew: Crew,
): Promise<Ending> {
  return await crew.porter.receive(guard, found.route, visit) ?? inside(found, visit, crew);
}

function inside({ route, only }: Found, visit: Visit, crew: Crew): Ending | Promise<Ending> {
  const tooLarge = limited(route.bodyLimitBytes, visit);
  if (tooLarge !== undefined) return tooLarge;
  return only === undefined ? walk(route.steps, visit, crew) : proxy(only, visit, crew);
}

async function walk(steps: readonly Step[], visit: Visit, crew: Crew): Promise<Ending> {
  const ending = await run(steps, visit, crew);
  if (ending !== undefined) return ending;
  visit.story.outcome = "answered";
  return plain(emptyReply(200, visit));
}

/** The ending as it leaves, edited where steps want it edited. */
function departing(ending: Ending, visit: Visit, { world }: Crew): Ending {
  const answer = answerOf(ending);
  visit.settleBody(answer);
  if (ending.kind === "left") return ending;
  if (visit.leaving === undefined && visit.owed === undefined) return ending;
  return { kind: "reply", reply: leaving(ending.reply, answer, visit, world), answer };
}

function answerOf(ending: Ending): Answer | undefined {
  return ending.kind === "reply" ? ending.answer : undefined;
}

/** Tells a client of HTTP/3 (RFC 7838). */
function advertise({ fields }: Reply, { localPort, tls }: Exchange, edge: Edge): void {
  // Nobody can be asked for a certificate there.
  if (tls === undefined || tls.authorities.length > 0) return;
  const alternative = edge.alternative(localPort, tls.name);
  if (alternative !== undefined) fields.set("Alt-Svc", alternative);
}

/** Hands the reply over. Most are no tunnels, and go without further ado. */
function deliver(
  exchange: Exchange,
  ending: Exclude<Ending, { kind: "left" }>,
  deps: RelayDeps,
): Promise<Delivery> {
  const { reply } = ending;
  const answer = answerOf(ending);
  if (reply.tunnel !== undefined && answer !== undefined) {
    return tunnelled(exchange, { reply, answer, tunnel: reply.tunnel }, deps);
  }
  if (deps.draining() || isOutdated(exchange.tls, deps.live.current.edge)) {
    reply.fields.set("Connection", "close");
  }
  return exchange.answer(reply);
}

async function tunnelled(
  exchange: Exchange,
  { reply, answer, tunnel }: { reply: Reply; answer: Answer; tunnel: Tunnel },
  { tunnels, clock }: RelayDeps,
): Promise<Delivery> {
  const { streamCloseDelayMs: closeDelayMs, streamTimeoutMs } = answer.pool.rules;
  const running = { tunnel, upstreamId: answer.member.upstream.id, closeDelayMs };
  tunnels.add(running);
  const stopTimer = streamTimeoutMs === undefined
    ? undefined
    : clock.after(streamTimeoutMs, () => tunnel.goAway());
  try {
    return await exchange.answer(reply);
  } finally {
    stopTimer?.();
    tunnels.delete(running);
  }
}

/** Nobody took the reply, by a bug of ours. */
function giveUp(ending: Ending): void {
  if (ending.kind === "left") return;
  ending.reply.body?.cancel();
  ending.reply.tunnel?.goAway();
}

/** Tells the upstream's state and the story how it went. */
function conclude(ending: Ending, { end }: Delivery, story: Story): void {
  const answer = answerOf(ending);
  if (answer && end === "cut") answer.member.standing.saw({ kind: "truncated" });
  answer?.member.standing.leave();
  story.ended?.();
  if (end === "cut") story.outcome = "truncated";
  if (end === "left") story.outcome = "abandoned";
}
