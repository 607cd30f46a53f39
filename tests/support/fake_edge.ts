/**
 * Who keeps certificates, with all that it needs of the outside: certificates that are words, and issuers
 * that do as they are told.
 */
import { type EdgeEars, edgeLog } from "../../src/cli/edge_log.ts";
import type { Log } from "../../src/ops/log.ts";
import { TlsEdge } from "../../src/tls/edge.ts";
import type { CertificateRules, PemText, TlsRules } from "../../src/tls_rules.ts";
import { FakeIssuer, identity, workshop } from "./fake_tls.ts";
import { MemoryStore } from "./memory_store.ts";
import type { ManualClock } from "./manual_clock.ts";

export class FakeEdge {
  readonly store = new MemoryStore();
  readonly acme: FakeIssuer;
  readonly internal: FakeIssuer;
  /** PEM, as it were. */
  root: string | undefined;
  rootAsked = 0;
  /** Why there is no telling whether there is one. */
  rootProblem: Error | undefined;
  readonly edge: TlsEdge;

  constructor(clock: ManualClock, log: Log, ears?: EdgeEars) {
    this.acme = new FakeIssuer("ca.test", () => clock.now());
    this.internal = new FakeIssuer("internal", () => clock.now());
    this.edge = new TlsEdge({
      clock,
      random: () => 0,
      workshop,
      platform: {
        readText: () => Promise.reject(new Error("no such file")),
        watchDirectory: () => () => {},
      },
      vault: () => ({
        store: () => Promise.resolve(this.store),
        acmeIssuer: () => this.acme,
        internalIssuer: () => this.internal,
        root: () => {
          this.rootAsked++;
          return this.rootProblem === undefined
            ? Promise.resolve(this.root)
            : Promise.reject(this.rootProblem);
        },
      }),
      proofs: { http: () => undefined, alpn: () => undefined },
      ...edgeLog({ log, clock, ears, standing: (rules) => this.edge.standing(rules) }),
    });
  }
}

/** Of these certificates alone. */
export function tlsRules(
  certificates: readonly CertificateRules[],
  more: Partial<TlsRules> = {},
): TlsRules {
  return {
    minVersion: "1.2",
    storage: undefined,
    certificates,
    onDemand: { names: "none", lifetimeMs: 1 },
    defaultName: undefined,
    redirectPort: undefined,
    clientAuth: [],
    ...more,
  };
}

/** A certificate whose texts stand in the configuration itself: nothing renews it. */
export function pairSource(
  names: readonly string[],
  life: { readonly from: number; readonly days: number },
): Extract<CertificateRules["source"], { kind: "files" }> {
  const { chain, key } = identity(names, life);
  const text = (value: string): PemText => ({ path: undefined, text: value });
  return { kind: "files", chain: text(chain), key: text(key) };
}

/** An authority of nobody's. */
export const ACME = {
  kind: "acme",
  issuers: [{
    directory: "https://ca.test/directory",
    email: undefined,
    binding: undefined,
    challenges: [],
    dns: undefined,
    authorities: [],
    keyType: "p256",
    profile: undefined,
    chain: undefined,
  }],
} as const;
export const INTERNAL = { kind: "internal", lifetimeMs: 1 } as const;
