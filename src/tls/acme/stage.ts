/**
 * Where proofs are shown while an authority looks: on the board of those that come by HTTP or TLS, or as
 * records of names. Knows which of them cannot be shown at once, and takes each away again.
 */
import type { Clock } from "../../platform/platform.ts";
import type { Challenge } from "../../tls_rules.ts";
import { DnsError, type DnsRecord } from "../dns/writer.ts";
import type { DnsProver } from "../dns/prover.ts";
import type { ProofBoard } from "../proofs.ts";
import type { Refusal } from "./attempts.ts";
import { alpnIdentity } from "./alpn.ts";
import type { Authorization } from "./library.ts";
import { sniOf } from "./sni.ts";

/** What proves one name of an order. */
export interface Proof {
  readonly name: string;
  readonly challenge: Challenge;
  readonly authorization: Authorization;
  readonly token: string;
  /** What is shown (RFC 8555 section 8.1): for a record, its digest. */
  readonly answer: string;
  /** Where the challenge is one of records. */
  readonly record: DnsRecord | undefined;
}

export interface StageDeps {
  readonly clock: Clock;
  readonly board: ProofBoard;
  readonly dns: DnsProver | undefined;
  /** Told of records that could not be taken away. */
  readonly left: (words: string) => void;
}

/** What is on show. */
export interface Show {
  /** Proofs that could not be shown. */
  readonly refused: readonly Refusal[];
  /** Remarks on proofs that may fail. */
  readonly remarks: ReadonlyMap<Proof, string>;
  /** Takes all of it away. Never rejects. */
  readonly close: () => Promise<void>;
}

export class Stage {
  readonly #deps: StageDeps;

  constructor(deps: StageDeps) {
    this.#deps = deps;
  }

  /** Between two rounds, in milliseconds. */
  get restMs(): number {
    return this.#deps.dns?.restMs ?? 0;
  }

  /** Proofs that can be shown at once, in rounds. */
  rounds(proofs: readonly Proof[]): readonly (readonly Proof[])[] {
    const rounds: Proof[][] = [];
    const used = new Map<string, number>();
    for (const proof of proofs) {
      const slot = proof.record && this.#deps.dns?.slot(proof.record);
      const at = slot === undefined ? 0 : used.get(slot) ?? 0;
      if (slot !== undefined) used.set(slot, at + 1);
      (rounds[at] ??= []).push(proof);
    }
    return rounds;
  }

  async show(proofs: readonly Proof[], signal: AbortSignal): Promise<Show> {
    const closers: (() => Promise<void> | void)[] = [];
    const close = async (): Promise<void> => {
      for (const one of closers) await one();
    };
    try {
      for (const proof of proofs) {
        if (proof.challenge === "http-01") closers.push(this.#showHttp(proof));
        if (proof.challenge === "tls-alpn-01") closers.push(await this.#showAlpn(proof));
      }
      const byRecord = new Map(
        proofs.flatMap((proof) => proof.record === undefined ? [] : [[proof.record, proof]]),
      );
      const records = [...byRecord.keys()];
      if (records.length === 0) return { refused: [], remarks: new Map(), close };
      // Also where writing them fails, as some may have been written by then.
      closers.push(() => this.#takeAway(records));
      return { ...await this.#showRecords(byRecord, signal), close };
    } catch (error) {
      await close();
      throw error;
    }
  }

  #showHttp({ token, answer }: Proof): () => void {
    return this.#deps.board.showHttp(token, answer);
  }

  async #showAlpn({ name, answer }: Proof): Promise<() => void> {
    const { clock, board } = this.#deps;
    return board.showAlpn(sniOf(name), await alpnIdentity(name, answer, clock.now()));
  }

  async #showRecords(
    proofs: ReadonlyMap<DnsRecord, Proof>,
    signal: AbortSignal,
  ): Promise<Omit<Show, "close">> {
    try {
      const missed = await this.#deps.dns?.present([...proofs.keys()], signal);
      const remarks = [...missed ?? []].flatMap(([record, words]) => {
        const proof = proofs.get(record);
        return proof === undefined ? [] : [[proof, words] as const];
      });
      return { refused: [], remarks: new Map(remarks) };
    } catch (error) {
      if (!(error instanceof DnsError)) throw error;
      const { message: words, retryAfterMs } = error;
      const refused = [...proofs.values()].map(({ name, challenge }) => {
        return { name, challenge, words, retryAfterMs };
      });
      return { refused, remarks: new Map() };
    }
  }

  async #takeAway(records: readonly DnsRecord[]): Promise<void> {
    try {
      await this.#deps.dns?.cleanup(records);
    } catch (error) {
      this.#deps.left(error instanceof Error ? error.message : String(error));
    }
  }
}
