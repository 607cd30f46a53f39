/**
 * The part of the port that is about TLS as a server speaks it: what a client says first, how it is
 * answered, and what is known of a connection afterwards. Which certificate suits whom, `tls/` knows.
 */

/** A certificate with its key, made ready for handshakes once. Only the platform that made it looks inside. */
export interface TlsContext {
  readonly kind: "tls_context";
}

/** What a context is made of. Texts are PEM. */
export interface TlsMaterial {
  /** The certificate, then those that lead to its authority, each before its issuer. */
  readonly chain: string;
  readonly key: string;
  /** Authorities of certificates that clients may show; empty where none is asked for. */
  readonly clientAuthorities: readonly string[];
  readonly minVersion: TlsVersion;
}

export type TlsVersion = "1.2" | "1.3";

/** What a client says before anything is decided (RFC 8446 section 4.1.2). */
export interface ClientHello {
  /** The name asked for (SNI), lower case; undefined where none is, as for an IP address. */
  readonly name: string | undefined;
  /** Protocols offered (ALPN), in the client's order. */
  readonly protocols: readonly string[];
}

/** How a handshake is answered. */
export interface TlsChoice {
  readonly context: TlsContext;
  /** Protocols we speak, the preferred one first. A client that offers others alone is refused. */
  readonly protocols: readonly string[];
  /** Asks for a certificate of the client's; without one the handshake succeeds all the same. */
  readonly asksClient: boolean;
}

/** How connections to a listener become TLS. */
export interface TlsDoor {
  /** Chooses by what the client said and the address of ours that it came to; undefined refuses it. */
  choose(hello: ClientHello, localIp: string): Handshake | Promise<Handshake>;
  /** Told of handshakes that came to nothing, in words. */
  failed(
    peer: { readonly ip: string; readonly port: number },
    reason: string,
    kind: HandshakeFailure,
  ): void;
  /** Told of those that succeeded. */
  secured?(tls: ConnectionTls): void;
}

/**
 * left: the client went · timeout · crowded: too many at once · malformed: no TLS · no_certificate: none for the
 * name it asked for · no_protocol: it offers none that is spoken (ALPN) · incompatible: no version or cipher in
 * common · rejected: the client refused, most often our certificate
 */
export const HANDSHAKE_FAILURES = [
  "left",
  "timeout",
  "crowded",
  "malformed",
  "no_certificate",
  "no_protocol",
  "incompatible",
  "rejected",
  "other",
] as const;

export type HandshakeFailure = typeof HANDSHAKE_FAILURES[number];

export type Handshake = TlsChoice | undefined;

/** What is known of a connection that speaks TLS. */
export interface ConnectionTls {
  /** "TLSv1.3", say. */
  readonly version: string;
  /** Name of the cipher suite. */
  readonly cipher: string;
  /** The name the client asked for. */
  readonly name: string | undefined;
  /** The protocol agreed on. */
  readonly protocol: string | undefined;
  /** What the client proved to be; undefined where it showed nothing that its authorities signed. */
  readonly client: ClientCertificate | undefined;
  /** Those that judged it, PEM; none where it was not asked for a certificate. */
  readonly authorities: readonly string[];
}

/** A client's certificate that one of the context's authorities signed. */
export interface ClientCertificate {
  /** Distinguished name, as RFC 4514 spells it. */
  readonly subject: string;
  readonly issuer: string;
  /** Hexadecimal, lower case. */
  readonly serial: string;
  /** SHA-256 of the certificate, hexadecimal, lower case. */
  readonly fingerprint: string;
}

/** What a certificate says of itself. */
export interface CertificateFacts {
  /** DNS names and IP addresses it is for, lower case. */
  readonly names: readonly string[];
  readonly issuer: string;
  /** Hexadecimal, lower case. */
  readonly serial: string;
  /** SHA-256, hexadecimal, lower case. */
  readonly fingerprint: string;
  /** Wall clock, in milliseconds. */
  readonly validFrom: number;
  readonly validTo: number;
}

/** A certificate with its key and the names that it is shown for. Texts are PEM. */
export interface NamedIdentity {
  readonly names: readonly string[];
  readonly chain: string;
  readonly key: string;
}

/** A certificate or key that cannot be used, in words. */
export class CertificateError extends Error {
  override readonly name = "CertificateError";
}
