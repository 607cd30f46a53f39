/** Where certificates come from, as every level of `tls` may say it: an issuer and its settings, or a pair of files. */
import * as v from "valibot";
import type { PemText } from "../tls_rules.ts";
import { Acme, type AcmeDraft } from "./acme.ts";
import * as leaves from "./leaves.ts";
import { ServedChain, ServedKey } from "./pem.ts";
import { isMap, read, type Reading } from "./reading.ts";
import { about, isMistyped, keyed, leaf, pathTo } from "./shape.ts";

/** Where one level wants certificates to come from. */
export interface SourceDraft {
  /** Undefined leaves it to the level above. */
  readonly kind: "auto" | "acme" | "internal" | "files" | "off" | undefined;
  readonly pair: PairDraft | undefined;
  readonly acme: readonly AcmeDraft[] | undefined;
  readonly lifetimeMs: number | undefined;
}

export interface PairDraft {
  readonly chain: PemText;
  readonly key: PemText;
}

const WORDS = ["auto", "acme", "internal", "off"] as const;
export type Word = typeof WORDS[number];

/** Lifetime of a certificate of our own authority, unless said otherwise, in milliseconds. */
export const LIFETIME_MS = 86_400_000;

const Internal = keyed({
  lifetime: about(
    "How long a certificate of the authority here is good; renewed at two thirds.",
    v.optional(leaves.lifetime(60_000)),
  ),
});

/** What every level may say. */
export const SOURCE = {
  issuer: about(
    "Where certificates come from: auto (public names by ACME, private ones from the authority here), acme, internal, or off for no TLS.",
    v.optional(leaves.word(...WORDS)),
  ),
  cert: about(
    "Certificate and those that lead to its authority: a PEM file.",
    v.optional(ServedChain),
  ),
  key: about("Key of the certificate: a PEM file.", v.optional(ServedKey)),
  acme: about(
    "How an authority on the Internet is asked; a list names stand-ins.",
    v.optional(Acme),
  ),
  internal: about("Certificates of the authority here.", v.optional(Internal)),
};

interface WrittenSource {
  readonly issuer?: Word | undefined;
  readonly cert?: PemText | undefined;
  readonly key?: PemText | undefined;
  readonly acme?: readonly AcmeDraft[] | undefined;
  readonly internal?: { readonly lifetime?: number | undefined } | undefined;
}

/** `implies`: settings of an issuer ask for it, which at the top they do not. */
export function toSource(written: WrittenSource, implies: boolean): SourceDraft {
  const { issuer, cert, key, acme, internal } = written;
  const pair = cert !== undefined && key !== undefined ? { chain: cert, key } : undefined;
  const implied = !implies
    ? undefined
    : acme !== undefined
    ? "acme"
    : internal !== undefined
    ? "internal"
    : undefined;
  return {
    kind: pair !== undefined ? "files" : issuer ?? implied,
    pair,
    acme,
    lifetimeMs: internal?.lifetime,
  };
}

export function wordSource(kind: Word): SourceDraft {
  return { kind, pair: undefined, acme: undefined, lifetimeMs: undefined };
}

/** A certificate goes with its key, and with no issuer. */
export function wholePair<T extends WrittenSource>() {
  return v.rawCheck<T>(({ dataset, addIssue }) => {
    const { value: written } = dataset;
    if (!isMap(written) || isMistyped(dataset.issues)) return;
    const there = (key: string): boolean => Object.hasOwn(written, key);
    for (const [one, other] of [["cert", "key"], ["key", "cert"]] as const) {
      if (there(one) && !there(other)) {
        addIssue({ expected: `"${other}" beside "${one}"`, received: "none" });
      }
    }
    const stranger = ["issuer", "acme", "internal"].find(there);
    if (there("cert") && there("key") && stranger !== undefined) {
      const path: [v.IssuePathItem] = [pathTo(written, stranger)];
      addIssue({ expected: '"cert" and "key" alone', received: `"${stranger}" beside them`, path });
    }
  });
}

export const Words = leaf({ enum: [...WORDS, false] }, (written): Reading<Word> => {
  return written === false ? read("off") : leaves.readWord(written, WORDS);
});
