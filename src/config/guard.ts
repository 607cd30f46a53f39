/**
 * The door of a route: `auth`, `allow`, `deny`, `cors` and what `limits` say of single clients.
 * Defaults, bounds and meaning of these settings live here and nowhere else.
 */
import * as v from "valibot";
import type { AuthRules, GuardRules, RateRules } from "../rules.ts";
import { BasicLogin } from "./actions.ts";
import { Cors } from "./cors.ts";
import * as leaves from "./leaves.ts";
import { Addresses } from "./matcher.ts";
import { isMap, read, type Reading, refuse } from "./reading.ts";
import {
  about,
  either,
  holds,
  keyed,
  leaf,
  named,
  oneOrMore,
  required,
  type Schema,
} from "./shape.ts";

const UNLIMITED = "unlimited";

const Bucket: Schema<RateRules> = v.pipe(
  keyed({
    requests: about("Requests that one client may make.", required(leaves.count(1, 1_000_000))),
    per: about("In this time.", v.optional(leaves.duration(1), "1m")),
    burst: about(
      "Requests it may make at once; as many as requests when not set.",
      v.optional(leaves.count(1, 1_000_000)),
    ),
  }),
  v.transform(({ requests, per, burst }): RateRules => ({
    requests,
    perMs: per,
    burst: burst ?? requests,
  })),
);

const Rate: Schema<RateRules | typeof UNLIMITED> = either(
  (written) => isMap(written),
  Bucket,
  leaf(
    { enum: [UNLIMITED] },
    (written): Reading<typeof UNLIMITED> =>
      written === UNLIMITED
        ? read(UNLIMITED)
        : refuse('a map such as { requests: 60, per: 1m } or "unlimited"'),
  ),
);

/** Limits of all routes, or of one. */
export const Limits = keyed({
  request_body: about(
    "Request body at most; a larger one is answered with 413.",
    v.optional(leaves.SizeLimitBytes),
  ),
  rate: about("Requests of one client in a time; more are answered with 429.", v.optional(Rate)),
  concurrent: about(
    "Requests of one client at once; more are answered with 429.",
    v.optional(leaves.CountLimit),
  ),
});

export type WrittenLimits = v.InferOutput<typeof Limits>;
type Keys = AuthRules["keys"];

const KEY = /^[\x21-\x7e]{8,512}$/;
const A_KEY = "a key of 8 to 512 visible characters without spaces";
// What stands there instead may be a key after all.
const UNFIT = "something else";
const KEY_NAME = /^[\w.@-]{1,64}$/;

function readKeyName(written: unknown): Reading<string> {
  const fits = typeof written === "string" && KEY_NAME.test(written);
  return fits ? read(written) : refuse("a name of letters, digits, _, ., @ and -");
}

const Key = leaf(
  { type: "string" },
  (written): Reading<string> =>
    typeof written === "string" && KEY.test(written) ? read(written) : refuse(A_KEY, UNFIT),
);

/** What the file of `keys_file` holds: a name and a key a line. */
function readKeyList(written: unknown): Reading<Keys> {
  const expected = 'a map of keys by name, or lines such as "laptop: key"';
  if (typeof written !== "string") return refuse(expected, UNFIT);
  const lines = written.split(/\r?\n/).map((line) => line.trim());
  const keys: Keys[number][] = [];
  for (const [at, line] of lines.entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const [, name = "", secret = ""] = /^([^\s:=]+)(?:\s*[:=]\s*|\s+)(\S+)$/.exec(line) ?? [];
    if (!KEY_NAME.test(name) || !KEY.test(secret)) {
      return refuse(`${expected}, each with ${A_KEY}`, `another line ${at + 1}`);
    }
    keys.push({ name, secret });
  }
  return read(keys);
}

const ApiKeys: Schema<Keys> = v.pipe(
  either(
    isMap,
    v.pipe(
      named(readKeyName, Key),
      v.transform((map) => Object.entries(map).map(([name, secret]) => ({ name, secret }))),
    ),
    leaf({ type: "string" }, readKeyList),
  ),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const keys = dataset.value;
    if (keys.length === 0) addIssue({ expected: "at least one key", received: "none" });
    for (const part of ["name", "secret"] as const) {
      if (new Set(keys.map((key) => key[part])).size === keys.length) continue;
      const received = part === "name" ? "one name twice" : "one key under two names";
      addIssue({ expected: "each name and key once", received });
    }
  }),
);

const Auth: Schema<AuthRules> = v.pipe(
  keyed({
    basic: about("Names and passwords, as browsers ask for them.", v.optional(BasicLogin)),
    keys: about(
      "Keys by name: sent as Authorization: Bearer or as X-Api-Key.",
      v.optional(ApiKeys),
    ),
    pass: about("Shows upstreams the proof as well.", v.optional(leaves.Switch, false)),
  }),
  holds(["basic", "keys"], { most: undefined, expected: '"basic" or "keys"' }),
  v.transform(({ basic, keys, pass }): AuthRules => ({ basic, keys: keys ?? [], pass })),
);

/** The keys of a route that guard it, `limits` aside. */
export const DOOR = {
  auth: about("Who may come in, by password or key.", v.optional(Auth)),
  allow: about(
    "Clients let in, by address; all when not set.",
    v.optional(oneOrMore(Addresses)),
  ),
  deny: about(
    "Clients turned away, by address, also if allowed.",
    v.optional(oneOrMore(Addresses)),
  ),
  cors: about("Lets pages of other origins in: true, or a map.", v.optional(Cors)),
};

type Door = v.InferOutput<v.StrictObjectSchema<typeof DOOR, undefined>>;

/** What guards a route; undefined where nothing does, so that its requests pay for nothing. */
export function toGuard(
  door: Door,
  own: WrittenLimits,
  general: WrittenLimits,
): GuardRules | undefined {
  const rate = own.rate ?? general.rate;
  const guard: GuardRules = {
    allow: (door.allow ?? []).flat(),
    deny: (door.deny ?? []).flat(),
    cors: door.cors,
    rate: rate === UNLIMITED ? undefined : rate,
    auth: door.auth,
    concurrentMax: own.concurrent ?? general.concurrent ?? Number.POSITIVE_INFINITY,
  };
  const { allow, deny, cors, auth, concurrentMax } = guard;
  const guards = allow.length + deny.length > 0 || cors !== undefined ||
    guard.rate !== undefined || auth !== undefined || Number.isFinite(concurrentMax);
  return guards ? guard : undefined;
}
