/**
 * What everybody who gives certificates promises, an authority on the Internet and the one of our own
 * alike, and what a certificate is while it is held. No behaviour lives here.
 */

/** A certificate with its key. Texts are PEM. */
export interface Identity {
  /** The certificate, then those that lead to its authority. */
  readonly chain: string;
  readonly key: string;
}

/** A span of wall clock, in milliseconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Issuer {
  /** Short and stable, as a name of files and in logs: "acme-v02.api.letsencrypt.org". */
  readonly name: string;
  /**
   * A new certificate for these names. `replaced` is the chain it takes the place of. Rejects with
   * `IssueError`; settles soon after the signal aborts.
   */
  issue(
    names: readonly string[],
    options: { readonly replaced: string | undefined; readonly signal: AbortSignal },
  ): Promise<Identity>;
  /** When the authority wants the certificate renewed, where it says so. Never rejects. */
  renewal(chain: string, signal: AbortSignal): Promise<Advice | undefined>;
  /** Tells everybody that the certificate is not to be trusted any more. Rejects with `IssueError`. */
  readonly revoke?: (chain: string, reason: Revocation, signal: AbortSignal) => Promise<void>;
}

/** Reasons that a holder may give (RFC 5280 section 5.3.1). */
export const REVOCATIONS = ["unspecified", "key_compromise", "superseded", "cessation"] as const;
export type Revocation = typeof REVOCATIONS[number];

/** What an authority says of a certificate's renewal (RFC 9773). */
export interface Advice extends Span {
  /** To be asked again after this long, in milliseconds. */
  readonly againMs: number;
}

/** No certificate came, in words without secrets. */
export class IssueError extends Error {
  override readonly name = "IssueError";
  /** To be tried no sooner than after this long, in milliseconds; undefined leaves it open. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options: ErrorOptions & { readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** What is kept on disk of accounts, keys and certificates, by relative path. Rejects with `FileError`. */
export interface Store {
  /** Undefined where there is none. */
  read(path: string): Promise<string | undefined>;
  /** Whole or not at all, readable by us alone. */
  write(path: string, text: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Names of the files in a folder; none where there is no such folder. */
  list(folder: string): Promise<readonly string[]>;
  /** Works while nobody else does under this name, in this process or in another that shares the folder. */
  exclusively<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}
