/**
 * The authority of our own, for names that none on the Internet would sign: a root that people trust once,
 * an intermediate of a week that signs for it, and certificates as they are asked for.
 */
import { FileError } from "../platform/platform.ts";
import type { CertificateFacts } from "../platform/tls.ts";
import {
  BACKDATED_MS,
  INTERMEDIATE_LIFE_MS,
  keptCertificate,
  keptIntermediate,
  madeIntermediate,
  type Means,
  rootOf,
  SERIAL_BYTES,
} from "./internal_files.ts";
import { type Identity, IssueError, type Issuer, type Store } from "./issuer.ts";
import { type AlternativeName, alternativeNames } from "./subject.ts";
import { makeLeaf, type Signer, spanOf } from "./x509.ts";

/** Who works on its files takes turns under this name, which no host has. */
const TURN = "internal authority";
/** Of a subject's name (RFC 5280 appendix A.1). */
const COMMON_NAME_MAX = 64;

export interface AuthorityParts extends Omit<Means, "store"> {
  /** Always the same one: another folder is another authority. Rejects with `FileError` where it cannot be opened for now. */
  readonly store: () => Promise<Store>;
}

export class InternalAuthority {
  readonly #parts: AuthorityParts;
  /** Without its key, which only those that it signs need. */
  #root: { readonly pem: string; readonly to: number } | undefined;
  #intermediate: Signer | undefined;

  constructor(parts: AuthorityParts) {
    this.#parts = parts;
  }

  /** Gives certificates of this lifetime. */
  issuer(lifetimeMs: number): Issuer {
    return {
      name: "internal",
      issue: (names, { signal }) => this.issue(names, lifetimeMs, signal),
      renewal: () => Promise.resolve(undefined),
    };
  }

  /** The certificate with its intermediate. Ends with the intermediate at the latest. Rejects with `IssueError`. */
  async issue(
    names: readonly string[],
    lifetimeMs: number,
    signal: AbortSignal,
  ): Promise<Identity> {
    const subject = alternativeNames(names);
    const signer = await this.#signerFor(lifetimeMs, signal);
    const now = this.#parts.clock.now();
    const { from, to } = spanOf(signer);
    const leaf = await makeLeaf(
      {
        commonName: commonNameOf(subject),
        serial: this.#parts.randomBytes(SERIAL_BYTES),
        from: Math.max(now - BACKDATED_MS, from),
        to: Math.min(now + lifetimeMs, to),
      },
      subject,
      signer,
    );
    return { chain: leaf.chain + signer.pem, key: leaf.key };
  }

  /** PEM of the root, which is made where there is none. Rejects with `IssueError`. */
  async root(signal: AbortSignal): Promise<string> {
    const { pem } = this.#root ?? await this.#inTurn(signal, (means) => this.#readRoot(means));
    return pem;
  }

  /** Its end above all: people have to trust another one before that. Rejects with `IssueError`. */
  async rootFacts(signal: AbortSignal): Promise<CertificateFacts> {
    return this.#parts.certificateFacts(await this.root(signal));
  }

  /** PEM of the root where there is one. Rejects with `IssueError`. */
  async knownRoot(): Promise<string | undefined> {
    return await inWords(async () => keptCertificate(await this.#parts.store()));
  }

  async #signerFor(lifetimeMs: number, signal: AbortSignal): Promise<Signer> {
    if (this.#suits(this.#intermediate, lifetimeMs)) return this.#intermediate;
    return await this.#inTurn(signal, async (means) => {
      // Another may have had one made meanwhile, here or in another process.
      if (this.#suits(this.#intermediate, lifetimeMs)) return this.#intermediate;
      const root = await this.#readRoot(means);
      const kept = await keptIntermediate(root, means);
      const suits = this.#suits(kept, lifetimeMs);
      return this.#intermediate = suits ? kept : await madeIntermediate(root, means);
    });
  }

  async #readRoot(means: Means): Promise<Signer> {
    const root = await rootOf(means);
    this.#root = { pem: root.pem, to: spanOf(root).to };
    return root;
  }

  /** Whether two thirds of its life are not over, and it outlives what it is to sign as far as any would. */
  #suits(signer: Signer | undefined, lifetimeMs: number): signer is Signer {
    if (signer === undefined || this.#root === undefined) return false;
    const now = this.#parts.clock.now();
    const { from, to } = spanOf(signer);
    // Made anew it would end no later.
    if (to >= this.#root.to) return now < to;
    const third = INTERMEDIATE_LIFE_MS / 3;
    return from <= now && to - now > Math.max(third, Math.min(lifetimeMs, 2 * third));
  }

  async #inTurn<T>(signal: AbortSignal, work: (means: Means) => Promise<T>): Promise<T> {
    return await inWords(async () => {
      const store = await this.#parts.store();
      return await store.exclusively(TURN, signal, () => work({ ...this.#parts, store }));
    }, signal);
  }
}

function commonNameOf(subject: readonly AlternativeName[]): string {
  const [first] = subject;
  return first !== undefined && first.value.length <= COMMON_NAME_MAX ? first.value : "";
}

/** What an issuer may reject with is one kind of error alone; a bug stays what it is. */
async function inWords<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FileError) throw new IssueError(error.message, { cause: error });
    if (signal?.aborted && error === signal.reason) {
      throw new IssueError("Stopped before the local authority had its turn", { cause: error });
    }
    throw error;
  }
}
