/** Tells by its rules whether a certificate is still kept in the same way. Pure. */
import type { CertificateRules } from "../tls_rules.ts";

/** Whether a holder may go on as it is. Texts of files are read anew by themselves. */
export function sameSource(one: CertificateRules, other: CertificateRules): boolean {
  const plain = ({ source }: CertificateRules) =>
    JSON.stringify(source.kind === "files" ? [source.chain.path, source.key.path] : source);
  const isFile = one.source.kind === "files" && one.source.chain.path !== undefined;
  return plain(one) === plain(other) && (one.source.kind !== "files" || isFile);
}
