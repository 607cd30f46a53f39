/** Answers the handshake by which an authority has a name proven (RFC 8737): it wants a proof, not a page. */
import type { Handshake } from "../platform/tls.ts";
import type { EdgeDeps } from "./edge_deps.ts";

export const PROOF_PROTOCOL = "acme-tls/1";

/** Undefined where no proof of that name runs. */
export function proofHandshake(
  name: string,
  { proofs, workshop }: Pick<EdgeDeps, "proofs" | "workshop">,
): Handshake {
  const identity = proofs.alpn(name);
  if (identity === undefined) return undefined;
  const context = workshop.tlsContext({
    ...identity,
    ...{ clientAuthorities: [], minVersion: "1.2" },
  });
  return { context, protocols: [PROOF_PROTOCOL], asksClient: false };
}
