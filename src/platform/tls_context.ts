/**
 * Certificates made ready for handshakes, and read, by `node:tls` and `node:crypto` on both runtimes.
 * Checks what the runtimes let pass: Deno takes a key that is not the certificate's without a word.
 */
import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import {
  CertificateError,
  type CertificateFacts,
  type ClientCertificate,
  type TlsContext,
  type TlsMaterial,
} from "./tls.ts";
import { messageOf } from "./web.ts";

/**
 * With forward secrecy and authenticated encryption, as Mozilla's "intermediate" recommends for TLS 1.2;
 * those of TLS 1.3 are all good. The client's order holds, as it knows what its processor does best.
 */
const CIPHERS = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

class NodeContext implements TlsContext {
  readonly kind = "tls_context";
  readonly secure: SecureContext;
  /** Of clients' certificates, PEM. */
  readonly authorities: readonly string[];
  /** The same for the same authorities. */
  readonly judges: string;

  constructor(secure: SecureContext, authorities: readonly string[]) {
    this.secure = secure;
    this.authorities = authorities;
    this.judges = createHash("sha256").update(authorities.join("\n")).digest("hex");
  }
}

export function tlsContext(material: TlsMaterial): TlsContext {
  const { chain, key, clientAuthorities, minVersion } = material;
  checkPair(certificatesOf(chain), privateKey(key));
  try {
    return new NodeContext(
      createSecureContext({
        cert: chain,
        key,
        ciphers: CIPHERS,
        honorCipherOrder: false,
        minVersion: `TLSv${minVersion}`,
        ...(clientAuthorities.length > 0 && { ca: [...clientAuthorities] }),
      }),
      clientAuthorities,
    );
  } catch (error) {
    throw new CertificateError(`certificate and key cannot be used: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** What the platform made of it. */
export function secureOf(context: TlsContext): SecureContext {
  return ours(context).secure;
}

/** Who judges clients: themselves, PEM, and a name that is the same for the same ones. */
export function judgesOf(
  context: TlsContext,
): { readonly authorities: readonly string[]; readonly judges: string } {
  return ours(context);
}

function ours(context: TlsContext): NodeContext {
  if (!(context instanceof NodeContext)) throw new TypeError("Context is of another platform");
  return context;
}

export function certificateFacts(chain: string): CertificateFacts {
  const [leaf] = certificatesOf(chain);
  if (leaf === undefined) throw new CertificateError("there is no certificate in it");
  return {
    names: namesOf(leaf),
    issuer: oneLine(leaf.issuer),
    serial: leaf.serialNumber.toLowerCase(),
    fingerprint: hex(leaf.fingerprint256),
    validFrom: Date.parse(leaf.validFrom),
    validTo: Date.parse(leaf.validTo),
  };
}

export function clientCertificate(certificate: X509Certificate): ClientCertificate {
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    serial: certificate.serialNumber.toLowerCase(),
    fingerprint: hex(certificate.fingerprint256),
  };
}

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

function certificatesOf(chain: string): X509Certificate[] {
  try {
    return (chain.match(BLOCK) ?? []).map((pem) => new X509Certificate(pem));
  } catch (error) {
    throw new CertificateError(`the certificate cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function privateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    // Its own words may hold parts of the key.
    throw new CertificateError("the private key cannot be read", { cause: error });
  }
}

function checkPair([leaf, ...rest]: readonly X509Certificate[], key: KeyObject): void {
  if (leaf === undefined) throw new CertificateError("there is no certificate in it");
  if (!leaf.checkPrivateKey(key)) {
    throw new CertificateError("the key is another certificate's");
  }
  let signed = leaf;
  for (const [at, issuer] of rest.entries()) {
    if (!signed.checkIssued(issuer)) {
      throw new CertificateError(
        `certificate ${at + 2} of the chain did not sign certificate ${at + 1}`,
      );
    }
    signed = issuer;
  }
}

/** `DNS:a.example, IP Address:192.0.2.1`; other kinds of names are nobody's to ask for. */
function namesOf({ subjectAltName }: X509Certificate): string[] {
  return (subjectAltName ?? "").split(/,\s*/).flatMap((entry) => {
    const [, name] = /^(?:DNS|IP Address):(.+)$/.exec(entry) ?? [];
    return name === undefined ? [] : [name.toLowerCase()];
  });
}

function hex(spaced: string): string {
  return spaced.replaceAll(":", "").toLowerCase();
}

/** Names come a part a line. */
function oneLine(name: string): string {
  return name.split("\n").reverse().join(",");
}
