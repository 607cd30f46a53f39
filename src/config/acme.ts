/**
 * How an authority on the Internet is asked for certificates: the section `acme`. What a level leaves out
 * comes from the level above it. Defaults, bounds and meaning of these settings live here.
 */
import * as v from "valibot";
import {
  type AcmeRules,
  type Challenge,
  CHALLENGES,
  type DnsRules,
  KEY_TYPES,
} from "../tls_rules.ts";
import { Dns } from "./dns.ts";
import * as leaves from "./leaves.ts";
import { Certificates } from "./pem.ts";
import { read, type Reading, refuse, show } from "./reading.ts";
import { about, keyed, leaf, oneOrMore, required, type Schema } from "./shape.ts";
import { didYouMean } from "./suggest.ts";

/** What one level says; the rest is the level's above. */
export type AcmeDraft = Partial<Omit<AcmeRules, "binding" | "dns" | "challenges">> & {
  readonly binding?: AcmeRules["binding"];
  readonly dns?: DnsRules;
  readonly challenges?: readonly Challenge[];
};

/** Authorities by the names that people have for them. */
const DIRECTORIES: Readonly<Record<string, string>> = {
  letsencrypt: "https://acme-v02.api.letsencrypt.org/directory",
  letsencrypt_staging: "https://acme-staging-v02.api.letsencrypt.org/directory",
  zerossl: "https://acme.zerossl.com/v2/DV90",
  google: "https://dv.acme-v02.api.pki.goog/directory",
  sslcom: "https://acme.ssl.com/sslcom-dv-ecc",
};

const Directory = leaf(
  { type: "string", pattern: "^https://|^[a-z_]+$|\\$\\{", examples: Object.keys(DIRECTORIES) },
  (written): Reading<string> => {
    const names = Object.keys(DIRECTORIES);
    const expected = `the URL of a directory, "https://…", or one of ${names.join(", ")},`;
    if (typeof written !== "string") return refuse(expected);
    const known = Object.hasOwn(DIRECTORIES, written) ? DIRECTORIES[written] : undefined;
    if (known !== undefined) return read(known);
    const isUrl = written.startsWith("https://") && URL.canParse(written);
    return isUrl
      ? read(written)
      : refuse(expected, `${show(written)}${didYouMean(written, names)}`);
  },
);

const Email = leaf(
  { type: "string", examples: ["me@example.com"] },
  (written): Reading<string> =>
    typeof written === "string" && /^[^\s@,?]+@[^\s@,?]+$/.test(written)
      ? read(written)
      : refuse('an e-mail address such as "me@example.com"'),
);

const SecretKey = leaf(
  { type: "string" },
  (written): Reading<string> =>
    typeof written === "string" && /^[\w-]{16,}={0,2}$/.test(written)
      ? read(written.replace(/=+$/, ""))
      : refuse("a key in base64url, as the authority gives it,", "something else"),
);

const Binding = v.pipe(
  keyed({
    key_id: about("Which account there, as the authority names it.", required(leaves.Text)),
    hmac: about("The key that proves it, base64url.", required(SecretKey)),
  }),
  v.transform(({ key_id, hmac }) => ({ keyId: key_id, secretKey: hmac })),
);

const One: Schema<AcmeDraft> = v.pipe(
  keyed({
    directory: about(
      "Authority: letsencrypt (default), letsencrypt_staging, zerossl, google, sslcom, or the URL of a directory.",
      v.optional(Directory),
    ),
    email: about("Where the authority writes to.", v.optional(Email)),
    eab: about("Binds our account to one there, where it asks for that.", v.optional(Binding)),
    challenges: about(
      "Proofs of a name that may be given, the preferred ones first; all that can work when not set.",
      v.optional(oneOrMore(leaves.word(...CHALLENGES))),
    ),
    dns: about("Who writes records, for dns-01 and so for wildcards.", v.optional(Dns)),
    ca: about(
      "Authorities trusted besides the system's for the directory itself: a PEM file.",
      v.optional(oneOrMore(Certificates)),
    ),
    key_type: about("Kind of key; p256 unless set.", v.optional(leaves.word(...KEY_TYPES))),
    profile: about("Profile of the authority's that is asked for.", v.optional(leaves.Text)),
    preferred_chain: about(
      "Name in the issuer of the chain to take where several are offered.",
      v.optional(leaves.Text),
    ),
  }),
  v.transform((written): AcmeDraft => ({
    ...(written.directory !== undefined && { directory: written.directory }),
    ...(written.email !== undefined && { email: written.email }),
    ...(written.eab !== undefined && { binding: written.eab }),
    ...(written.challenges !== undefined && { challenges: [...new Set(written.challenges)] }),
    ...(written.dns !== undefined && { dns: written.dns }),
    ...(written.ca !== undefined && { authorities: written.ca }),
    ...(written.key_type !== undefined && { keyType: written.key_type }),
    ...(written.profile !== undefined && { profile: written.profile }),
    ...(written.preferred_chain !== undefined && { chain: written.preferred_chain }),
  })),
);

/** One authority, or several: the first that gives a certificate is taken. */
export const Acme: Schema<AcmeDraft[]> = oneOrMore(One);

/** What this level says laid over what the one above says: a single map changes each of its authorities. */
export function overlaid(
  above: readonly AcmeDraft[],
  own: readonly AcmeDraft[] | undefined,
): readonly AcmeDraft[] {
  const [only] = own ?? [];
  if (own === undefined || only === undefined) return above;
  return own.length > 1 ? own : above.map((one) => ({ ...one, ...only }));
}

/** The whole of it; `possible` are the proofs that the listeners and records make possible. */
export function toAcme(draft: AcmeDraft, possible: readonly Challenge[]): AcmeRules {
  const { dns } = draft;
  const usual = dns === undefined ? possible : (["dns-01"] as const);
  return {
    directory: draft.directory ?? DIRECTORIES["letsencrypt"] ?? "",
    email: draft.email,
    binding: draft.binding,
    challenges: draft.challenges ?? usual,
    dns,
    authorities: draft.authorities ?? [],
    keyType: draft.keyType ?? "p256",
    profile: draft.profile,
    chain: draft.chain,
  };
}

/** Whether the directory is one of those known to sign public names alone. */
export function isPublicAuthority(directory: string): boolean {
  return Object.values(DIRECTORIES).includes(directory);
}
