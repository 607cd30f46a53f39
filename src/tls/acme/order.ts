/**
 * From names to a certificate (RFC 8555 section 7.4): an order for all of them, their proofs, another order
 * where a proof failed and something else is left to be tried, and at last what the authority has signed.
 */
import type { AcmeRules } from "../../tls_rules.ts";
import type { DnsProver } from "../dns/prover.ts";
import type { Identity } from "../issuer.ts";
import { Attempts, isIp } from "./attempts.ts";
import { checkChain, newRequest, type Request } from "./certificate.ts";
import type { Client, Order } from "./library.ts";
import { pauseMs } from "./pauses.ts";
import { AcmeFailure, ORDER_NOT_READY, readProblem, spellProblem } from "./problem.ts";
import { proved } from "./proving.ts";
import type { Stage } from "./stage.ts";
import type { Talk } from "./talk.ts";

/** Orders for one certificate: one for each kind of proof, and one more for luck. */
const ORDERS_MAX = 4;
/** Until the authority has signed, in milliseconds. */
const SIGNING_MAX_MS = 120_000;

export interface Wish {
  readonly names: readonly string[];
  readonly rules: AcmeRules;
  /** Name of the certificate that it takes the place of (RFC 9773 section 5). */
  readonly replaces: string | undefined;
}

export interface OrderDeps {
  readonly talk: Talk;
  readonly client: Client;
  readonly stage: Stage;
  readonly dns: DnsProver | undefined;
}

/** Rejects with `AcmeFailure`. */
export async function obtained(wish: Wish, deps: OrderDeps): Promise<Identity> {
  const { rules, names } = wish;
  checkProfile(rules.profile, deps.talk.line.directory.profiles);
  const attempts = new Attempts(rules);
  const request = await newRequest(deps.talk.acme, names, rules.keyType);
  let unproved: readonly string[] = [];
  for (let orders = 0; orders < ORDERS_MAX; orders++) {
    const order = await placed(wish, deps);
    const refusals = await proved(order, { ...deps, names, attempts });
    if (refusals.length === 0) return await collected(order, request, wish, deps);
    attempts.refused(refusals);
    unproved = refusals.map(({ name }) => name);
    // The next order would be refused at the first look; so many are counted against us.
    if (unproved.some((name) => attempts.choose(name, rules.challenges) === undefined)) break;
  }
  const { retryAfterMs } = attempts;
  throw new AcmeFailure(attempts.words(unproved), { status: 200, retryAfterMs });
}

function checkProfile(profile: string | undefined, offered: readonly string[]): void {
  if (profile === undefined || offered.includes(profile)) return;
  const known = offered.length === 0 ? "none" : offered.join(", ");
  throw new AcmeFailure(`it has no profile "${profile}" but ${known}`, { status: 200 });
}

async function placed(
  { names, rules: { profile }, replaces }: Wish,
  { talk, client }: OrderDeps,
): Promise<Order> {
  const order = {
    identifiers: names.map((value) => ({ type: isIp(value) ? "ip" : "dns", value })),
    ...(profile === undefined ? {} : { profile }),
  };
  if (replaces === undefined || talk.line.directory.renewalInfo === undefined) {
    return await talk.ask(() => client.createOrder(order));
  }
  const successor = { ...order, replaces };
  try {
    return await talk.ask(() => client.createOrder(successor));
  } catch (error) {
    // Replaced already, or not by this authority's books: no reason to have no certificate. Whatever else
    // is wrong with the order comes up again.
    if (!(error instanceof AcmeFailure) || error.passing) throw error;
    return await talk.ask(() => client.createOrder(order));
  }
}

async function collected(
  order: Order,
  request: Request,
  { rules }: Wish,
  { talk, client }: OrderDeps,
): Promise<Identity> {
  const ready = await settled(order, ["ready", "processing", "valid"], { talk, client });
  if (ready.status === "ready") await finalized(ready, request, { talk, client });
  const valid = await settled(ready, ["valid"], { talk, client });
  const chain = await talk.ask(() => client.getCertificate(valid, rules.chain));
  await checkChain(talk.acme, chain, request);
  return { chain, key: request.key };
}

async function finalized(
  order: Order,
  { csr }: Request,
  { talk, client }: Pick<OrderDeps, "talk" | "client">,
): Promise<void> {
  try {
    await talk.ask(() => client.finalizeOrder(order, csr));
  } catch (error) {
    // The answer to a first try was lost: it is signing by now, which the order will tell.
    if (!(error instanceof AcmeFailure) || error.type !== ORDER_NOT_READY) throw error;
  }
}

/** The order once it has one of these states. */
async function settled(
  order: Order,
  states: readonly Order["status"][],
  { talk, client }: Pick<OrderDeps, "talk" | "client">,
): Promise<Order> {
  const began = talk.clock.elapsed();
  for (let looks = 1;; looks++) {
    const now = await talk.ask(() => client.getOrder(order));
    if (states.includes(now.status)) return now;
    if (now.status === "invalid") {
      const words = spellProblem(readProblem(now.error)) || "its order is invalid";
      throw new AcmeFailure(words, { status: 200 });
    }
    if (talk.clock.elapsed() - began >= SIGNING_MAX_MS) {
      throw new AcmeFailure(`its order is still ${now.status}`, { status: 200 });
    }
    await talk.clock.sleep(pauseMs(looks, talk.line.waitMs(order.url)), talk.signal);
  }
}
