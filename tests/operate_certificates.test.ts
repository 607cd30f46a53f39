/** What the operator's desk tells of certificates: how they stand, what becomes of them, and the root. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Prometheus } from "../src/ops/metrics.ts";
import type { Status } from "../src/ops/status.ts";
import type { TlsRules } from "../src/tls_rules.ts";
import { IssueError } from "../src/tls/issuer.ts";
import { AdminLab, type AdminLabOptions } from "./support/admin_lab.ts";
import { ACME, INTERNAL, pairSource, tlsRules } from "./support/fake_edge.ts";
import { certificate } from "./support/fake_tls.ts";
import { misfits } from "./support/json_schema.ts";
import { ManualClock, settled } from "./support/manual_clock.ts";
import { samplesOf } from "./support/metrics_text.ts";

const DAY_MS = 86_400_000;
const FILES = certificate(
  ["files.lan"],
  pairSource(["files.lan"], { from: ManualClock.EPOCH - 355 * DAY_MS, days: 365 }),
);

function open(tls: TlsRules, options: AdminLabOptions = {}): Promise<AdminLab> {
  return AdminLab.open({ route: { health: undefined }, ...options, config: { tls } });
}

describe("GET /api/status", () => {
  it("tells of certificates in the order of the file, as the API's description says", async () => {
    await using desk = await open(
      tlsRules([certificate(["gpu.lan"], INTERNAL), certificate(["a.example"], ACME), FILES]),
    );
    const status = await desk.status();
    const [own, public_, files] = status.certificates;
    assert.deepEqual([own?.names, own?.source, own?.state, own?.issuer, own?.serial], [
      ...[["gpu.lan"], "internal", "good", "internal", "internal-1"],
    ]);
    assert.deepEqual([own?.validFrom, own?.validTo], [
      ManualClock.EPOCH,
      ManualClock.EPOCH + 90 * DAY_MS,
    ]);
    assert.ok((own?.nextAt ?? 0) > ManualClock.EPOCH);
    assert.deepEqual([public_?.source, public_?.issuer], ["acme", "ca.test"]);
    assert.deepEqual([files?.source, files?.state, files?.issuer], [
      "files",
      "expiring",
      "CN=test",
    ]);
    assert.equal(status.root, true);

    const { body: api } = await desk.told("/api/openapi.json");
    const schema = { $ref: "#/components/schemas/Status", $defs: api.components.schemas };
    assert.deepEqual(misfits(schema, status), []);
    const broken = { ...status, certificates: [{ ...own, state: "superb" }] };
    assert.notDeepEqual(misfits(schema, broken), []);
  });

  it("tells what is missing and why, and of no root where nothing is signed here", async () => {
    await using desk = await open(tlsRules([FILES]));
    desk.keeping.acme.problem = { reason: "no such name" };
    await desk.replace(
      desk.lab.config({ tls: tlsRules([certificate(["a.example"], ACME)]) }),
    );
    await settled();
    const { certificates: [one], root } = await desk.status();
    assert.deepEqual([one?.state, one?.problem, root], ["missing", "no such name", false]);
    assert.equal(one !== undefined && "validTo" in one, false);
  });

  it("has none where no TLS is spoken", async () => {
    await using desk = await AdminLab.open();
    const { certificates, root }: Status = await desk.status();
    assert.deepEqual([certificates, root], [[], false]);
  });
});

describe("GET /api/events", () => {
  it("tells of all certificates within a second of what becomes of one, and then no more", async () => {
    await using desk = await open(tlsRules([certificate(["gpu.lan"], INTERNAL)]));
    await using events = await desk.listen();
    await events.next("summary");
    // What came before somebody listened is in the status.
    await desk.lab.clock.advance(1_000);
    await desk.replace(
      desk.lab.config({ tls: tlsRules([certificate(["a.example"], ACME), FILES]) }),
    );
    await desk.lab.clock.advance(1_000);
    const told = await events.next("certificates", ([first]) => first?.source === "acme");
    assert.deepEqual(told, (await desk.status()).certificates);

    await desk.lab.clock.advance(1_000);
    desk.operator.refused(["to end what is listened to"]);
    const names: string[] = [];
    for (let event = await events.any(); event?.name !== "config"; event = await events.any()) {
      names.push(event?.name ?? "the end");
    }
    assert.deepEqual(names.filter((name) => name !== "summary"), []);
  });
});

describe("GET /metrics", () => {
  it("counts what becomes of certificates and handshakes", async () => {
    const metrics = new Prometheus(() => ({ residentBytes: 1, cpuMs: 1, openFiles: 1 }));
    const tls = tlsRules([certificate(["a.example"], ACME)]);
    await using desk = await open(tls, { sinks: { metrics } });
    const peer = { ip: "192.0.2.7", port: 4000 };
    const [listener] = desk.lab.config().listen;
    assert.ok(listener);
    const door = desk.keeping.edge.door(listener);
    door.failed(peer, "handshake took too long", "timeout");
    door.secured?.({
      ...{ version: "TLSv1.3", cipher: "", name: undefined, protocol: "h2" },
      ...{ client: undefined, authorities: [] },
    });
    const seen = samplesOf(await (await desk.ask("/metrics")).text());
    const values = [
      'understudy_certificate_renewals_total{result="renewed"}',
      'understudy_certificate_expiry_seconds{names="a.example",source="acme",issuer="ca.test"}',
      'understudy_tls_handshake_failures_total{reason="timeout"}',
      'understudy_tls_handshakes_total{version="TLSv1.3",protocol="h2"}',
    ].map((name) => seen.get(name));
    assert.deepEqual(values, [1, (ManualClock.EPOCH + 90 * DAY_MS) / 1000, 1, 1]);
  });
});

describe("GET /api/root.pem", () => {
  it("gives the root as a file to keep", async () => {
    await using desk = await open(tlsRules([certificate(["gpu.lan"], INTERNAL)]));
    desk.keeping.root = "-----BEGIN CERTIFICATE-----\n";
    const response = await desk.ask("/api/root.pem");
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "application/x-pem-file");
    assert.equal(
      response.headers.get("content-disposition"),
      'attachment; filename="understudy-root.crt"',
    );
    assert.equal(await response.text(), "-----BEGIN CERTIFICATE-----\n");
  });

  it("says so where there is none", async () => {
    await using desk = await open(tlsRules([]));
    assert.deepEqual(await desk.told("/api/root.pem"), {
      status: 404,
      body: { error: "Cannot find a root, as nothing is signed here" },
    });
  });

  it("says why where it cannot be read", async () => {
    await using desk = await open(tlsRules([certificate(["gpu.lan"], INTERNAL)]));
    desk.keeping.rootProblem = new IssueError("Cannot read the root: it is locked");
    assert.deepEqual(await desk.told("/api/root.pem"), {
      status: 503,
      body: { error: "Cannot read the root: it is locked" },
    });
  });

  it("takes nothing but GET, and nobody without the token", async () => {
    const token = "0123456789abcdef";
    await using desk = await open(tlsRules([]), { admin: { token } });
    assert.equal((await desk.told("/api/root.pem")).status, 401);
    const headers = { authorization: `Bearer ${token}` };
    const { status } = await desk.told("/api/root.pem", { method: "POST", headers });
    assert.equal(status, 405);
  });
});

describe("POST /api/certificates", () => {
  it("renews one by any of its names, as the API's description says", async () => {
    const both = certificate(["a.example", "*.a.example"], ACME);
    await using desk = await open(tlsRules([both]));
    const { status, body } = await desk.post("/api/certificates/X.a.example/renew");
    assert.deepEqual([status, body.certificate.serial], [200, "ca.test-2"]);
    assert.deepEqual(desk.keeping.acme.revoked, []);
    const { body: api } = await desk.told("/api/openapi.json");
    const schema = {
      ...{ $ref: "#/components/schemas/CertificateResult", $defs: api.components.schemas },
    };
    assert.deepEqual(misfits(schema, body), []);
  });

  it("calls the old one back for the reason that is given", async () => {
    await using desk = await open(tlsRules([certificate(["a.example"], ACME)]));
    const path = "/api/certificates/a.example/revoke";
    assert.equal((await desk.post(`${path}?reason=key_compromise`)).status, 200);
    assert.equal((await desk.post(path)).status, 200);
    assert.deepEqual(desk.keeping.acme.revoked.map(({ reason }) => reason), [
      "key_compromise",
      "unspecified",
    ]);
    const wrong = await desk.post(`${path}?reason=mood`);
    assert.deepEqual([wrong.status, wrong.body.error], [
      422,
      'Expected a reason of unspecified, key_compromise, superseded, cessation but received "mood"',
    ]);
  });

  const refusals: [string, string, number, string][] = [
    ["why the authority gave none", "a.example", 409, "no such name"],
    ["that files are somebody else's", "files.lan", 409, "comes from files"],
    ["that nobody has that name", "b.example", 404, 'Cannot find a certificate for "b.example"'],
  ];
  for (const [title, name, expected, reason] of refusals) {
    it(`tells ${title}`, async () => {
      await using desk = await open(tlsRules([certificate(["a.example"], ACME), FILES]));
      desk.keeping.acme.problem = { reason: "no such name" };
      const { status, body } = await desk.post(`/api/certificates/${name}/renew`);
      assert.equal(status, expected);
      assert.ok(body.error.includes(reason), body.error);
    });
  }
});
