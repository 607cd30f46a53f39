/** What TLS needs of the outside. Handed in by whoever opens the proxy; nothing here is made. */
import type { Clock, Platform } from "../platform/platform.ts";
import type { AcmeRules, CertificateRules } from "../tls_rules.ts";
import type { PairCourse } from "./files.ts";
import type { Identity, Issuer, Store } from "./issuer.ts";
import type { Course } from "./keeper.ts";
import type { Workshop } from "./shelf.ts";

export interface EdgeDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly workshop: Workshop;
  readonly platform: Pick<Platform, "readText" | "watchDirectory">;
  /** Rejects where it cannot be opened for now. */
  readonly store: () => Promise<Store>;
  readonly acmeIssuer: (rules: AcmeRules) => Issuer;
  readonly internalIssuer: (lifetimeMs: number) => Issuer;
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
