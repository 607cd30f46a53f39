/** Who holds one certificate, by where it comes from. */
import type { CertificateRules } from "../tls_rules.ts";
import type { EdgeDeps, Vault } from "./edge_deps.ts";
import { FilePair } from "./files.ts";
import { Keeper } from "./keeper.ts";
import type { Shelf } from "./shelf.ts";
import type { Turns } from "./turns.ts";

export type Holder = Keeper | FilePair;

export interface HolderDeps
  extends Pick<EdgeDeps, "clock" | "random" | "workshop" | "platform" | "told"> {
  readonly shelf: Shelf;
  readonly turns: Turns;
  readonly questions: Turns;
  readonly vault: Vault;
}

/** A keeper is yet to be run. Throws `CertificateError` of files, which the loader has kept from happening. */
export function openHolder(rules: CertificateRules, deps: HolderDeps): Holder {
  const { clock, random, workshop, shelf, turns, questions, vault, platform, told } = deps;
  const { source } = rules;
  if (source.kind === "files") {
    return new FilePair({ ...rules, source }, {
      ...platform,
      ...{ clock, workshop, shelf },
      tell: (_, course) => told(rules, course),
    });
  }
  const issuers = source.kind === "acme"
    ? source.issuers.map((issuer) => vault.acmeIssuer(issuer))
    : [vault.internalIssuer(source.lifetimeMs)];
  return new Keeper(rules, issuers, {
    ...{ clock, random, workshop, shelf, turns, questions },
    store: () => vault.store(),
    tell: (_, course) => told(rules, course),
  });
}
