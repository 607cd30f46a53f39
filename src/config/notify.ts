/**
 * Who is told when an upstream goes or returns, or when a certificate does not come: the section `notify`.
 * Defaults and bounds live here.
 */
import * as v from "valibot";
import { NEWS, type News, type NotifyRules } from "../rules.ts";
import * as leaves from "./leaves.ts";
import { read, type Reading, refuse } from "./reading.ts";
import { about, keyed, leaf, named, oneOrMore, required, type Schema } from "./shape.ts";
import { readRequestFieldName } from "./template.ts";

const USUAL: News[] = ["down", "up", "unavailable", "certificate_failed"];
const A_URL = 'a URL such as "https://ntfy.sh/my-topic", without a user';

const Url = leaf(
  { type: "string", pattern: "^https?://|\\$\\{", examples: ["https://ntfy.sh/my-topic"] },
  (written): Reading<string> => {
    if (typeof written !== "string" || !/^https?:\/\/[^\s\p{C}]+$/iu.test(written)) {
      return refuse(A_URL);
    }
    if (!URL.canParse(written)) return refuse(A_URL);
    const { username, password, href } = new URL(written);
    // Whoever writes one there means it as a secret.
    return username + password === "" ? read(href) : refuse(A_URL, "one with a user");
  },
);

const Token = leaf(
  { type: "string" },
  (written): Reading<string> =>
    typeof written === "string" && /^[\x21-\x7e]{1,1000}$/.test(written)
      ? read(written)
      : refuse("a token of visible characters", "something else"),
);

export const Notify: Schema<NotifyRules[]> = oneOrMore(v.pipe(
  keyed({
    url: about("Where it is sent, by POST.", required(Url)),
    format: about(
      "Whose words to speak; webhook sends JSON unless it has a template.",
      v.optional(leaves.word("webhook", "ntfy", "gotify"), "webhook"),
    ),
    on: about(
      "What to tell of.",
      v.optional(oneOrMore(leaves.word(...NEWS)), USUAL),
    ),
    template: about(
      "Body of a webhook, with {title}, {text}, {event}, {upstream}, {pool}, {certificate}, {reason} and {time}.",
      v.optional(leaves.Text),
    ),
    headers: about(
      "Header fields to send along.",
      v.optional(named(readRequestFieldName, leaves.FieldValue), {}),
    ),
    token: about("Token that the receiver asks for.", v.optional(Token)),
    debounce: about(
      "Sums up what happens to one upstream or certificate within this time.",
      v.optional(leaves.duration(), "30s"),
    ),
  }),
  v.transform(({ url, format, on, template, headers, token, debounce }): NotifyRules => ({
    secretUrl: url,
    format,
    on: [...new Set(on)],
    template,
    headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
    token,
    debounceMs: debounce,
  })),
));
