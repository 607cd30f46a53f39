/**
 * A pool: upstreams and how requests get to one of them, at a route or in a step. What it makes has no
 * ids yet, as those come from the route around it.
 */
import * as v from "valibot";
import type { Dynamic, PoolRules, ResponseRule, Step } from "../rules.ts";
import { type DynamicDraft, Dynamics } from "./dynamic.ts";
import { HeaderEdits } from "./edits.ts";
import { Health, Passive } from "./health.ts";
import * as leaves from "./leaves.ts";
import { Addresses, ResponseQuestion } from "./matcher.ts";
import { ChoicePolicy } from "./policy.ts";
import { FailbackRule, Retry } from "./retry.ts";
import { TargetRewrite } from "./rewrite.ts";
import { about, holds, keyed, oneOrMore, type Schema } from "./shape.ts";
import { type Carriage, joinedTls, Transport } from "./transport.ts";
import { ownHostHeader, Upstreams } from "./upstreams.ts";

/** Keys of a pool that later versions bring. */
export const LATER_IN_POOL = ["wake", "models"];

/** The keys of a pool. Steps hold pools and pools steps, so these are handed in. */
export function poolEntries(steps: Schema<Step[]>) {
  return {
    upstreams: about("Upstreams in order of preference.", v.optional(Upstreams)),
    dynamic: about("Upstreams that a name service knows, after those.", v.optional(Dynamics)),
    policy: about("How one of those that are fit is chosen.", v.optional(ChoicePolicy, "first")),
    health: about("Probes, on when uri or port is set.", v.optional(Health)),
    passive: about("What live traffic tells of upstreams.", v.optional(Passive, {})),
    retry: about("When a request moves on to the next upstream.", v.optional(Retry, {})),
    failback: about(
      "When new requests return to a preferred upstream that has recovered.",
      v.optional(FailbackRule, "immediate"),
    ),
    transport: about("Connections to upstreams.", v.optional(Transport, {})),
    headers: about("Edits of request and response heads.", v.optional(HeaderEdits, {})),
    rewrite: about("Edits of what upstreams are asked for.", v.optional(TargetRewrite)),
    responses: about(
      "What becomes of some responses instead of passing them on; the first that matches holds.",
      v.optional(oneOrMore(responseRule(steps))),
    ),
    trusted_proxies: about(
      "Peers whose X-Forwarded fields are believed here too.",
      v.optional(oneOrMore(Addresses)),
    ),
    stream_timeout: about(
      "Ends WebSockets and other upgraded connections after this long; never when not set.",
      v.optional(leaves.timeLimit()),
    ),
    stream_close_delay: about(
      "How long WebSockets and other upgraded connections outlive a reload.",
      v.optional(leaves.duration(), "0s"),
    ),
  };
}

type Entries = ReturnType<typeof poolEntries>;
type Written = v.InferOutput<v.StrictObjectSchema<Entries, undefined>>;

export function toPool(written: Written): PoolRules {
  const { transport } = written;
  return {
    id: "",
    upstreams: (written.upstreams ?? []).map(({ tls, ...upstream }) => ({
      id: "",
      ...upstream,
      tls: joinedTls(transport.tls, tls),
      connections: transport.connections,
    })),
    dynamic: (written.dynamic ?? []).map((draft) => withTemplate(draft, transport)),
    policy: written.policy,
    health: written.health,
    passive: written.passive,
    retry: written.retry,
    failback: written.failback,
    transport: transport.rules,
    headers: written.headers,
    rewrite: written.rewrite,
    responses: written.responses ?? [],
    trustedProxies: (written.trusted_proxies ?? []).flat(),
    streamCloseDelayMs: written.stream_close_delay,
    streamTimeoutMs: written.stream_timeout,
  };
}

function withTemplate({ scheme, ...draft }: DynamicDraft, transport: Carriage): Dynamic {
  return {
    ...draft,
    template: {
      scheme,
      hostHeader: ownHostHeader(scheme),
      headers: [],
      tls: joinedTls(transport.tls, {}),
      requestsMax: Number.POSITIVE_INFINITY,
      connections: transport.connections,
    },
  };
}

function responseRule(steps: Schema<Step[]>): Schema<ResponseRule> {
  return v.pipe(
    keyed({
      match: about("Responses it is about; all when not set.", v.optional(ResponseQuestion)),
      status: about("Status to answer with instead.", v.optional(leaves.StatusTemplate)),
      steps: about("What to do instead of passing it on.", v.optional(steps)),
    }),
    holds(["status", "steps"], { most: 1, expected: '"status" or "steps"' }),
    v.transform(({ match, status, steps: inner }): ResponseRule => ({
      match: match ?? { status: [], headers: [] },
      action: status === undefined
        ? { kind: "steps", steps: inner ?? [] }
        : { kind: "status", status },
    })),
  );
}
