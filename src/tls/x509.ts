/**
 * Makes and reads certificates (RFC 5280). The only file that knows the library for it, which is loaded
 * when it is first needed: most proxies never make a certificate.
 */
import type { X509Certificate } from "@peculiar/x509";
import type { Identity, Span } from "./issuer.ts";
import type { AlternativeName } from "./subject.ts";

/** Who signs, ready to do so. */
export interface Signer {
  /** PEM. */
  readonly pem: string;
  readonly certificate: X509Certificate;
  readonly key: CryptoKey;
}

/** What any certificate says. */
export interface Wording extends Span {
  /** Empty leaves the subject without a name. */
  readonly commonName: string;
  /** Bytes of a number that no other certificate of the same signer has. */
  readonly serial: Uint8Array;
}

/** Taken by every client that there is, and fast to sign with. */
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

async function library() {
  // Before the other, which takes it for granted: bundled into the binary it would come too late.
  await import("reflect-metadata");
  return await import("@peculiar/x509");
}

/** A certificate that signs others, at most so many between it and the last. Signed by itself without a signer. */
export async function makeSigner(
  wording: Wording,
  pathLength: number,
  signer: Signer | undefined,
): Promise<Identity> {
  const x509 = await library();
  const usages = x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign;
  return await make(wording, signer, [
    new x509.BasicConstraintsExtension(true, pathLength, true),
    new x509.KeyUsagesExtension(usages, true),
  ]);
}

/** A certificate for a server of these names. */
export async function makeLeaf(
  wording: Wording,
  names: readonly AlternativeName[],
  signer: Signer,
): Promise<Identity> {
  const x509 = await library();
  return await make(wording, signer, [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    // Critical where the subject has no name of its own (RFC 5280 section 4.2.1.6).
    new x509.SubjectAlternativeNameExtension([...names], wording.commonName === ""),
  ]);
}

type Library = Awaited<ReturnType<typeof library>>;
type Extensions = InstanceType<Library["Extension"]>[];

async function make(
  { commonName, serial, from, to }: Wording,
  signer: Signer | undefined,
  extensions: Extensions,
): Promise<Identity> {
  const x509 = await library();
  const { subtle } = globalThis.crypto;
  const keys = await subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const subject = commonName === "" ? [] : [{ CN: [commonName] }];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: hexOf(serial),
    subject,
    issuer: signer?.certificate.subjectName ?? subject,
    notBefore: new Date(from),
    notAfter: new Date(to),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: signer?.key ?? keys.privateKey,
    extensions: [
      ...extensions,
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ...(signer === undefined
        ? []
        : [await x509.AuthorityKeyIdentifierExtension.create(signer.certificate.publicKey)]),
    ],
  });
  const key = await subtle.exportKey("pkcs8", keys.privateKey);
  return {
    chain: `${certificate.toString("pem")}\n`,
    key: `${x509.PemConverter.encode(key, x509.PemConverter.PrivateKeyTag)}\n`,
  };
}

/** Undefined where it can sign nothing: damaged, no authority's, or a key that is not the certificate's. */
export async function readSigner({ chain, key: pem }: Identity): Promise<Signer | undefined> {
  const x509 = await library();
  const { subtle } = globalThis.crypto;
  try {
    const certificate = new x509.X509Certificate(chain);
    const [bytes] = x509.PemConverter.decode(pem);
    if (bytes === undefined) return undefined;
    const key = await subtle.importKey("pkcs8", bytes, ALGORITHM, false, ["sign"]);
    const probe = new Uint8Array(1);
    const signature = await subtle.sign(ALGORITHM, key, probe);
    const publicKey = await certificate.publicKey.export(ALGORITHM, ["verify"]);
    const isPair = await subtle.verify(ALGORITHM, publicKey, signature, probe);
    const isSigner = certificate.getExtension(x509.BasicConstraintsExtension)?.ca === true;
    return isPair && isSigner ? { pem: chain, certificate, key } : undefined;
  } catch {
    // Whatever is wrong, nothing can be done with it; and the words may hold parts of the key.
    return undefined;
  }
}

/** Whether one signed the other. */
export async function isSignedBy(signer: Signer, by: Signer): Promise<boolean> {
  const { publicKey } = by.certificate;
  return await signer.certificate.verify({ publicKey, signatureOnly: true }).catch(() => false);
}

export function spanOf({ certificate }: Signer): Span {
  return { from: certificate.notBefore.getTime(), to: certificate.notAfter.getTime() };
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
