/**
 * TLS as a whole, while the process runs: who keeps which certificate, how a handshake is answered, what
 * the request path may ask. Takes a new configuration over without a moment in which a name has nothing.
 */
import { addressKey } from "../address.ts";
import { covers } from "../names.ts";
import type { CertificateStatus, Renewal, Revocation } from "../model.ts";
import type { NamedIdentity, TlsDoor } from "../platform/tls.ts";
import type { ListenRules } from "../rules.ts";
import type { CertificateRules, TlsRules } from "../tls_rules.ts";
import { usesAuthority } from "./certificate_rules.ts";
import { statusOf } from "./certificate_status.ts";
import type { EdgeDeps, Vault } from "./edge_deps.ts";
import { Choosing } from "./choosing.ts";
import { FilePair } from "./files.ts";
import { type Holder, openHolder } from "./holder.ts";
import { Keeper } from "./keeper.ts";
import { Leftovers } from "./leftovers.ts";
import { Lookout } from "./lookout.ts";
import { mayMake, OnDemand } from "./on_demand.ts";
import { PROOF_PROTOCOL, proofHandshake } from "./proof_handshake.ts";
import { sameSource } from "./same_source.ts";
import { Shelf } from "./shelf.ts";
import { Turns } from "./turns.ts";

/** Certificates ordered at once. */
const ORDERS_MAX = 4;
/** Authorities are asked at once, when they want certificates renewed. */
const QUESTIONS_MAX = 4;

export class TlsEdge {
  readonly #deps: EdgeDeps;
  readonly #shelf = new Shelf(() => this.#heard());
  readonly #holders = new Map<string, Holder>();
  readonly #leftovers = new Leftovers(this.#shelf);
  readonly #choosing: Choosing;
  readonly #lookout: Lookout;
  readonly #turns = new Turns(ORDERS_MAX);
  readonly #questions = new Turns(QUESTIONS_MAX);
  #rules: TlsRules | undefined;
  #onDemand: OnDemand | undefined;
  #heard: () => void = () => {};

