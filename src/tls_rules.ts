/**
 * What the operator wrote about TLS, parsed once: which listeners speak it, whose certificates come from
 * where, and what clients must show. Frozen data without optional settings; no behaviour lives here.
 */
/** A text of PEM and the file that it came from; undefined where it stands in the configuration itself. */
export interface PemText {
  readonly path: string | undefined;
  readonly text: string;
}

/** One certificate that is held and kept good. */
export interface CertificateRules {
  /** Stable while names and source stay the same; keys what is kept of it. */
  readonly id: string;
  /** Lower case, punycode; `*.` leads a wildcard. Empty where the certificate itself says whose it is. */
  readonly names: readonly string[];
  /** Keys of the listeners it is for (`addressKey`); empty for all. */
  readonly listeners: readonly string[];
  readonly source: CertificateSource;
}

export type CertificateSource =
  | { readonly kind: "files"; readonly chain: PemText; readonly key: PemText }
  /** The first issuer that gives one; the others stand in for it. */
  | { readonly kind: "acme"; readonly issuers: readonly AcmeRules[] }
  | { readonly kind: "internal"; readonly lifetimeMs: number };

export const CHALLENGES = ["http-01", "tls-alpn-01", "dns-01"] as const;
export type Challenge = typeof CHALLENGES[number];

export const KEY_TYPES = ["p256", "p384", "rsa2048", "rsa4096"] as const;
export type KeyType = typeof KEY_TYPES[number];

/** An authority that gives certificates by ACME (RFC 8555), and how it is asked. */
export interface AcmeRules {
  /** URL of its directory. */
  readonly directory: string;
  readonly email: string | undefined;
  /** Binds our account to one there (RFC 8555 section 7.3.4). `secretKey` is base64url. */
  readonly binding: { readonly keyId: string; readonly secretKey: string } | undefined;
  /** Proofs of a name that may be given, the preferred ones first. */
  readonly challenges: readonly Challenge[];
  /** Undefined where no records can be written. */
  readonly dns: DnsRules | undefined;
  /** PEM; trusted besides the system's for the directory itself. */
  readonly authorities: readonly string[];
  readonly keyType: KeyType;
  /** Profile of the authority's that is asked for. */
  readonly profile: string | undefined;
  /** Name in the issuer of the chain that is preferred where several are offered. */
  readonly chain: string | undefined;
}

/** How records of names are written. Tokens are secrets. */
export interface DnsRules {
  readonly provider: DnsProvider;
  /** Waits so long before a record is looked for, in milliseconds. */
  readonly delayMs: number;
  /** For a record to be seen at most, in milliseconds; 0 does not look. */
  readonly timeoutMs: number;
  /** Of the record, in seconds. */
  readonly ttlS: number;
  /** Name servers that are asked instead of those of the zone; `host:port`. */
  readonly resolvers: readonly string[];
}

export type DnsProvider =
  | { readonly kind: "cloudflare"; readonly token: string; readonly url: string }
  | { readonly kind: "desec"; readonly token: string; readonly url: string }
  | { readonly kind: "duckdns"; readonly token: string; readonly url: string }
  /** Called with `present` or `cleanup`, the record's name and its value. */
  | { readonly kind: "exec"; readonly command: readonly string[] };

/** What clients of some hosts are asked for, and must show. */
export interface ClientAuthRules {
  /** PEM. */
  readonly authorities: readonly string[];
  /** Who shows nothing is turned away. */
  readonly required: boolean;
}

/** How a route and TLS go together. */
export interface RouteTls {
  /** What a request in the clear gets: an answer, or the way to where TLS is spoken. */
  readonly inTheClear: "answer" | "redirect";
  /** Value of `Strict-Transport-Security` (RFC 6797); undefined sends none. */
  readonly hsts: string | undefined;
  /** Undefined asks for nothing. The same authorities for all routes of a host. */
  readonly clientAuth: ClientAuthRules | undefined;
}

/** TLS as a whole. */
export interface TlsRules {
  readonly minVersion: "1.2" | "1.3";
  /** Folder of accounts, keys and certificates; undefined takes the usual place. */
  readonly storage: string | undefined;
  readonly certificates: readonly CertificateRules[];
  /** Names that no certificate above is for, but some route is: made on demand by the authority of our own. */
  readonly onDemand: OnDemandRules;
  /** Stands in where a client asks for no name. */
  readonly defaultName: string | undefined;
  /** Port that requests in the clear are sent to; undefined takes that of the first listener with TLS. */
  readonly redirectPort: number | undefined;
  /** Hosts whose clients are asked for a certificate, as in routes. */
  readonly clientAuth: readonly {
    readonly hosts: readonly string[];
    readonly authorities: readonly string[];
  }[];
}

export interface OnDemandRules {
  /** `private`: names that no authority of the Internet's would sign, and addresses. */
  readonly names: "none" | "private" | "any";
  readonly lifetimeMs: number;
}
