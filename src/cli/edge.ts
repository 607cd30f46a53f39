/** Makes what holds certificates out of what the platform has. */
import type { Log } from "../ops/log.ts";
import type { Platform } from "../platform/platform.ts";
import { TlsEdge } from "../tls/edge.ts";
import { ProofBoard } from "../tls/proofs.ts";
import { type EdgeEars, edgeLog } from "./edge_log.ts";
import { vaults } from "./vault.ts";

export function edgeOf(platform: Platform, log: Log, ears?: EdgeEars): TlsEdge {
  const { clock } = platform;
  const proofs = new ProofBoard();
  const edge: TlsEdge = new TlsEdge({
    clock,
    random: () => platform.random(),
    workshop: platform,
    platform,
    vault: vaults({ platform, log, proofs }),
    proofs,
    ...edgeLog({ log, clock, ears, standing: (rules) => edge.standing(rules) }),
  });
  return edge;
}
