/**
 * Which certificate a handshake would be shown, by the rules alone: for those who ask what would become of a
 * request. Looks on a shelf such as the one that handshakes are answered from.
 */
import type { CertificateFacts, TlsContext } from "../platform/tls.ts";
import type { CertificateRules, TlsRules } from "../tls_rules.ts";
import { mayMake } from "./on_demand.ts";
import { Shelf, Shown, type Workshop } from "./shelf.ts";

export type Foreseen =
  | { readonly kind: "held"; readonly rules: CertificateRules; readonly names: readonly string[] }
  /** When it is asked for, by the authority of our own. */
  | { readonly kind: "made" };

/** A handshake that is asked about. */
export interface Asked {
  /** Key of the listener (`addressKey`). */
  readonly listener: string;
  /** The name that is asked for, or the address that the client comes to. */
  readonly name: string;
  /** It asks for no name, as nobody does who has an address (RFC 6066 section 3). */
  readonly isUnnamed?: boolean;
}

const CONTEXT: TlsContext = { kind: "tls_context" };
/** Of one that is not there yet. */
const UNKNOWN = { issuer: "", serial: "", fingerprint: "", validFrom: 0, validTo: 0 };

/** Undefined where the handshake would fail. `factsOf` reads a chain, and may throw `CertificateError`. */
export function foresee(
  { certificates, onDemand, defaultName }: TlsRules,
  { listener, name: given, isUnnamed = false }: Asked,
  factsOf: (chain: string) => CertificateFacts,
): Foreseen | undefined {
  const shelf = new Shelf();
  const held = new Map<Shown, CertificateRules>();
  for (const rules of certificates) {
    const { names, source } = rules;
    const chain = source.kind === "files" ? source.chain.text : "";
    const workshop: Workshop = {
      tlsContext: () => CONTEXT,
      certificateFacts: (text) => text === "" ? { ...UNKNOWN, names } : factsOf(text),
    };
    const shown = new Shown({ chain, key: "" }, workshop);
    shelf.put(rules, shown);
    held.set(shown, rules);
  }
  const hasOwn = !isUnnamed || shelf.named(listener, given) !== undefined;
  const name = hasOwn ? given : defaultName ?? given;
  const shown = shelf.find(listener, name);
  const rules = shown && held.get(shown);
  if (rules !== undefined) {
    return {
      kind: "held",
      rules,
      names: rules.names.length > 0 ? rules.names : shown?.facts.names ?? [],
    };
  }
  return mayMake(name, onDemand.names) ? { kind: "made" } : undefined;
}
