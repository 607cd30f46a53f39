/**
 * TLS as a whole, while the process runs: who keeps which certificate, how a handshake is answered, what
 * the request path may ask. Takes a new configuration over without a moment in which a name has nothing.
 */
import { addressKey } from "../address.ts";
import { covers } from "../names.ts";
import type { CertificateStatus, Renewal, Revocation } from "../model.ts";
import type { Handshake, NamedIdentity, TlsDoor } from "../platform/tls.ts";
import type { ListenRules } from "../rules.ts";
import type { CertificateRules, TlsRules } from "../tls_rules.ts";
import { clientAuthorities, usesAuthority } from "./certificate_rules.ts";
import { statusOf } from "./certificate_status.ts";
import type { EdgeDeps, Vault } from "./edge_deps.ts";
import { type Holder, openHolder } from "./holder.ts";
import { Keeper } from "./keeper.ts";
import { Lookout } from "./lookout.ts";
import { within } from "./nap.ts";
import { mayMake, OnDemand } from "./on_demand.ts";
import { PROOF_PROTOCOL, proofHandshake } from "./proof_handshake.ts";
import { sameSource } from "./same_source.ts";
import { Shelf, type Shown } from "./shelf.ts";
import { Turns } from "./turns.ts";

/** A handshake waits that long for the first certificate of its name, in milliseconds. */
const FIRST_WAIT_MS = 8_000;
/** Certificates ordered at once. */
const ORDERS_MAX = 4;

export class TlsEdge {
  readonly #deps: EdgeDeps;
  readonly #shelf = new Shelf(() => this.#heard());
  readonly #holders = new Map<string, Holder>();
  /** Certificates that are configured no more, shown until others are there for their names. */
  readonly #retired = new Map<string, CertificateRules>();
  readonly #lookout: Lookout;
  readonly #turns = new Turns(ORDERS_MAX);
  #rules: TlsRules | undefined;
  #onDemand: OnDemand | undefined;
  #heard: () => void = () => {};

  constructor(deps: EdgeDeps) {
    this.#deps = deps;
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
      if (next !== undefined && isSame && sameSource(holder.rules, next)) continue;
      holder.stop();
      this.#holders.delete(id);
      if (next === undefined) this.#retired.set(id, holder.rules);
    }
    if (rules !== undefined) {
      for (const one of wanted.values()) if (!this.#holders.has(one.id)) this.#hold(one);
      this.#onDemand = this.#openOnDemand(rules);
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
      choose: (hello, localIp): Handshake | Promise<Handshake> => {
        const { name, protocols: offered } = hello;
        if (name !== undefined && offered.includes(PROOF_PROTOCOL)) {
          return proofHandshake(name, this.#deps);
        }
        const asked = name ?? this.#rules?.defaultName ?? localIp;
        const shown = this.#shelf.find(key, asked) ?? this.#late(key, asked);
        return shown instanceof Promise
          ? shown.then((late) => this.#choice(late, { host: name ?? localIp, protocols }))
          : this.#choice(shown, { host: name ?? localIp, protocols });
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
      vault: this.#vault,
      told: (one, course) => {
        this.#sweep();
        this.#deps.told(one, course);
      },
    });
    this.#holders.set(rules.id, holder);
    if (holder instanceof Keeper) void holder.run();
  }

  #openOnDemand({ onDemand }: TlsRules): OnDemand | undefined {
    if (onDemand.names === "none") return undefined;
    const { clock, workshop, madeFailed: failed } = this.#deps;
    const issuer = this.#vault.internalIssuer(onDemand.lifetimeMs);
    const { signal } = new AbortController();
    const issue = (name: string) => issuer.issue([name], { replaced: undefined, signal });
    return new OnDemand({ clock, workshop, issue, failed });
  }

  /** One that is on its way, or that is made when it is asked for. */
  #late(listener: string, name: string): Shown | undefined | Promise<Shown | undefined> {
    const keeper = [...this.#holders.values()].find((holder) =>
      holder instanceof Keeper && holder.rules.names.some((one) => covers(one, name))
    );
    if (keeper instanceof Keeper) {
      const ready = within(this.#deps.clock, FIRST_WAIT_MS, keeper.ready);
      return ready.then(() => this.#shelf.find(listener, name));
    }
    return mayMake(name, this.#rules?.onDemand.names ?? "none")
      ? this.#onDemand?.find(name)
      : undefined;
  }

  #choice(
    shown: Shown | undefined,
    { host, protocols }: { host: string; protocols: readonly string[] },
  ): Handshake {
    if (shown === undefined || this.#rules === undefined) return undefined;
    const authorities = clientAuthorities(this.#rules, host);
    return {
      context: shown.context(authorities, this.#rules.minVersion),
      protocols,
      asksClient: authorities.length > 0,
    };
  }

  /** Lets go of what is configured no more, once nobody needs it. */
  #sweep(): void {
    const wanted = (this.#rules?.certificates ?? []).filter(({ source }) =>
      source.kind !== "files"
    );
    for (const [id, { names }] of this.#retired) {
      const isNeeded = wanted.some((one) =>
        this.#shelf.get(one.id) === undefined &&
        one.names.some((name) => names.some((old) => covers(old, name)))
      );
      if (isNeeded) continue;
      this.#retired.delete(id);
      if (!this.#holders.has(id)) this.#shelf.remove(id);
    }
  }
}
