/** What a step does that holds neither pools nor further steps. Short forms are written out here. */
import * as v from "valibot";
import type { Action, Template } from "../rules.ts";
import { ResponseFields } from "./edits.ts";
import * as leaves from "./leaves.ts";
import { RESPONSE_ENTRIES, responseMatcher } from "./matcher.ts";
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
import { readTemplate } from "./template.ts";

/** A setting with a short form beside its map. */
function shortOr<T>(short: Schema<T>, map: Schema<T>): Schema<T> {
  return either((written) => !isMap(written), short, map);
}

export const Respond: Schema<Action> = shortOr<Action>(
  either(
    (written) => typeof written === "number",
    v.pipe(leaves.StatusTemplate, v.transform((status) => ({ ...ANSWER, status }))),
    v.pipe(leaves.TextTemplate, v.transform((body) => ({ ...ANSWER, body }))),
  ),
  v.pipe(
    keyed({
      status: about(
        "Status; the error's among errors and else 200 when not set.",
        v.optional(leaves.StatusTemplate),
      ),
      body: about("Body, with placeholders.", v.optional(leaves.TextTemplate, "")),
      headers: about("Header fields.", v.optional(ResponseFields, {})),
      close: about("Ends the connection after it.", v.optional(leaves.Switch, false)),
    }),
    v.transform(({ status, headers, ...answer }): Action => ({
      kind: "respond",
      status: status ?? [],
      ...answer,
      fields: headers,
    })),
  ),
);

const ANSWER = { kind: "respond", status: [], body: [], fields: [], close: false } as const;

const Elsewhere = leaf(
  { type: "string", examples: ["https://{host}{uri}"] },
  (written): Reading<Template> =>
    typeof written === "string" && /^[\x21-\x7e]+$/.test(written)
      ? readTemplate(written)
      : refuse('where to, such as "https://{host}{uri}",'),
);

const REDIRECT_STATUS = 302;

export const Redirect: Schema<Action> = shortOr<Action>(
  v.pipe(
    Elsewhere,
    v.transform((to): Action => ({ kind: "redirect", to, status: REDIRECT_STATUS })),
  ),
  v.pipe(
    keyed({
      to: about("Where to, with placeholders.", required(Elsewhere)),
      status: about("Status.", v.optional(leaves.count(300, 399), REDIRECT_STATUS)),
    }),
    v.transform((written): Action => ({ kind: "redirect", ...written })),
  ),
);

export const Failure: Schema<Action> = shortOr<Action>(
  v.pipe(
    leaves.StatusTemplate,
    v.transform((status): Action => ({ kind: "error", status, text: [] })),
  ),
  v.pipe(
    keyed({
      status: about("Status.", v.optional(leaves.StatusTemplate, 500)),
      message: about(
        "What {error_text} is in the error steps.",
        v.optional(leaves.TextTemplate, ""),
      ),
    }),
    v.transform(({ status, message }): Action => ({ kind: "error", status, text: message })),
  ),
);

export const Variables: Schema<Action> = v.pipe(
  named(leaves.readVarName, leaves.TextTemplate),
  v.transform((map): Action => {
    const all = Object.entries(map).map(([name, value]) => ({ kind: "var" as const, name, value }));
    const [only, ...others] = all;
    if (only !== undefined && others.length === 0) return only;
    return { kind: "steps", steps: all.map((action) => ({ match: undefined, action })) };
  }),
);

/** What is worth compressing, as Caddy has it: texts and what is like them. */
const TEXTS = [
  "text/*",
  "font/*",
  ...[
    ["atom+xml", "geo+json", "graphql+json", "javascript", "json", "ld+json", "manifest+json"],
    ["rss+xml", "vnd.api+json", "wasm", "x-javascript", "xhtml+xml", "xml", "x-protobuf"],
    ["eot", "font", "opentype", "otf", "truetype", "ttf", "vnd.ms-fontobject", "x-opentype"],
    ["x-otf", "x-ttf", "graphql-response+json", "x-httpd-cgi", "x-perl"],
  ].flat().map((type) => `application/${type}*`),
  "image/svg+xml*",
  "image/vnd.microsoft.icon*",
  "image/x-icon*",
  "multipart/bag*",
  "multipart/mixed*",
];

