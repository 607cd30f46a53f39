/**
 * The door of a route: who may come in, and how much at once. In this order, each cheaper than the
 * next: addresses, the browser's question, the rate, who it is, how many run. Whoever is turned away
 * reaches neither an upstream nor the route's error steps, and nothing of their body is read.
 */
import { inCidr, parseIp } from "../ip.ts";
import type { Clock } from "../platform/platform.ts";
import type { AuthRules, GuardRules, RateRules, Route } from "../rules.ts";
import { challenge, type PasswordDesk, provenUser } from "./basic_auth.ts";
import { answerPreflight, isPreflight, isWelcomeStranger } from "./cors.ts";
import { clientKey, Crowd } from "./crowd.ts";
import type { World } from "./deps.ts";
import type { Ending } from "./ending.ts";
import { editable } from "./headers.ts";
import { KeyRing, shownKeys } from "./keys.ts";
import { emptyReply, type Refusal } from "./replies.ts";
import type { Visit } from "./visit.ts";

/** Routes whose clients are remembered at most; a reload may bring ever new ones. */
const ROUTES_MAX = 10_000;

interface PorterDeps {
  readonly clock: Pick<Clock, "elapsed">;
  readonly world: Pick<World, "hmacSha256" | "random">;
  readonly desk: PasswordDesk;
}

/** Who proved to be who, and by which field. */
interface Proof {
  readonly user: string;
  readonly field: string;
}

/** Stands at the doors of all routes. What it knows of clients outlives a reload. */
export class Porter {
  readonly #deps: PorterDeps;
  readonly #ring: KeyRing;
  readonly #crowds = new Map<string, Crowd>();

  constructor(deps: PorterDeps) {
    this.#deps = deps;
    this.#ring = new KeyRing(deps.world);
  }

  /** Undefined lets the request in. */
  receive(
    guard: GuardRules,
    { id }: Pick<Route, "id">,
    visit: Visit,
  ): Ending | undefined | Promise<Ending | undefined> {
    if (!isLetIn(guard, visit.clientIp)) return turnedAway(403, visit);
    if (guard.cors !== undefined && isPreflight(visit.original)) {
      return answerPreflight(guard.cors, visit);
    }
    if (guard.rate !== undefined) {
      const now = this.#deps.clock.elapsed();
      const waitMs = this.#crowd(id).count(clientKey(visit.clientIp), now, guard.rate);
      if (waitMs > 0) return tooMany(guard.rate, waitMs, visit);
    }
    if (guard.auth === undefined) return this.#comeIn(guard, id, visit, undefined);
    return this.#ask(guard, guard.auth, id, visit);
  }

  async #ask(
    guard: GuardRules,
    auth: AuthRules,
    routeId: string,
    visit: Visit,
  ): Promise<Ending | undefined> {
    const proof = await this.#proof(auth, visit);
    if (proof === "busy") return turnedAway(503, visit, { retryAfterMs: 1000 });
    if (proof === undefined) return unknown(auth, visit);
    visit.user = proof.user;
    return this.#comeIn(guard, routeId, visit, auth.pass ? undefined : proof.field);
  }

  async #proof({ keys, basic }: AuthRules, { fields }: Visit): Promise<Proof | "busy" | undefined> {
    for (const { key, field } of keys.length === 0 ? [] : shownKeys(fields)) {
      const name = this.#ring.nameOf(key, keys);
      if (name !== undefined) return { user: name, field };
    }
    if (basic === undefined) return undefined;
    const field = "authorization";
    const user = await provenUser(basic.users, fields.get(field) ?? "", this.#deps.desk);
    return user === undefined || user === "busy" ? user : { user: user.name, field };
  }

  #comeIn(
    { concurrentMax, cors }: GuardRules,
    routeId: string,
    visit: Visit,
    proofField: string | undefined,
  ): Ending | undefined {
    if (Number.isFinite(concurrentMax)) {
      const leave = this.#crowd(routeId).enter(clientKey(visit.clientIp), concurrentMax);
      if (leave === undefined) return turnedAway(429, visit, { retryAfterMs: 1000 });
      visit.story.ended = leave;
    }
    const isStranger = cors !== undefined && isWelcomeStranger(cors, visit);
    if (proofField === undefined && !isStranger) return undefined;
    const fields = editable(visit.fields);
    if (proofField !== undefined) fields.delete(proofField);
    if (isStranger) fields.delete("origin");
    visit.alter({ fields });
    return undefined;
  }

  #crowd(routeId: string): Crowd {
    const known = this.#crowds.get(routeId);
    if (known !== undefined) return known;
    if (this.#crowds.size >= ROUTES_MAX) this.#crowds.clear();
    const crowd = new Crowd();
    this.#crowds.set(routeId, crowd);
    return crowd;
  }
}

export function isLetIn({ allow, deny }: GuardRules, clientIp: string): boolean {
  if (allow.length + deny.length === 0) return true;
  const ip = parseIp(clientIp);
  // A client without an address, as on a unix socket, can be named by neither list.
  if (ip === undefined) return allow.length === 0;
  if (deny.some((block) => inCidr(ip, block))) return false;
  return allow.length === 0 || allow.some((block) => inCidr(ip, block));
}

type Reply = Extract<Ending, { kind: "reply" }>;

/** Not an error for the route's own steps: these may lead to an upstream. */
function turnedAway(status: number, visit: Visit, more: Omit<Refusal, "requestId"> = {}): Reply {
  visit.story.outcome = "refused";
  const reply = emptyReply(status, { requestId: visit.requestId, ...more });
  return { kind: "reply", reply, answer: undefined };
}

/** Tells when to come back in the words that clients know best (draft-ietf-httpapi-ratelimit-headers-06). */
function tooMany({ requests, perMs, burst }: RateRules, waitMs: number, visit: Visit): Reply {
  const ending = turnedAway(429, visit, { retryAfterMs: waitMs });
  const { fields } = ending.reply;
  const seconds = Math.max(1, Math.ceil(perMs / 1000));
  fields.append("RateLimit-Limit", String(requests));
  fields.append("RateLimit-Remaining", "0");
  fields.append("RateLimit-Reset", fields.get("retry-after") ?? "1");
  fields.append("RateLimit-Policy", `${requests};w=${seconds};burst=${burst}`);
  return ending;
}

function unknown({ basic, keys }: AuthRules, visit: Visit): Reply {
  const ending = turnedAway(401, visit);
  const { fields } = ending.reply;
  if (basic !== undefined) fields.append("WWW-Authenticate", challenge(basic.realm));
  if (keys.length > 0) fields.append("WWW-Authenticate", "Bearer");
  return ending;
}
