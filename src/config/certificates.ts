/**
 * Puts together what the levels of `tls` say: which listeners speak it, which certificates are to be held
 * and where each comes from. Pure but for reading whose names a file's certificate holds.
 */
import { addressKey } from "../address.ts";
import { bareHost, covers, isPrivateName } from "../names.ts";
import type { ListenRules } from "../rules.ts";
import type { CertificateRules, CertificateSource, Challenge, TlsRules } from "../tls_rules.ts";
import { type AcmeDraft, overlaid, toAcme } from "./acme.ts";
import { acmeClashes } from "./acme_clash.ts";
import type { Clash } from "./course.ts";
import type { Path } from "./places.ts";
import type { RouteTlsDraft, TlsDraft } from "./tls.ts";
import { LIFETIME_MS, type PairDraft, type SourceDraft } from "./tls_source.ts";

/** A listener as far as it is settled, and what its level says. */
export interface Place {
  readonly rules: ListenRules;
  readonly tls: SourceDraft | undefined;
}

/** What a route asks of certificates. */
export interface Asking {
  readonly path: Path;
  readonly hosts: readonly string[];
  readonly ports: readonly number[];
  readonly tls: RouteTlsDraft | undefined;
}

export interface Levels {
  readonly top: TlsDraft | undefined;
  /** With TLS alone. */
  readonly places: readonly Place[];
  readonly routes: readonly Asking[];
  /** Proofs of names that the listeners make possible. */
  readonly possible: readonly Challenge[];
  readonly namesOf: (chain: string, key: string) => readonly string[];
}

export interface Held {
  readonly certificates: readonly CertificateRules[];
  readonly onDemand: TlsRules["onDemand"];
  readonly clashes: readonly Clash[];
}

type Kind = Exclude<SourceDraft["kind"], undefined>;

/** One level's wish for some names. */
interface Wish {
  readonly names: readonly string[];
  readonly listeners: readonly string[];
  readonly kind: Exclude<Kind, "auto" | "off">;
  readonly levels: readonly (SourceDraft | undefined)[];
  readonly path: Path;
}

/** All certificates that the routes need, each once. */
export function heldCertificates(levels: Levels): Held {
  const holder = new Holder(levels);
  holder.takePairs();
  holder.takeEntries();
  for (const route of levels.routes) holder.takeRoute(route);
  return holder.held();
}

class Holder {
  readonly #levels: Levels;
  readonly #certificates = new Map<string, CertificateRules>();
  readonly #clashes: Clash[] = [];
  /** Names that somebody has spoken for, whatever a route would choose by itself. */
  readonly #spokenFor: string[] = [];
  #names: "none" | "private" | "any" = "none";
  #lifetimeMs = LIFETIME_MS;

  constructor(levels: Levels) {
    this.#levels = levels;
  }

  /** Pairs of files that are shown to whoever asks for a name that nobody has another one for. */
  takePairs(): void {
    const { top, places } = this.#levels;
    if (top?.pair !== undefined) this.#pair(top.pair, { names: [], listeners: [], path: ["tls"] });
    for (const [at, { rules, tls }] of places.entries()) {
      if (tls?.pair === undefined) continue;
      const listeners = [addressKey(rules.address)];
      this.#pair(tls.pair, { names: [], listeners, path: ["listen", at, "tls"] });
    }
  }

  /** The list of certificates at the top. */
  takeEntries(): void {
    const { top } = this.#levels;
    for (const [at, entry] of (top?.certificates ?? []).entries()) {
      const path = ["tls", "certificates", at];
      if (entry.pair !== undefined) {
        this.#spokenFor.push(...this.#pair(entry.pair, { names: undefined, listeners: [], path }));
        continue;
      }
      const names = entry.hosts.map(bareHost);
      const chosen = chosenKind([entry, top]);
      const kind = chosen === "auto" || chosen === "files" ? kindFor(names) : chosen;
      if (kind === "off") {
        this.#clashes.push({ path, expected: '"issuer" other than off', received: '"off"' });
        continue;
      }
      this.#spokenFor.push(...names);
      this.#add({ names, listeners: [], kind, levels: [top, entry], path: [...path, "hosts"] });
    }
  }