const Formats = oneOrMore(leaves.word("zstd", "gzip"));
const FORMATS = ["zstd", "gzip"];
const LEAST = "512B";
const QUESTION = { headers: { "Content-Type": TEXTS } };

const EncodeMap = keyed({
  formats: about("Formats in order of preference.", v.optional(Formats, FORMATS)),
  minimum_length: about(
    "Responses known to be smaller pass as they are.",
    v.optional(leaves.SizeBytes, LEAST),
  ),
  match: about(
    "Responses to compress; texts and what is like them when not set.",
    v.optional(keyed(RESPONSE_ENTRIES), QUESTION),
  ),
});

const ENCODE = { minimum_length: 512, match: QUESTION };

export const Encode: Schema<Action> = v.pipe(
  either(
    (written) => !isMap(written),
    v.pipe(Formats, v.transform((formats) => ({ formats, ...ENCODE }))),
    EncodeMap,
  ),
  v.transform(({ formats, minimum_length, match }): Action => ({
    kind: "encode",
    formats: [...new Set(formats)],
    leastBytes: minimum_length,
    match: responseMatcher(match),
  })),
);

function readUser(written: unknown): Reading<string> {
  // RFC 7617 section 2: the first colon ends the name.
  const fits = typeof written === "string" && /^[^:\p{C}]{1,128}$/u.test(written);
  return fits ? read(written) : refuse("a user's name without a colon");
}

const Hash = leaf(
  { type: "string" },
  (written): Reading<string> =>
    typeof written === "string" &&
      /^\$2[abxy]?\$(?:0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/.test(written)
      ? read(written)
      // What stands there instead may well be the password.
      : refuse('a bcrypt hash such as "$2a$14$…"', "something else"),
);

const Realm = leaf(
  { type: "string" },
  (written): Reading<string> =>
    typeof written === "string" && /^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,100}$/.test(written)
      ? read(written)
      : refuse('a text of visible characters without " and \\'),
);

const Users = v.pipe(
  named(readUser, Hash),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed || Object.keys(dataset.value).length > 0) return;
    addIssue({ expected: "at least one user", received: "none" });
  }),
);

/** Names and passwords, in a step or at the door of a route. */
export const BasicLogin = v.pipe(
  keyed({
    realm: about("What the browser calls it.", v.optional(Realm, "restricted")),
    users: about("bcrypt hashes of passwords, by name of the user.", required(Users)),
  }),
  v.transform(({ realm, users: all }) => ({
    realm,
    users: Object.entries(all).map(([name, hash]) => ({ name, hash })),
  })),
);

export const BasicAuth: Schema<Action> = v.pipe(
  BasicLogin,
  v.transform((login): Action => ({ kind: "basic_auth", ...login })),
);

export const Limit: Schema<Action> = v.pipe(
  keyed({
    request_body: about("Request body at most.", required(leaves.SizeLimitBytes)),
  }),
  v.transform(({ request_body }): Action => ({ kind: "limit", bodyBytes: request_body })),
);

export const AccessLog: Schema<Action> = v.pipe(
  leaves.word("off"),
  v.transform((): Action => ({ kind: "unlogged" })),
);

export const CopyResponse: Schema<Action> = v.pipe(
  keyed({
    status: about("Status; the upstream's when not set.", v.optional(leaves.StatusTemplate)),
  }),
  v.transform(({ status }): Action => ({ kind: "copy_response", status })),
);

const FieldNames = oneOrMore(leaves.FieldName);

export const CopyFields: Schema<Action> = v.pipe(
  keyed({
    include: about("These alone.", v.optional(FieldNames)),
    exclude: about("All but these.", v.optional(FieldNames)),
  }),
  holds(["include", "exclude"], { most: 1, expected: '"include" or "exclude"' }),
  v.transform(({ include, exclude }): Action => ({
    kind: "copy_response_headers",
    include: include ?? [],
    exclude: exclude ?? [],
  })),
);
