/**
 * Puts what becomes of certificates and handshakes into the log, and tells it to whoever hears of it
 * besides. Strangers bring handshakes about, so that those that fail are told to whoever debugs alone.
 */
import type { CertificateStatus, CertificateTurn } from "../model.ts";
import type { Log } from "../ops/log.ts";
import type { Clock } from "../platform/platform.ts";
import type { ConnectionTls, HandshakeFailure } from "../platform/tls.ts";
import type { EdgeDeps } from "../tls/edge_deps.ts";
import type { CertificateRules } from "../tls_rules.ts";

/** Who hears of it besides the log. */
export interface EdgeEars {
  readonly certified: (turn: CertificateTurn) => void;
  readonly secured: (tls: ConnectionTls) => void;
  readonly handshakeFailed: (kind: HandshakeFailure) => void;
}

export interface EdgeLogDeps {
  readonly log: Log;
  readonly clock: Pick<Clock, "now">;
  /** How a certificate stands at that moment. */
  readonly standing: (rules: CertificateRules) => CertificateStatus;
  readonly ears: EdgeEars | undefined;
}

type Told = Pick<
  EdgeDeps,
  "told" | "rootEnds" | "madeFailed" | "handshakeFailed" | "secured"
>;
type Course = Parameters<EdgeDeps["told"]>[1];

export function edgeLog({ log, clock, standing, ears }: EdgeLogDeps): Told {
  return {
    told(rules, course) {
      const at = clock.now();
      const certificate = standing(rules);
      const { names } = certificate;
      note(log, names.length === 0 ? rules.id : names.join(", "), { course, at });
      ears?.certified({ at, kind: course.kind, certificate });
    },
    rootEnds: (validTo) => log.warn("root.expiring", { expires: iso(validTo) }),
    madeFailed: (name, problem) => log.error("certificate.failed", { certificate: name, problem }),
    handshakeFailed({ ip }, problem, kind) {
      log.debug("handshake.failed", { ip, problem });
      ears?.handshakeFailed(kind);
    },
    secured: (tls) => ears?.secured(tls),
  };
}

function note(
  log: Log,
  certificate: string,
  { course, at }: { readonly course: Course; readonly at: number },
): void {
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
    case "expiring": {
      const level = course.validTo <= at ? "error" : "warn";
      return log[level]("certificate.expiring", { certificate, expires: iso(course.validTo) });
    }
  }
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
