/** Certificates whose life began and ends when a test says so, which openssl's own command cannot make. */
import "reflect-metadata";
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from "@peculiar/x509";
import type { Pair } from "./certificates.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** Signed by itself. Moments are wall clock, in milliseconds. */
export async function datedCertificate(
  name: string,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<Pair> {
  const { subtle } = crypto;
  const keys = await subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=Dated",
    notBefore: new Date(from),
    notAfter: new Date(to),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [new SubjectAlternativeNameExtension([{ type: "dns", value: name }])],
  });
  const key = await subtle.exportKey("pkcs8", keys.privateKey);
  const lines = Buffer.from(key).toString("base64").replace(/.{64}/g, "$&\n");
  return {
    chain: `${certificate.toString("pem")}\n`,
    key: `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`,
  };
}
