/**
 * Proves names by records: finds out where each belongs, has it written, and waits until it can be seen. That
 * one cannot be seen here is no end of it, as the authority may see more; it is only told.
 */
import type { Clock, Names, Platform } from "../../platform/platform.ts";
import type { DnsRules } from "../../tls_rules.ts";
import { limited } from "../limit.ts";
import { Cloudflare } from "./cloudflare.ts";
import { Desec } from "./desec.ts";
import { DuckDns } from "./duckdns.ts";
import { Exec } from "./exec.ts";
import { CHALLENGE_LABEL, type DnsRecord, type DnsWriter } from "./writer.ts";
import { Zones } from "./zones.ts";

/** Between two looks for records, in milliseconds. */
const LOOK_MS = 2_000;
/** For taking records away, in milliseconds; this goes on when nobody waits for a certificate any more. */
const CLEANUP_MAX_MS = 20_000;

export interface DnsDeps {
  readonly clock: Clock;
  readonly errand: Platform["errand"];
  readonly names: Names;
  readonly runProgram: Platform["runProgram"];
}

export class DnsProver {
  readonly #rules: DnsRules;
  readonly #clock: Clock;
  readonly #writer: DnsWriter;
  readonly #zones: Zones;

  constructor(rules: DnsRules, deps: DnsDeps) {
    this.#rules = rules;
    this.#clock = deps.clock;
    this.#writer = writerOf(rules, deps);
    this.#zones = new Zones(deps.names, rules.resolvers);
  }

  /** Only one record of a slot can stand at a time; undefined where any number can. */
  slot({ name }: DnsRecord): string | undefined {
    return this.#writer.slot(name);
  }

  /** Between two records of one slot, in milliseconds. */
  get restMs(): number {
    return this.#writer.restMs;
  }

  /** The record that proves a name, which may belong elsewhere (CNAME). */
  async record(name: string, value: string, signal: AbortSignal): Promise<DnsRecord> {
    return { name: await this.#zones.home(`${CHALLENGE_LABEL}.${name}`, signal), value };
  }

  /** Settles when all can be seen, or for too long not; says of the latter where. Rejects with `DnsError`. */
  async present(
    records: readonly DnsRecord[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<DnsRecord, string>> {
    await this.#writer.present(records, signal);
    await this.#clock.sleep(this.#rules.delayMs, signal);
    return await this.#watched(records, signal);
  }

  /** Rejects with `DnsError`. */
  async cleanup(records: readonly DnsRecord[]): Promise<void> {
    const { signal, end } = limited(CLEANUP_MAX_MS, this.#clock);
    try {
      await this.#writer.cleanup(records, signal);
    } finally {
      end();
    }
  }

  async #watched(
    records: readonly DnsRecord[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<DnsRecord, string>> {
    const { timeoutMs } = this.#rules;
    const missed = new Map<DnsRecord, string>();
    if (timeoutMs === 0) return missed;
    const began = this.#clock.elapsed();
    let left = records;
    for (;;) {
      missed.clear();
      for (const record of left) {
        const blind = await this.#zones.blind(record, signal);
        if (blind.length > 0) {
          missed.set(record, `"${record.name}" not seen at ${blind.join(", ")}`);
        }
      }
      left = [...missed.keys()];
      const restMs = timeoutMs - (this.#clock.elapsed() - began);
      if (left.length === 0 || restMs <= 0) return missed;
      await this.#clock.sleep(Math.min(LOOK_MS, restMs), signal);
    }
  }
}

function writerOf({ provider, ttlS }: DnsRules, deps: DnsDeps): DnsWriter {
  switch (provider.kind) {
    case "cloudflare":
      return new Cloudflare({ ...provider, ttlS }, deps);
    case "desec":
      return new Desec({ ...provider, ttlS }, deps);
    case "duckdns":
      return new DuckDns(provider, deps);
    case "exec":
      return new Exec(provider.command, deps.runProgram);
  }
}
