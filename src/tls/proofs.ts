/**
 * What is shown to authorities that want a name proved, while they look: the request path asks it for a
 * token's answer, the door of TLS for a name's certificate. Holds only what is being proved right now.
 */
import type { Identity } from "./issuer.ts";

/** The side that is asked. */
export interface Proofs {
  /** What is answered at `/.well-known/acme-challenge/TOKEN` (RFC 8555 section 8.3). */
  http(token: string): string | undefined;
  /** What a client is shown that asks for this name by `acme-tls/1` (RFC 8737). */
  alpn(name: string): Identity | undefined;
}

export class ProofBoard implements Proofs {
  readonly #http = new Map<string, string>();
  /** Two orders may prove one name at once; the later one is shown. */
  readonly #alpn = new Map<string, readonly Identity[]>();

  http(token: string): string | undefined {
    return this.#http.get(token);
  }

  alpn(name: string): Identity | undefined {
    return this.#alpn.get(name)?.at(-1);
  }

  /** Shown until the returned function is called. */
  showHttp(token: string, answer: string): () => void {
    this.#http.set(token, answer);
    return () => void this.#http.delete(token);
  }

  /** `name` as clients ask for it, lower case. Shown until the returned function is called. */
  showAlpn(name: string, identity: Identity): () => void {
    this.#alpn.set(name, [...this.#alpn.get(name) ?? [], identity]);
    return () => {
      const left = (this.#alpn.get(name) ?? []).filter((one) => one !== identity);
      if (left.length > 0) this.#alpn.set(name, left);
      else this.#alpn.delete(name);
    };
  }
}
