/** How method and target of a request are rewritten: the section `rewrite` of a pool or step. */
import * as v from "valibot";
import type { Rewrite, Template } from "../rules.ts";
import * as leaves from "./leaves.ts";
import { pattern } from "./pattern.ts";
import { read, type Reading, refuse } from "./reading.ts";
import { about, holds, keyed, leaf, oneOrMore, required, type Schema } from "./shape.ts";
import { readTemplate, TOKEN } from "./template.ts";

const MethodTemplate = leaf(
  { type: "string", examples: ["GET"] },
  (written): Reading<Template> => {
    const isOne = typeof written === "string" &&
      (TOKEN.test(written) || /^\{[^{}]+\}$/.test(written));
    if (!isOne) return refuse('a method such as "GET"');
    return readTemplate(TOKEN.test(written) ? written.toUpperCase() : written);
  },
);

/** A part of a path, as it stands in a request line. */
function part(first: RegExp, example: string): Schema<Template> {
  return leaf({ type: "string", examples: [example] }, (written): Reading<Template> => {
    const fits = typeof written === "string" && first.test(written) &&
      /^[\x21-\x22\x24-\x3e\x40-\x7e]+$/.test(written);
    return fits ? readTemplate(written) : refuse(`a part of a path such as "${example}"`);
  });
}

const Search = leaf(
  { type: "string" },
  (written): Reading<string> =>
    typeof written === "string" && written !== ""
      ? read(written)
      : refuse("a text to search for, in quotes,"),
);

const Replacement: Schema<Rewrite["replace"][number]> = v.pipe(
  keyed({
    search: about("Text to replace.", v.optional(Search)),
    search_regexp: about("Regular expression to replace.", v.optional(pattern("g"))),
    with: about("Text with placeholders to put in its place.", required(leaves.TemplateValue)),
    max: about("Replacements at most; all when not set.", v.optional(leaves.count(1, 1_000))),
  }),
  holds(["search", "search_regexp"], { most: 1, expected: 'either "search" or "search_regexp"' }),
  v.transform((written) => ({
    search: written.search ?? written.search_regexp ?? "",
    with: written.with,
    max: written.max ?? Number.POSITIVE_INFINITY,
  })),
);

const ENTRIES = {
  method: about("The method.", v.optional(MethodTemplate)),
  uri: about(
    "Path and query; of the two, one that is not spelled stays.",
    v.optional(leaves.UriTemplate),
  ),
  strip_prefix: about("Taken away from the start of the path.", v.optional(part(/^[/{]/, "/api"))),
  strip_suffix: about("Taken away from the end of the path.", v.optional(part(/^./, ".html"))),
  replace: about("Replacements in path and query.", v.optional(oneOrMore(Replacement))),
};

export const TargetRewrite: Schema<Rewrite> = v.pipe(
  keyed(ENTRIES),
  holds(Object.keys(ENTRIES), { most: undefined, expected: 'at least one key such as "uri"' }),
  v.transform((written): Rewrite => ({
    method: written.method,
    uri: written.uri,
    stripPrefix: written.strip_prefix,
    stripSuffix: written.strip_suffix,
    replace: written.replace ?? [],
  })),
);
