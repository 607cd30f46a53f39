/** Makes what holds certificates out of what the platform has, and puts what becomes of them into the log. */
import type { Log } from "../ops/log.ts";
import type { Platform } from "../platform/platform.ts";
import { TlsEdge } from "../tls/edge.ts";
import type { EdgeDeps } from "../tls/edge_deps.ts";
import { ProofBoard } from "../tls/proofs.ts";
import { vaults } from "./vault.ts";

export function edgeOf(platform: Platform, log: Log): TlsEdge {
  const proofs = new ProofBoard();
  const iso = (at: number): string => new Date(at).toISOString();
  const told: EdgeDeps["told"] = ({ id, names }, course) => {
    const certificate = names.length === 0 ? id : names.join(", ");
    switch (course.kind) {
      case "loaded":
      case "issued":
      case "renewed": {
        const { kind, issuer, validTo } = course;
        return log.info(`certificate.${kind}`, { certificate, issuer, expires: iso(validTo) });
      }
      case "reloaded":
        return log.info("certificate.reloaded", { certificate, expires: iso(course.validTo) });
      case "refused":
      case "unsaved":
        return log.warn(`certificate.${course.kind}`, { certificate, problem: course.reason });
      case "failed":
        return log.error("certificate.failed", {
          certificate,
          problem: course.reason,
          again: iso(course.againAt),
        });
    }
  };
  return new TlsEdge({
    clock: platform.clock,
    random: () => platform.random(),
    workshop: platform,
    platform,
    vault: vaults({ platform, log, proofs }),
    proofs,
    told,
    madeFailed: (name, problem) => log.error("certificate.failed", { certificate: name, problem }),
    handshakeFailed: ({ ip }, problem) => log.debug("handshake.failed", { ip, problem }),
  });
}
