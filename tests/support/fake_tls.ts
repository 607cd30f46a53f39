/**
 * Certificates that are words: what is in a chain is written there as JSON, so that tests of who shows
 * what need no cryptography; and issuers that do as they are told.
 */
import type { Revocation } from "../../src/model.ts";
import type { CertificateFacts, TlsContext, TlsMaterial } from "../../src/platform/tls.ts";
import { CertificateError } from "../../src/platform/tls.ts";
import type { CertificateRules, CertificateSource } from "../../src/tls_rules.ts";
import type { Advice, Identity, Issuer } from "../../src/tls/issuer.ts";
import { IssueError } from "../../src/tls/issuer.ts";
import type { Workshop } from "../../src/tls/shelf.ts";

const DAY_MS = 86_400_000;

/** PEM in form, so that it can be kept in a file; what it says stands in the middle. */
function pem(label: string, text: string): string {
  return `-----BEGIN ${label}-----\n${btoa(text)}\n-----END ${label}-----\n`;
}

export function identity(
  names: readonly string[],
  life: { readonly from: number; readonly days?: number },
  serial = "1",
): Identity {
  const facts = { names, serial, from: life.from, to: life.from + (life.days ?? 90) * DAY_MS };
  return { chain: pem("CERTIFICATE", JSON.stringify(facts)), key: pem("PRIVATE KEY", "k") };
}

/** What its context was made of. */
export interface FakeContext extends TlsContext {
  readonly material: TlsMaterial;
  readonly serial: string;
}

export const workshop: Workshop = {
  tlsContext(material): FakeContext {
    return {
      kind: "tls_context",
      material,
      serial: workshop.certificateFacts(material.chain).serial,
    };
  },
  certificateFacts(chain): CertificateFacts {
    const [, body = ""] = /-----BEGIN CERTIFICATE-----\n(.*)\n/.exec(chain) ?? [];
    try {
      const { names, serial, from, to } = JSON.parse(atob(body));
      const facts = { names, issuer: "CN=test", serial, fingerprint: `f${serial}` };
      return { ...facts, validFrom: from, validTo: to };
    } catch (error) {
      throw new CertificateError("the certificate cannot be read", { cause: error });
    }
  },
};

export class FakeIssuer implements Issuer {
  readonly name: string;
  /** Names of each order, and what it was to replace. */
  readonly orders: { readonly names: readonly string[]; readonly replaced: string | undefined }[] =
    [];
  readonly revoked: { readonly chain: string; readonly reason: Revocation }[] = [];
  advice: Advice | undefined;
  asked = 0;
  /** Why it gives none. */
  problem: { readonly reason: string; readonly retryAfterMs?: number } | undefined;
  days = 90;
  readonly #now: () => number;

  constructor(name: string, now: () => number) {
    this.name = name;
    this.#now = now;
  }

  issue(
    names: readonly string[],
    { replaced }: { readonly replaced: string | undefined },
  ): Promise<Identity> {
    this.orders.push({ names, replaced });
    if (this.problem !== undefined) {
      const { reason, retryAfterMs } = this.problem;
      return Promise.reject(new IssueError(reason, { retryAfterMs }));
    }
    const life = { from: this.#now(), days: this.days };
    return Promise.resolve(identity(names, life, `${this.name}-${this.orders.length}`));
  }

  revoke(chain: string, reason: Revocation): Promise<void> {
    this.revoked.push({ chain, reason });
    return Promise.resolve();
  }

  renewal(): Promise<Advice | undefined> {
    this.asked += 1;
    return Promise.resolve(this.advice);
  }
}

export function certificate(
  names: readonly string[],
  source: CertificateSource = { kind: "acme", issuers: [] },
  listeners: readonly string[] = [],
): CertificateRules {
  return { id: [source.kind, ...names, ...listeners].join(" "), names, listeners, source };
}
