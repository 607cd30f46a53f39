/**
 * Reads who gives certificates: `issuer` within `tls`, and the global option `cert_issuer`. Either an
 * authority on the Internet or the one of our own.
 */
import { placeOf } from "./directive.ts";
import {
  accept,
  type Draft,
  expected,
  first,
  type Line,
  type Option,
  type Options,
  put,
  readBlock,
} from "./proxy_options.ts";
import {
  DIRECTORY,
  DIRECTORY_CA,
  EAB,
  EMAIL,
  PREFERRED_CHAINS,
  PROFILE,
  spellDirectory,
} from "./tls_acme.ts";
import { type AcmeDraft, DNS_OPTIONS, settleDns } from "./tls_dns.ts";
import { type Comments, joinedComments, WrittenMap } from "./written.ts";

/** One who gives certificates. */
export interface Issuer {
  readonly kind: "acme" | "internal";
  /** The section of that name. */
  readonly settings: WrittenMap;
  readonly line: Line;
  readonly comments: Comments;
}

const WHERE = "tls.issuer";

interface IssuerDraft extends AcmeDraft {
  /** Proofs that are turned off. */
  readonly without: Set<string>;
}

function without(challenge: string): Option<IssuerDraft> {
  return {
    args: [0, 0],
    read(line, draft) {
      draft.without.add(challenge);
      accept(line, draft);
    },
  };
}

const OF_ACME: Options<IssuerDraft> = {
  dir: DIRECTORY,
  email: EMAIL,
  eab: EAB,
  trusted_roots: DIRECTORY_CA,
  profile: PROFILE,
  preferred_chains: PREFERRED_CHAINS,
  disable_http_challenge: without("http-01"),
  disable_tlsalpn_challenge: without("tls-alpn-01"),
  ...DNS_OPTIONS,
};

const OF_OURS: Options<IssuerDraft> = {
  lifetime: {
    args: [1, 1],
    read(line, { acme: settings, context }) {
      const lifetime = context.duration(first(line), line.where);
      if (lifetime === undefined) return;
      put(settings, "lifetime", lifetime, line);
      context.took(line.name, line.where);
    },
  },
  ca: {
    args: [1, 1],
    read(line, draft) {
      if (first(line).text === "local") accept(line, draft);
      else draft.context.refuse(first(line), `${line.where}.other`);
    },
  },
};

/** `acme { … }` or `internal { … }`; undefined when told of as wrong. */
export function readIssuer(
  line: Line,
  { context, usualDns }: Pick<AcmeDraft, "context" | "usualDns">,
): Issuer | undefined {
  const [name = line.name, directory, surplus] = line.args;
  const kind = name.text;
  if (kind !== "acme" && kind !== "internal") {
    context.refuse(name, kind === "zerossl" ? `${WHERE}.zerossl` : `${WHERE}.module`);
    return undefined;
  }
  const where = `${WHERE}.${kind}`;
  const stray = kind === "internal" ? directory : surplus;
  if (stray !== undefined) return expected(stray, "no further argument", { context, where });

  const before = context.problems();
  const settings = new WrittenMap(placeOf(name, where));
  const homeless: Draft["homeless"] = [];
  const draft = { context, usualDns, homeless, acme: settings, without: new Set<string>() };
  if (directory !== undefined) {
    settings.set("directory", spellDirectory(directory.text), placeOf(directory, where));
  }
  const options = kind === "acme" ? OF_ACME : OF_OURS;
  readBlock(line.block ?? [], draft, { options, prefix: where });
  settleDns(draft);
  settleChallenges(draft, line);
  if (context.problems() > before) return undefined;
  context.took(name, where);
  return { kind, settings, line, comments: joinedComments([...homeless, line.comments]) };
}

/** What is left when proofs are turned off. With records that one way alone is used anyway. */
function settleChallenges({ acme, without: off, context }: IssuerDraft, line: Line): void {
  if (off.size === 0 || acme.has("dns")) return;
  const [left, ...others] = ["http-01", "tls-alpn-01"].filter((proof) => !off.has(proof));
  if (left !== undefined && others.length === 0) acme.set("challenges", left, line.at);
  if (left !== undefined) return;
  const message = 'Expected a way to prove names, such as "dns", but received none';
  context.problem(line.name, line.where, message);
}
