/**
 * Questions about requests and about responses of upstreams: the section `match`. Keys of one matcher
 * must all hold, of a list within a key one suffices.
 */
import * as v from "valibot";
import type { Matcher, ResponseMatcher } from "../rules.ts";
import * as leaves from "./leaves.ts";
import { readHost, readPath, readTrusted } from "./match.ts";
import { pattern } from "./pattern.ts";
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
import { readToken } from "./template.ts";

export const Host = leaf({ type: "string", examples: ["ollama.example.com"] }, readHost);
export const PathPrefix = leaf(
  { type: "string", pattern: "^/|\\$\\{", examples: ["/api"] },
  readPath,
);
export const Addresses = leaf(
  { type: "string", examples: ["private_ranges", "192.168.0.0/16"] },
  readTrusted,
);

const PathPattern = leaf(
  { type: "string", pattern: "^[/*]|\\$\\{", examples: ["/api/*", "*.php"] },
  (written): Reading<string> =>
    typeof written === "string" && /^[/*][^\s?#\p{C}]*$/u.test(written)
      ? read(written)
      : refuse('a path such as "/api/*" or "*.php"'),
);

/** An expression whose groups have a name to go by, `{re.name.1}`, or none, `{re.1}`. */
const Named = either(
  (written) => !isMap(written),
  v.pipe(pattern(""), v.transform((expression) => ({ name: "", pattern: expression }))),
  keyed({
    name: about(
      "Name that its groups go by: {re.name.1}.",
      required(leaf({ type: "string" }, readGroupName)),
    ),
    pattern: about("The regular expression.", required(pattern(""))),
  }),
);

function readGroupName(written: unknown): Reading<string> {
  const fits = typeof written === "string" && /^[A-Za-z_][\w-]{0,63}$/.test(written);
  return fits ? read(written) : refuse('a name such as "version"');
}

function readKey(written: unknown): Reading<string> {
  const fits = typeof written === "string" && /^[^\p{C}]{1,100}$/u.test(written);
  return fits ? read(written) : refuse("a name of 1 to 100 characters");
}

const Texts: Schema<string[]> = either(
  (written) => written === null,
  leaf({ type: "null" }, () => read([])),
  oneOrMore(leaves.Text),
);

const Query: Schema<Record<string, string[]>> = either(
  (written) => !isMap(written),
  leaf(
    { enum: [""] },
    (written): Reading<Record<string, string[]>> =>
      written === "" ? read({ "": [] }) : refuse('a map, or "" for no query at all,'),
  ),
  named(readKey, Texts),
);

const Matchers: Schema<Matcher[]> = v.lazy(() => MatcherList);

export const MATCHER_ENTRIES = {
  host: about('Hosts; "*.example.com" is exactly one label.', v.optional(oneOrMore(Host))),
  path: about(
    "Paths, exact but for *, which stands for any rest; case does not matter.",
    v.optional(oneOrMore(PathPattern)),
  ),
  under: about("Path prefixes on segment borders.", v.optional(oneOrMore(PathPrefix))),
  path_regexp: about("Regular expression on the path.", v.optional(Named)),
  method: about("Methods.", v.optional(oneOrMore(leaves.Method))),
  header: about(
    "Header fields by name: a value or list, * at either end for any rest; nothing for absent ones.",
    v.optional(named(readToken, leaves.FieldValues)),
  ),
  header_regexp: about(
    "Regular expressions on header fields, by name.",
    v.optional(named(readToken, Named)),
  ),
  query: about(
    'Parameters of the query by name: a value, a list or *; "" alone for no query at all.',
    v.optional(Query),
  ),
  remote_ip: about("Blocks of addresses that the peer is in.", v.optional(oneOrMore(Addresses))),
  client_ip: about(
    "Blocks of addresses that the client is in, for whom a trusted peer may speak.",
    v.optional(oneOrMore(Addresses)),
  ),
  protocol: about("How it came.", v.optional(leaves.word("http", "https", "grpc"))),
  var: about("Variables by name: a value or list.", v.optional(named(leaves.readVarName, Texts))),
  any: about("Matchers of which one must hold.", v.optional(Matchers)),
  not: about("Matchers of which none may hold.", v.optional(Matchers)),
};

type Written = v.InferOutput<v.StrictObjectSchema<typeof MATCHER_ENTRIES, undefined>>;

export const ONE_QUESTION = {
  most: undefined,
  expected: 'at least one key such as "path" or "method"',
} as const;

export const RequestMatcher: Schema<Matcher> = v.pipe(
  keyed(MATCHER_ENTRIES),
  holds(Object.keys(MATCHER_ENTRIES), ONE_QUESTION),
  v.transform((written) => allOf(questions(written))),
);

const MatcherList = oneOrMore(RequestMatcher);

/** The questions of one matcher, the cheap ones first. */
export function questions(written: Written): Matcher[] {
  const { host, path, under, method, protocol, header, query } = written;
  return [
    ...(method === undefined ? [] : [{ kind: "method" as const, methods: method }]),
    ...(protocol === undefined ? [] : [{ kind: "protocol" as const, protocol }]),
    ...(host === undefined ? [] : [{ kind: "host" as const, hosts: host }]),
    ...(under === undefined ? [] : [{ kind: "prefix" as const, paths: under }]),
    ...(path === undefined ? [] : [{ kind: "path" as const, patterns: path }]),
    ...pairs(header).map(([name, values]) => ({ kind: "header" as const, name, values })),
    ...pairs(query).map(([key, values]) => ({ kind: "query" as const, key, values })),
    ...pairs(written.var).map(([name, values]) => ({ kind: "var" as const, name, values })),
    ...addresses(written),
    ...expressions(written),
    ...(written.any === undefined ? [] : [anyOf(written.any)]),
    ...(written.not === undefined ? [] : [{ kind: "not" as const, of: anyOf(written.not) }]),
  ];
}

export function allOf(of: readonly Matcher[]): Matcher {
  const [only, ...others] = of;
  return only !== undefined && others.length === 0 ? only : { kind: "all", of };
}

function anyOf(of: readonly Matcher[]): Matcher {
  const [only, ...others] = of;
  return only !== undefined && others.length === 0 ? only : { kind: "any", of };
}

function addresses({ remote_ip, client_ip }: Written): Matcher[] {
  return [
    ...(remote_ip === undefined ? [] : [{ kind: "remote_ip" as const, blocks: remote_ip.flat() }]),
    ...(client_ip === undefined ? [] : [{ kind: "client_ip" as const, blocks: client_ip.flat() }]),
  ];
}

function expressions({ path_regexp, header_regexp }: Written): Matcher[] {
  return [
    ...(path_regexp === undefined ? [] : [{ kind: "path_regexp" as const, ...path_regexp }]),
    ...pairs(header_regexp).map(([field, one]) => ({
      kind: "header_regexp" as const,
      field,
      ...one,
    })),
  ];
}

function pairs<T>(map: Record<string, T> | undefined): [string, T][] {
  return Object.entries(map ?? {});
}

/** What is asked of an upstream's response. */
export const RESPONSE_ENTRIES = {
  status: about("Status codes and classes.", v.optional(leaves.Status)),
  headers: about(
    "Header fields by name: a value or list, * at either end for any rest; nothing for absent ones.",
    v.optional(named(readToken, leaves.FieldValues)),
  ),
};

export const ResponseQuestion: Schema<ResponseMatcher> = v.pipe(
  keyed(RESPONSE_ENTRIES),
  holds(["status", "headers"], { most: undefined, expected: '"status" or "headers"' }),
  v.transform(responseMatcher),
);

export function responseMatcher(
  { status, headers }: v.InferOutput<v.StrictObjectSchema<typeof RESPONSE_ENTRIES, undefined>>,
): ResponseMatcher {
  return {
    status: status ?? [],
    headers: pairs(headers).map(([name, values]) => ({ name, values })),
  };
}
