/**
 * The steps a request takes: the sections `steps` of routes and of whatever holds steps. Each step is a
 * map with one action and the requests it is for.
 */
import * as v from "valibot";
import type { Action, Step } from "../rules.ts";
import {
  AccessLog,
  BasicAuth,
  CopyFields,
  CopyResponse,
  Encode,
  Failure,
  Limit,
  Redirect,
  Respond,
  Variables,
} from "./actions.ts";
import { HeaderEdits } from "./edits.ts";
import * as leaves from "./leaves.ts";
import { RequestMatcher } from "./matcher.ts";
import { LATER_IN_POOL, poolEntries, toPool } from "./pool.ts";
import { isMap } from "./reading.ts";
import { TargetRewrite } from "./rewrite.ts";
import { about, either, holds, keyed, list, oneOrMore, required, type Schema } from "./shape.ts";

export const Steps: Schema<Step[]> = v.lazy(() => StepList);

export const POOL = poolEntries(Steps);

const UPSTREAMS = { most: undefined, expected: '"upstreams" or "dynamic"' } as const;

const Proxy: Schema<Action> = v.pipe(
  keyed(POOL, LATER_IN_POOL),
  holds(["upstreams", "dynamic"], UPSTREAMS),
  v.transform((written): Action => ({ kind: "proxy", pool: toPool(written) })),
);

const CopiedField = either(
  (written) => !isMap(written),
  v.pipe(leaves.FieldName, v.transform((name) => ({ from: name, to: name }))),
  keyed({
    from: about("Field of the answer.", required(leaves.FieldName)),
    to: about("Field of the request.", required(leaves.FieldName)),
  }),
);

const ForwardAuth: Schema<Action> = v.pipe(
  keyed({
    ...POOL,
    uri: about("What it is asked for.", required(leaves.UriTemplate)),
    copy_headers: about(
      "Header fields that the request takes over from an answer that lets it go on.",
      v.optional(oneOrMore(CopiedField)),
    ),
  }, LATER_IN_POOL),
  holds(["upstreams", "dynamic"], UPSTREAMS),
  v.transform(({ uri, copy_headers, ...written }): Action => {
    const pool = toPool(written);
    const { method = ["GET"], ...more } = pool.rewrite ?? UNCHANGED;
    return {
      kind: "forward_auth",
      pool: { ...pool, rewrite: { ...more, method, uri } },
      copy: copy_headers ?? [],
    };
  }),
);

const UNCHANGED = {
  method: undefined,
  uri: undefined,
  stripPrefix: undefined,
  stripSuffix: undefined,
  replace: [],
};

const Branch = keyed({
  match: about("Requests it is for; all when not set.", v.optional(RequestMatcher)),
  steps: about("What is done with them.", required(Steps)),
});

const ACTIONS = {
  proxy: about("Asks one of some upstreams: the keys of a pool.", v.optional(Proxy)),
  respond: about("Answers: a status, a body, or a map with both.", v.optional(Respond)),
  redirect: about("Answers that it is elsewhere: where to, or a map.", v.optional(Redirect)),
  error: about("Ends with the route's error steps: a status, or a map.", v.optional(Failure)),
  rewrite: about("Changes method and target from here on.", v.optional(TargetRewrite)),
  headers: about(
    "Edits the request's head, and the response's as it leaves.",
    v.optional(HeaderEdits),
  ),
  vars: about("Sets variables, which placeholders and matchers know.", v.optional(Variables)),
  encode: about("Compresses responses: formats, or a map.", v.optional(Encode)),
  basic_auth: about("Asks for a user's name and password.", v.optional(BasicAuth)),
  forward_auth: about(
    "Asks upstreams whether the request may go on: the keys of a pool and uri.",
    v.optional(ForwardAuth),
  ),
  limits: about("Limits of these requests.", v.optional(Limit)),
  access_log: about("off: leaves them out of the access log.", v.optional(AccessLog)),
  copy_response: about(
    "In steps of responses: passes the upstream's response on.",
    v.optional(CopyResponse),
  ),
  copy_response_headers: about(
    "In steps of responses: takes header fields over from the upstream's response.",
    v.optional(CopyFields),
  ),
  steps: about("Steps of their own.", v.optional(Steps)),
  first_of: about("Only the first of these branches that matches.", v.optional(list(Branch, 1))),
};

export const ACTION_NAMES: readonly string[] = Object.keys(ACTIONS);

export const OneStep: Schema<Step> = v.pipe(
  keyed({
    match: about("Requests it is for; all when not set.", v.optional(RequestMatcher)),
    ...ACTIONS,
  }),
  holds(ACTION_NAMES, { most: 1, expected: 'one action such as "proxy" or "respond"' }),
  v.transform(({ match, ...written }): Step => ({ match, action: actionOf(written) })),
);

const StepList = list(OneStep);

type Actions = v.InferOutput<v.StrictObjectSchema<typeof ACTIONS, undefined>>;

function actionOf(written: Actions): Action {
  const { rewrite, headers, steps, first_of } = written;
  if (rewrite !== undefined) return { kind: "rewrite", rewrite };
  if (headers !== undefined) return { kind: "headers", ...headers };
  if (steps !== undefined) return { kind: "steps", steps };
  if (first_of !== undefined) {
    const branches = first_of.map(({ match, steps: inner }) => ({ match, steps: inner }));
    return { kind: "first_of", branches };
  }
  const { proxy, respond, redirect, error, vars, encode, basic_auth, forward_auth } = written;
  const { limits, access_log, copy_response, copy_response_headers } = written;
  return proxy ?? respond ?? redirect ?? error ?? vars ?? encode ?? basic_auth ?? forward_auth ??
    limits ?? access_log ?? copy_response ?? copy_response_headers ?? { kind: "steps", steps: [] };
}
