/** What is asked of the rules for certificates. Pure. */
import { covers } from "../names.ts";
import type { TlsRules } from "../tls_rules.ts";

/** Whether certificates are signed by the authority of our own. */
export function usesAuthority({ certificates, onDemand }: TlsRules): boolean {
  return onDemand.names !== "none" || certificates.some(({ source }) => source.kind === "internal");
}

/** Authorities of certificates that clients are asked for who ask for that name; none where they are not. */
export function clientAuthorities(
  { clientAuth }: TlsRules,
  name: string | undefined,
): readonly string[] {
  const asked = clientAuth.find(({ hosts }) =>
    hosts.some((host) => host === "*" || (name !== undefined && covers(host, name)))
  );
  return asked?.authorities ?? [];
}
