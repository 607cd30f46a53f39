/** What pages of other origins may do: the section `cors` of a route. Defaults and bounds live here. */
import * as v from "valibot";
import type { CorsRules } from "../rules.ts";
import * as leaves from "./leaves.ts";
import { isMap, read, type Reading, refuse } from "./reading.ts";
import { about, either, keyed, leaf, oneOrMore, pathTo, type Schema } from "./shape.ts";

const ANY = "*";
/** Scheme, then a host, `*.` for one label before it or `*` for any, then a port or `*` for any. */
const ORIGIN =
  /^([a-z][a-z\d+.-]*):\/\/(\*|(?:\*\.)?(?:[a-z\d_.-]+|\[[\da-f:.]+\])?)(?::(\d{1,5}|\*))?$/;

const Origin = leaf(
  { type: "string", examples: ["https://chat.example.com", "http://localhost:*", ANY] },
  (written): Reading<RegExp | typeof ANY> => {
    if (written === ANY) return read(ANY);
    const pattern = typeof written === "string" ? originPattern(written) : undefined;
    return pattern === undefined
      ? refuse('an origin without a path, such as "https://chat.example.com", or "*"')
      : read(pattern);
  },
);

function originPattern(written: string): RegExp | undefined {
  // Pages in a sandbox have no better name.
  if (written === "null") return /^null$/;
  const [, scheme, host, port] = ORIGIN.exec(written.toLowerCase()) ?? [];
  if (scheme === undefined || host === undefined) return undefined;
  const inHost = host === ANY ? "[^/:@]*" : escaped(host).replace(/^\\\*/, "[^./:@]+");
  const inPort = port === undefined ? "" : port === ANY ? String.raw`(?::\d{1,5})?` : `:${port}`;
  return new RegExp(`^${escaped(scheme)}://${inHost}${inPort}$`);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^$(){}|[\]\\]/g, String.raw`\$&`);
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

const CorsMap: Schema<CorsRules> = v.pipe(
  keyed({
    origins: about(
      'Origins let in: "https://*.example.com" is one label, "http://localhost:*" any port, "*" any.',
      v.optional(oneOrMore(Origin), ANY),
    ),
    methods: about("Methods they may use.", v.optional(oneOrMore(leaves.Method), METHODS)),
    headers: about(
      "Header fields they may send; all when not set.",
      v.optional(oneOrMore(leaves.FieldName)),
    ),
    credentials: about(
      "Lets them send cookies and passwords that the browser keeps.",
      v.optional(leaves.Switch, false),
    ),
    max_age: about(
      "How long a browser need not ask again.",
      v.optional(leaves.duration(), "10m"),
    ),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { credentials, origins } = dataset.value;
    if (!credentials || !origins.includes(ANY)) return;
    // Any page that someone looks at could act in their name.
    addIssue({
      expected: 'origins by name where "credentials" is on',
      received: "any",
      path: [pathTo(dataset.value, "credentials")],
    });
  }),
  v.transform(({ origins, methods, headers, credentials, max_age }): CorsRules => ({
    origins: origins.includes(ANY) ? undefined : origins.filter((origin) => origin !== ANY),
    methods,
    headers,
    credentials,
    maxAgeMs: max_age,
  })),
);

const OPEN: CorsRules = {
  origins: undefined,
  methods: METHODS,
  headers: undefined,
  credentials: false,
  maxAgeMs: 600_000,
};

export const Cors: Schema<CorsRules | undefined> = either(
  isMap,
  CorsMap,
  v.pipe(leaves.Switch, v.transform((on) => on ? OPEN : undefined)),
);
