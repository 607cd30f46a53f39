/** Who writes records for the proofs of dns-01: the section `dns` of an authority. Defaults and bounds live here. */
import * as v from "valibot";
import type { DnsProvider, DnsRules } from "../tls_rules.ts";
import { readHostPort } from "./address.ts";
import * as leaves from "./leaves.ts";
import { read, type Reading, refuse } from "./reading.ts";
import { about, keyed, leaf, list, oneOrMore, required, type Schema } from "./shape.ts";
import { spellAddress } from "../address.ts";

const PROVIDERS = ["cloudflare", "desec", "duckdns", "exec"] as const;

/** Where their interfaces are, unless another place is named. */
const URLS = {
  cloudflare: "https://api.cloudflare.com/client/v4",
  desec: "https://desec.io/api/v1",
  duckdns: "https://www.duckdns.org",
} as const;

const Token = leaf(
  { type: "string" },
  (written): Reading<string> =>
    typeof written === "string" && /^[\x21-\x7e]{1,512}$/.test(written)
      ? read(written)
      : refuse("a token of visible characters", "something else"),
);

const Place = leaf(
  { type: "string", pattern: "^https?://|\\$\\{", examples: [URLS.desec] },
  (written): Reading<string> =>
    typeof written === "string" && /^https?:\/\//.test(written) && URL.canParse(written)
      ? read(written.replace(/\/+$/, ""))
      : refuse('a URL such as "https://desec.io/api/v1"'),
);

const Resolver = leaf(
  { type: "string", examples: ["1.1.1.1:53"] },
  (written): Reading<string> => {
    const isBare = typeof written === "string" && /^(?:[\d.]+|\[[\da-f:.]+\])$/i.test(written);
    const reading = readHostPort(isBare ? `${written}:53` : written);
    return reading.kind === "read"
      ? read(spellAddress(reading.value))
      : refuse('a name server such as "1.1.1.1:53"');
  },
);

const Command = list(leaves.Text, 1);

export const Dns: Schema<DnsRules> = v.pipe(
  keyed({
    provider: about("Who keeps the zone.", required(leaves.word(...PROVIDERS))),
    token: about("Token of its interface; all but exec need one.", v.optional(Token)),
    url: about("Where its interface is, if not at the usual place.", v.optional(Place)),
    command: about(
      "With exec: program and arguments, called with present or cleanup, the record's name and its value.",
      v.optional(Command),
    ),
    delay: about(
      "How long to wait before a record is looked for.",
      v.optional(leaves.duration(), "2s"),
    ),
    timeout: about(
      "How long a record may take to be seen; 0 does not look.",
      v.optional(leaves.duration(), "5m"),
    ),
    ttl: about("How long a record may be kept by others.", v.optional(leaves.duration(1000), "2m")),
    resolvers: about(
      "Name servers that are asked for a record, instead of those of its zone.",
      v.optional(oneOrMore(Resolver)),
    ),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { provider, token, command } = dataset.value;
    const needed = provider === "exec" ? "command" : "token";
    const [there, stranger] = needed === "token" ? [token, command] : [command, token];
    if (there === undefined) {
      addIssue({ expected: `"${needed}" beside "provider: ${provider}"`, received: "none" });
    } else if (stranger !== undefined) {
      addIssue({ expected: `"${needed}" alone beside "provider: ${provider}"`, received: "more" });
    }
  }),
  v.transform(({ provider, token = "", url, command = [], delay, timeout, ttl, resolvers }) => ({
    provider: toProvider(provider, { token, url, command }),
    delayMs: delay,
    timeoutMs: timeout,
    ttlS: Math.round(ttl / 1000),
    resolvers: resolvers ?? [],
  })),
);

function toProvider(
  kind: typeof PROVIDERS[number],
  { token, url, command }: { token: string; url: string | undefined; command: readonly string[] },
): DnsProvider {
  return kind === "exec" ? { kind, command } : { kind, token, url: url ?? URLS[kind] };
}
