/**
 * The counters of certificates and handshakes. When a certificate ends is read at the moment of the scrape;
 * a handshake is counted once, and none of its requests is.
 */
import type { CertificateStatus, CertificateTurn } from "../model.ts";
import { type ConnectionTls, HANDSHAKE_FAILURES, type HandshakeFailure } from "../platform/tls.ts";
import { joinedNames } from "./certificate_words.ts";
import { METRICS } from "./metrics_names.ts";
import { NONE } from "./metrics_series.ts";
import { type Exposition, labelled } from "./metrics_text.ts";
import type { Status } from "./status.ts";

/** Names of a certificate that stand in its label; of the others only how many there are. */
const NAMES_MAX = 3;
/** What can be agreed on; a counter that appears with its first event hides it from `increase`. */
const VERSIONS = ["TLSv1.2", "TLSv1.3"];
const PROTOCOLS = ["h2", "http/1.1", NONE];

export class TlsSeries {
  readonly #renewals = { renewed: 0, failed: 0 };
  /** By version, then by protocol. */
  readonly #handshakes = new Map(
    VERSIONS.map((version) => [version, new Map(PROTOCOLS.map((name) => [name, 0]))]),
  );
  readonly #failures = new Map<HandshakeFailure, number>(
    HANDSHAKE_FAILURES.map((kind) => [kind, 0]),
  );

  certified({ kind }: CertificateTurn): void {
    if (kind === "issued" || kind === "renewed" || kind === "reloaded") this.#renewals.renewed++;
    if (kind === "failed" || kind === "refused") this.#renewals.failed++;
  }

  secured({ version, protocol = NONE }: ConnectionTls): void {
    const counts = this.#handshakes.get(version);
    const count = counts?.get(protocol);
    if (count !== undefined) counts?.set(protocol, count + 1);
  }

  failed(kind: HandshakeFailure): void {
    this.#failures.set(kind, (this.#failures.get(kind) ?? 0) + 1);
  }

  writeTo(text: Exposition, { certificates, root }: Status): void {
    text.family(METRICS.certificateExpiry);
    const ends = certificates.filter(({ validTo }) => validTo !== undefined);
    for (const [labels, group] of byLabels(ends)) {
      text.sample(labels, Math.min(...group.map(({ validTo = Infinity }) => validTo)) / 1000);
    }
    text.family(METRICS.certificateProblem);
    for (const [labels, group] of byLabels(certificates)) {
      text.sample(labels, group.some(({ problem }) => problem !== undefined) ? 1 : 0);
    }
    // Where no TLS is spoken nothing of it is told.
    const isSpoken = certificates.length > 0 || root;
    text.family(METRICS.certificateRenewals);
    const renewals = isSpoken ? Object.entries(this.#renewals) : [];
    for (const [result, value] of renewals) text.sample(labelled({ result }), value);
    text.family(METRICS.handshakes);
    for (const [version, counts] of isSpoken ? this.#handshakes : []) {
      for (const [protocol, value] of counts) text.sample(labelled({ version, protocol }), value);
    }
    text.family(METRICS.handshakeFailures);
    for (const [reason, value] of isSpoken ? this.#failures : []) {
      text.sample(labelled({ reason }), value);
    }
  }
}

/** Those that cannot be told apart by their labels make one sample, as the same labels twice fail a scrape. */
function byLabels(
  certificates: readonly CertificateStatus[],
): ReadonlyMap<string, readonly CertificateStatus[]> {
  return Map.groupBy(
    certificates,
    ({ names, source, issuer }) =>
      labelled({ names: joinedNames(names, NAMES_MAX), source, issuer }),
  );
}
