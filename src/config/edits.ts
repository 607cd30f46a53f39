/**
 * How heads are edited: the section `headers` of a pool or step, and the fields one upstream is sent.
 */
import * as v from "valibot";
import type { FieldTemplate, HeaderRules, Template } from "../rules.ts";
import * as leaves from "./leaves.ts";
import { pattern } from "./pattern.ts";
import { read, type Reading, refuse } from "./reading.ts";
import { about, keyed, leaf, named, oneOrMore, required, type Schema } from "./shape.ts";
import { readFieldName, readRequestFieldName, TOKEN } from "./template.ts";

const FieldPattern = leaf(
  { type: "string", examples: ["X-Powered-By", "X-Internal-*"] },
  (written): Reading<string> => {
    const expected = 'a header name such as "X-Origin" or "X-Internal-*"';
    if (typeof written !== "string" || !TOKEN.test(written)) return refuse(expected);
    // A lone "*" would take the framing along with everything else.
    return /^(?:\*?[^*]+|[^*]+\*)$/.test(written) ? read(written) : refuse(expected);
  },
);

const Replacement = keyed({
  search: about(
    "Regular expression; every match is replaced.",
    required(pattern("g")),
  ),
  with: about("Text with placeholders to put in its place.", required(leaves.TemplateValue)),
});

type ReadName = (written: unknown) => Reading<string>;

function edits(readName: ReadName): Schema<HeaderRules> {
  return v.pipe(
    keyed({
      set: about(
        "Fields to set; others of the same name go.",
        v.optional(named(readName, leaves.TemplateValue), {}),
      ),
      add: about(
        "Fields to add; a list adds several.",
        v.optional(named(readName, oneOrMore(leaves.TemplateValue)), {}),
      ),
      remove: about(
        "Names to remove; a * before or after matches any rest.",
        v.optional(oneOrMore(FieldPattern)),
      ),
      default: about(
        "Fields to set where there are none of that name.",
        v.optional(named(readName, leaves.TemplateValue), {}),
      ),
      replace: about(
        "Replacements in values, by name of the field.",
        v.optional(named(readName, oneOrMore(Replacement)), {}),
      ),
    }),
    v.transform(({ set, add, remove, replace, default: fallback }): HeaderRules => ({
      remove: remove ?? [],
      replace: inOrder(replace).flatMap(([name, all]) => all.map((one) => ({ name, ...one }))),
      set: asFields(set),
      add: inOrder(add).flatMap(([name, values]) => values.map((value) => ({ name, value }))),
      fallback: asFields(fallback),
    })),
  );
}

function inOrder<T>(map: Record<string, T>): [string, T][] {
  return Object.entries(map);
}

function asFields(map: Record<string, Template>): FieldTemplate[] {
  return inOrder(map).map(([name, value]) => ({ name, value }));
}

export const HeaderEdits = keyed({
  request: about("On the way to the upstream.", v.optional(edits(readRequestFieldName), {})),
  response: about("On the way to the client.", v.optional(edits(readFieldName), {})),
});

/** Fields that one upstream is sent. */
export const UpstreamFields = v.pipe(
  named(readRequestFieldName, leaves.TemplateValue),
  v.transform(asFields),
);

/** Fields of an answer of our own. */
export const ResponseFields = v.pipe(
  named(readFieldName, leaves.TemplateValue),
  v.transform(asFields),
);
