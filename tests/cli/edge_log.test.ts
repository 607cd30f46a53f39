/** What becomes of certificates and handshakes: the lines of the log, and what others hear of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { edgeLog } from "../../src/cli/edge_log.ts";
import type { CertificateTurn } from "../../src/model.ts";
import type { LogFields } from "../../src/ops/log.ts";
import type { EdgeDeps } from "../../src/tls/edge_deps.ts";
import { certificate } from "../support/fake_tls.ts";
import { certificateStatus } from "../support/fake_status.ts";
import { ManualClock } from "../support/manual_clock.ts";

const NOW = ManualClock.EPOCH;
const DAY_MS = 86_400_000;
const PEER = { ip: "192.0.2.7", port: 4000 };

function scene(names: readonly string[] = ["a.example", "b.example"]) {
  const lines: [string, string, LogFields][] = [];
  const turns: CertificateTurn[] = [];
  const heard: string[] = [];
  const noted = (level: string) => (event: string, fields: LogFields = {}) => {
    lines.push([level, event, fields]);
  };
  const told = edgeLog({
    log: { debug: noted("debug"), info: noted("info"), warn: noted("warn"), error: noted("error") },
    clock: { now: () => NOW },
    standing: () => certificateStatus(NOW, { names }),
    ears: {
      certified: (turn) => turns.push(turn),
      secured: ({ version }) => heard.push(version),
      handshakeFailed: (kind) => heard.push(kind),
    },
  });
  return { told, lines, turns, heard };
}

type Course = Parameters<EdgeDeps["told"]>[1];
const validTo = NOW + DAY_MS;
const expires = "2026-11-23T12:00:00.000Z";
const issued = { issuer: "ca.test", validTo };

const courses: [Course, string, LogFields][] = [
  [{ kind: "loaded", ...issued }, "info", { issuer: "ca.test", expires }],
  [{ kind: "issued", ...issued }, "info", { issuer: "ca.test", expires }],
  [{ kind: "renewed", ...issued }, "info", { issuer: "ca.test", expires }],
  [{ kind: "reloaded", validTo }, "info", { expires }],
  [{ kind: "refused", reason: "no key" }, "warn", { problem: "no key" }],
  [{ kind: "unsaved", reason: "disk full" }, "warn", { problem: "disk full" }],
  [{ kind: "failed", reason: "away", againAt: validTo }, "error", {
    problem: "away",
    again: expires,
  }],
  [{ kind: "expiring", validTo }, "warn", { expires }],
  [{ kind: "expiring", validTo: NOW }, "error", { expires: "2026-11-22T12:00:00.000Z" }],
];

describe("edgeLog()", () => {
  for (const [course, level, fields] of courses) {
    it(`told() logs certificate.${course.kind} as ${level}, and passes it on`, () => {
      const { told, lines, turns } = scene();
      told.told(certificate(["a.example", "b.example"]), course);
      assert.deepEqual(lines, [
        [level, `certificate.${course.kind}`, { certificate: "a.example, b.example", ...fields }],
      ]);
      assert.deepEqual(turns.map(({ kind, at }) => [kind, at]), [[course.kind, NOW]]);
      assert.deepEqual(turns[0]?.certificate.names, ["a.example", "b.example"]);
    });
  }

  it("told() names the files of one that has no names", () => {
    const { told, lines } = scene([]);
    told.told({ ...certificate([]), id: "files /a.pem" }, { kind: "reloaded", validTo });
    assert.equal(lines[0]?.[2]["certificate"], "files /a.pem");
  });

  it("handshakeFailed() keeps the words for who debugs, and passes the kind on", () => {
    const { told, lines, heard } = scene();
    told.handshakeFailed(PEER, 'no certificate for "x"', "no_certificate");
    told.secured({ ...{ version: "TLSv1.3", cipher: "", name: undefined }, ...NOTHING });
    assert.deepEqual(lines, [
      ["debug", "handshake.failed", { ip: "192.0.2.7", problem: 'no certificate for "x"' }],
    ]);
    assert.deepEqual(heard, ["no_certificate", "TLSv1.3"]);
  });

  it("rootEnds() warns of it", () => {
    const { told, lines } = scene();
    told.rootEnds(validTo);
    assert.deepEqual(lines, [["warn", "root.expiring", { expires }]]);
  });
});

const NOTHING = { protocol: undefined, client: undefined, authorities: [] };
