/** What TLS needs of the outside. Handed in by whoever opens the proxy; nothing here is made. */
import type { Clock, Platform } from "../platform/platform.ts";
import type { AcmeRules, CertificateRules } from "../tls_rules.ts";
import type { PairCourse } from "./files.ts";
import type { Identity, Issuer, Store } from "./issuer.ts";
import type { Course } from "./keeper.ts";
import type { Workshop } from "./shelf.ts";

/** A folder, and those who give certificates by what is kept in it. */
export interface Vault {
  /** Rejects where it cannot be opened for now. */
  store(): Promise<Store>;
  acmeIssuer(rules: AcmeRules): Issuer;
  internalIssuer(lifetimeMs: number): Issuer;
  /** PEM of the root of the authority here, where there is one. */
  root(): Promise<string | undefined>;
}

export interface EdgeDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly workshop: Workshop;
  readonly platform: Pick<Platform, "readText" | "watchDirectory">;
  /** What is kept in that folder; undefined takes the usual place. The same one for the same folder. */
  readonly vault: (storage: string | undefined) => Vault;
  /** Proofs that run, for those who ask for them. */
  readonly proofs: {
    http(token: string): string | undefined;
    alpn(name: string): Identity | undefined;
  };
  /** Told of what becomes of certificates. */
  readonly told: (rules: CertificateRules, course: Course | PairCourse) => void;
  /** No certificate could be made for a name that was asked for. */
  readonly madeFailed: (name: string, reason: string) => void;
  readonly handshakeFailed: (
    peer: { readonly ip: string; readonly port: number },
    reason: string,
  ) => void;
}
