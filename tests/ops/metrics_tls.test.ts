/** What is counted of certificates and handshakes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CertificateTurn } from "../../src/model.ts";
import { Prometheus } from "../../src/ops/metrics.ts";
import { HANDSHAKE_FAILURES } from "../../src/platform/tls.ts";
import { certificateStatus, status } from "../support/fake_status.ts";
import { readMetrics, samplesOf } from "../support/metrics_text.ts";

const NOW = 1_000_000_000;
const ONE = certificateStatus(NOW);

function counting(): Prometheus {
  return new Prometheus(() => ({ residentBytes: 1, cpuMs: 1, openFiles: undefined }));
}

function turn(kind: CertificateTurn["kind"]): CertificateTurn {
  return { at: NOW, kind, certificate: ONE };
}

const AGREED = {
  ...{ version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256", name: "a.example" },
  authorities: [],
};

describe("Prometheus", () => {
  it("render() tells when each certificate ends, and whether a new one fails to come", () => {
    const certificates = [
      ONE,
      certificateStatus(NOW, {
        names: ["a.lan", "b.lan", "c.lan", "d.lan", "e.lan"],
        source: "files",
        issuer: 'CN="x"',
        problem: "torn",
      }),
      certificateStatus(NOW, { names: ["new.example"], validTo: undefined, problem: "away" }),
    ];
    const seen = samplesOf(counting().render(status({ certificates })));
    const endOf = (labels: string) => seen.get(`understudy_certificate_expiry_seconds{${labels}}`);
    const problemOf = (labels: string) => seen.get(`understudy_certificate_problem{${labels}}`);
    const plain = 'names="a.example",source="acme",issuer="ca.example"';
    const many = 'names="a.lan, b.lan, c.lan and 2 more",source="files",issuer="CN=\\"x\\""';
    const fresh = 'names="new.example",source="acme",issuer="ca.example"';
    const ends = (NOW + 60 * 86_400_000) / 1000;
    assert.deepEqual([plain, many, fresh].map(endOf), [ends, ends, undefined]);
    assert.deepEqual([plain, many, fresh].map(problemOf), [0, 1, 1]);
  });

  it("render() makes one sample of certificates with the same labels: of the one that ends first", () => {
    const twin = certificateStatus(NOW, { validTo: NOW + 1000, problem: "away" });
    const families = readMetrics(counting().render(status({ certificates: [ONE, twin, ONE] })));
    const of = (name: string) => [...families.get(name)?.samples.values() ?? []];
    assert.deepEqual(of("understudy_certificate_expiry_seconds"), [(NOW + 1000) / 1000]);
    assert.deepEqual(of("understudy_certificate_problem"), [1]);
  });

  it("certified() counts attempts by their result, and nothing else that becomes of them", () => {
    const metrics = counting();
    const kinds = ["issued", "renewed", "reloaded", "failed", "refused"] as const;
    for (const kind of kinds) metrics.certified(turn(kind));
    for (const kind of ["loaded", "unsaved", "expiring"] as const) metrics.certified(turn(kind));
    const seen = samplesOf(metrics.render(status({ certificates: [ONE] })));
    assert.equal(seen.get('understudy_certificate_renewals_total{result="renewed"}'), 3);
    assert.equal(seen.get('understudy_certificate_renewals_total{result="failed"}'), 2);
  });

  it("secured() counts by version and protocol", () => {
    const metrics = counting();
    for (const protocol of ["h2", "h2", undefined]) {
      metrics.secured({ ...AGREED, protocol, client: undefined });
    }
    const seen = samplesOf(metrics.render(status({ certificates: [ONE] })));
    const of = (version: string, protocol: string) =>
      seen.get(`understudy_tls_handshakes_total{version="${version}",protocol="${protocol}"}`);
    assert.deepEqual([of("TLSv1.3", "h2"), of("TLSv1.3", "none"), of("TLSv1.2", "http/1.1")], [
      ...[2, 1, 0],
    ]);
  });

  it("secured() adds no series for what it never heard of", () => {
    const metrics = counting();
    const before = metrics.render(status({ certificates: [ONE] }));
    metrics.secured({ ...AGREED, protocol: "gopher", client: undefined });
    metrics.secured({ ...AGREED, version: "SSLv3", protocol: "h2", client: undefined });
    assert.equal(metrics.render(status({ certificates: [ONE] })), before);
  });

  it("handshakeFailed() counts by why", () => {
    const metrics = counting();
    metrics.handshakeFailed("rejected");
    const seen = samplesOf(metrics.render(status({ root: true })));
    for (const reason of HANDSHAKE_FAILURES) {
      const value = seen.get(`understudy_tls_handshake_failures_total{reason="${reason}"}`);
      assert.equal(value, reason === "rejected" ? 1 : 0, reason);
    }
  });

  it("says nothing of TLS where none is spoken", () => {
    const text = counting().render(status());
    assert.deepEqual(
      [...samplesOf(text).keys()].filter((name) => /tls|certificate/.test(name)),
      [],
    );
  });
});
