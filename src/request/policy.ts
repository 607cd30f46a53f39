/**
 * Chooses among upstreams that may take a request by every policy but plain preference, which is
 * `pick.ts`'s own (SEMANTICS section 2). What a policy knows of the request and the world is handed
 * in; what it remembers stands in the pool and survives reloads.
 */
import type { Member, Pool } from "../model.ts";
import type { Policy } from "../rules.ts";
import { type Asker, keyOf, type World } from "./policy_asker.ts";
import { remembered } from "./policy_cookie.ts";
import { rendezvous } from "./policy_hash.ts";

/** `candidates` may all take the request and stand in order of preference. None, none chosen. */
export function choose(
  policy: Policy,
  candidates: readonly Member[],
  pool: Pool,
  asker: Asker,
): Member | undefined {
  const { exchange, client } = asker.forwarding;
  switch (policy.kind) {
    case "first":
      return candidates[0];
    case "random":
      return anyOf(candidates, asker.world);
    case "random_choose":
      return leastBusy(sample(candidates, policy.choices, asker.world), asker.world);
    case "least_conn":
      return leastBusy(candidates, asker.world);
    case "round_robin":
      return nextInTurn(candidates, pool);
    case "weighted_round_robin":
      return mostOwed(policy.weights, candidates, pool);
    case "ip_hash":
      return rendezvous(exchange.peer.ip, candidates);
    case "client_ip_hash":
      return rendezvous(client.ip, candidates);
    case "uri_hash":
      return rendezvous(exchange.target, candidates);
    case "query":
    case "header": {
      const key = keyOf(policy, asker);
      if (key !== "") return rendezvous(key, candidates);
      return choose(policy.fallback, candidates, pool, asker);
    }
    case "cookie":
      return remembered(policy, candidates, asker) ??
        choose(policy.fallback, candidates, pool, asker);
  }
}

function anyOf(candidates: readonly Member[], { random }: World): Member | undefined {
  return candidates[Math.floor(random() * candidates.length)];
}

/** So many distinct ones, every set of them alike likely (Knuth's selection sampling). */
function sample(candidates: readonly Member[], size: number, { random }: World): readonly Member[] {
  if (candidates.length <= size) return candidates;
  let wanted = size;
  return candidates.filter((_, at) => {
    if (random() * (candidates.length - at) >= wanted) return false;
    wanted--;
    return true;
  });
}

/** Fewest requests in flight; chance decides between equals, or the first would get every quiet hour. */
function leastBusy(candidates: readonly Member[], world: World): Member | undefined {
  const least = Math.min(...candidates.map(({ standing }) => standing.inFlight));
  return anyOf(candidates.filter(({ standing }) => standing.inFlight === least), world);
}

/** The first one from where the last turn ended. Counting on from there, neighbours of the absent get no more. */
function nextInTurn(candidates: readonly Member[], { members, held }: Pool): Member | undefined {
  const from = held.turn % members.length;
  const chosen = candidates.find((member) => members.indexOf(member) >= from) ?? candidates[0];
  if (chosen !== undefined) held.turn = members.indexOf(chosen) + 1;
  return chosen;
}

/**
 * Each candidate is credited its weight, and who is owed most pays for all: over a cycle each gets
 * its weight, spread evenly and not in a row. Upstreams found later than the list was written weigh 1.
 */
function mostOwed(
  weights: readonly number[],
  candidates: readonly Member[],
  { members, held: { credit } }: Pool,
): Member | undefined {
  const weightOf = (member: Member) => weights[members.indexOf(member)] ?? 1;
  const weighed = candidates.filter((member) => weightOf(member) > 0);
  const total = weighed.reduce((sum, member) => sum + weightOf(member), 0);

  let chosen: Member | undefined;
  let most = -Infinity;
  for (const member of weighed) {
    const { id } = member.upstream;
    // No debt outgrows a cycle, unless a reload or an absence changed the weights it was made under.
    const before = Math.max(-total, Math.min(total, credit.get(id) ?? 0));
    const owed = before + weightOf(member);
    credit.set(id, owed);
    if (owed <= most) continue;
    most = owed;
    chosen = member;
  }
  if (chosen !== undefined) credit.set(chosen.upstream.id, most - total);
  if (credit.size > members.length) forgetGone(credit, members);
  return chosen;
}

function forgetGone(credit: Map<string, number>, members: readonly Member[]): void {
  const ids = new Set(members.map(({ upstream }) => upstream.id));
  for (const id of credit.keys()) if (!ids.has(id)) credit.delete(id);
}
