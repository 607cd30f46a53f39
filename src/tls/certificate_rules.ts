/** What is asked of the rules for certificates. Pure. */
import { hostsFor } from "../names.ts";
import type { TlsRules } from "../tls_rules.ts";

/** Whether certificates are signed by the authority of our own. */
export function usesAuthority({ certificates, onDemand }: TlsRules): boolean {
  return onDemand.names !== "none" || certificates.some(({ source }) => source.kind === "internal");
}

/** Authorities of certificates that clients are asked for who ask for that name or address; none where they are not. */
export function clientAuthorities({ clientAuth }: TlsRules, name: string): readonly string[] {
  for (const host of hostsFor(name)) {
    const asked = clientAuth.find(({ hosts }) => hosts.includes(host));
    if (asked !== undefined) return asked.authorities;
  }
  return [];
}
