/**
 * The certificate itself: the key that it is for, what is asked to be signed, whether what came back is
 * that, and the name by which an authority speaks of its renewal.
 */
import type { KeyType } from "../../tls_rules.ts";
import type { Acme } from "./library.ts";
import { AcmeFailure } from "./problem.ts";

/** A key that nobody has used, and the request to sign it (RFC 2986). All PEM. */
export interface Request {
  readonly key: string;
  readonly csr: string;
}

export async function newRequest(
  { crypto }: Acme,
  names: readonly string[],
  keyType: KeyType,
): Promise<Request> {
  const made = await newKey(crypto, keyType);
  const [key, csr] = await crypto.createCsr({ altNames: [...names] }, made);
  return { key: key.toString(), csr: csr.toString() };
}

function newKey(
  crypto: Acme["crypto"],
  keyType: KeyType,
): ReturnType<typeof crypto.createPrivateKey> {
  switch (keyType) {
    case "p256":
      return crypto.createPrivateEcdsaKey("P-256");
    case "p384":
      return crypto.createPrivateEcdsaKey("P-384");
    case "rsa2048":
      return crypto.createPrivateRsaKey(2048);
    case "rsa4096":
      return crypto.createPrivateRsaKey(4096);
  }
}

/** Throws `AcmeFailure` where the first certificate of the chain is for other names or another key. */
export async function checkChain(
  { crypto }: Acme,
  chain: string,
  { csr }: Request,
): Promise<void> {
  const x509 = await import("@peculiar/x509");
  const got = leafOf(x509, chain);
  if (got === undefined) throw new AcmeFailure("what it sent is no certificate", { status: 200 });
  const wanted = new x509.Pkcs10CertificateRequest(csr);
  if (hexOf(got.publicKey.rawData) !== hexOf(wanted.publicKey.rawData)) {
    throw new AcmeFailure("the certificate that it sent is for another key", { status: 200 });
  }
  const given = spelled(crypto.readCertificateInfo(chain).domains.altNames);
  if (given === spelled(crypto.readCsrDomains(csr).altNames)) return;
  throw new AcmeFailure(`the certificate that it sent is for other names: ${given}`, {
    status: 200,
  });
}

/** In one order, whatever order they came in. */
function spelled(names: readonly string[]): string {
  return names.map((name) => name.toLowerCase()).sort().join(", ");
}

type X509 = typeof import("@peculiar/x509");

function leafOf(x509: X509, chain: string): InstanceType<X509["X509Certificate"]> | undefined {
  try {
    const [first] = x509.PemConverter.decode(chain);
    return first && new x509.X509Certificate(first);
  } catch {
    return undefined;
  }
}

/** The name of a certificate by RFC 9773 section 4.1; undefined where it does not say who signed it. */
export async function certificateId(chain: string): Promise<string | undefined> {
  const x509 = await import("@peculiar/x509");
  const leaf = leafOf(x509, chain);
  const keyId = leaf?.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId;
  if (leaf === undefined || keyId === undefined) return undefined;
  // As in the certificate, where a number that begins with a one bit has a zero byte ahead of it.
  const negative = /^[89a-f]/i.test(leaf.serialNumber);
  return `${base64url(keyId)}.${
    base64url(negative ? `00${leaf.serialNumber}` : leaf.serialNumber)
  }`;
}

function base64url(hex: string): string {
  const bytes = hex.match(/../g) ?? [];
  const text = btoa(bytes.map((byte) => String.fromCharCode(parseInt(byte, 16))).join(""));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function hexOf(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
