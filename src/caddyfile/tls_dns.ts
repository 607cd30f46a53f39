/**
 * Reads who writes records for dns-01: `dns PROVIDER`, wherever it stands, and the options beside it. Three
 * modules of Caddy's have a counterpart; for all others there is a program of one's own.
 */
import { placeOf } from "./directive.ts";
import {
  ANY_NUMBER,
  type Draft,
  first,
  type Line,
  type Option,
  type Options,
  put,
  readBlock,
} from "./proxy_options.ts";
import { inOrder, single } from "./tidy.ts";
import { WrittenList, WrittenMap } from "./written.ts";

/** What is read of one authority. */
export interface AcmeDraft extends Draft {
  /** The section `acme`. */
  readonly acme: WrittenMap;
  /** The global option `dns`, for a `dns` that names nobody. */
  readonly usualDns: WrittenMap | undefined;
}

interface ProviderDraft extends Draft {
  readonly dns: WrittenMap;
}

const WHERE = "tls.dns";

/** What the option is called that says the token, by module. */
const TOKENS: Readonly<Record<string, string>> = {
  cloudflare: "api_token",
  desec: "token",
  duckdns: "api_token",
};

const TOKEN: Option<ProviderDraft> = {
  args: [1, 1],
  read(line, { context, dns }) {
    put(dns, "token", context.plain(first(line), line.where), line);
    context.took(line.name, line.where);
  },
};

/** `cloudflare TOKEN`, or with a block; undefined when told of as wrong. */
export function readProvider(
  { name: word, args: [name = word, token, surplus], block = [] }: Line,
  { context }: Pick<Draft, "context">,
): WrittenMap | undefined {
  const option = Object.hasOwn(TOKENS, name.text) ? TOKENS[name.text] : undefined;
  if (option === undefined) {
    context.refuse(name, `${WHERE}.module`);
    return undefined;
  }
  const where = `${WHERE}.${name.text}`;
  if (surplus !== undefined) {
    // Tokens are secrets, also those that are too many.
    context.problem(surplus, where, "Expected one token but received more");
    return undefined;
  }

  const at = placeOf(name, where);
  const dns = new WrittenMap(at).set("provider", name.text, at);
  if (token !== undefined) dns.set("token", context.plain(token, where), placeOf(token, where));
  const homeless: Draft["homeless"] = [];
  const before = context.problems();
  const options: Options<ProviderDraft> = { [option]: TOKEN };
  readBlock(block, { context, homeless, dns }, { options, prefix: where });
  for (const comments of homeless) dns.comment("provider", comments);
  if (context.problems() > before) return undefined;
  if (!dns.has("token")) {
    context.problem(name, where, `Expected a token for ${name.text} but received none`);
    return undefined;
  }
  context.took(name, where);
  return dns;
}

/** The provider and its token into the section `dns`. */
function readDns(line: Line, { context, acme, usualDns }: AcmeDraft): void {
  const own = line.args.length > 0 ? readProvider(line, { context }) : usualDns;
  if (own === undefined) {
    if (line.args.length > 0) return;
    const message = 'Expected a provider such as "cloudflare", here or in the global option dns';
    return context.problem(line.name, line.where, message);
  }
  const dns = acme.map("dns", line.at);
  for (const [key, { node, at }] of own.entries) {
    dns.set(key, node, at).comment(key, own.commentsOf(key));
  }
  acme.comment("dns", line.comments);
  context.took(line.name, line.where);
}

/** A setting of `dns` that is a length of time. */
function duration(key: string): Option<AcmeDraft> {
  return {
    args: [1, 1],
    read(line, { context, acme }) {
      const text = first(line).text;
      // Caddy turns the look for the record off so.
      const value = key === "timeout" && text === "-1"
        ? "0s"
        : context.duration(first(line), line.where);
      if (value === undefined) return;
      put(acme.map("dns", line.at), key, value === "0" ? "0s" : value, line);
      context.took(line.name, line.where);
    },
  };
}

/** The same in `tls`, in `issuer acme`. */
export const DNS_OPTIONS: Options<AcmeDraft> = {
  dns: { args: [0, ANY_NUMBER], block: true, read: readDns },
  resolvers: {
    args: [1, ANY_NUMBER],
    read(line, { context, acme }) {
      const list = new WrittenList(line.at);
      for (const arg of line.args) {
        list.add(context.plain(arg, line.where), placeOf(arg, line.where));
      }
      put(acme.map("dns", line.at), "resolvers", single(list), line);
      context.took(line.name, line.where);
    },
  },
  propagation_delay: duration("delay"),
  propagation_timeout: duration("timeout"),
  dns_ttl: duration("ttl"),
};

/** Puts the provider first, and tells of options that say how somebody writes records, but not who. */
export function settleDns({ acme, context }: Pick<AcmeDraft, "acme" | "context">): void {
  const entry = acme.entries.get("dns");
  if (entry?.node.kind !== "map") return;
  const dns = entry.node;
  if (!dns.has("provider")) {
    const [option] = dns.entries.values();
    const { at } = option ?? entry;
    context.problem(at, at.where, 'Expected "dns" and a provider beside it but received none');
    return;
  }
  acme.set("dns", inOrder(dns, ["provider", "token"]), entry.at);
}