  constructor(deps: EdgeDeps) {
    this.#deps = deps;
    this.#choosing = new Choosing({
      ...{ clock: deps.clock, shelf: this.#shelf, holders: this.#holders },
      rules: () => this.#rules,
      onDemand: () => this.#onDemand,
    });
    this.#lookout = new Lookout({
      ...deps,
      held: () => (this.#rules?.certificates ?? []).map((one) => [one, this.standing(one)]),
      hasMade: () => this.#onDemand?.hasMade ?? false,
      root: () => this.root(),
    });
  }

  /** Takes the rules over. Never rejects: what cannot be had yet is asked for again. */
  replace(rules: TlsRules | undefined): void {
    const before = this.#rules;
    this.#rules = rules;
    const wanted = new Map((rules?.certificates ?? []).map((one) => [one.id, one]));
    const isSame = before?.storage === rules?.storage;
    for (const [id, holder] of this.#holders) {
      const next = wanted.get(id);
      if (next !== undefined && isSame && sameSource(holder.rules, next)) {
        // A watch may have missed what a restart would find.
        if (holder instanceof FilePair) holder.look();
        continue;
      }
      holder.stop();
      this.#holders.delete(id);
      if (next === undefined) this.#leftovers.add(holder.rules);
    }
    if (rules !== undefined) {
      for (const one of wanted.values()) if (!this.#holders.has(one.id)) this.#hold(one);
      this.#openOnDemand(rules, before);
    }
    this.#sweep();
    if (rules === undefined) this.#lookout.stop();
    else this.#lookout.look();
  }

  /** How connections to that listener become TLS. */
  door(listener: ListenRules): TlsDoor {
    const key = addressKey(listener.address);
    const protocols = listener.h2 ? ["h2", "http/1.1"] : ["http/1.1"];
    return {
      choose: (hello, localIp) => {
        const { name, protocols: offered } = hello;
        return name !== undefined && offered.includes(PROOF_PROTOCOL)
          ? proofHandshake(name, this.#deps)
          : this.#choosing.choose(name, { listener: key, localIp, protocols });
      },
      failed: (peer, ...why) => this.#deps.handshakeFailed(peer, ...why),
      secured: (tls) => this.#deps.secured(tls),
    };
  }

  /** Calls whenever another certificate is shown than before. */
  hear(hearer: () => void): void {
    this.#heard = hearer;
  }

  /** All that are shown on a listener. */
  identities({ address }: ListenRules): readonly NamedIdentity[] {
    return this.#shelf.identities(addressKey(address));
  }

  /** What proves to an authority that a token was given to us (RFC 8555 section 8.3). */
  proof(token: string): string | undefined {
    return this.#deps.proofs.http(token);
  }

  /** Whether whoever asks for that host with TLS is shown a certificate for it, now or soon. */
  secures(host: string): boolean {
    const { certificates, onDemand } = this.#rules ?? { certificates: [], onDemand: undefined };
    const isNamed = certificates.some(({ names, source }) =>
      (names.length === 0 && source.kind === "files") || names.some((one) => covers(one, host))
    );
    return isNamed || this.#shelf.has(host) || mayMake(host, onDemand?.names ?? "none");
  }

  /** PEM of the root of the authority here, where there is one. Rejects with `IssueError`. */
  root(): Promise<string | undefined> {
    return this.#vault.root();
  }

  /** Has the certificate for that name issued anew, and the old one called back where a reason is given. */
  async renew(name: string, reason?: Revocation): Promise<Renewal> {
    const rules = this.#rules?.certificates.find(({ names }) =>
      names.some((one) => covers(one, name))
    );
    const holder = rules && this.#holders.get(rules.id);
    if (holder === undefined) return { kind: this.#shelf.has(name) ? "from_files" : "unknown" };
    if (!(holder instanceof Keeper)) return { kind: "from_files" };
    const problem = await (reason === undefined ? holder.renew() : holder.revoke(reason));
    if (problem !== undefined) return { kind: "failed", reason: problem };
    return { kind: "renewed", certificate: this.standing(holder.rules) };
  }

  /** How things stand with each certificate, in the order of the configuration. */
  status(): readonly CertificateStatus[] {
    return (this.#rules?.certificates ?? []).map((rules) => this.standing(rules));
  }

  /** How things stand with one. */
  standing(rules: CertificateRules): CertificateStatus {
    const holder = this.#holders.get(rules.id);
    return statusOf(rules, {
      shown: this.#shelf.get(rules.id),
      problem: holder?.problem,
      issuer: holder instanceof Keeper ? holder.issuer : undefined,
      nextAt: holder instanceof Keeper ? holder.nextAt : undefined,
      now: this.#deps.clock.now(),
    });
  }

  /** Whether certificates are signed by the authority of our own. */
  get isAuthority(): boolean {
    return this.#rules !== undefined && usesAuthority(this.#rules);
  }

  /** Settles once each certificate is there, or its first attempt has failed. */
  async settled(): Promise<void> {
    const keepers = [...this.#holders.values()].filter((one) => one instanceof Keeper);
    await Promise.all(keepers.map(({ ready }) => ready));
  }

  close(): void {
    this.#lookout.stop();
    for (const holder of this.#holders.values()) holder.stop();
    this.#holders.clear();
  }

  get #vault(): Vault {
    return this.#deps.vault(this.#rules?.storage);
  }

  #hold(rules: CertificateRules): void {
    const holder = openHolder(rules, {
      ...this.#deps,
      shelf: this.#shelf,
      turns: this.#turns,
      questions: this.#questions,
      vault: this.#vault,
      told: (one, course) => {
        this.#sweep();
        this.#deps.told(one, course);
      },
    });
    this.#holders.set(rules.id, holder);
    this.#leftovers.forget(rules.id);
    if (holder instanceof Keeper) void holder.run();
  }

  /** Those that were made are good still, unless others would be made now. */
  #openOnDemand({ onDemand, storage }: TlsRules, before: TlsRules | undefined): void {
    if (onDemand.names === "none") return;
    const isSame = before?.storage === storage &&
      before?.onDemand.lifetimeMs === onDemand.lifetimeMs;
    if (isSame && this.#onDemand !== undefined) return;
    const { clock, workshop, madeFailed: failed } = this.#deps;
    const issuer = this.#vault.internalIssuer(onDemand.lifetimeMs);
    const { signal } = new AbortController();
    const issue = (name: string) => issuer.issue([name], { replaced: undefined, signal });
    this.#onDemand = new OnDemand({ clock, workshop, issue, failed });
  }

  /** Lets go of what is configured no more, once nobody needs it. */
  #sweep(): void {
    const { certificates = [], onDemand } = this.#rules ?? {};
    const mayHaveMade = onDemand?.names !== "none" || this.#onDemand === undefined;
    if (this.#leftovers.isEmpty && mayHaveMade) return;
    const awaited = certificates.filter(({ id }) => !this.#shelf.isServed(id))
      .flatMap(({ names }) => names);
    this.#leftovers.sweep(awaited, this.#deps.clock.now());
    if (awaited.length === 0 && !mayHaveMade) this.#onDemand = undefined;
  }
}
