/** How things stand with a certificate, in numbers and words for people, counters and the page. Pure. */
import type { CertificateStatus } from "../model.ts";
import type { CertificateRules } from "../tls_rules.ts";
import { nameOf } from "./acme/directory.ts";
import type { Shown } from "./shelf.ts";

/** Less than this part of a life left is worth a word. Renewals come long before. */
const LITTLE = 1 / 6;

export interface Standing {
  readonly shown: Shown | undefined;
  readonly problem: string | undefined;
  readonly issuer: string | undefined;
  readonly nextAt: number | undefined;
  readonly now: number;
}

export function statusOf(
  { names, source }: CertificateRules,
  { shown, problem, issuer, nextAt, now }: Standing,
): CertificateStatus {
  const facts = shown?.facts;
  return {
    names: names.length > 0 ? names : facts?.names ?? [],
    source: source.kind,
    issuer: issuer ?? (source.kind === "files" ? facts?.issuer ?? "" : expectedIssuer(source)),
    state: stateOf(facts, now),
    validFrom: facts?.validFrom,
    validTo: facts?.validTo,
    nextAt,
    problem,
    serial: facts?.serial,
    fingerprint: facts?.fingerprint,
  };
}

function stateOf(facts: Shown["facts"] | undefined, now: number): CertificateStatus["state"] {
  if (facts === undefined) return "missing";
  const { validFrom, validTo } = facts;
  if (now >= validTo) return "expired";
  return validTo - now < (validTo - validFrom) * LITTLE ? "expiring" : "good";
}

function expectedIssuer(source: Exclude<CertificateRules["source"], { kind: "files" }>): string {
  if (source.kind === "internal") return "internal";
  const [first] = source.issuers;
  return first === undefined ? "" : nameOf(first.directory);
}
