/**
 * The cookie that keeps a client with its upstream: which one it names, and when a response must set
 * it. Its value is the upstream's address signed with the secret, as Caddy signs it, so that clients
 * keep their upstreams when the proxy is changed, and nobody else can ask for one by its address.
 */
import { spellAddress } from "../address.ts";
import { type Fields, sameName } from "../fields.ts";
import type { Member } from "../model.ts";
import type { Policy, Upstream } from "../rules.ts";
import { type Asker, keyOf, type World } from "./policy_asker.ts";

export type CookiePolicy = Extract<Policy, { kind: "cookie" }>;

/** The candidate that the request's cookie names; undefined where there is no cookie, or no such candidate. */
export function remembered(
  policy: CookiePolicy,
  candidates: readonly Member[],
  { forwarding: { exchange }, world }: Asker,
): Member | undefined {
  const values = cookieValues(exchange.fields, policy.name);
  if (values.length === 0) return undefined;
  return candidates.find(({ upstream }) => values.includes(token(upstream, policy, world)));
}

/**
 * `Set-Cookie` for a response of that upstream; undefined where the policy of the request sets none, or
 * its cookie names the upstream already. It is who answered that counts, not who was chosen first.
 */
export function cookieFor(policy: Policy, upstream: Upstream, asker: Asker): string | undefined {
  const ruling = governing(policy, asker);
  if (ruling.kind !== "cookie") return undefined;
  const { exchange } = asker.forwarding;
  const value = token(upstream, ruling, asker.world);
  if (cookieValues(exchange.fields, ruling.name).includes(value)) return undefined;

  const age = ruling.maxAgeMs === undefined
    ? ""
    : `; Max-Age=${Math.max(1, Math.floor(ruling.maxAgeMs / 1000))}`;
  // A page of another site may only send it along where it is `None`, which browsers take with `Secure` alone.
  const scope = isSecure(asker) ? "; Secure; SameSite=None" : "; SameSite=Lax";
  return `${ruling.name}=${value}; Path=/${age}; HttpOnly${scope}`;
}

/** The policy that has the say once those that find no key in the request have passed it on. */
function governing(policy: Policy, asker: Asker): Policy {
  if (policy.kind !== "query" && policy.kind !== "header") return policy;
  return keyOf(policy, asker) === "" ? governing(policy.fallback, asker) : policy;
}

/** Whether the client speaks TLS, with us or with a proxy that is believed. */
function isSecure({ forwarding: { exchange, client } }: Asker): boolean {
  if (exchange.scheme === "https") return true;
  if (!client.viaTrusted) return false;
  // What stands last the peer itself has written.
  const last = exchange.fields.joined("x-forwarded-proto")?.split(",").at(-1);
  return last?.trim().toLowerCase() === "https";
}

/** All of that name: a client may hold several, of other paths or older domains, and sends them in any order. */
function cookieValues(fields: Fields, name: string): string[] {
  const values: string[] = [];
  for (const [field, line] of fields) {
    if (!sameName(field, "cookie")) continue;
    for (const pair of line.split(";")) {
      const equals = pair.indexOf("=");
      if (equals > 0 && pair.slice(0, equals).trim() === name) {
        values.push(pair.slice(equals + 1).trim());
      }
    }
  }
  return values;
}

/** Signed once for as long as the configuration holds; upstreams that go take theirs along. */
const TOKENS = new WeakMap<CookiePolicy, WeakMap<Upstream, string>>();

function token(upstream: Upstream, policy: CookiePolicy, world: World): string {
  let tokens = TOKENS.get(policy);
  if (tokens === undefined) TOKENS.set(policy, tokens = new WeakMap());
  let signed = tokens.get(upstream);
  if (signed === undefined) {
    signed = world.hmacSha256(policy.secret, spellAddress(upstream.address));
    tokens.set(upstream, signed);
  }
  return signed;
}
