/** How an upstream is chosen among those that are fit: the setting `policy` of a pool. */
import * as v from "valibot";
import type { Policy } from "../rules.ts";
import * as leaves from "./leaves.ts";
import { isMap, read, type Reading, refuse } from "./reading.ts";
import { about, either, holds, keyed, leaf, list, required, type Schema } from "./shape.ts";
import { didYouMean } from "./suggest.ts";
import { TOKEN } from "./template.ts";

const PLAIN = [
  "first",
  "random",
  "round_robin",
  "least_conn",
  "ip_hash",
  "client_ip_hash",
  "uri_hash",
] as const;

/** Policies that do not work without a word more, and how they are written. */
const WITH_MORE: Readonly<Record<string, string>> = {
  random_choose: "{ random_choose: 2 }",
  weighted_round_robin: "{ weighted_round_robin: [3, 1] }",
  query: "{ query: { key: id } }",
  header: "{ header: { field: X-User } }",
};

/** Every policy that has a word of its own. */
export const POLICY_WORDS: readonly string[] = [...PLAIN, "cookie"];

const COOKIE_NAME = "lb";

function readWord(written: unknown): Reading<Policy> {
  const kind = PLAIN.find((known) => known === written);
  if (kind !== undefined) return read({ kind });
  if (written === "cookie") {
    const fallback = { kind: "random" } as const;
    return read({ kind: "cookie", name: COOKIE_NAME, secret: "", maxAgeMs: undefined, fallback });
  }
  const form = typeof written === "string" ? WITH_MORE[written] : undefined;
  if (form !== undefined) return refuse(`a map such as ${form}`);
  const expected = 'a policy such as "first" or "least_conn"';
  if (typeof written !== "string") return refuse(expected);
  const hint = didYouMean(written, [...POLICY_WORDS, ...Object.keys(WITH_MORE)]);
  return refuse(expected, `${JSON.stringify(written.slice(0, 40))}${hint}`);
}

const Fallback = about(
  "How one is chosen where there is nothing to go by.",
  v.optional(v.lazy((): Schema<Policy> => ChoicePolicy), "random"),
);

const Key = leaf(
  { type: "string" },
  (written): Reading<string> =>
    typeof written === "string" && /^[^\p{C}]{1,100}$/u.test(written)
      ? read(written)
      : refuse('the name of a parameter such as "id"'),
);

const CookieName = leaf(
  { type: "string" },
  (written): Reading<string> =>
    typeof written === "string" && TOKEN.test(written)
      ? read(written)
      : refuse('a cookie name such as "lb"'),
);

const Weights = v.pipe(
  list(leaves.count(0, 10_000), 1),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed || dataset.value.some((weight) => weight > 0)) return;
    addIssue({ expected: "at least one weight above 0", received: "none" });
  }),
);

const Cookie: Schema<Policy> = v.pipe(
  keyed({
    name: about("Name of the cookie.", v.optional(CookieName, COOKIE_NAME)),
    secret: about("Key of the HMAC that hides the upstream.", v.optional(leaves.Text, "")),
    max_age: about(
      "How long it is kept; the session when not set.",
      v.optional(leaves.duration(1)),
    ),
    fallback: Fallback,
  }),
  v.transform(({ name, secret, max_age, fallback }): Policy => ({
    kind: "cookie",
    name,
    secret,
    maxAgeMs: max_age,
    fallback,
  })),
);

const WORDY = {
  random_choose: about(
    "The least busy of that many taken by chance.",
    v.optional(leaves.count(2, 1_000)),
  ),
  weighted_round_robin: about("One weight an upstream, in turn.", v.optional(Weights)),
  query: about(
    "By a parameter of the query.",
    v.optional(keyed({ key: about("The parameter.", required(Key)), fallback: Fallback })),
  ),
  header: about(
    "By a header field.",
    v.optional(
      keyed({ field: about("The field.", required(leaves.FieldName)), fallback: Fallback }),
    ),
  ),
  cookie: about("By a cookie that it sets.", v.optional(Cookie)),
};

const Wordy: Schema<Policy> = v.pipe(
  keyed(WORDY),
  holds(Object.keys(WORDY), { most: 1, expected: 'one policy such as "query"' }),
  v.transform((written): Policy => {
    const { random_choose: choices, weighted_round_robin: weights, query, header } = written;
    if (choices !== undefined) return { kind: "random_choose", choices };
    if (weights !== undefined) return { kind: "weighted_round_robin", weights };
    if (query !== undefined) return { kind: "query", ...query };
    if (header === undefined) return written.cookie ?? { kind: "first" };
    return { kind: "header", name: header.field, fallback: header.fallback };
  }),
);

export const ChoicePolicy: Schema<Policy> = either(
  (written) => !isMap(written),
  leaf({ enum: POLICY_WORDS }, readWord),
  Wordy,
);
