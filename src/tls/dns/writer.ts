/** What everybody who writes records of names promises. No behaviour lives here. */

/** Label that records which prove a name stand at (RFC 8555 section 8.4). */
export const CHALLENGE_LABEL = "_acme-challenge";

/** A TXT record that proves a name (RFC 8555 section 8.4). */
export interface DnsRecord {
  /** Lower case, no dot at the end. */
  readonly name: string;
  readonly value: string;
}

export interface DnsWriter {
  /** Only one record of a slot can stand at a time; undefined where any number can. */
  slot(name: string): string | undefined;
  /** Between two records of one slot, in milliseconds: others remember the first for a while. */
  readonly restMs: number;
  /** Adds records beside what is there. Rejects with `DnsError`. */
  present(records: readonly DnsRecord[], signal: AbortSignal): Promise<void>;
  /** Takes these records away and no others; that they are gone already is no failure. Rejects with `DnsError`. */
  cleanup(records: readonly DnsRecord[], signal: AbortSignal): Promise<void>;
}

/** A record that could not be written, in words without secrets. */
export class DnsError extends Error {
  override readonly name = "DnsError";
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options: ErrorOptions & { readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}
