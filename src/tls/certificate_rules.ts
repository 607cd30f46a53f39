/** What is asked of the rules for certificates. Pure. */
import { wildcardOf } from "../names.ts";
import type { TlsRules } from "../tls_rules.ts";

/** Whether certificates are signed by the authority of our own. */
export function usesAuthority({ certificates, onDemand }: TlsRules): boolean {
  return onDemand.names !== "none" || certificates.some(({ source }) => source.kind === "internal");
}

/** Authorities of certificates that clients are asked for who ask for that name or address; none where they are not. */
export function clientAuthorities({ clientAuth }: TlsRules, name: string): readonly string[] {
  // As routes are found: the host itself, then its wildcard, then any.
  for (const host of [name, wildcardOf(name), "*"]) {
    const asked = host !== undefined && clientAuth.find(({ hosts }) => hosts.includes(host));
    if (asked) return asked.authorities;
  }
  return [];
}
