/**
 * The certificate that proves a name in a handshake (RFC 8737). Not the library's own, which may sign
 * certificates and nothing else: neither runtime lets one like that into a handshake.
 */
import type { Identity } from "../issuer.ts";
import { isIp } from "./attempts.ts";

/** id-pe-acmeIdentifier (section 6.1). */
const ACME_IDENTIFIER = "1.3.6.1.5.5.7.1.31";
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
/** Before and after this moment, in milliseconds: clocks differ. */
const VALID_MS = 24 * 3_600_000;

/** `answer` is the key authorization, `now` wall clock in milliseconds. */
export async function alpnIdentity(name: string, answer: string, now: number): Promise<Identity> {
  const x509 = await import("@peculiar/x509");
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(answer));
  // An OCTET STRING of 32 bytes, by DER.
  const identifier = Uint8Array.from([4, 32, ...new Uint8Array(digest)]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=ACME challenge",
    notBefore: new Date(now - VALID_MS),
    notAfter: new Date(now + VALID_MS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.SubjectAlternativeNameExtension([{ type: isIp(name) ? "ip" : "dns", value: name }]),
      new x509.Extension(ACME_IDENTIFIER, true, identifier),
    ],
  }, crypto);
  const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    chain: certificate.toString("pem"),
    key: x509.PemConverter.encode(key, x509.PemConverter.PrivateKeyTag),
  };
}
