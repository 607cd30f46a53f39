/** What is asked of the rules for certificates. Pure. */
import type { CertificateRules, TlsRules } from "../tls_rules.ts";

/** Whether a holder may go on as it is. Texts of files are read anew by themselves. */
export function sameSource(one: CertificateRules, other: CertificateRules): boolean {
  const plain = ({ source }: CertificateRules) =>
    JSON.stringify(source.kind === "files" ? [source.chain.path, source.key.path] : source);
  const isFile = one.source.kind === "files" && one.source.chain.path !== undefined;
  return plain(one) === plain(other) && (one.source.kind !== "files" || isFile);
}

/** Whether certificates are signed by the authority of our own. */
export function usesAuthority({ certificates, onDemand }: TlsRules): boolean {
  return onDemand.names !== "none" || certificates.some(({ source }) => source.kind === "internal");
}