  takeRoute({ path, hosts, ports, tls }: Asking): void {
    if (tls?.kind === "off") return;
    const names = hosts.filter((host) => host !== "*").map(bareHost);
    if (tls?.pair !== undefined) {
      this.#pair(tls.pair, { names, listeners: [], path: [...path, "tls"] });
      if (hosts.includes("*")) this.#names = "none";
      return;
    }
    const { top, places } = this.#levels;
    for (const place of places) {
      const { address } = place.rules;
      if (ports.length > 0 && address.kind === "tcp" && !ports.includes(address.port)) continue;
      const levels = [top, place.tls, tls];
      const kind = chosenKind([tls, place.tls, top]);
      const isOwn = tls?.kind === undefined && place.tls?.kind !== undefined;
      const listeners = isOwn ? [addressKey(address)] : [];
      for (const name of names) {
        const isSettled = tls?.kind === undefined &&
          this.#spokenFor.some((spoken) => covers(spoken, name));
        if (isSettled) continue;
        const one = kind === "auto" ? kindFor([name]) : kind;
        if (one === "files" || one === "off") continue;
        this.#add({ names: [name], listeners, kind: one, levels, path: [...path, "host"] });
      }
      if (hosts.includes("*")) this.#takeAny(kind, { levels, path });
    }
  }

  held(): Held {
    return {
      certificates: [...this.#certificates.values()],
      onDemand: { names: this.#names, lifetimeMs: this.#lifetimeMs },
      clashes: this.#clashes,
    };
  }

  /** A route for any host: nobody can order certificates for names that are not known yet. */
  #takeAny(kind: Kind, { levels, path }: Pick<Wish, "levels" | "path">): void {
    if (kind === "files" || kind === "off") return;
    if (kind === "acme") {
      const expected = "a host, as certificates are ordered for names,";
      this.#clashes.push({ path: [...path, "host"], expected, received: '"*"' });
      return;
    }
    this.#names = kind === "internal" || this.#names === "any" ? "any" : "private";
    this.#lifetimeMs = lifetimeOf(levels);
  }

  /** Names of the pair, where `names` leaves them to it. */
  #pair(
    { chain, key }: PairDraft,
    { names, listeners, path }: {
      readonly names: readonly string[] | undefined;
      readonly listeners: readonly string[];
      readonly path: Path;
    },
  ): readonly string[] {
    let found: readonly string[] = [];
    try {
      found = this.#levels.namesOf(chain.text, key.text);
    } catch (error) {
      const reason = error instanceof Error ? error.message : "it cannot be read";
      this.#clashes.push({
        path: [...path, "cert"],
        expected: "a certificate and key that can be used",
        received: `others: ${reason}`,
        // What the files hold is not for people to see.
        isOfKey: true,
      });
      return found;
    }
    const own = names ?? found;
    const place = chain.path ?? found.join(",");
    const id = ["files", place, ...own, ...listeners].join(" ");
    this.#certificates.set(id, {
      ...{ id, names: own, listeners },
      source: { kind: "files", chain, key },
    });
    return found;
  }

  #add({ names, listeners, kind, levels, path }: Wish): void {
    const sorted = names.toSorted();
    const id = [kind, ...sorted, ...listeners].join(" ");
    if (this.#certificates.has(id)) return;
    const source = kind === "internal"
      ? { kind, lifetimeMs: lifetimeOf(levels) } as const
      : this.#acme(levels);
    if (source.kind === "acme") this.#clashes.push(...acmeClashes(names, source.issuers, path));
    this.#certificates.set(id, { id, names: sorted, listeners, source });
  }

  #acme(levels: Wish["levels"]): Extract<CertificateSource, { kind: "acme" }> {
    const drafts = levels.reduce<readonly AcmeDraft[]>(
      (above, level) => overlaid(above, level?.acme),
      [{}],
    );
    const issuers = drafts.map((draft) => toAcme(draft, this.#levels.possible));
    return { kind: "acme", issuers };
  }
}

/** What the first of the levels says that says anything. */
function chosenKind(levels: readonly (SourceDraft | undefined)[]): Kind {
  return levels.find((level) => level?.kind !== undefined)?.kind ?? "auto";
}

function kindFor(names: readonly string[]): "acme" | "internal" {
  return names.every(isPrivateName) ? "internal" : "acme";
}

function lifetimeOf(levels: Wish["levels"]): number {
  return levels.findLast((level) => level?.lifetimeMs !== undefined)?.lifetimeMs ?? LIFETIME_MS;
}
