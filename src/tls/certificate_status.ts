/** How things stand with a certificate, in numbers and words for people, counters and the page. Pure. */
import type { CertificateRules } from "../tls_rules.ts";
import type { Shown } from "./shelf.ts";

export interface CertificateStatus {
  readonly names: readonly string[];
  readonly source: "files" | "acme" | "internal";
  /** Who signed it, or is to sign it. */
  readonly issuer: string;
  /**
   * good: shown and to be renewed in time · expiring: little of its life is left · expired · missing: nothing
   * can be shown yet
   */
  readonly state: "good" | "expiring" | "expired" | "missing";
  /** Wall clock, in milliseconds; undefined while there is none. */
  readonly validFrom: number | undefined;
  readonly validTo: number | undefined;
  /** Wall clock at which the next one is asked for, where we ask. */
  readonly nextAt: number | undefined;
  /** Why there is no new one. */
  readonly problem: string | undefined;
  readonly serial: string | undefined;
  /** SHA-256, hexadecimal. */
  readonly fingerprint: string | undefined;
}

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
  return first === undefined ? "" : new URL(first.directory).host;
}
